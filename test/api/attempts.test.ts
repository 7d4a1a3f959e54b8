// What an isolate counts: wrong attempts of an address, requests of a tenant.

import { expect, test } from "vitest";
import { Attempts } from "../../src/api/attempts.ts";

const MINUTE = 60_000;

test("an address may be wrong ten times in a minute, and others need not care", () => {
  const attempts = new Attempts(10);
  for (let n = 1; n <= 10; n++) {
    expect(attempts.isSpent("a", 5)).toBe(false);
    expect(attempts.wrong("a", 5)).toBe(false);
  }
  expect([attempts.isSpent("a", 5), attempts.wrong("a", 5)]).toEqual([true, true]);
  expect([attempts.isSpent("b", 5), attempts.wrong("b", 5)]).toEqual([false, false]);
  expect(attempts.isSpent("a", MINUTE + 4)).toBe(true);
  expect([attempts.isSpent("a", MINUTE + 5), attempts.wrong("a", MINUTE + 5)]).toEqual([
    false,
    false,
  ]);
});

test("a flood of addresses takes no more room than ten thousand", () => {
  const attempts = new Attempts(10);
  for (let n = 0; n < 10; n++) attempts.wrong("first", 0);
  for (let n = 0; n < 9_999; n++) attempts.wrong(`other ${n}`, 0);
  expect(attempts.isSpent("first", 0)).toBe(true);
  attempts.wrong("one more", 0);
  expect(attempts.isSpent("first", 0)).toBe(false);
});
