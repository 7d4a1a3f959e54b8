// Imported key material in multi-Region keys, as the Developer Guide and the API reference have it:
// each Region has its own bytes of shared materials, and a new one comes in three steps.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-import.html

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { arnOf, base64, DAY, outcome, SECOND, unbase64, World } from "../support/core.ts";
import {
  importMaterial,
  inDays,
  NO_EXPIRY,
  parameters,
  random,
  wrap,
} from "../support/importing.ts";

const [P, R, Q] = ["us-east-1", "eu-west-1", "ap-northeast-1"] as const;
const NEW = { ImportType: "NEW_KEY_MATERIAL" };
const EXISTING = { ImportType: "EXISTING_KEY_MATERIAL" };
const ALL = { IncludeKeyMaterial: "ALL_KEY_MATERIAL" };

/** A primary key in P with its first material, and replicas that have it, too. */
async function prepared(...replicas: readonly string[]) {
  const world = new World();
  const input = { Origin: "EXTERNAL", MultiRegion: true };
  const { KeyId } = await world.createKey(P, input);
  const send = (region: string, material: Uint8Array, more?: object) =>
    importMaterial(world, region, KeyId, material, more);
  const first = random(32);
  const { KeyMaterialId: firstId = "" } = await send(P, first);
  for (const region of replicas) {
    await world.replicate(KeyId, P, region);
    await send(region, first);
  }
  const state = async (region: string) => (await world.describe(region, KeyId)).KeyState;
  /** The state of the material that waits for its rotation, as a Region lists it. */
  const waiting = async (region: string) => (await world.rotations(region, KeyId, ALL)).at(-1);
  const rotate = () => world.call(P, "RotateKeyOnDemand", { KeyId });
  return { world, KeyId, send, first, firstId, state, waiting, rotate };
}

const nothingPending = (keyId: string) =>
  "KMSInvalidStateException: No available key material pending rotation for the key: " +
  `${arnOf(P, keyId)}.`;

describe("a replica of a primary with imported material", () => {
  test("has the shared properties and no bytes: Creating, then PendingImport", async () => {
    const { world, KeyId, firstId } = await prepared();
    const { ReplicaKeyMetadata } = await world.call<{ ReplicaKeyMetadata: object }>(
      P,
      "ReplicateKey",
      { KeyId, ReplicaRegion: R },
    );
    expect(ReplicaKeyMetadata).toMatchObject({ KeyState: "Creating", Origin: "EXTERNAL" });
    expect(ReplicaKeyMetadata).not.toHaveProperty("CurrentKeyMaterialId");
    world.pass(world.delays.creatingMs);
    const replica = await world.describe(R, KeyId);
    expect(replica).toMatchObject({
      KeyId,
      KeyState: "PendingImport",
      Enabled: false,
      Origin: "EXTERNAL",
      KeySpec: "SYMMETRIC_DEFAULT",
      KeyUsage: "ENCRYPT_DECRYPT",
      CurrentKeyMaterialId: firstId,
    });
    expect(replica).not.toHaveProperty("ExpirationModel");
    expect(world.saved(KeyId)?.keys[R]?.imported).toEqual({});
    const refusal = `KMSInvalidStateException: ${arnOf(R, KeyId)} is pending import.`;
    expect(await outcome(world.encrypt(R, KeyId))).toBe(refusal);
    const blob = await world.encrypt(P, KeyId);
    expect(await outcome(world.decrypt(R, blob))).toBe(refusal);
  });

  test("takes the primary's bytes, by its own wrapping key and token, and no others", async () => {
    const { world, KeyId, send, first, firstId, state } = await prepared();
    await world.replicate(KeyId, P, R);
    expect(await outcome(send(R, random(32)))).toBe(
      "IncorrectKeyMaterialException: The key material is not that which was imported into " +
        `${arnOf(R, KeyId)}.`,
    );
    const home = await parameters(world, P, KeyId);
    const foreign = {
      KeyId,
      ImportToken: home.ImportToken,
      EncryptedKeyMaterial: await wrap(home.PublicKey, first),
      ...NO_EXPIRY,
    };
    expect(await outcome(world.call(R, "ImportKeyMaterial", foreign))).toMatch(
      /^InvalidImportTokenException: /,
    );
    expect(await outcome(world.call(P, "ImportKeyMaterial", foreign))).toBe("ok");
    expect(await state(R)).toBe("PendingImport");
    expect(await send(R, first)).toEqual({ KeyId: arnOf(R, KeyId), KeyMaterialId: firstId });
    expect(await state(R)).toBe("Enabled");
    const blob = await world.encrypt(P, KeyId, "secret");
    expect(unbase64((await world.decrypt(R, blob)).Plaintext)).toBe("secret");
  });

  test("is not made of a primary in PendingImport", async () => {
    const { world, KeyId } = await prepared();
    await world.call(P, "DeleteImportedKeyMaterial", { KeyId });
    const replicate = world.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R });
    expect(await outcome(replicate)).toBe(
      `KMSInvalidStateException: ${arnOf(P, KeyId)} is pending import.`,
    );
  });

  test("of one with several materials needs all of them", async () => {
    const { world, KeyId, send, first, state, rotate } = await prepared();
    const second = random(32);
    await send(P, second, NEW);
    await rotate();
    world.pass(SECOND);
    await world.replicate(KeyId, P, R);
    await send(R, second);
    expect(await state(R)).toBe("PendingImport");
    expect(await world.rotations(R, KeyId, ALL)).toMatchObject([
      { KeyMaterialState: "NON_CURRENT", ImportState: "PENDING_IMPORT" },
      { KeyMaterialState: "CURRENT", ImportState: "IMPORTED" },
    ]);
    await send(R, first);
    expect(await state(R)).toBe("Enabled");
  });

  test("has an expiry and a state of its own", async () => {
    const { world, KeyId, send, first, state } = await prepared(R, Q);
    await send(R, first, inDays(world, 3));
    expect(await world.describe(P, KeyId)).not.toHaveProperty("ValidTo");
    expect(await world.describe(R, KeyId)).toMatchObject({
      ExpirationModel: "KEY_MATERIAL_EXPIRES",
      ValidTo: (world.now + 3 * DAY) / 1000,
    });
    world.pass(3 * DAY);
    expect([await state(P), await state(R), await state(Q)]).toEqual([
      "Enabled",
      "PendingImport",
      "Enabled",
    ]);
    await send(R, first);
    await world.call(P, "DeleteImportedKeyMaterial", { KeyId });
    expect([await state(P), await state(R), await state(Q)]).toEqual([
      "PendingImport",
      "Enabled",
      "Enabled",
    ]);
  });

  test("of a key pair has the same public key, of an HMAC key the same MACs", async () => {
    const world = new World();
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const sets = [
      [
        { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
        pair.privateKey.export({ type: "pkcs8", format: "der" }),
        "GetPublicKey",
        {},
      ],
      [
        { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
        random(32),
        "GenerateMac",
        { MacAlgorithm: "HMAC_SHA_256", Message: base64("text") },
      ],
    ] as const;
    for (const [spec, material, operation, input] of sets) {
      const origin = { Origin: "EXTERNAL", MultiRegion: true };
      const { KeyId } = await world.createKey(P, { ...origin, ...spec });
      await importMaterial(world, P, KeyId, material);
      await world.replicate(KeyId, P, R);
      await importMaterial(world, R, KeyId, material);
      const inRegion = async (region: string) => {
        const answer = await world.call<object>(region, operation, { KeyId, ...input });
        return { ...answer, KeyId };
      };
      expect(await inRegion(R)).toEqual(await inRegion(P));
    }
  });
});

