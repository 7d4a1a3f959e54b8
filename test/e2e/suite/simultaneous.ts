// Calls that arrive at the same time: exactly one of those that exclude each other succeeds.

import { expect, test } from "vitest";
import {
  created,
  decrypted,
  described,
  encrypted,
  multiRegionKey,
  type NewStage,
  type Stage,
  singleRegionKey,
} from "./stage.ts";

const TIMES = 8;

/** How many of the calls, all made at once, came to what: `ok`, or the name of a refusal. */
async function outcomes(call: (index: number) => Promise<unknown>, times = TIMES) {
  const calls = Array.from({ length: times }, (_, index) => call(index));
  const counts: Record<string, number> = {};
  for (const result of await Promise.allSettled(calls)) {
    const outcome = result.status === "fulfilled" ? "ok" : (result.reason as Error).name;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

export function simultaneous(newStage: NewStage): void {
  test("one alias, one replica, one rotation, one deletion", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await multiRegionKey(stage, "us-east-1");
    const others = TIMES - 1;
    const AliasName = "alias/wanted";
    expect(await outcomes(() => us.createAlias({ AliasName, TargetKeyId: KeyId }))).toEqual({
      ok: 1,
      AlreadyExistsException: others,
    });
    expect(await outcomes(() => us.deleteAlias({ AliasName }))).toEqual({
      ok: 1,
      NotFoundException: others,
    });
    expect(await outcomes(() => us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" }))).toEqual({
      ok: 1,
      AlreadyExistsException: others,
    });
    expect(await outcomes(() => us.rotateKeyOnDemand({ KeyId }))).toEqual({
      ok: 1,
      ConflictException: others,
    });
    expect(await outcomes(() => us.scheduleKeyDeletion({ KeyId }))).toEqual({
      ok: 1,
      KMSInvalidStateException: others,
    });
  });

  test("one new primary, whoever is asked for", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const regions = ["eu-west-1", "ap-south-1"] as const;
    const KeyId = await multiRegionKey(stage, "us-east-1", ...regions);
    const update = (index: number) =>
      us.updatePrimaryRegion({ KeyId, PrimaryRegion: regions[index % 2] });
    expect(await outcomes(update)).toEqual({ ok: 1, UnsupportedOperationException: TIMES - 1 });
    await stage.settle();
    const types = ["us-east-1", ...regions].map(
      async (region) =>
        (await described(stage.in(region), KeyId)).MultiRegionConfiguration?.MultiRegionKeyType,
    );
    expect((await Promise.all(types)).toSorted()).toEqual(["PRIMARY", "REPLICA", "REPLICA"]);
  });

  test("nothing is lost of what does not exclude each other", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const made = await Promise.all(Array.from({ length: TIMES }, () => us.createKey({})));
    const ids = made.map(created);
    expect(new Set(ids).size).toBe(TIMES);
    expect((await us.listKeys({})).Keys?.map((key) => key.KeyId).toSorted()).toEqual(
      ids.toSorted(),
    );
    const [KeyId = ""] = ids;
    const tag = (index: number) => ({ TagKey: `k${index}`, TagValue: "" });
    expect(await outcomes((index) => us.tagResource({ KeyId, Tags: [tag(index)] }))).toEqual({
      ok: TIMES,
    });
    expect((await us.listResourceTags({ KeyId })).Tags).toHaveLength(TIMES);
    const name = (index: number) => ({ AliasName: `alias/n${index}`, TargetKeyId: KeyId });
    expect(await outcomes((index) => us.createAlias(name(index)))).toEqual({ ok: TIMES });
    expect((await us.listAliases({ KeyId })).Aliases).toHaveLength(TIMES);
  });

  test("the clock moves while keys are made and used", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const { offsetMs } = await stage.moveClock("PT0S");
    const work = (index: number) => oneOfMany(stage, KeyId, index);
    expect(await outcomes(work, 3 * TIMES)).toEqual({ ok: 3 * TIMES });
    expect((await stage.moveClock("PT0S")).offsetMs).toBe(offsetMs + TIMES * 60_000);
    expect((await us.listKeys({})).Keys).toHaveLength(1 + TIMES);
  });
}

async function oneOfMany(stage: Stage, KeyId: string, index: number): Promise<void> {
  const us = stage.in("us-east-1");
  if (index % 3 === 0) await stage.moveClock("PT1M");
  else if (index % 3 === 1) await us.createKey({});
  else expect(await decrypted(us, await encrypted(us, KeyId, "x"))).toBe("x");
}
