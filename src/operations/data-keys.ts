// Data keys, and random bytes.
// https://docs.aws.amazon.com/kms/latest/developerguide/data-keys.html

import { toBase64 } from "../crypto/base64.ts";
import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { dataKeyPairSpecNames, isOffered } from "../domain/key-spec.ts";
import type { Moment } from "../domain/moment.ts";
import { KmsError, validation } from "../errors.ts";
import { encryptWith } from "./encryption.ts";
import { requireIdentityPermission } from "./identity-step.ts";
import { requireNoKeyStore } from "./key-store-of-key.ts";
import * as members from "./members.ts";
import { atEdge, type Target, use } from "./operation.ts";
import { sealed } from "./recipient.ts";
import { integer, oneOf, required, text } from "./shape.ts";
import { requireAlgorithm } from "./usage.ts";

const dataKeyBytes = { AES_256: 32, AES_128: 16 } as const;
const dataKeySpecs = Object.keys(dataKeyBytes) as (keyof typeof dataKeyBytes)[];

const dataKeyInput = {
  KeyId: required(members.keyId),
  EncryptionContext: members.encryptionContext,
  NumberOfBytes: integer({ min: 1, max: 1024 }),
  KeySpec: oneOf(dataKeySpecs),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
};

const pairSpecs = dataKeyPairSpecNames.filter(isKeyPairSpec);

const dataKeyPairInput = {
  EncryptionContext: members.encryptionContext,
  KeyId: required(members.keyId),
  KeyPairSpec: required(oneOf(pairSpecs)),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
};

interface DataKeyPairInput {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined;
  readonly KeyPairSpec: (typeof pairSpecs)[number];
}

interface DataKeyInput {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined;
  readonly NumberOfBytes?: number | undefined;
  readonly KeySpec?: (typeof dataKeySpecs)[number] | undefined;
}

export const dataKeys = {
  GenerateDataKey: use({
    input: { ...dataKeyInput, Recipient: members.recipient },
    aliases: true,
    keyUsage: "ENCRYPT_DECRYPT",
    forRecipient: "Plaintext",
    check: requireOneSize,
    async use(target, input, at) {
      const { plaintext, output } = await dataKey(target, input, at);
      return { ...output, Plaintext: toBase64(plaintext) };
    },
  }),

  GenerateDataKeyWithoutPlaintext: use({
    input: dataKeyInput,
    aliases: true,
    keyUsage: "ENCRYPT_DECRYPT",
    check: requireOneSize,
    use: async (target, input, at) => (await dataKey(target, input, at)).output,
  }),

  GenerateDataKeyPair: use({
    input: { ...dataKeyPairInput, Recipient: members.recipient },
    aliases: true,
    keyUsage: "ENCRYPT_DECRYPT",
    forRecipient: "PrivateKeyPlaintext",
    async use(target, input, at) {
      const made = await dataKeyPair(target, input, at);
      return { ...made.output, PrivateKeyPlaintext: toBase64(made.privateKey) };
    },
  }),

  GenerateDataKeyPairWithoutPlaintext: use({
    input: dataKeyPairInput,
    aliases: true,
    keyUsage: "ENCRYPT_DECRYPT",
    use: async (target, input, at) => (await dataKeyPair(target, input, at)).output,
  }),

  GenerateRandom: atEdge({
    input: {
      NumberOfBytes: integer({ min: 1, max: 1024 }),
      CustomKeyStoreId: text({ min: 1, max: 64 }),
      Recipient: members.recipient,
    },
    async run(edge, input) {
      await requireIdentityPermission(edge, "GenerateRandom", input);
      // Recorded on AWS: optional in the model, required all the same.
      if (input.NumberOfBytes === undefined) throw validation("NumberOfBytes is required.");
      const { CustomKeyStoreId } = input;
      if (CustomKeyStoreId !== undefined) {
        await edge.onKeyStores("GenerateRandomInKeyStore", { CustomKeyStoreId });
      }
      const { random, recipient } = edge;
      const answer = { Plaintext: toBase64(random(input.NumberOfBytes)) };
      return recipient ? sealed(answer, "Plaintext", recipient, random) : answer;
    },
  }),
};

function requireOneSize({ KeySpec, NumberOfBytes }: DataKeyInput): void {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw validation("Please specify either number of bytes or key spec.");
  }
}

async function dataKey(target: Target, input: DataKeyInput, at: Moment) {
  if (isKeyPairSpec(target.set.keySpec)) {
    // Recorded on AWS (floci-io/floci#3968).
    throw new KmsError(
      "InvalidKeyUsageException",
      "You cannot generate a data key with an asymmetric CMK",
    );
  }
  const length = input.KeySpec ? dataKeyBytes[input.KeySpec] : (input.NumberOfBytes ?? 0);
  const plaintext = at.random(length);
  const made = await encryptWith(target, plaintext, input.EncryptionContext, at);
  return {
    plaintext,
    output: { CiphertextBlob: made.ciphertext, KeyId: target.arn, KeyMaterialId: made.materialId },
  };
}

async function dataKeyPair(target: Target, input: DataKeyPairInput, at: Moment) {
  requireAlgorithm(target, "SYMMETRIC_DEFAULT");
  requireNoKeyStore(target);
  if (!isOffered(input.KeyPairSpec, target.key.region)) {
    throw new KmsError(
      "UnsupportedOperationException",
      `KeyPairSpec ${input.KeyPairSpec} is not supported in Region ${target.key.region}.`,
    );
  }
  const { privateKey, publicKey } = await at.newKeyPair(input.KeyPairSpec);
  const made = await encryptWith(target, privateKey, input.EncryptionContext, at);
  return {
    privateKey,
    output: {
      PrivateKeyCiphertextBlob: made.ciphertext,
      PublicKey: toBase64(publicKey),
      KeyId: target.arn,
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: made.materialId,
    },
  };
}
