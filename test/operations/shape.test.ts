// How requests are held to their operation's input, in the words of AWS. The texts marked with an
// operation's name were recorded on AWS; the others are the general form of its services.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KmsError } from "../../src/errors.ts";
import { operations } from "../../src/operations/index.ts";
import {
  blob,
  boolean,
  instant,
  integer,
  list,
  type Members,
  oneOf,
  readInput,
  required,
  stringMap,
  structure,
  text,
} from "../../src/operations/shape.ts";

/** The input as it was read, or the refusal's text after its type. */
function read(members: Members, body: unknown): unknown {
  try {
    return readInput(members, body);
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    return `${error.type}: ${error.text}`;
  }
}

const inputOf = (operation: string) => (operations[operation] as { input: Members }).input;

const one = (violation: string) => `ValidationException: 1 validation error detected: ${violation}`;
const constraint = (value: string, member: string, words: string) =>
  one(`${value} at '${member}' failed to satisfy constraint: Member must ${words}`);

describe("one constraint broken", () => {
  const long = "a".repeat(129);

  test.for<[string, Members, unknown, string]>([
    [
      "min length",
      { Name: text({ min: 2 }) },
      { Name: "a" },
      constraint("Value 'a'", "name", "have length greater than or equal to 2"),
    ],
    [
      "max length; the value is printed in full",
      { Name: text({ max: 128 }) },
      { Name: long },
      constraint(`Value '${long}'`, "name", "have length less than or equal to 128"),
    ],
    [
      "pattern",
      { Name: text({ pattern: "[a-z]+" }) },
      { Name: "A" },
      constraint("Value 'A'", "name", "satisfy regular expression pattern: [a-z]+"),
    ],
    [
      "enum",
      { Spec: oneOf(["A", "B"]) },
      { Spec: "C" },
      constraint("Value 'C'", "spec", "satisfy enum value set: [A, B]"),
    ],
    [
      "enum, of a name that every object has",
      { Spec: oneOf(["A", "B"]) },
      { Spec: "constructor" },
      constraint("Value 'constructor'", "spec", "satisfy enum value set: [A, B]"),
    ],
    [
      "min value (recorded for NumberOfBytes)",
      inputOf("GenerateRandom"),
      { NumberOfBytes: 0 },
      constraint("Value '0'", "numberOfBytes", "have value greater than or equal to 1"),
    ],
    [
      "max value (recorded for NumberOfBytes)",
      inputOf("GenerateRandom"),
      { NumberOfBytes: 1025 },
      constraint("Value '1025'", "numberOfBytes", "have value less than or equal to 1024"),
    ],
    ["required", inputOf("DescribeKey"), {}, constraint("Value null", "keyId", "not be null")],
    [
      "required, of a member that is null",
      inputOf("DescribeKey"),
      { KeyId: null },
      constraint("Value null", "keyId", "not be null"),
    ],
    [
      "length of a list",
      { Names: list(text(), { max: 2 }) },
      { Names: ["a", "b", "c"] },
      constraint("Value '[a, b, c]'", "names", "have length less than or equal to 2"),
    ],
    [
      "length of bytes, which counts bytes",
      { Data: blob({ min: 4, max: 4 }) },
      { Data: "AAAAAAA=" },
      constraint("Value", "data", "have length less than or equal to 4"),
    ],
    [
      "a sensitive member's value is left out (recorded for Plaintext, too long)",
      inputOf("Encrypt"),
      { KeyId: "k", Plaintext: Buffer.alloc(4097).toString("base64") },
      constraint("Value", "plaintext", "have length less than or equal to 4096"),
    ],
    [
      "a sensitive member's value is left out (seen for Plaintext, empty)",
      inputOf("Encrypt"),
      { KeyId: "k", Plaintext: "" },
      constraint("Value", "plaintext", "have length greater than or equal to 1"),
    ],
    [
      "in a list of structures, counted from one (recorded for TagKey)",
      inputOf("CreateKey"),
      { Tags: [{ TagKey: long, TagValue: "" }] },
      constraint(
        `Value '${long}'`,
        "tags.1.member.tagKey",
        "have length less than or equal to 128",
      ),
    ],
    [
      "in the second of a list",
      inputOf("TagResource"),
      {
        KeyId: "k",
        Tags: [
          { TagKey: "a", TagValue: "" },
          { TagKey: "b", TagValue: "v".repeat(257) },
        ],
      },
      constraint(
        `Value '${"v".repeat(257)}'`,
        "tags.2.member.tagValue",
        "have length less than or equal to 256",
      ),
    ],
    [
      "required in a list of structures",
      inputOf("TagResource"),
      { KeyId: "k", Tags: [{ TagKey: "a" }] },
      constraint("Value null", "tags.1.member.tagValue", "not be null"),
    ],
    [
      "in a structure",
      inputOf("Decrypt"),
      { Recipient: { KeyEncryptionAlgorithm: "X" } },
      constraint(
        "Value 'X'",
        "recipient.keyEncryptionAlgorithm",
        "satisfy enum value set: [RSAES_OAEP_SHA_256]",
      ),
    ],
    [
      "of a list of texts: the whole list, and all that holds of its elements",
      inputOf("UntagResource"),
      { KeyId: "k", TagKeys: ["a", ""] },
      constraint(
        "Value '[a, ]'",
        "tagKeys",
        "satisfy constraint: [Member must have length less than or equal to 128, Member must have " +
          "length greater than or equal to 1]",
      ),
    ],
    [
      "of a list of texts with a pattern, which comes last",
      { Names: list(text({ min: 1, max: 2, pattern: "[a-z]*" })) },
      { Names: ["A"] },
      constraint(
        "Value '[A]'",
        "names",
        "satisfy constraint: [Member must have length less than or equal to 2, Member must have " +
          "length greater than or equal to 1, Member must satisfy regular expression pattern: [a-z]*]",
      ),
    ],
    [
      "of a list of texts, once however many are wrong",
      { Names: list(text({ max: 1 })) },
      { Names: ["aa", "b", "cc"] },
      constraint(
        "Value '[aa, b, cc]'",
        "names",
        "satisfy constraint: [Member must have length less than or equal to 1]",
      ),
    ],
    [
      "of a list of enum values",
      inputOf("Decrypt"),
      { DryRunModifiers: ["X"] },
      constraint(
        "Value '[X]'",
        "dryRunModifiers",
        "satisfy constraint: [Member must satisfy enum value set: [IGNORE_CIPHERTEXT]]",
      ),
    ],
  ])("%s", ([, members, body, refusal]) => {
    expect(read(members, body)).toBe(refusal);
  });
});

