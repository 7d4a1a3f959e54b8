// Rotation of a key's material. https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html

import { describe, expect, test } from "vitest";
import { DAY, MINUTE, outcome, type Rotation, SECOND, START, World } from "../support/core.ts";

const REGION = "us-east-1";
const CONFLICT = /^ConflictException: /;

async function prepared(input: object = {}) {
  const world = new World();
  const { KeyId, Arn, CurrentKeyMaterialId } = await world.createKey(REGION, input);
  return { world, KeyId, Arn, first: CurrentKeyMaterialId as string };
}

const call = (world: World, operation: string, KeyId: string, more: object = {}) =>
  world.call(REGION, operation, { KeyId, ...more });

async function rotate(world: World, KeyId: string) {
  await call(world, "RotateKeyOnDemand", KeyId);
  world.pass(world.delays.rotatingMs);
}

const nextDate = async (world: World, KeyId: string) =>
  (await world.rotationStatus(REGION, KeyId)).NextRotationDate;

describe("EnableKeyRotation", () => {
  test("answers nothing; the first rotation is a period from now, 365 days if not said", async () => {
    for (const [input, days] of [
      [{}, 365],
      [{ RotationPeriodInDays: 90 }, 90],
      [{ RotationPeriodInDays: 2560 }, 2560],
    ] as const) {
      const { world, KeyId, Arn } = await prepared();
      world.pass(DAY);
      expect(await call(world, "EnableKeyRotation", KeyId, input)).toBe(null);
      expect(await world.rotationStatus(REGION, KeyId)).toEqual({
        KeyId: Arn,
        KeyRotationEnabled: true,
        RotationPeriodInDays: days,
        NextRotationDate: (START + DAY + days * DAY) / 1000,
      });
    }
  });

  test("takes 90 to 2560 days", async () => {
    const { world, KeyId } = await prepared();
    for (const RotationPeriodInDays of [89, 2561]) {
      const answer = await outcome(
        call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays }),
      );
      expect(answer).toMatch(/^ValidationException: 1 .* at 'rotationPeriodInDays' /);
    }
  });

  test("again with another period sets the next date anew", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 100 });
    world.pass(50 * DAY);
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 200 });
    expect(await nextDate(world, KeyId)).toBe((START + 250 * DAY) / 1000);
  });

  test("again without a period, or with the same, changes nothing", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 100 });
    const before = await world.rotationStatus(REGION, KeyId);
    world.pass(50 * DAY);
    for (const input of [{}, { RotationPeriodInDays: 100 }]) {
      await call(world, "EnableKeyRotation", KeyId, input);
      expect(await world.rotationStatus(REGION, KeyId)).toEqual(before);
    }
  });
});

describe("DisableKeyRotation", () => {
  test("stops the schedule; enabled again, a new one begins", async () => {
    const { world, KeyId, Arn } = await prepared();
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 100 });
    world.pass(50 * DAY);
    expect(await call(world, "DisableKeyRotation", KeyId)).toBe(null);
    expect(await world.rotationStatus(REGION, KeyId)).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: false,
    });
    world.pass(100 * DAY);
    expect(await world.rotations(REGION, KeyId)).toEqual([]);
    await call(world, "EnableKeyRotation", KeyId);
    expect(await nextDate(world, KeyId)).toBe((START + 515 * DAY) / 1000);
  });

  test("is fine where rotation is off", async () => {
    const { world, KeyId } = await prepared();
    expect(await outcome(call(world, "DisableKeyRotation", KeyId))).toBe("ok");
  });
});

