// What becomes of imported key material: it expires, is imported again, rotated to and deleted. Keys
// of one Region; test/guide/multi-region-imports.test.ts has the others.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { arnOf, DAY, outcome, SECOND, unbase64, World } from "../support/core.ts";
import {
  type ExternalKey,
  externalKey,
  importedKey,
  importMaterial,
  inDays,
  NO_EXPIRY,
  parameters,
  random,
  wrap,
} from "../support/importing.ts";

const REGION = "us-east-1";
const HEX_64 = /^[0-9a-f]{64}$/;

describe("expiry", () => {
  const submit = async ({ world, KeyId }: ExternalKey, more: object) =>
    outcome(
      world.call(REGION, "ImportKeyMaterial", {
        KeyId,
        ImportToken: "AAAA",
        EncryptedKeyMaterial: "AAAA",
        ...more,
      }),
    );
  const TOKEN = /^InvalidImportTokenException/;

  test("KEY_MATERIAL_EXPIRES is what is meant where nothing is said (recorded on AWS)", async () => {
    const key = await externalKey();
    for (const more of [{}, { ExpirationModel: "KEY_MATERIAL_EXPIRES" }]) {
      expect(await submit(key, more)).toBe(
        "ValidationException: A validTo date must be set if the ExpirationModel is " +
          "KEY_MATERIAL_EXPIRES",
      );
    }
    expect(await submit(key, { ...NO_EXPIRY, ...inDays(key.world, 1) })).toMatch(
      /^ValidationException: A validTo date must not be set /,
    );
  });

  test("ValidTo is in the future, and at most 365 days from now", async () => {
    const key = await externalKey();
    const now = key.world.now / 1000;
    for (const ValidTo of [now, now - 1, 0, -1, now + 365 * 86_400 + 0.001, 1e300]) {
      expect(await submit(key, { ValidTo })).toMatch(
        /^ValidationException: The validTo date must /,
      );
    }
    for (const ValidTo of [now + 0.001, now + 365 * 86_400]) {
      expect(await submit(key, { ValidTo })).toMatch(TOKEN);
    }
    expect(await submit(key, { ValidTo: "2026-01-02T00:00:00Z" })).toMatch(
      /^SerializationException: validTo must be a number of seconds/,
    );
  });

  test("really happens: the material goes at ValidTo, and comes back by importing it again", async () => {
    const key = await externalKey();
    const { world, KeyId, Arn, send, state } = key;
    const material = random(32);
    const { KeyMaterialId } = await send(material, inDays(world, 3));
    expect(await world.describe(REGION, KeyId)).toMatchObject({
      ExpirationModel: "KEY_MATERIAL_EXPIRES",
      ValidTo: (world.now + 3 * DAY) / 1000,
    });
    const blob = await world.encrypt(REGION, KeyId, "secret");
    world.pass(3 * DAY - 1);
    expect(await state()).toBe("Enabled");
    world.pass(1);
    expect(await state()).toBe("PendingImport");
    const pending = `KMSInvalidStateException: ${Arn} is pending import.`;
    expect(await outcome(world.decrypt(REGION, blob))).toBe(pending);
    expect(await outcome(world.encrypt(REGION, KeyId))).toBe(pending);
    // The bytes are nowhere any more; the ID stays.
    expect(JSON.stringify(world.saved(KeyId))).not.toContain(
      Buffer.from(material).toString("base64"),
    );
    const gone = await world.describe(REGION, KeyId);
    expect(gone.CurrentKeyMaterialId).toBe(KeyMaterialId);
    expect(gone).not.toHaveProperty("ExpirationModel");
    expect(gone).not.toHaveProperty("ValidTo");
    expect(await key.materials()).toEqual([
      { KeyId, KeyMaterialId, ImportState: "PENDING_IMPORT", KeyMaterialState: "CURRENT" },
    ]);
    expect(await send(material)).toEqual({ KeyId: Arn, KeyMaterialId });
    expect(unbase64((await world.decrypt(REGION, blob)).Plaintext)).toBe("secret");
  });

  test("importing it again sets the expiry anew, and takes it away", async () => {
    const key = await externalKey();
    const { world, KeyId, send, state } = key;
    const material = random(32);
    await send(material, inDays(world, 3));
    await send(material, inDays(world, 5));
    world.pass(4 * DAY);
    expect(await state()).toBe("Enabled");
    await send(material);
    world.pass(400 * DAY);
    expect(await state()).toBe("Enabled");
    expect(await world.describe(REGION, KeyId)).not.toHaveProperty("ValidTo");
  });

  test("DescribeKey shows the earliest of several", async () => {
    const key = await importedKey();
    const { world, KeyId, send } = key;
    await send(random(32), { ...inDays(world, 9), ImportType: "NEW_KEY_MATERIAL" });
    // What waits for its rotation does not count yet.
    expect(await world.describe(REGION, KeyId)).toMatchObject({
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
    const validTo = (world.now + 9 * DAY) / 1000;
    await key.rotate();
    expect(await world.describe(REGION, KeyId)).toMatchObject({ ValidTo: validTo });
    await send(key.first, inDays(world, 4));
    expect(await world.describe(REGION, KeyId)).toMatchObject({
      ValidTo: (world.now + 4 * DAY) / 1000,
    });
  });

  test("of material that waits for its rotation leaves the key Enabled, and room for other", async () => {
    const key = await importedKey();
    const { world, Arn, send, state } = key;
    await send(random(32), { ...inDays(world, 2), ImportType: "NEW_KEY_MATERIAL" });
    world.pass(2 * DAY);
    expect(await state()).toBe("Enabled");
    expect(await key.materials()).toHaveLength(1);
    expect(await outcome(key.rotate())).toBe(
      `KMSInvalidStateException: No available key material pending rotation for the key: ${Arn}.`,
    );
    await send(random(32), { ImportType: "NEW_KEY_MATERIAL" });
  });

  test("while a Disabled key expires it is PendingImport; one that is PendingDeletion stays so", async () => {
    const disabled = await externalKey();
    await disabled.send(random(32), inDays(disabled.world, 1));
    await disabled.world.call(REGION, "DisableKey", { KeyId: disabled.KeyId });
    disabled.world.pass(DAY);
    expect(await disabled.state()).toBe("PendingImport");

    const deleted = await externalKey();
    const material = random(32);
    await deleted.send(material, inDays(deleted.world, 1));
    const { world, KeyId } = deleted;
    await world.call(REGION, "ScheduleKeyDeletion", { KeyId });
    world.pass(DAY);
    expect(await deleted.state()).toBe("PendingDeletion");
    await world.call(REGION, "CancelKeyDeletion", { KeyId });
    expect(await deleted.state()).toBe("Disabled");
    await world.call(REGION, "EnableKey", { KeyId });
    expect(await deleted.state()).toBe("PendingImport");
    await deleted.send(material);
    expect(await deleted.state()).toBe("Enabled");
  });
});

describe("ImportType", () => {
  const incorrect = (arn: string, what: "old" | "new") =>
    what === "old"
      ? `IncorrectKeyMaterialException: The key material is not that which was imported into ${arn}.`
      : `IncorrectKeyMaterialException: The key material is not new to ${arn}.`;
  const NEW = { ImportType: "NEW_KEY_MATERIAL" };
  const EXISTING = { ImportType: "EXISTING_KEY_MATERIAL" };

  // crypto.md 9.5.
  test("of a key that has had none: new, whether it is said or not", async () => {
    const first = await externalKey();
    expect(await outcome(first.send(random(32), EXISTING))).toBe(incorrect(first.Arn, "old"));
    expect(await first.state()).toBe("PendingImport");
    await first.send(random(32), NEW);
    expect(await first.state()).toBe("Enabled");
    const other = await externalKey();
    const id = { KeyMaterialId: "0".repeat(64) };
    expect(await outcome(other.send(random(32), id))).toBe(incorrect(other.Arn, "old"));
    await other.send(random(32));
    expect(await other.state()).toBe("Enabled");
  });

  test("the same bytes again: existing, whether it is said or not; not new", async () => {
    const { Arn, first, firstId, send } = await importedKey();
    const answer = { KeyId: Arn, KeyMaterialId: firstId };
    for (const more of [{}, EXISTING, { KeyMaterialId: firstId }]) {
      expect(await send(first, more)).toEqual(answer);
    }
    expect(await outcome(send(first, NEW))).toBe(incorrect(Arn, "new"));
  });

  test("other bytes: only as new, and then they wait for their rotation", async () => {
    const key = await importedKey();
    const { world, KeyId, Arn, firstId, send } = key;
    const [second, third] = [random(32), random(32)];
    for (const more of [{}, EXISTING, { KeyMaterialId: firstId }]) {
      expect(await outcome(send(second, more))).toBe(incorrect(Arn, "old"));
    }
    const { KeyMaterialId: secondId } = await send(second, NEW);
    expect((await world.describe(REGION, KeyId)).CurrentKeyMaterialId).toBe(firstId);
    expect((await world.dataKey(REGION, KeyId)).KeyMaterialId).toBe(firstId);
    // Recorded on AWS.
    const waiting = (id: string) =>
      `KMSInvalidStateException: New key material (id: ${id}) cannot be imported into KMS key ` +
      `${Arn}, because another key material (id: ${secondId}) is pending rotation.`;
    const refused = await outcome(send(third, NEW));
    const [, thirdId = ""] = /\(id: (\w+)\) cannot/.exec(refused) ?? [];
    expect(refused).toBe(waiting(thirdId));
    expect(thirdId).toMatch(HEX_64);
    // Known ones may come again meanwhile.
    expect(await send(second)).toEqual({ KeyId: Arn, KeyMaterialId: secondId });
    expect(await outcome(send(second, NEW))).toBe(incorrect(Arn, "new"));
    expect(await send(key.first, EXISTING)).toEqual({ KeyId: Arn, KeyMaterialId: firstId });
    // On its way it still keeps others out.
    await world.call(REGION, "RotateKeyOnDemand", { KeyId });
    expect(await outcome(send(third, NEW))).toBe(waiting(thirdId));
    world.pass(world.delays.rotatingMs);
    expect(await send(third, NEW)).toEqual({ KeyId: Arn, KeyMaterialId: thirdId });
  });

  test("KeyMaterialId has to be that of the bytes, and never goes with new material", async () => {
    const { Arn, first, firstId, send } = await importedKey();
    const wrong = { KeyMaterialId: firstId.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) };
    expect(await outcome(send(first, wrong))).toBe(incorrect(Arn, "old"));
    expect(await outcome(send(random(32), { ...NEW, KeyMaterialId: firstId }))).toBe(
      "ValidationException: A keyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL",
    );
  });

  test("is not for HMAC keys and key pairs, which keep their first material", async () => {
    const key = await externalKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const { Arn, send, state } = key;
    const members = {
      ImportType: "NEW_KEY_MATERIAL",
      KeyMaterialDescription: "mine",
      KeyMaterialId: "0".repeat(64),
    };
    for (const [member, value] of Object.entries(members)) {
      expect(await outcome(send(random(32), { [member]: value }))).toBe(
        `UnsupportedOperationException: ${Arn} key spec is HMAC_256 which is not valid for ${member}.`,
      );
    }
    const first = random(32);
    await send(first);
    expect(await outcome(send(random(32)))).toBe(incorrect(Arn, "old"));
    expect(await send(first)).toEqual({ KeyId: Arn });
    expect(await state()).toBe("Enabled");
  });

  test("a key pair is the same in whatever encoding it comes", async () => {
    const { KeyId, world } = await externalKey({
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
    });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const whole = privateKey.export({ format: "der", type: "pkcs8" });
    // The same without the public point, which RFC 5915 leaves to the writer.
    const bare = Buffer.from(
      `3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420` +
        whole.subarray(36, 68).toString("hex"),
      "hex",
    );
    await importMaterial(world, REGION, KeyId, bare);
    const shown = () => world.call<{ PublicKey: string }>(REGION, "GetPublicKey", { KeyId });
    const { PublicKey } = await shown();
    await importMaterial(world, REGION, KeyId, whole);
    expect((await shown()).PublicKey).toBe(PublicKey);
  });
});

describe("several materials", () => {
  const NEW = { ImportType: "NEW_KEY_MATERIAL" };

  test("rotate on demand; each ciphertext names its own, and all are listed", async () => {
    const key = await externalKey();
    const { world, KeyId, Arn, send } = key;
    const first = await send(random(32), { KeyMaterialDescription: "the first" });
    const old = await world.encrypt(REGION, KeyId, "old");
    const second = await send(random(32), { ...NEW, ...inDays(world, 30) });
    expect(await world.rotations(REGION, KeyId)).toEqual([]);
    const entries = (current: "CURRENT" | "NON_CURRENT", second: object) => [
      {
        KeyId,
        KeyMaterialId: first.KeyMaterialId,
        KeyMaterialDescription: "the first",
        ImportState: "IMPORTED",
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
        KeyMaterialState: current,
      },
      second,
    ];
    const waiting = {
      KeyId,
      KeyMaterialId: second.KeyMaterialId,
      ImportState: "IMPORTED",
      ExpirationModel: "KEY_MATERIAL_EXPIRES",
      ValidTo: (world.now + 30 * DAY) / 1000,
      KeyMaterialState: "PENDING_ROTATION",
    };
    expect(await key.materials()).toEqual(entries("CURRENT", waiting));
    expect(await world.call(REGION, "RotateKeyOnDemand", { KeyId })).toEqual({ KeyId: Arn });
    expect(await key.materials()).toEqual(entries("CURRENT", waiting));
    expect(await world.rotationStatus(REGION, KeyId)).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: false,
      OnDemandRotationStartDate: world.now / 1000,
    });
    world.pass(SECOND);
    const rotated = {
      ...waiting,
      KeyMaterialState: "CURRENT",
      RotationDate: world.now / 1000,
      RotationType: "ON_DEMAND",
    };
    expect(await key.materials()).toEqual(entries("NON_CURRENT", rotated));
    expect(await world.rotations(REGION, KeyId)).toEqual([rotated]);
    expect((await world.describe(REGION, KeyId)).CurrentKeyMaterialId).toBe(second.KeyMaterialId);
    const young = await world.encrypt(REGION, KeyId, "young");
    expect((await world.decrypt(REGION, old)).KeyMaterialId).toBe(first.KeyMaterialId);
    expect((await world.decrypt(REGION, young)).KeyMaterialId).toBe(second.KeyMaterialId);
  });

  test("are all needed: without any one of them the key is PendingImport", async () => {
    const key = await importedKey();
    const { world, KeyId, Arn, first, firstId, send, state } = key;
    const second = random(32);
    const { KeyMaterialId: secondId } = await send(second, NEW);
    await key.rotate();
    await key.remove({ KeyMaterialId: firstId });
    expect(await state()).toBe("PendingImport");
    expect(await outcome(world.encrypt(REGION, KeyId))).toBe(
      `KMSInvalidStateException: ${Arn} is pending import.`,
    );
    await key.remove();
    expect(await key.materials()).toMatchObject([
      { KeyMaterialId: firstId, ImportState: "PENDING_IMPORT" },
      { KeyMaterialId: secondId, ImportState: "PENDING_IMPORT" },
    ]);
    await send(second);
    expect(await state()).toBe("PendingImport");
    await send(first);
    expect(await state()).toBe("Enabled");
  });

  test("rotation needs one that waits for it (recorded on AWS), and room below the limit of 25", async () => {
    const key = await importedKey();
    const { world, KeyId, Arn } = key;
    expect(await outcome(key.rotate())).toBe(
      `KMSInvalidStateException: No available key material pending rotation for the key: ${Arn}.`,
    );
    const { ImportToken, PublicKey } = await parameters(world, REGION, KeyId);
    for (let count = 0; count < 26; count += 1) {
      const EncryptedKeyMaterial = await wrap(PublicKey, random(32));
      const input = { KeyId, ImportToken, EncryptedKeyMaterial, ...NO_EXPIRY, ...NEW };
      await world.call(REGION, "ImportKeyMaterial", input);
      const answer = await outcome(key.rotate());
      expect(answer).toMatch(count < 25 ? /^ok$/ : /^LimitExceededException: /);
    }
    expect(await world.rotations(REGION, KeyId)).toHaveLength(25);
  });

  test("descriptions stay until another one is given", async () => {
    const { first, send, materials } = await importedKey();
    const shown = async () => (await materials())[0]?.KeyMaterialDescription;
    expect(await shown()).toBe(undefined);
    await send(first, { KeyMaterialDescription: "from the safe" });
    await send(first);
    expect(await shown()).toBe("from the safe");
    await send(first, { KeyMaterialDescription: "from the other safe" });
    expect(await shown()).toBe("from the other safe");
  });

  test("automatic rotation is refused", async () => {
    const { world, KeyId, Arn } = await importedKey();
    const refusal =
      `UnsupportedOperationException: ${Arn} origin is EXTERNAL which is not valid for this ` +
      "operation.";
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation"]) {
      expect(await outcome(world.call(REGION, operation, { KeyId }))).toBe(refusal);
    }
    expect(await world.rotationStatus(REGION, KeyId)).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: false,
    });
  });

  test("keys that do not rotate at all are refused by every rotation operation", async () => {
    const key = await externalKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const { world, KeyId, Arn, send } = key;
    await send(random(32));
    const origin =
      `UnsupportedOperationException: ${Arn} origin is EXTERNAL which is not valid for this ` +
      "operation.";
    const answers = {
      EnableKeyRotation: origin,
      DisableKeyRotation: origin,
      GetKeyRotationStatus: origin,
      RotateKeyOnDemand: "UnsupportedOperationException",
      ListKeyRotations: "UnsupportedOperationException",
    };
    for (const [operation, refusal] of Object.entries(answers)) {
      expect(await outcome(world.call(REGION, operation, { KeyId }))).toBe(refusal);
    }
  });
});

