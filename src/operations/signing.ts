// Signing and verifying. https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html

import type { Message, MessageType, SigningAlgorithm } from "../crypto/algorithm.ts";
import { type SigningAlgorithmName, signingAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { KmsError, validation } from "../errors.ts";
import * as members from "./members.ts";
import { type Target, use } from "./operation.ts";
import { blob, oneOf, required } from "./shape.ts";
import { requireAlgorithm, requireKeyPair, requireUsage } from "./usage.ts";

const messageInput = {
  KeyId: required(members.keyId),
  Message: required(blob({ min: 1, max: 4096, sensitive: true })),
  MessageType: oneOf<MessageType>(["RAW", "DIGEST", "EXTERNAL_MU"]),
  SigningAlgorithm: required(oneOf(Object.keys(signingAlgorithms) as SigningAlgorithmName[])),
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
    async use(target, input) {
      const { algorithm, message } = prepared(target, input, "Sign");
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
    async use(target, input) {
      const { algorithm, message } = prepared(target, input, "Verify");
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
  operation: string,
): { readonly algorithm: SigningAlgorithm; readonly message: Message } {
  requireUsage(target, "SIGN_VERIFY", operation);
  requireAlgorithm(target, input.SigningAlgorithm);
  const algorithm: SigningAlgorithm = signingAlgorithms[input.SigningAlgorithm];
  const message = { type: input.MessageType ?? "RAW", bytes: fromBase64(input.Message) };
  requireMessage(algorithm, message, input.SigningAlgorithm);
  return { algorithm, message };
}

function requireMessage(algorithm: SigningAlgorithm, message: Message, name: string): void {
  const length = algorithm.messageBytes[message.type];
  if (length === undefined) {
    throw validation(`Algorithm ${name} does not support message type ${message.type}.`);
  }
  if (length !== null && message.bytes.length !== length) {
    // Recorded on AWS.
    throw validation(`Digest is invalid length for algorithm ${name}.`);
  }
}