describe("RotateKeyOnDemand", () => {
  test("answers the key's ARN; the status shows the rotation until it is done", async () => {
    const { world, KeyId, Arn, first } = await prepared();
    world.pass(DAY);
    expect(await call(world, "RotateKeyOnDemand", KeyId)).toEqual({ KeyId: Arn });
    world.pass(999);
    expect(await world.rotationStatus(REGION, KeyId)).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: false,
      OnDemandRotationStartDate: (START + DAY) / 1000,
    });
    expect(await world.rotations(REGION, KeyId)).toEqual([]);
    expect((await world.dataKey(REGION, KeyId)).KeyMaterialId).toBe(first);
    world.pass(1);
    expect(await world.rotationStatus(REGION, KeyId)).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: false,
    });
    const { CurrentKeyMaterialId } = await world.describe(REGION, KeyId);
    expect(CurrentKeyMaterialId).not.toBe(first);
    expect(await world.rotations(REGION, KeyId)).toEqual([
      {
        KeyId,
        KeyMaterialId: CurrentKeyMaterialId,
        KeyMaterialState: "CURRENT",
        RotationDate: (START + DAY + SECOND) / 1000,
        RotationType: "ON_DEMAND",
      },
    ]);
  });

  test("changes nothing of the schedule (recorded on AWS)", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "EnableKeyRotation", KeyId);
    const before = await world.rotationStatus(REGION, KeyId);
    world.pass(DAY);
    await rotate(world, KeyId);
    expect(await world.rotationStatus(REGION, KeyId)).toEqual(before);
  });

  test("is refused while a rotation runs", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "RotateKeyOnDemand", KeyId);
    expect(await outcome(call(world, "RotateKeyOnDemand", KeyId))).toMatch(CONFLICT);
    world.pass(SECOND);
    expect(await outcome(call(world, "RotateKeyOnDemand", KeyId))).toBe("ok");
  });

  test("is refused from 20 minutes before an automatic rotation until that is done", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "EnableKeyRotation", KeyId);
    for (const [ms, answer] of [
      [365 * DAY - 20 * MINUTE, CONFLICT],
      [20 * MINUTE - 1, CONFLICT],
      [1, CONFLICT],
      [SECOND - 1, CONFLICT],
      [1, /^ok$/],
    ] as const) {
      world.pass(ms);
      expect(await outcome(call(world, "RotateKeyOnDemand", KeyId))).toMatch(answer);
    }
    const other = await prepared();
    await call(other.world, "EnableKeyRotation", other.KeyId);
    other.world.pass(365 * DAY - 20 * MINUTE - 1);
    expect(await outcome(call(other.world, "RotateKeyOnDemand", other.KeyId))).toBe("ok");
  });

  test("works 25 times; automatic rotations do not count (text recorded on AWS)", async () => {
    const { world, KeyId, Arn } = await prepared();
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 90 });
    world.pass(91 * DAY);
    await call(world, "DisableKeyRotation", KeyId);
    for (let count = 0; count < 25; count += 1) await rotate(world, KeyId);
    expect(await outcome(call(world, "RotateKeyOnDemand", KeyId))).toBe(
      "LimitExceededException: The on-demand rotations limit has been reached for the given keyId. " +
        `No more on-demand rotations can be performed for this key: ${Arn}`,
    );
    expect(await world.rotations(REGION, KeyId)).toHaveLength(26);
  });

  test("spreads until the last replica is ready, and is over when that one no longer counts", async () => {
    const world = new World({ creatingMs: 10 * SECOND });
    const KeyId = await world.createSet(REGION);
    await call(world, "ReplicateKey", KeyId, { ReplicaRegion: "eu-west-1" });
    await call(world, "RotateKeyOnDemand", KeyId);
    world.pass(5 * SECOND);
    expect(await world.rotations(REGION, KeyId)).toEqual([]);
    await world.call("eu-west-1", "ScheduleKeyDeletion", { KeyId });
    const [rotation] = await world.rotations(REGION, KeyId);
    // Not when it could have been over: until now it was shown as running.
    expect(rotation?.RotationDate).toBe((START + 5 * SECOND) / 1000);
  });

  test("with no delay is over when the call returns", async () => {
    const world = new World({ rotatingMs: 0 });
    const { KeyId } = await world.createKey(REGION);
    await call(world, "RotateKeyOnDemand", KeyId);
    expect(await world.rotations(REGION, KeyId)).toHaveLength(1);
  });
});

describe("automatic rotation", () => {
  test("happens every period, on the date, whenever anyone looks", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 100 });
    world.pass(350 * DAY);
    const rotations = await world.rotations(REGION, KeyId);
    expect(rotations.map(({ RotationDate }) => RotationDate)).toEqual(
      [100, 200, 300].map((days) => (START + days * DAY + SECOND) / 1000),
    );
    expect(new Set(rotations.map(({ RotationType }) => RotationType))).toEqual(
      new Set(["AUTOMATIC"]),
    );
    expect(await nextDate(world, KeyId)).toBe((START + 400 * DAY) / 1000);
  });

  test("shows no OnDemandRotationStartDate", async () => {
    const { world, KeyId } = await prepared();
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 100 });
    world.pass(100 * DAY);
    const status = await world.rotationStatus(REGION, KeyId);
    expect(status).not.toHaveProperty("OnDemandRotationStartDate");
  });

  test("keeps old ciphertexts readable, by their own material", async () => {
    const { world, KeyId, first } = await prepared();
    const blob = await world.encrypt(REGION, KeyId);
    await call(world, "EnableKeyRotation", KeyId, { RotationPeriodInDays: 90 });
    world.pass(1000 * DAY);
    expect((await world.decrypt(REGION, blob)).KeyMaterialId).toBe(first);
  });
});

describe("ListKeyRotations", () => {
  test("lists rotations, and with ALL_KEY_MATERIAL the first material too; the oldest first", async () => {
    const { world, KeyId, first } = await prepared();
    const all = { IncludeKeyMaterial: "ALL_KEY_MATERIAL" };
    expect(await world.rotations(REGION, KeyId)).toEqual([]);
    const original = { KeyId, KeyMaterialId: first, KeyMaterialState: "CURRENT" };
    expect(await world.rotations(REGION, KeyId, all)).toEqual([original]);
    await rotate(world, KeyId);
    await rotate(world, KeyId);
    const made = await world.rotations(REGION, KeyId, { IncludeKeyMaterial: "ROTATIONS_ONLY" });
    expect(made.map(({ KeyMaterialState }) => KeyMaterialState)).toEqual([
      "NON_CURRENT",
      "CURRENT",
    ]);
    expect(made.map(({ RotationDate }) => RotationDate)).toEqual([
      (START + SECOND) / 1000,
      (START + 2 * SECOND) / 1000,
    ]);
    expect(await world.rotations(REGION, KeyId)).toEqual(made);
    expect(await world.rotations(REGION, KeyId, all)).toEqual([
      { ...original, KeyMaterialState: "NON_CURRENT" },
      ...made,
    ]);
  });

  test("comes in pages", async () => {
    const { world, KeyId } = await prepared();
    for (let count = 0; count < 5; count += 1) await rotate(world, KeyId);
    const whole = await world.rotations(REGION, KeyId);
    const input = { KeyId, Limit: 2 };
    const pages = await world.pages<{ Rotations: Rotation[] }>(REGION, "ListKeyRotations", input);
    expect(pages.map(({ Rotations }) => Rotations.length)).toEqual([2, 2, 1]);
    expect(pages.flatMap(({ Rotations }) => Rotations)).toEqual(whole);
  });
});
