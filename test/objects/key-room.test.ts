// The places a directory keeps for keys on their way.

import { expect, test } from "vitest";
import { parseQuotas } from "../../src/domain/quota.ts";
import { KeyRoom } from "../../src/objects/key-room.ts";

const MINUTE = 60_000;
const room = () => new KeyRoom(parseQuotas("KEYS=3"));

test("keys that are there and keys on their way share the quota", () => {
  const { take } = bound(room());
  expect([take("a", 1), take("b", 1), take("c", 1)]).toEqual([null, null, 3]);
});

test("who has a place is not counted against it twice", () => {
  const { take } = bound(room());
  expect([take("a", 2), take("a", 2), take("b", 2)]).toEqual([null, null, 3]);
});

test("a place is free again when it is left, and a minute after it was taken", () => {
  const places = room();
  const { take } = bound(places);
  expect(take("a", 2)).toBe(null);
  places.leave("a");
  expect(take("b", 2)).toBe(null);
  expect(take("c", 2, MINUTE - 1)).toBe(3);
  expect(take("c", 2, MINUTE)).toBe(null);
});

test("where there are more keys than a lowered quota, it says how many", () => {
  expect(bound(room()).take("a", 7)).toBe(7);
});

const bound = (places: KeyRoom) => ({
  take: (keyId: string, present: number, now = 0) => places.take(keyId, present, now),
});
