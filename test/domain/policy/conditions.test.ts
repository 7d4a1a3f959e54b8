// Condition operators, row by row as the IAM User Guide has them: "IAM JSON policy elements:
// Condition operators", "Multivalued context keys" and "Evaluation logic for multiple context keys".

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so the variables of policies are written

import { describe, expect, test } from "vitest";
import type { Condition } from "../../../src/domain/policy/condition-grammar.ts";
import { readyCondition } from "../../../src/domain/policy/conditions.ts";
import { parseDocument } from "../../../src/domain/policy/grammar.ts";
import type { ContextValue } from "../../../src/domain/policy/variables.ts";

type Values = Readonly<Record<string, ContextValue>>;

const contextOf = (values: Values) => ({
  valueOf(key: string) {
    const lower = key.toLowerCase();
    return Object.entries(values).find(([name]) => name.toLowerCase() === lower)?.[1];
  },
});

/** Whether `{ [operator]: { [key]: value } }` holds. */
function holds(
  operator: string,
  key: string,
  value: unknown,
  values: Values,
  version = "2012-10-17",
) {
  const statement = {
    Effect: "Allow",
    Action: "*",
    Resource: "*",
    Condition: { [operator]: { [key]: value } },
  };
  const text = JSON.stringify({ Version: version, Statement: statement });
  const [parsed] = parseDocument(text, "identity", "aws").statements;
  const [condition] = parsed?.conditions ?? [];
  return readyCondition(condition as Condition, version === "2012-10-17")(contextOf(values));
}

const K = "kms:KeySpec";

