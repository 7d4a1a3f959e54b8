// Signing and verifying. https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html

import type { Message, MessageType, SigningAlgorithm } from "../crypto/algorithm.ts";
import { type SigningAlgorithmName, signingAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { keySpecRow } from "../domain/key-spec.ts";
import { KmsError, validation } from "../errors.ts";
import * as members from "./members.ts";
import { type Target, use } from "./operation.ts";
import { blob, oneOf, required } from "./shape.ts";
import { requireAlgorithm, requireKeyPair } from "./usage.ts";

const names = Object.keys(signingAlgorithms) as SigningAlgorithmName[];

const messageInput = {
  KeyId: required(members.keyId),
  Message: required(blob({ min: 1, max: 4096, sensitive: true })),
  MessageType: oneOf<MessageType>(["RAW", "DIGEST", "EXTERNAL_MU"]),
  // SYMMETRIC_DEFAULT is refused as an algorithm that no signing key has (recorded on AWS).
  SigningAlgorithm: required(oneOf([...names, "SYMMETRIC_DEFAULT" as SigningAlgorithmName], names)),
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
  requireMessage(target, message, input.SigningAlgorithm);
  return { algorithm, message };
}

function requireMessage({ set }: Target, message: Message, name: SigningAlgorithmName): void {
  const { type } = message;
  const length = lengthOf(type, name);
  if (length === undefined) {
    // Recorded on AWS: of Ed25519, which takes it with its other algorithm, and of ML-DSA.
    const all = (keySpecRow(set.keySpec).usages.SIGN_VERIFY ?? []) as SigningAlgorithmName[];
    const misfit = all.some((other) => lengthOf(type, other) !== undefined)
      ? `algorithm ${name}`
      : `key spec ${set.keySpec}`;
    throw validation(`Message type ${type} is incompatible with ${misfit}.`);
  }
  if (length !== null && message.bytes.length !== length) {
    // Recorded on AWS.
    throw validation(`Digest is invalid length for algorithm ${name}.`);
  }
}

/** How long a message of a type has to be: null for any length, undefined where it is not taken. */
function lengthOf(type: MessageType, name: SigningAlgorithmName): number | null | undefined {
  const { messageBytes }: SigningAlgorithm = signingAlgorithms[name];
  return messageBytes[type];
}
