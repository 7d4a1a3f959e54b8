// Signing and verifying. https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html

import type { Message, MessageType, SigningAlgorithm } from "../crypto/algorithm.ts";
import { type SigningAlgorithmName, signingAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import type { KeySpec } from "../domain/key-spec.ts";
import { KmsError, validation } from "../errors.ts";
import * as members from "./members.ts";
import { type Target, use } from "./operation.ts";
import { blob, oneOf, required } from "./shape.ts";
import { requireAlgorithm, requireKeyPair } from "./usage.ts";

const messageInput = {
  KeyId: required(members.keyId),
  Message: required(blob({ min: 1, max: 4096, sensitive: true })),
  MessageType: oneOf<MessageType>(["RAW", "DIGEST", "EXTERNAL_MU"]),
  // SYMMETRIC_DEFAULT is no error of form but an algorithm that no key has (recorded on AWS).
  SigningAlgorithm: required(
    oneOf(Object.keys(signingAlgorithms) as SigningAlgorithmName[], ["SYMMETRIC_DEFAULT"]),
  ),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
};

interface MessageInput {
  readonly Message: string;
  readonly MessageType?: MessageType | undefined;
  readonly SigningAlgorithm: SigningAlgorithmName;
}

export const signing = {
  Sign: use({
    input: messageInput,
    aliases: true,
    keyUsage: "SIGN_VERIFY",
    async use(target, input) {
      const { algorithm, message } = prepared(target, input);
      const signature = await algorithm.sign(requireKeyPair(target), message);
      return {
        KeyId: target.arn,
        Signature: toBase64(signature),
        SigningAlgorithm: input.SigningAlgorithm,
      };
    },
  }),

  Verify: use({
    input: { ...messageInput, Signature: required(blob({ min: 1, max: 6144 })) },
    aliases: true,
    keyUsage: "SIGN_VERIFY",
    async use(target, input) {
      const { algorithm, message } = prepared(target, input);
      const signature = fromBase64(input.Signature);
      if (!(await algorithm.verify(requireKeyPair(target), message, signature))) {
        throw new KmsError("KMSInvalidSignatureException");
      }
      return { KeyId: target.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
    },
  }),
};

/** The algorithm and the message, once the key has the one and the one takes the other. */
function prepared(
  target: Target,
  input: MessageInput,
): { readonly algorithm: SigningAlgorithm; readonly message: Message } {
  requireAlgorithm(target, input.SigningAlgorithm);
  const algorithm: SigningAlgorithm = signingAlgorithms[input.SigningAlgorithm];
  const message = { type: input.MessageType ?? "RAW", bytes: fromBase64(input.Message) };
  requireMessage(algorithm, message, input.SigningAlgorithm, target.set.keySpec);
  return { algorithm, message };
}

function requireMessage(
  algorithm: SigningAlgorithm,
  message: Message,
  name: string,
  keySpec: KeySpec,
): void {
  const length = algorithm.messageBytes[message.type];
  if (length === undefined) {
    // Recorded on AWS for ML-DSA and Ed25519 (floci-io/floci#3968).
    const refusing =
      algorithm.refusesBy === "key spec" ? `key spec ${keySpec}` : `algorithm ${name}`;
    throw validation(`Message type ${message.type} is incompatible with ${refusing}.`);
  }
  if (length !== null && message.bytes.length !== length) {
    // Recorded on AWS.
    throw validation(`Digest is invalid length for algorithm ${name}.`);
  }
}