describe("several constraints broken", () => {
  test("are counted and joined, in the order of the members", () => {
    expect(read(inputOf("ReplicateKey"), { ReplicaRegion: "nowhere" })).toBe(
      "ValidationException: 2 validation errors detected: Value null at 'keyId' failed to satisfy " +
        "constraint: Member must not be null; Value 'nowhere' at 'replicaRegion' failed to satisfy " +
        "constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$",
    );
  });

  test("by one value are all named", () => {
    expect(read({ Name: text({ min: 1, max: 3, pattern: "[a-z]+" }) }, { Name: "ABCD" })).toBe(
      "ValidationException: 2 validation errors detected: Value 'ABCD' at 'name' failed to satisfy " +
        "constraint: Member must satisfy regular expression pattern: [a-z]+; Value 'ABCD' at 'name' " +
        "failed to satisfy constraint: Member must have length less than or equal to 3",
    );
  });

  test("in different elements are all named", () => {
    const tags = [{ TagKey: "", TagValue: "" }, { TagKey: "a" }, { TagValue: "" }];
    expect(read(inputOf("CreateKey"), { Tags: tags, KeyUsage: "X" })).toBe(
      "ValidationException: 4 validation errors detected: Value 'X' at 'keyUsage' failed to satisfy " +
        "constraint: Member must satisfy enum value set: [ENCRYPT_DECRYPT, SIGN_VERIFY, " +
        "KEY_AGREEMENT, GENERATE_VERIFY_MAC, ENCAPSULATE_DECAPSULATE]; Value '' at " +
        "'tags.1.member.tagKey' failed to satisfy constraint: Member must have length greater than " +
        "or equal to 1; Value null at 'tags.2.member.tagValue' failed to satisfy constraint: Member " +
        "must not be null; Value null at 'tags.3.member.tagKey' failed to satisfy constraint: Member " +
        "must not be null",
    );
  });
});

describe("what is read", () => {
  const members = {
    Name: required(text({ min: 1, max: 3, pattern: "[a-z]+" })),
    Count: integer({ min: 1, max: 3 }),
    On: boolean,
    Data: blob({ min: 0, max: 3 }),
    Names: list(text({ min: 1 })),
    Context: stringMap,
    Inner: structure({ Value: required(text()) }),
  };

  test("is every member as it came", () => {
    const body = {
      Name: "abc",
      Count: 3,
      On: false,
      Data: "AAAA",
      Names: ["a", "b"],
      Context: { a: "1", "": "" },
      Inner: { Value: "" },
    };
    expect(read(members, body)).toEqual(body);
  });

  test("leaves out what the operation does not know", () => {
    expect(read(members, { Name: "a", Other: 1, Inner: { Value: "", Other: 1 } })).toEqual({
      Name: "a",
      Inner: { Value: "" },
    });
  });

  test("leaves out what is null", () => {
    const body = {
      Name: "a",
      Count: null,
      On: null,
      Data: null,
      Names: null,
      Context: null,
      Inner: null,
    };
    const input = read(members, body);
    expect(input).toEqual({ Name: "a" });
    expect(Object.keys(input as object)).toEqual(["Name"]);
  });

  test("is not changed by names that objects have of themselves", () => {
    const body = JSON.parse('{"Name":"a","__proto__":{"Count":9},"constructor":1,"toString":2}');
    expect(Object.keys(read(members, body) as object)).toEqual(["Name"]);
  });

  test("may be at each bound", () => {
    for (const Count of [1, 3])
      expect(read(members, { Name: "a", Count })).toEqual({ Name: "a", Count });
    for (const Data of ["", "AA==", "AAA=", "AAAA"]) {
      expect(read(members, { Name: "a", Data })).toEqual({ Name: "a", Data });
    }
  });

  test("is counted in UTF-16 units where it is a text", () => {
    expect(read({ Name: text({ max: 2 }) }, { Name: "😀" })).toEqual({ Name: "😀" });
    expect(read({ Name: text({ max: 1 }) }, { Name: "😀" })).toMatch(/less than or equal to 1$/);
  });

  test("must match a pattern as a whole, in one line or many", () => {
    const lower = { Name: text({ pattern: "[a-z]+" }) };
    for (const Name of ["a1", "1a", "a\n", "\na", ""]) {
      expect(read(lower, { Name })).toMatch(/^ValidationException: 1 /);
    }
    const either = { Name: text({ pattern: "a|bc" }) };
    expect(read(either, { Name: "bc" })).toEqual({ Name: "bc" });
    expect(read(either, { Name: "ac" })).toMatch(/^ValidationException: 1 /);
  });
});

