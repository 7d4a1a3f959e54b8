// Patterns of policies against a plain model, and patterns that were made to take long.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arnPatternOf,
  fits,
  fitsArn,
  patternOf,
  wildUnits,
} from "../../../src/domain/policy/wildcards.ts";

const matches = (pattern: string, text: string) => fits(patternOf(wildUnits(pattern)), text);
const matchesArn = (pattern: string, arn: string) => fitsArn(arnPatternOf(wildUnits(pattern)), arn);

/** The definition, word for word. */
function model(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  const [first, rest] = [pattern[0], pattern.slice(1)];
  if (first === "*") return model(rest, text) || (text !== "" && model(pattern, text.slice(1)));
  return text !== "" && (first === "?" || first === text[0]) && model(rest, text.slice(1));
}

describe("wildcards", () => {
  test.each([
    ["kms:*", "kms:encrypt", true],
    ["kms:*", "s3:getobject", false],
    ["kms:generatedatakey*", "kms:generatedatakeypair", true],
    ["kms:?ncrypt", "kms:encrypt", true],
    ["kms:?encrypt", "kms:encrypt", false],
    ["*", "", true],
    ["?", "", false],
    ["a*b*c", "axxbyyc", true],
    ["a*b*c", "axxbyy", false],
    ["**", "x", true],
    ["a.c", "abc", false],
    ["(a+)+$", "aaaa!", false],
  ])("%s and %s: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test("mean what they say, whatever they are", () => {
    const letters = fc.constantFrom("a", "b");
    const text = fc.string({ unit: letters, maxLength: 9 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 7 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(matches(p, t)).toBe(model(p, t));
      }),
      { numRuns: 2000 },
    );
  });

  test("mean the same in texts so long that they are matched in another way", () => {
    const unit = fc.constantFrom("a", "b", "*", "?");
    const pattern = fc.string({ unit, minLength: 1, maxLength: 80 });
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 60 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const long = "c".repeat(1100);
        expect(matches(`${long}*${p}*${long}`, long + t + long)).toBe(matches(`*${p}*`, t));
      }),
    );
  });

  test.each([
    ["many stars", `${"*a".repeat(8000)}b`, "a".repeat(100_000)],
    ["a long run", `*${"a".repeat(32_000)}b*`, "a".repeat(1_000_000)],
    ["question marks", `*${"?a".repeat(16_000)}b*`, "a".repeat(300_000)],
    ["what would be nested in a regular expression", `${"*?".repeat(4000)}!`, "a".repeat(100_000)],
  ])("%s end soon", (_name, pattern, text) => {
    const started = performance.now();
    expect(matches(pattern, text)).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe("patterns for ARNs", () => {
  const KEY = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";
  test.each([
    ["*", KEY, true],
    ["arn:aws:kms:*:111122223333:key/*", KEY, true],
    ["arn:aws:kms:us-east-?:111122223333:key/mrk-1", KEY, true],
    ["arn:aws:kms:*", KEY, true],
    ["arn:*:key/mrk-1", KEY, false],
    ["arn:aws:kms:us-east-1:*:alias/*", KEY, false],
    ["arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/a/b:c", true],
    ["arn:aws:iam::1111*:root", "arn:aws:iam::111122223333:root", true],
    ["arn:aws:kms:*:111122223333:key/*", "*", false],
    ["", "", true],
  ])("%s and %s: %s", (pattern, arn, expected) => {
    expect(matchesArn(pattern, arn)).toBe(expected);
  });
});
