// Rotation of key material, automatic and on demand, in every Region of a multi-Region key.
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  decrypted,
  described,
  encrypted,
  multiRegionKey,
  type NewStage,
  pagesOf,
  type Stage,
  singleRegionKey,
} from "./stage.ts";

const DAY_MS = 86_400_000;

export function rotation(newStage: NewStage): void {
  test("on demand: new material in all Regions at once, old ciphertexts readable in all", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const first = await materialEverywhere(stage, KeyId, "us-east-1", "eu-west-1");
    const old = await encrypted(us, KeyId, "old");
    const arn = stage.arn("us-east-1", KeyId);
    expect(await us.rotateKeyOnDemand({ KeyId })).toMatchObject({ KeyId: arn });

    // Until the new material is in every Region, the old one is used in every Region.
    const running = await us.getKeyRotationStatus({ KeyId });
    expect(running.KeyRotationEnabled).toBe(false);
    expect(running.OnDemandRotationStartDate).toBeInstanceOf(Date);
    expect(await materialEverywhere(stage, KeyId, "us-east-1", "eu-west-1")).toBe(first);
    expect((await us.listKeyRotations({ KeyId })).Rotations).toEqual([]);
    await refuses(us.rotateKeyOnDemand({ KeyId }), "ConflictException");

    await stage.settle();
    expect(await us.getKeyRotationStatus({ KeyId })).not.toHaveProperty(
      "OnDemandRotationStartDate",
    );
    const second = await materialEverywhere(stage, KeyId, "us-east-1", "eu-west-1");
    expect(second).not.toBe(first);
    const young = await encrypted(us, KeyId, "young");
    for (const client of [us, eu]) {
      expect(await decrypted(client, old)).toBe("old");
      expect(await decrypted(client, young)).toBe("young");
      expect((await client.decrypt({ CiphertextBlob: old })).KeyMaterialId).toBe(first);
      expect((await client.decrypt({ CiphertextBlob: young })).KeyMaterialId).toBe(second);
      const { Rotations } = await client.listKeyRotations({ KeyId });
      expect(Rotations).toEqual([
        {
          KeyId,
          KeyMaterialId: second,
          KeyMaterialState: "CURRENT",
          RotationDate: expect.any(Date),
          RotationType: "ON_DEMAND",
        },
      ]);
      const all = await client.listKeyRotations({
        KeyId,
        IncludeKeyMaterial: "ALL_KEY_MATERIAL",
      });
      expect(all.Rotations).toHaveLength(2);
      expect(all.Rotations).toContainEqual({
        KeyId,
        KeyMaterialId: first,
        KeyMaterialState: "NON_CURRENT",
      });
    }
  });

  test("automatic: on its date, again and again, until it is switched off", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const before = await stage.moveClock("PT0S");
    await us.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
    const status = await us.getKeyRotationStatus({ KeyId });
    expect(status).toMatchObject({
      KeyId: stage.arn("us-east-1", KeyId),
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
    });
    const firstDate = status.NextRotationDate ?? new Date(0);
    const periodMs = firstDate.getTime() - before.now.getTime();
    expect(periodMs).toBeGreaterThanOrEqual(90 * DAY_MS);
    expect(periodMs).toBeLessThan(90 * DAY_MS + 60_000);
    expect(await eu.getKeyRotationStatus({ KeyId })).toMatchObject({
      KeyId: stage.arn("eu-west-1", KeyId),
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: firstDate,
    });

    const materials = [await materialEverywhere(stage, KeyId, "us-east-1", "eu-west-1")];
    const ciphertexts = [await encrypted(eu, KeyId, "0")];
    for (const round of [1, 2]) {
      const date = new Date(firstDate.getTime() + (round - 1) * 90 * DAY_MS);
      await stage.moveClock(date);
      await stage.settle();
      materials.push(await materialEverywhere(stage, KeyId, "us-east-1", "eu-west-1"));
      ciphertexts.push(await encrypted(eu, KeyId, String(round)));
      expect((await eu.getKeyRotationStatus({ KeyId })).NextRotationDate).toEqual(
        new Date(date.getTime() + 90 * DAY_MS),
      );
    }
    expect(new Set(materials).size).toBe(3);
    const { Rotations } = await eu.listKeyRotations({ KeyId });
    expect(Rotations?.map((entry) => entry.RotationType)).toEqual(["AUTOMATIC", "AUTOMATIC"]);
    expect(Rotations?.map((entry) => entry.KeyMaterialId).toSorted()).toEqual(
      materials.slice(1).toSorted(),
    );

    await us.disableKeyRotation({ KeyId });
    const off = await eu.getKeyRotationStatus({ KeyId });
    expect(off).toMatchObject({ KeyRotationEnabled: false });
    expect(off).not.toHaveProperty("NextRotationDate");
    expect(off).not.toHaveProperty("RotationPeriodInDays");
    await stage.moveClock("P100D");
    expect(await materialEverywhere(stage, KeyId, "us-east-1", "eu-west-1")).toBe(materials[2]);

    // A replica made now has every material there ever was.
    const ReplicaRegion = "ap-south-1";
    await us.replicateKey({ KeyId, ReplicaRegion });
    await stage.settle();
    const ap = stage.in(ReplicaRegion);
    for (const [round, ciphertext] of ciphertexts.entries()) {
      expect(await decrypted(ap, ciphertext)).toBe(String(round));
    }
    expect((await ap.listKeyRotations({ KeyId })).Rotations).toEqual(Rotations);
  });

  test("a period of 90 to 2560 days, 365 by default, counted from its last change", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    for (const [RotationPeriodInDays, text] of [
      [89, "Member must have value greater than or equal to 90"],
      [2561, "Member must have value less than or equal to 2560"],
    ] as const) {
      await refuses(
        us.enableKeyRotation({ KeyId, RotationPeriodInDays }),
        "ValidationException",
        `1 validation error detected: Value '${RotationPeriodInDays}' at 'rotationPeriodInDays' ` +
          `failed to satisfy constraint: ${text}`,
      );
    }
    await us.enableKeyRotation({ KeyId });
    const standard = await us.getKeyRotationStatus({ KeyId });
    expect(standard.RotationPeriodInDays).toBe(365);
    await stage.moveClock("P10D");
    await us.enableKeyRotation({ KeyId, RotationPeriodInDays: 100 });
    const changed = await us.getKeyRotationStatus({ KeyId });
    const earlierMs =
      (standard.NextRotationDate?.getTime() ?? 0) - (changed.NextRotationDate?.getTime() ?? 0);
    expect(Math.round(earlierMs / DAY_MS)).toBe(365 - 10 - 100);
  });

  test("a disabled key does not rotate; enabled again, an overdue rotation happens", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const before = (await described(us, KeyId)).CurrentKeyMaterialId;
    await us.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
    await us.disableKey({ KeyId });
    const disabled = `${stage.arn("us-east-1", KeyId)} is disabled.`;
    await refuses(us.rotateKeyOnDemand({ KeyId }), "DisabledException", disabled);
    await refuses(us.disableKeyRotation({ KeyId }), "DisabledException", disabled);
    await stage.moveClock("P91D");
    expect((await described(us, KeyId)).CurrentKeyMaterialId).toBe(before);
    expect((await us.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(true);
    await us.enableKey({ KeyId });
    await stage.settle();
    expect((await described(us, KeyId)).CurrentKeyMaterialId).not.toBe(before);
  });

  test("a key that waits for its deletion reads as not rotating, until that is cancelled", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    await us.enableKeyRotation({ KeyId });
    await us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 30 });
    expect((await us.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(false);
    await refuses(
      us.enableKeyRotation({ KeyId }),
      "KMSInvalidStateException",
      `${stage.arn("us-east-1", KeyId)} is pending deletion.`,
    );
    await us.cancelKeyDeletion({ KeyId });
    expect((await us.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(true);
  });

  test("only the primary key is rotated", async () => {
    const stage = newStage();
    const eu = stage.in("eu-west-1");
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    for (const call of [
      () => eu.enableKeyRotation({ KeyId }),
      () => eu.disableKeyRotation({ KeyId }),
      () => eu.rotateKeyOnDemand({ KeyId }),
    ]) {
      await refuses(call(), "UnsupportedOperationException");
    }
  });

  test("rotation on demand leaves the automatic schedule; all are listed in pages", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    await us.enableKeyRotation({ KeyId });
    const { NextRotationDate } = await us.getKeyRotationStatus({ KeyId });
    const materials: (string | undefined)[] = [];
    for (let count = 0; count < 3; count++) {
      await us.rotateKeyOnDemand({ KeyId });
      await stage.settle();
      materials.push((await described(us, KeyId)).CurrentKeyMaterialId);
    }
    expect((await us.getKeyRotationStatus({ KeyId })).NextRotationDate).toEqual(NextRotationDate);
    const pages = await pagesOf((marker) => us.listKeyRotations({ KeyId, Limit: 2, ...marker }));
    expect(pages.map((page) => page.Rotations?.length)).toEqual([2, 1]);
    const listed = pages.flatMap((page) => page.Rotations ?? []);
    expect(listed.map((entry) => entry.KeyMaterialId).sort()).toEqual(materials.sort());
  });
}

/** The ID of the current material, which has to be one and the same in these Regions. */
async function materialEverywhere(stage: Stage, keyId: string, ...regions: readonly string[]) {
  const ids = new Set<string | undefined>();
  for (const region of regions) {
    const client = stage.in(region);
    const dataKey = await client.generateDataKey({ KeyId: keyId, KeySpec: "AES_256" });
    ids.add(dataKey.KeyMaterialId).add((await described(client, keyId)).CurrentKeyMaterialId);
  }
  expect(ids.size).toBe(1);
  return [...ids][0];
}
