// Using keys: within a Region, across Regions, by every name a key has.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html

import { describe, expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import { ciphertextOutOfReach } from "../../support/out-of-reach.ts";
import {
  bytes,
  cryptographicCalls,
  decrypted,
  described,
  encrypted,
  keyMaterialId,
  multiRegionKey,
  type NewStage,
  singleRegionKey,
} from "./stage.ts";

const INCORRECT_KEY =
  "The key ID in the request does not identify a CMK that can perform this operation.";
const DRY_RUN = "The request would have succeeded, but the DryRun option is set.";
/** What AWS's client says of a refusal whose body has no message. */
const NO_TEXT = "UnknownError";

export function encryption(newStage: NewStage): void {
  test("a key has four names", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const keyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    await us.createAlias({ AliasName: "alias/app/main", TargetKeyId: keyId });
    await eu.createAlias({
      AliasName: "alias/app/main",
      TargetKeyId: stage.arn("eu-west-1", keyId),
    });
    for (const [client, region] of [
      [us, "us-east-1"],
      [eu, "eu-west-1"],
    ] as const) {
      const arn = stage.arn(region, keyId);
      const aliasArn = `arn:aws:kms:${region}:${stage.account}:alias/app/main`;
      for (const KeyId of [keyId, arn, "alias/app/main", aliasArn]) {
        const { CiphertextBlob, ...answer } = await client.encrypt({
          KeyId,
          Plaintext: bytes("by any name"),
        });
        expect(answer).toMatchObject({ KeyId: arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" });
        const decryption = await client.decrypt({ KeyId, CiphertextBlob });
        expect(decryption).toMatchObject({
          KeyId: arn,
          EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
          KeyMaterialId: keyMaterialId,
        });
        expect(Buffer.from(decryption.Plaintext ?? []).toString()).toBe("by any name");
        expect((await client.generateDataKey({ KeyId, KeySpec: "AES_128" })).KeyId).toBe(arn);
        expect((await described(client, KeyId)).Arn).toBe(arn);
        const source = { CiphertextBlob, SourceKeyId: KeyId, DestinationKeyId: KeyId };
        expect(await client.reEncrypt(source)).toMatchObject({ SourceKeyId: arn, KeyId: arn });
      }
    }
  });

  test("names that name nothing", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const arn = stage.arn("us-east-1", missing);
    const aliasArn = `arn:aws:kms:us-east-1:${stage.account}:alias/none`;
    const texts = {
      [missing]: `Key '${arn}' does not exist`,
      [arn]: `Key '${arn}' does not exist`,
      "fake-key-id": "Invalid keyId 'fake-key-id'",
      "mrk-fake-key-id": "Invalid keyId 'mrk-fake-key-id'",
      [missing.replaceAll("-", "")]: `Invalid keyId '${missing.replaceAll("-", "")}'`,
      [arn.replace("us-east-1", "eu-west-1")]: "Invalid arn eu-west-1",
      "alias/none": `Alias ${aliasArn} is not found.`,
      [aliasArn]: `Alias ${aliasArn} is not found.`,
    };
    for (const [KeyId, text] of Object.entries(texts)) {
      await refuses(us.describeKey({ KeyId }), "NotFoundException", text);
      await refuses(us.encrypt({ KeyId, Plaintext: bytes("x") }), "NotFoundException", text);
    }
    // Operations that take no alias.
    await refuses(
      us.disableKey({ KeyId: "alias/none" }),
      "InvalidArnException",
      "Key Aliases are not supported for this operation.",
    );
  });

  test("a ciphertext of one Region is decrypted in another, under the local name alone", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const keyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const [usArn, euArn] = [stage.arn("us-east-1", keyId), stage.arn("eu-west-1", keyId)];
    const EncryptionContext = { purpose: "travel", größe: "✓" };
    const { CiphertextBlob } = await us.encrypt({
      KeyId: keyId,
      Plaintext: bytes("hello"),
      EncryptionContext,
    });
    expect(
      await eu.decrypt({
        CiphertextBlob,
        EncryptionContext: { größe: "✓", purpose: "travel" },
        KeyId: euArn,
      }),
    ).toMatchObject({ KeyId: euArn });
    expect((await eu.decrypt({ CiphertextBlob, EncryptionContext })).KeyId).toBe(euArn);
    await refuses(
      eu.decrypt({ CiphertextBlob, EncryptionContext, KeyId: usArn }),
      "NotFoundException",
      "Invalid arn us-east-1",
    );
    for (const wrong of [undefined, {}, { purpose: "Travel", größe: "✓" }, { purpose: "travel" }]) {
      await refuses(
        eu.decrypt({ CiphertextBlob, EncryptionContext: wrong }),
        "InvalidCiphertextException",
        NO_TEXT,
      );
    }
  });

  test("ciphertexts of other keys, of keys out of reach, and damaged ones", async () => {
    const stage = newStage();
    const [us, ap] = [stage.in("us-east-1"), stage.in("ap-south-1")];
    const keyId = await multiRegionKey(stage, "us-east-1");
    const other = await singleRegionKey(us);
    const CiphertextBlob = await encrypted(us, keyId, "mine");
    await refuses(
      us.decrypt({ CiphertextBlob, KeyId: other }),
      "IncorrectKeyException",
      INCORRECT_KEY,
    );
    await refuses(
      us.reEncrypt({ CiphertextBlob, SourceKeyId: other, DestinationKeyId: other }),
      "IncorrectKeyException",
      INCORRECT_KEY,
    );
    await refuses(
      ap.decrypt({ CiphertextBlob }),
      "AccessDeniedException",
      ciphertextOutOfReach(`arn:aws:iam::${stage.account}:root`),
    );
    const damaged = Uint8Array.from(CiphertextBlob);
    damaged.set([(damaged.at(-1) ?? 0) ^ 1], damaged.length - 1);
    for (const blob of [damaged, CiphertextBlob.subarray(0, -1), bytes("nonsense")]) {
      await refuses(us.decrypt({ CiphertextBlob: blob }), "InvalidCiphertextException", NO_TEXT);
    }
    await refuses(
      us.decrypt({ CiphertextBlob, EncryptionAlgorithm: "RSAES_OAEP_SHA_256", KeyId: keyId }),
      "InvalidKeyUsageException",
      "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
    );
  });

  test("a plaintext has 1 to 4096 bytes", async () => {
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);
    for (const length of [1, 4096]) {
      const Plaintext = new Uint8Array(length).fill(7);
      const { CiphertextBlob } = await us.encrypt({ KeyId, Plaintext });
      expect((await us.decrypt({ CiphertextBlob })).Plaintext).toEqual(Plaintext);
    }
    const text = "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: ";
    await refuses(
      us.encrypt({ KeyId, Plaintext: new Uint8Array(0) }),
      "ValidationException",
      `${text}Member must have length greater than or equal to 1`,
    );
    await refuses(
      us.encrypt({ KeyId, Plaintext: new Uint8Array(4097) }),
      "ValidationException",
      `${text}Member must have length less than or equal to 4096`,
    );
  });

  test("ReEncrypt moves a ciphertext between keys and contexts", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const keyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const local = await singleRegionKey(eu);
    const [SourceEncryptionContext, DestinationEncryptionContext] = [{ a: "1" }, { b: "2" }];
    const { CiphertextBlob } = await us.encrypt({
      KeyId: keyId,
      Plaintext: bytes("moved"),
      EncryptionContext: SourceEncryptionContext,
    });
    const answer = await eu.reEncrypt({
      CiphertextBlob,
      SourceEncryptionContext,
      DestinationKeyId: local,
      DestinationEncryptionContext,
    });
    expect(answer).toMatchObject({
      SourceKeyId: stage.arn("eu-west-1", keyId),
      KeyId: stage.arn("eu-west-1", local),
      SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      DestinationEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      SourceKeyMaterialId: (await described(us, keyId)).CurrentKeyMaterialId,
      DestinationKeyMaterialId: (await described(eu, local)).CurrentKeyMaterialId,
    });
    const { Plaintext } = await eu.decrypt({
      CiphertextBlob: answer.CiphertextBlob,
      EncryptionContext: DestinationEncryptionContext,
    });
    expect(Buffer.from(Plaintext ?? []).toString()).toBe("moved");
    await refuses(
      eu.reEncrypt({ CiphertextBlob, DestinationKeyId: local }),
      "InvalidCiphertextException",
    );
    await eu.disableKey({ KeyId: local });
    await refuses(
      eu.reEncrypt({ CiphertextBlob, SourceEncryptionContext, DestinationKeyId: local }),
      "DisabledException",
      `${stage.arn("eu-west-1", local)} is disabled.`,
    );
  });

  test("data keys", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const { CurrentKeyMaterialId } = await described(us, KeyId);
    const EncryptionContext = { file: "1" };
    const sizes = [
      [{ KeySpec: "AES_128" }, 16],
      [{ KeySpec: "AES_256" }, 32],
      [{ NumberOfBytes: 1 }, 1],
      [{ NumberOfBytes: 1024 }, 1024],
    ] as const;
    for (const [size, length] of sizes) {
      const { CiphertextBlob, Plaintext, ...answer } = await us.generateDataKey({
        KeyId,
        EncryptionContext,
        ...size,
      });
      expect(answer).toMatchObject({
        KeyId: stage.arn("us-east-1", KeyId),
        KeyMaterialId: CurrentKeyMaterialId,
      });
      expect(Plaintext).toHaveLength(length);
      expect((await eu.decrypt({ CiphertextBlob, EncryptionContext })).Plaintext).toEqual(
        Plaintext,
      );
      const hidden = await us.generateDataKeyWithoutPlaintext({ KeyId, ...size });
      expect(hidden).not.toHaveProperty("Plaintext");
      expect((await eu.decrypt({ CiphertextBlob: hidden.CiphertextBlob })).Plaintext).toHaveLength(
        length,
      );
    }
    for (const size of [{}, { KeySpec: "AES_256", NumberOfBytes: 32 }] as const) {
      await refuses(us.generateDataKey({ KeyId, ...size }), "ValidationException");
    }
    await refuses(
      us.generateDataKey({ KeyId, NumberOfBytes: 1025 }),
      "ValidationException",
      "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: " +
        "Member must have value less than or equal to 1024",
    );
  });

  test("GenerateRandom", async () => {
    const us = newStage().in("us-east-1");
    const [one, two] = await Promise.all([
      us.generateRandom({ NumberOfBytes: 1024 }),
      us.generateRandom({ NumberOfBytes: 1024 }),
    ]);
    expect(one.Plaintext).toHaveLength(1024);
    expect(one.Plaintext).not.toEqual(two.Plaintext);
    await refuses(us.generateRandom({}), "ValidationException", "NumberOfBytes is required.");
    await refuses(
      us.generateRandom({ NumberOfBytes: 0 }),
      "ValidationException",
      "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: " +
        "Member must have value greater than or equal to 1",
    );
  });

  test("a disabled key is not used, in its own Region alone", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const ciphertext = await encrypted(us, KeyId, "x");
    await us.disableKey({ KeyId });
    await us.disableKey({ KeyId });
    expect(await described(us, KeyId)).toMatchObject({ KeyState: "Disabled", Enabled: false });
    for (const call of Object.values(cryptographicCalls(us, KeyId, ciphertext))) {
      await refuses(call(), "DisabledException", `${stage.arn("us-east-1", KeyId)} is disabled.`);
    }
    expect(await decrypted(eu, ciphertext)).toBe("x");
    await us.enableKey({ KeyId });
    await us.enableKey({ KeyId });
    expect(await decrypted(us, ciphertext)).toBe("x");
  });

  describe("DryRun", () => dryRun(newStage));
}