describe("a wrong JSON type is a SerializationException", () => {
  const nested = {
    Inner: structure({ Value: text() }),
    Inners: list(structure({ Value: text() })),
  };

  test.for<[string, Members, unknown]>([
    ["no object", {}, []],
    ["no object but null", {}, null],
    ["no object but a text", {}, "{}"],
    ["a number as text", { A: text() }, { A: 1 }],
    ["an object as text", { A: text() }, { A: {} }],
    ["a text as enum value", { A: oneOf(["1"]) }, { A: 1 }],
    ["a text as number", { A: integer() }, { A: "1" }],
    ["a fraction", { A: integer() }, { A: 1.5 }],
    ["a text as boolean", { A: boolean }, { A: "true" }],
    ["a number as boolean", { A: boolean }, { A: 1 }],
    ["a text as instant", { A: instant }, { A: "2026-01-01T00:00:00Z" }],
    ["a text of digits as instant", { A: instant }, { A: "1767225600" }],
    ["a number as bytes", { A: blob() }, { A: 1 }],
    ["a list of bytes", { A: blob() }, { A: [1, 2] }],
    ["a text as list", { A: list(text()) }, { A: "a" }],
    ["an object as list", { A: list(text()) }, { A: { 0: "a" } }],
    ["a number in a list of texts", { A: list(text()) }, { A: ["a", 1] }],
    ["null in a list of texts", { A: list(text()) }, { A: [null] }],
    ["null in a list of structures", nested, { Inners: [null] }],
    ["a text in a list of structures", nested, { Inners: ["a"] }],
    ["a list as map", { A: stringMap }, { A: [] }],
    ["a text as map", { A: stringMap }, { A: "a" }],
    ["a number in a map", { A: stringMap }, { A: { a: 1 } }],
    ["a list as structure", nested, { Inner: [] }],
    ["a text as structure", nested, { Inner: "a" }],
    ["a wrong type inside a structure", nested, { Inner: { Value: 1 } }],
  ])("%s", ([, members, body]) => {
    expect(read(members, body)).toMatch(/^SerializationException: /);
  });

  test("also where a constraint is broken before it", () => {
    const members = { A: text({ min: 1 }), B: text() };
    expect(read(members, { A: "", B: 1 })).toMatch(/^SerializationException: /);
  });
});

describe("base64", () => {
  const members = { A: blob({ max: 8 }) };

  test.for(["", "AA==", "AAA=", "AAAA", "AAAAAA==", "+/+/", "zzzz"])("%j is", (A) => {
    expect(read(members, { A })).toEqual({ A });
  });

  test.for([
    "A",
    "AA",
    "AAA",
    "AA=",
    "A===",
    "====",
    "=AAA",
    "AA=A",
    "-_-_",
    "AA A",
    " AAAA",
    "AAAA\n",
    "ÄÄÄÄ",
  ])("%j is not", (A) => {
    expect(read(members, { A })).toMatch(/^SerializationException: /);
  });

  test("of any bytes is, and counts them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const A = Buffer.from(bytes).toString("base64");
        const exact = { A: blob({ min: bytes.length, max: bytes.length }) };
        expect(read(exact, { A })).toEqual({ A });
        const more = { A: blob({ min: bytes.length + 1 }) };
        expect(read(more, { A })).toMatch(/^ValidationException: /);
      }),
    );
  });
});

test("whatever JSON comes, the answer is an input or a refusal", () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(operations)), fc.jsonValue(), (operation, body) => {
      const input = read(inputOf(operation), body);
      expect(["object", "string"]).toContain(typeof input);
    }),
  );
  const names = [
    "KeyId",
    "Tags",
    "TagKeys",
    "Plaintext",
    "EncryptionContext",
    "Limit",
    "Recipient",
  ];
  const body = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(operations)), body, (operation, value) => {
      expect(["object", "string"]).toContain(typeof read(inputOf(operation), value));
    }),
  );
});
