// Many keys of one account, half of which are deleted in a week, and whether the clock reached them.

import { expect } from "vitest";
import { type Account, rowsOf } from "./account.ts";

export const [P, R, Q] = ["us-east-1", "eu-west-1", "ap-south-1"] as const;

type Stub = Parameters<typeof rowsOf>[0];

export const offsetOf = async (stub: Stub) =>
  (await rowsOf<{ offsetMs: number }>(stub, "clock"))[0]?.offsetMs;

/** Makes the keys by many requests at once; every other one is to be deleted in a week. */
export async function manyKeys(account: Account, count: number): Promise<string[]> {
  const regions = [P, R, Q];
  const made = await Promise.all(
    Array.from({ length: count }, (_, index) => account.createKey(regions[index % 3] ?? P)),
  );
  await Promise.all(
    made.map(async (KeyId, index) => {
      if (index % 2 === 0) return;
      const region = regions[index % 3] ?? P;
      await account.call(region, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    }),
  );
  return made;
}

/** Every key set has the clock, and those whose time had come are gone. */
export async function expectAllTold(account: Account, keyIds: readonly string[], offsetMs: number) {
  for (const region of [P, R, Q]) expect(await offsetOf(account.directory(region))).toBe(offsetMs);
  for (const [index, keyId] of keyIds.entries()) {
    const keySet = account.keySet(keyId);
    if (index % 2 === 1) expect(await rowsOf(keySet, "key")).toEqual([]);
    else expect(await offsetOf(keySet)).toBe(offsetMs);
  }
  const listed = (await Promise.all([P, R, Q].map((region) => account.listKeys(region)))).flat();
  expect(listed.sort()).toEqual(keyIds.filter((_, index) => index % 2 === 0).sort());
}