describe("one value", () => {
  test.each<[string, unknown, string, boolean]>([
    ["StringEquals", "a", "a", true],
    ["StringEquals", "a", "A", false],
    ["StringEquals", ["b", "a"], "a", true],
    ["StringEquals", "a*", "ab", false],
    ["StringEquals", "a*", "a*", true],
    ["StringNotEquals", "a", "b", true],
    ["StringNotEquals", ["b", "a"], "a", false],
    ["StringEqualsIgnoreCase", "aB", "Ab", true],
    ["StringNotEqualsIgnoreCase", "aB", "Ab", false],
    ["StringLike", "a*c?", "abbbcd", true],
    ["StringLike", "a*c?", "abbbc", false],
    ["StringLike", "A*", "ab", false],
    ["StringNotLike", "a*", "ab", false],
    ["StringNotLike", ["x*", "y*"], "ab", true],
    ["NumericEquals", "7", "7.0", true],
    ["NumericEquals", 7, "7", true],
    ["NumericEquals", "7", "seven", false],
    ["NumericNotEquals", "7", "8", true],
    ["NumericLessThan", "7", "7", false],
    ["NumericLessThanEquals", "7", "7", true],
    ["NumericGreaterThan", "7", "7.5", true],
    ["NumericGreaterThan", "7", "10", true],
    ["NumericGreaterThanEquals", "7", "6", false],
    ["DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", true],
    ["DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false],
    ["DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999Z", true],
    ["DateLessThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false],
    ["DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", true],
    ["DateGreaterThan", "2026-01-01", "2026-01-01T00:00:01Z", true],
    ["DateGreaterThanEquals", "2026-01-01T00:00:00Z", "1767225599", false],
    ["DateLessThan", "soon", "2026-01-01T00:00:00Z", false],
    ["Bool", "true", "true", true],
    ["Bool", true, "true", true],
    ["Bool", "false", "true", false],
    ["Bool", "TRUE", "true", true],
    ["BinaryEquals", "QmluYXJ5", "QmluYXJ5", true],
    ["BinaryEquals", "QmluYXJ5", "QmluYXJ6", false],
    ["IpAddress", "203.0.113.0/24", "203.0.113.77", true],
    ["IpAddress", "203.0.113.0/24", "203.0.114.1", false],
    ["IpAddress", "203.0.113.77", "203.0.113.77", true],
    ["IpAddress", "203.0.113.64/26", "203.0.113.63", false],
    ["IpAddress", "0.0.0.0/0", "1.2.3.4", true],
    ["IpAddress", "0.0.0.0/0", "2001:db8::1", false],
    ["IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678:9::1", true],
    ["IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", false],
    ["IpAddress", "203.0.113.0/24", "::ffff:203.0.113.9", true],
    ["IpAddress", "203.0.113.0/33", "203.0.113.9", false],
    ["IpAddress", "203.0.113.0/24", "203.0.113.999", false],
    ["NotIpAddress", "203.0.113.0/24", "203.0.114.1", true],
    ["NotIpAddress", "203.0.113.0/24", "203.0.113.1", false],
    ["ArnEquals", "arn:aws:iam::*:role/A*", "arn:aws:iam::111122223333:role/Admin", true],
    ["ArnLike", "arn:aws:iam::*:role/A*", "arn:aws:iam::111122223333:role/Admin", true],
    ["ArnLike", "arn:aws:*:role/Admin", "arn:aws:iam::111122223333:role/Admin", false],
    ["ArnNotEquals", "arn:aws:iam::*:role/A*", "arn:aws:iam::111122223333:role/Admin", false],
    ["ArnNotLike", "arn:aws:iam::*:role/B*", "arn:aws:iam::111122223333:role/Admin", true],
    ["StringEquals", [], "a", false],
    ["StringNotEquals", [], "a", true],
  ])("%s %j of %s: %s", (operator, value, actual, expected) => {
    expect(holds(operator, K, value, { [K]: actual })).toBe(expected);
    expect(holds(`${operator}IfExists`, K, value, { [K]: actual })).toBe(expected);
    // A single value is a set of one.
    expect(holds(`ForAnyValue:${operator}`, K, value, { [K]: actual })).toBe(expected);
    expect(holds(`ForAllValues:${operator}`, K, value, { [K]: [actual] })).toBe(expected);
  });

  test("the names of keys are not case-sensitive", () => {
    expect(holds("StringEquals", "KMS:keyspec", "a", { [K]: "a" })).toBe(true);
  });
});

describe("no value", () => {
  test.each<[string, boolean]>([
    ["StringEquals", false],
    ["StringLike", false],
    ["NumericLessThan", false],
    ["DateGreaterThan", false],
    ["Bool", false],
    ["IpAddress", false],
    ["ArnLike", false],
    // "If the key that you specify is not present, the negated operators match."
    ["StringNotEquals", true],
    ["StringNotEqualsIgnoreCase", true],
    ["StringNotLike", true],
    ["NumericNotEquals", true],
    ["DateNotEquals", true],
    ["NotIpAddress", true],
    ["ArnNotEquals", true],
    ["ArnNotLike", true],
  ])("%s: %s", (operator, expected) => {
    for (const values of [{}, { [K]: [] }] as Values[]) {
      expect(holds(operator, K, "1", values)).toBe(expected);
      expect(holds(`${operator}IfExists`, K, "1", values)).toBe(true);
      expect(holds(`ForAllValues:${operator}`, K, "1", values)).toBe(true);
      expect(holds(`ForAnyValue:${operator}`, K, "1", values)).toBe(false);
      expect(holds(`ForAnyValue:${operator}IfExists`, K, "1", values)).toBe(true);
    }
  });
});

describe("several values", () => {
  const both = { [K]: ["a", "b"] };
  test.each<[string, unknown, boolean]>([
    ["ForAllValues:StringEquals", ["a", "b", "c"], true],
    ["ForAllValues:StringEquals", ["a"], false],
    ["ForAnyValue:StringEquals", ["a"], true],
    ["ForAnyValue:StringEquals", ["c"], false],
    ["ForAllValues:StringNotEquals", ["c"], true],
    ["ForAllValues:StringNotEquals", ["a"], false],
    ["ForAnyValue:StringNotEquals", ["a"], true],
    ["ForAnyValue:StringNotEquals", ["a", "b"], false],
    ["ForAllValues:StringLike", ["*"], true],
    ["StringEquals", ["a"], true],
    ["StringNotEquals", ["a"], false],
    ["StringNotEquals", ["c"], true],
  ])("%s %j: %s", (operator, value, expected) => {
    expect(holds(operator, K, value, both)).toBe(expected);
  });
});

describe("Null", () => {
  test.each<[unknown, ContextValue, boolean]>([
    ["true", undefined, true],
    ["false", undefined, false],
    ["true", "a", false],
    ["false", "a", true],
    [true, [], true],
    ["false", ["a"], true],
    [["true", "false"], "a", true],
  ])("%j of %j: %s", (value, actual, expected) => {
    expect(holds("Null", K, value, { [K]: actual })).toBe(expected);
  });
});

describe("variables", () => {
  const context: Values = {
    "aws:username": "alice",
    "aws:PrincipalTag/team": "blue*",
    "kms:EncryptionContext:owner": "alice",
    "kms:GrantOperations": ["a"],
  };
  const OWNER = "kms:EncryptionContext:owner";
  test.each<[string, string, unknown, boolean]>([
    ["stand for what the request has", "StringEquals", "${aws:username}", true],
    ["in any case", "StringEquals", "${AWS:UserName}", true],
    ["with text around them", "StringLike", "${aws:username}*", true],
    ["in part", "StringEquals", "al${aws:userid, 'ice'}", true],
    ["have a default", "StringEquals", "${aws:userid, 'alice'}", true],
    ["have a default that is not needed", "StringEquals", "${aws:username, 'bob'}", true],
    ["have a default with quotes", "StringEquals", "${aws:userid, 'it''s'}", false],
    ["without a value equal nothing", "StringEquals", "${aws:userid}", false],
    ["without a value are like nothing", "StringLike", "*${aws:userid}", false],
    ["without a value differ from everything", "StringNotEquals", "${aws:userid}", true],
    ["are not multivalued keys", "StringEquals", "${kms:GrantOperations, 'alice'}", true],
    ["that are none stay text", "StringEquals", "${aws:username", false],
  ])("%s", (_rule, operator, value, expected) => {
    expect(holds(operator, OWNER, value, context)).toBe(expected);
  });

  test("what they stand for has no wildcards, and is no variable", () => {
    const team = "${aws:PrincipalTag/team}";
    expect(holds("StringLike", K, team, { ...context, [K]: "blue*" })).toBe(true);
    expect(holds("StringLike", K, team, { ...context, [K]: "blues" })).toBe(false);
    const nested = { "aws:username": "${aws:userid}", "aws:userid": "1" };
    expect(holds("StringEquals", K, "${aws:username}", { ...nested, [K]: "1" })).toBe(false);
  });

  test.each([
    ["${*}", "*", true],
    ["${*}", "x", false],
    ["${?}", "?", true],
    ["${?}", "x", false],
    ["${$}{aws:username}", "${aws:username}", true],
  ])("%s is the character itself: %s, %s", (value, actual, expected) => {
    expect(holds("StringLike", K, value, { ...context, [K]: actual })).toBe(expected);
  });

  test("came with version 2012-10-17", () => {
    const values = { ...context, [K]: "${aws:username}" };
    expect(holds("StringEquals", K, "${aws:username}", values, "2008-10-17")).toBe(true);
    expect(
      holds("StringEquals", K, "${aws:username}", { ...context, [K]: "alice" }, "2008-10-17"),
    ).toBe(false);
  });

  test("do not make a text out of all proportion", () => {
    const long = { "kms:EncryptionContext:x": "a".repeat(1_000_000) };
    const started = performance.now();
    const value = "${kms:EncryptionContext:x}".repeat(1000);
    expect(holds("StringLike", K, value, { ...long, [K]: "a" })).toBe(false);
    expect(holds("StringEquals", K, `\${x, '${"'".repeat(10_000)}`.repeat(3), { [K]: "a" })).toBe(
      false,
    );
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