describe("rotation to new material, in three steps", () => {
  test("the primary, every replica, then RotateKeyOnDemand on the primary", async () => {
    const { world, KeyId, send, firstId, waiting, rotate } = await prepared(R, Q);
    const second = random(32);
    const old = await world.encrypt(R, KeyId, "old");

    const described = { ...NEW, KeyMaterialDescription: "2026" };
    const { KeyMaterialId: secondId } = await send(P, second, described);
    const entry = { KeyId, KeyMaterialId: secondId, KeyMaterialDescription: "2026" };
    const toImport = { KeyMaterialState: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION" };
    const imported = { ImportState: "IMPORTED", ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
    const missing = { ImportState: "PENDING_IMPORT" };
    expect(await waiting(P)).toEqual({ ...entry, ...imported, ...toImport });
    expect(await waiting(R)).toEqual({ ...entry, ...missing, ...toImport });
    expect(await outcome(rotate())).toBe(nothingPending(KeyId));

    await send(R, second, EXISTING);
    expect(await waiting(R)).toEqual({ ...entry, ...imported, ...toImport });
    expect(await waiting(Q)).toEqual({ ...entry, ...missing, ...toImport });
    expect(await outcome(rotate())).toBe(nothingPending(KeyId));

    expect(await send(Q, second)).toEqual({ KeyId: arnOf(Q, KeyId), KeyMaterialId: secondId });
    for (const region of [P, R, Q]) {
      expect(await waiting(region)).toEqual({
        ...entry,
        ...imported,
        KeyMaterialState: "PENDING_ROTATION",
      });
      expect((await world.dataKey(region, KeyId)).KeyMaterialId).toBe(firstId);
    }

    expect(await rotate()).toEqual({ KeyId: arnOf(P, KeyId) });
    world.pass(SECOND);
    for (const region of [P, R, Q]) {
      expect(await world.rotations(region, KeyId, ALL)).toMatchObject([
        { KeyMaterialId: firstId, KeyMaterialState: "NON_CURRENT" },
        { KeyMaterialId: secondId, KeyMaterialState: "CURRENT", RotationType: "ON_DEMAND" },
      ]);
      expect((await world.dataKey(region, KeyId)).KeyMaterialId).toBe(secondId);
      expect((await world.decrypt(region, old)).KeyMaterialId).toBe(firstId);
      expect((await world.describe(region, KeyId)).CurrentKeyMaterialId).toBe(secondId);
    }
  });

  test("new material without replicas waits for the rotation alone", async () => {
    const { send, waiting } = await prepared();
    await send(P, random(32), NEW);
    expect(await waiting(P)).toMatchObject({ KeyMaterialState: "PENDING_ROTATION" });
  });

  test("new material does not come to a replica first", async () => {
    const { KeyId, send } = await prepared(R);
    expect(await outcome(send(R, random(32), NEW))).toBe(
      `UnsupportedOperationException: ${arnOf(R, KeyId)} is not a multi-region primary key.`,
    );
    expect(await outcome(send(R, random(32), EXISTING))).toMatch(
      /^IncorrectKeyMaterialException: /,
    );
  });

  test("a replica made meanwhile has to have it, too, before it can be rotated to", async () => {
    const { world, KeyId, send, first, waiting, rotate, state } = await prepared(R);
    const second = random(32);
    await send(P, second, NEW);
    await send(R, second);
    await world.replicate(KeyId, P, Q);
    expect(await waiting(P)).toMatchObject({
      KeyMaterialState: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    });
    expect(await outcome(rotate())).toBe(nothingPending(KeyId));
    // What only waits for its rotation does not keep a key from being used.
    await send(Q, first);
    expect(await state(Q)).toBe("Enabled");
    await send(Q, second);
    expect(await outcome(rotate())).toBe("ok");
  });

  test("a replica that goes away is not waited for any more", async () => {
    const { world, KeyId, send, waiting } = await prepared(R, Q);
    const second = random(32);
    await send(P, second, NEW);
    await send(R, second);
    await world.call(Q, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(await waiting(P)).toMatchObject({
      KeyMaterialState: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    });
    world.pass(7 * DAY);
    expect(await waiting(P)).toMatchObject({ KeyMaterialState: "PENDING_ROTATION" });
  });

  test.for(["deleted", "expired"])(
    "%s on the primary, it goes from the replicas, too",
    async (how) => {
      const { world, KeyId, send, state } = await prepared(R);
      const second = random(32);
      const expiry = how === "expired" ? inDays(world, 2) : NO_EXPIRY;
      const { KeyMaterialId } = await send(P, second, { ...NEW, ...expiry });
      await send(R, second);
      if (how === "expired") world.pass(2 * DAY);
      else await world.call(P, "DeleteImportedKeyMaterial", { KeyId, KeyMaterialId });
      for (const region of [P, R]) {
        expect(await state(region)).toBe("Enabled");
        expect(await world.rotations(region, KeyId, ALL)).toHaveLength(1);
        expect(Object.keys(world.saved(KeyId)?.keys[region]?.imported ?? {})).not.toContain(
          KeyMaterialId,
        );
      }
      expect(await outcome(send(P, second))).toMatch(/^IncorrectKeyMaterialException: /);
      await send(P, second, NEW);
    },
  );

  test.for(["deleted", "expired"])("%s on a replica, it is that replica's affair", async (how) => {
    const { world, KeyId, send, state, waiting } = await prepared(R, Q);
    const second = random(32);
    const { KeyMaterialId } = await send(P, second, NEW);
    await send(R, second, how === "expired" ? inDays(world, 2) : NO_EXPIRY);
    await send(Q, second);
    if (how === "expired") world.pass(2 * DAY);
    else await world.call(R, "DeleteImportedKeyMaterial", { KeyId, KeyMaterialId });
    const states = { KeyMaterialState: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION" };
    expect(await waiting(P)).toMatchObject({ ImportState: "IMPORTED", ...states });
    expect(await waiting(R)).toMatchObject({ ImportState: "PENDING_IMPORT", ...states });
    expect(await waiting(Q)).toMatchObject({ ImportState: "IMPORTED", ...states });
    expect(await state(R)).toBe("Enabled");
  });

  test("rotation is the primary's, and goes with the designation", async () => {
    const { world, KeyId, send, rotate, waiting } = await prepared(R);
    const second = random(32);
    await send(P, second, NEW);
    await world.call(P, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: R });
    // Importing goes on while the primary changes; parameters are not to be had then.
    expect(await outcome(parameters(world, R, KeyId))).toBe(
      `KMSInvalidStateException: ${arnOf(R, KeyId)} is updating.`,
    );
    world.pass(world.delays.updatingMs);
    await send(R, second);
    expect(await waiting(P)).toMatchObject({ KeyMaterialState: "PENDING_ROTATION" });
    expect(await outcome(rotate())).toBe(
      `UnsupportedOperationException: ${arnOf(P, KeyId)} is not a multi-region primary key.`,
    );
    expect(await outcome(world.call(R, "RotateKeyOnDemand", { KeyId }))).toBe("ok");
  });
});