describe("DeleteImportedKeyMaterial", () => {
  test("deletes the current material; deleting it again is no error", async () => {
    const key = await importedKey();
    const { world, KeyId, Arn, first, firstId, state } = key;
    for (let count = 0; count < 2; count += 1) {
      expect(await key.remove()).toEqual({ KeyId: Arn, KeyMaterialId: firstId });
      expect(await state()).toBe("PendingImport");
    }
    const metadata = await world.describe(REGION, KeyId);
    expect(metadata.CurrentKeyMaterialId).toBe(firstId);
    expect(metadata).not.toHaveProperty("ExpirationModel");
    expect(JSON.stringify(world.saved(KeyId))).not.toContain(Buffer.from(first).toString("base64"));
  });

  test("of a key that has had none is no error either", async () => {
    const key = await externalKey();
    expect(await key.remove()).toEqual({ KeyId: key.Arn });
    const pair = await externalKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    expect(await pair.remove()).toEqual({ KeyId: pair.Arn });
  });

  test("of material that the key does not have is refused", async () => {
    const key = await importedKey();
    const id = "0".repeat(64);
    expect(await outcome(key.remove({ KeyMaterialId: id }))).toBe(
      `NotFoundException: Key material ${id} does not exist in ${key.Arn}`,
    );
  });

  test("of material that waits for its rotation makes room for other", async () => {
    const key = await importedKey();
    const { Arn, send, state } = key;
    const NEW = { ImportType: "NEW_KEY_MATERIAL" };
    const { KeyMaterialId } = await send(random(32), NEW);
    expect(await key.remove({ KeyMaterialId })).toEqual({ KeyId: Arn, KeyMaterialId });
    expect(await state()).toBe("Enabled");
    expect(await key.materials()).toHaveLength(1);
    await send(random(32), NEW);
  });

  test("of material that is being rotated to: the key is PendingImport when that is done", async () => {
    const key = await importedKey();
    const { world, KeyId, send, state } = key;
    const second = random(32);
    const { KeyMaterialId } = await send(second, { ImportType: "NEW_KEY_MATERIAL" });
    await world.call(REGION, "RotateKeyOnDemand", { KeyId });
    await key.remove({ KeyMaterialId });
    expect(await state()).toBe("Enabled");
    world.pass(SECOND);
    expect(await state()).toBe("PendingImport");
    await send(second);
    expect(await state()).toBe("Enabled");
  });

  test("of a key pair: gone until the same is imported again", async () => {
    const key = await externalKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const { world, KeyId, Arn, send, state } = key;
    const pair = () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
        type: "pkcs8",
        format: "der",
      });
    const first = pair();
    await send(first);
    expect(await key.remove()).toEqual({ KeyId: Arn });
    expect(await state()).toBe("PendingImport");
    expect(await outcome(world.call(REGION, "GetPublicKey", { KeyId }))).toBe(
      `KMSInvalidStateException: ${Arn} is pending import.`,
    );
    expect(await outcome(send(pair()))).toMatch(/^IncorrectKeyMaterialException: /);
    await send(first);
    expect(await state()).toBe("Enabled");
  });
});

