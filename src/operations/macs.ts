// Hash-based message authentication codes.
// https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html

import { type MacAlgorithmName, macAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { KmsError } from "../errors.ts";
import * as members from "./members.ts";
import { type Target, use } from "./operation.ts";
import { blob, oneOf, required } from "./shape.ts";
import { requireAlgorithm, requireMaterial } from "./usage.ts";

const macInput = {
  Message: required(blob({ min: 1, max: 4096, sensitive: true })),
  KeyId: required(members.keyId),
  MacAlgorithm: required(oneOf(Object.keys(macAlgorithms) as MacAlgorithmName[])),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
};

export const macs = {
  GenerateMac: use({
    input: macInput,
    aliases: true,
    keyUsage: "GENERATE_VERIFY_MAC",
    use(target, { Message, MacAlgorithm }) {
      const key = macKey(target, MacAlgorithm);
      const mac = macAlgorithms[MacAlgorithm].generate(key, fromBase64(Message));
      return { Mac: toBase64(mac), MacAlgorithm, KeyId: target.arn };
    },
  }),

  VerifyMac: use({
    input: { ...macInput, Mac: required(blob({ min: 1, max: 6144 })) },
    aliases: true,
    keyUsage: "GENERATE_VERIFY_MAC",
    use(target, { Message, MacAlgorithm, Mac }) {
      const key = macKey(target, MacAlgorithm);
      const valid = macAlgorithms[MacAlgorithm].verify(key, fromBase64(Message), fromBase64(Mac));
      if (!valid) throw new KmsError("KMSInvalidMacException");
      return { KeyId: target.arn, MacValid: true, MacAlgorithm };
    },
  }),
};

function macKey(target: Target, algorithm: MacAlgorithmName) {
  requireAlgorithm(target, algorithm);
  return requireMaterial(target).bytes;
}
