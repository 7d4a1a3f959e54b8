// How many requests are let through in a second.

import { describe, expect, test } from "vitest";
import { RequestRates } from "../../src/domain/request-rate.ts";

const T = Date.UTC(2026, 0, 1);

/** Which of requests are let through that come so many milliseconds after T. */
function outcome(perSecond: number, ...after: readonly number[]): string {
  const rates = new RequestRates();
  return after.map((ms) => (rates.admits("x", perSecond, T + ms) ? "+" : "-")).join("");
}

describe("which requests are let through", () => {
  test.each([
    ["as many as there may be in a second", 3, [0, 1, 2, 3, 999], "+++--"],
    ["again when the second is over that began with the first", 2, [500, 600, 1499, 1500], "++-+"],
    ["after a pause, with a second that begins anew", 1, [0, 5300, 6200, 6300], "++-+"],
    ["one in two seconds", 0.5, [0, 1000, 1999, 2000, 3999], "+--+-"],
    ["one in ten seconds", 0.1, [0, 9999, 10_000], "+-+"],
    ["none", 0, [0, 1000, 100_000], "---"],
    ["after the clock was put back", 1, [5000, 0, 999, 1000], "++-+"],
  ] as const)("%s", (_name, perSecond, after, expected) => {
    expect(outcome(perSecond, ...after)).toBe(expected);
  });

  test("what is refused takes no room", () => {
    const rates = new RequestRates();
    expect(rates.admits("x", 3, T, 2)).toBe(true);
    expect(rates.admits("x", 3, T, 2)).toBe(false);
    expect(rates.admits("x", 3, T, 1)).toBe(true);
  });

  test("more at once than a second has room for are let through by themselves", () => {
    const rates = new RequestRates();
    expect(rates.admits("x", 1, T, 2)).toBe(true);
    expect(rates.admits("x", 1, T + 999, 1)).toBe(false);
    expect(rates.admits("x", 1, T + 1000, 1)).toBe(true);
    expect(rates.admits("x", 1, T + 1001, 2)).toBe(false);
  });

  test("each name has its own count", () => {
    const rates = new RequestRates();
    expect(["a", "b", "a", "b"].map((name) => rates.admits(name, 1, T))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

test("of more names than are remembered, those that began last are", () => {
  const rates = new RequestRates(2);
  for (const name of ["a", "b"]) rates.admits(name, 1, T);
  rates.admits("a", 1, T + 1000);
  rates.admits("c", 1, T + 1000); // b's second began first.
  expect(rates.admits("a", 1, T + 1500)).toBe(false);
  expect(rates.admits("c", 1, T + 1500)).toBe(false);
  expect(rates.admits("b", 1, T + 1500)).toBe(true);
});