function dryRun(newStage: NewStage): void {
  test("what would succeed is refused as such, and what would not, as ever", async () => {
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const CiphertextBlob = await encrypted(us, KeyId, "x");
    const DryRun = true;
    const calls = [
      () => us.encrypt({ KeyId, Plaintext: bytes("x"), DryRun }),
      () => us.decrypt({ CiphertextBlob, DryRun }),
      () => us.reEncrypt({ CiphertextBlob, DestinationKeyId: KeyId, DryRun }),
      () => us.generateDataKey({ KeyId, KeySpec: "AES_256", DryRun }),
      () => us.generateDataKeyWithoutPlaintext({ KeyId, KeySpec: "AES_256", DryRun }),
    ];
    for (const call of calls) await refuses(call(), "DryRunOperationException", DRY_RUN);
    await refuses(
      us.decrypt({ CiphertextBlob, DryRun, EncryptionContext: { not: "it" } }),
      "InvalidCiphertextException",
    );
    await us.disableKey({ KeyId });
    for (const call of calls) await refuses(call(), "DisabledException");
    const missing = { KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab", DryRun };
    await refuses(us.encrypt({ ...missing, Plaintext: bytes("x") }), "NotFoundException");
    await us.enableKey({ KeyId });
    await us.encrypt({ KeyId, Plaintext: bytes("x"), DryRun: false });
  });

  test("IGNORE_CIPHERTEXT asks without a ciphertext", async () => {
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const DryRunModifiers = ["IGNORE_CIPHERTEXT" as const];
    await refuses(
      us.decrypt({ KeyId, DryRun: true, DryRunModifiers }),
      "DryRunOperationException",
      DRY_RUN,
    );
    await refuses(
      us.reEncrypt({ SourceKeyId: KeyId, DestinationKeyId: KeyId, DryRun: true, DryRunModifiers }),
      "DryRunOperationException",
      DRY_RUN,
    );
    await refuses(us.decrypt({ DryRun: true, DryRunModifiers }), "ValidationException");
    await refuses(us.decrypt({ KeyId, DryRunModifiers }), "ValidationException");
    await refuses(us.decrypt({ KeyId, DryRun: true }), "ValidationException");
  });
}
