// Shared secrets: by key agreement (ECDH), and by key encapsulation (ML-KEM).
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html

import { keyAgreementAlgorithms, keyEncapsulationAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { KmsError, validation } from "../errors.ts";
import * as members from "./members.ts";
import { type Target, use } from "./operation.ts";
import { blob, oneOf, required } from "./shape.ts";
import { requireAlgorithm, requireKeyPair } from "./usage.ts";

type AgreementName = keyof typeof keyAgreementAlgorithms;
type EncapsulationName = keyof typeof keyEncapsulationAlgorithms;

const encapsulationInput = {
  KeyId: required(members.keyId),
  EncapsulationAlgorithm: required(
    oneOf(Object.keys(keyEncapsulationAlgorithms) as EncapsulationName[]),
  ),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
};

export const keyAgreement = {
  DeriveSharedSecret: use({
    input: {
      KeyId: required(members.keyId),
      KeyAgreementAlgorithm: required(
        oneOf(Object.keys(keyAgreementAlgorithms) as AgreementName[]),
      ),
      PublicKey: required(blob({ min: 1, max: 8192 })),
      GrantTokens: members.grantTokens,
      DryRun: members.dryRun,
      Recipient: members.recipient,
    },
    aliases: true,
    forRecipient: "SharedSecret",
    keyUsage: "KEY_AGREEMENT",
    async use(target, { KeyAgreementAlgorithm, PublicKey }) {
      requireAlgorithm(target, KeyAgreementAlgorithm);
      const algorithm = keyAgreementAlgorithms[KeyAgreementAlgorithm];
      const key = requireKeyPair(target);
      const secret = await algorithm.deriveSharedSecret(key, fromBase64(PublicKey));
      if (!secret) throw validation(null); // Recorded on AWS: no text.
      return {
        KeyId: target.arn,
        SharedSecret: toBase64(secret),
        KeyAgreementAlgorithm,
        KeyOrigin: target.set.origin,
      };
    },
  }),

  Encapsulate: use({
    input: encapsulationInput,
    aliases: true,
    keyUsage: "ENCAPSULATE_DECAPSULATE",
    async use(target, { EncapsulationAlgorithm }) {
      const algorithm = encapsulationOf(target, EncapsulationAlgorithm);
      const made = await algorithm.encapsulate(requireKeyPair(target));
      return {
        KeyId: target.arn,
        SharedSecret: toBase64(made.sharedSecret),
        SharedSecretCiphertextBlob: toBase64(made.ciphertext),
        EncapsulationAlgorithm,
      };
    },
  }),

  /** A foreign ciphertext of the right length gives another secret, as FIPS 203 wants it. */
  Decapsulate: use({
    input: {
      ...encapsulationInput,
      SharedSecretCiphertextBlob: required(blob({ min: 1, max: 6144 })),
    },
    aliases: true,
    keyUsage: "ENCAPSULATE_DECAPSULATE",
    async use(target, { SharedSecretCiphertextBlob, EncapsulationAlgorithm }) {
      const algorithm = encapsulationOf(target, EncapsulationAlgorithm);
      const ciphertext = fromBase64(SharedSecretCiphertextBlob);
      const secret = await algorithm.decapsulate(requireKeyPair(target), ciphertext);
      if (!secret) throw new KmsError("InvalidCiphertextException");
      return { KeyId: target.arn, SharedSecret: toBase64(secret), EncapsulationAlgorithm };
    },
  }),
};

function encapsulationOf(target: Target, name: EncapsulationName) {
  requireAlgorithm(target, name);
  return keyEncapsulationAlgorithms[name];
}
