// Data keys, and random bytes.
// https://docs.aws.amazon.com/kms/latest/developerguide/data-keys.html

import { toBase64 } from "../crypto/base64.ts";
import type { Moment } from "../domain/moment.ts";
import { validation } from "../errors.ts";
import { encryptWith } from "./encryption.ts";
import * as members from "./members.ts";
import { atEdge, type Target, use } from "./operation.ts";
import { integer, oneOf, required, text } from "./shape.ts";

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

interface DataKeyInput {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined;
  readonly NumberOfBytes?: number | undefined;
  readonly KeySpec?: (typeof dataKeySpecs)[number] | undefined;
}

export const dataKeys = {
  GenerateDataKey: use({
    input: { ...dataKeyInput, Recipient: members.recipient },
    aliases: true,
    check(input) {
      members.refuseNotBuilt(input, "Recipient");
      requireOneSize(input);
    },
    async use(target, input, at) {
      const { plaintext, output } = await dataKey(target, input, at);
      return { ...output, Plaintext: toBase64(plaintext) };
    },
  }),

  GenerateDataKeyWithoutPlaintext: use({
    input: dataKeyInput,
    aliases: true,
    check: requireOneSize,
    use: async (target, input, at) => (await dataKey(target, input, at)).output,
  }),

  GenerateRandom: atEdge({
    input: {
      NumberOfBytes: integer({ min: 1, max: 1024 }),
      CustomKeyStoreId: text({ min: 1, max: 64 }),
      Recipient: members.recipient,
    },
    run({ random }, input) {
      members.refuseNotBuilt(input, "CustomKeyStoreId", "Recipient");
      // Recorded on AWS: optional in the model, required all the same.
      if (input.NumberOfBytes === undefined) throw validation("NumberOfBytes is required.");
      return { Plaintext: toBase64(random(input.NumberOfBytes)) };
    },
  }),
};

function requireOneSize({ KeySpec, NumberOfBytes }: DataKeyInput): void {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw validation("Please specify either number of bytes or key spec.");
  }
}

async function dataKey({ set, arn }: Target, input: DataKeyInput, at: Moment) {
  const length = input.KeySpec ? dataKeyBytes[input.KeySpec] : (input.NumberOfBytes ?? 0);
  const plaintext = at.random(length);
  const { ciphertext, material } = await encryptWith(set, plaintext, input.EncryptionContext, at);
  return {
    plaintext,
    output: { CiphertextBlob: ciphertext, KeyId: arn, KeyMaterialId: material.id },
  };
}