test("a key whose primary changes meanwhile answers for each material it lacks", async () => {
  const world = new World({ updatingMs: 10 * DAY });
  const { KeyId } = await world.createKey(REGION, { Origin: "EXTERNAL", MultiRegion: true });
  const [first, second] = [random(32), random(32)];
  const send = (region: string, material: Uint8Array, more?: object) =>
    importMaterial(world, region, KeyId, material, more);
  await send(REGION, first, inDays(world, 5));
  const old = await world.encrypt(REGION, KeyId, "old");
  await send(REGION, second, { ImportType: "NEW_KEY_MATERIAL" });
  await world.call(REGION, "RotateKeyOnDemand", { KeyId });
  await world.replicate(KeyId, REGION, "eu-west-1");
  await send("eu-west-1", first);
  await send("eu-west-1", second);
  const young = await world.encrypt(REGION, KeyId, "young");
  await world.call(REGION, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: "eu-west-1" });
  world.pass(5 * DAY);
  // The state waits for the end of the update.
  expect((await world.describe(REGION, KeyId)).KeyState).toBe("Updating");
  expect(await outcome(world.decrypt(REGION, old))).toBe(
    `KMSInvalidStateException: ${arnOf(REGION, KeyId)} is pending import.`,
  );
  expect(unbase64((await world.decrypt(REGION, young)).Plaintext)).toBe("young");
  expect(unbase64((await world.decrypt("eu-west-1", old)).Plaintext)).toBe("old");
  world.pass(5 * DAY);
  expect((await world.describe(REGION, KeyId)).KeyState).toBe("PendingImport");
  expect((await world.describe("eu-west-1", KeyId)).KeyState).toBe("Enabled");
});
