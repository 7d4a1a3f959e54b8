// Every constraint of every operation's input broken once, with AWS's answer. The rows are made of
// AWS's service model, so a new operation is tried without being named here.

import { describe, expect, test } from "vitest";
import { KmsError } from "../../src/errors.ts";
import { operations } from "../../src/operations/index.ts";
import { readInput } from "../../src/operations/shape.ts";
import { brokenInputs, withSortedSets } from "../support/broken-inputs.ts";

const names = Object.keys(operations).sort();

function refusalOf(operation: string, input: object) {
  const record = operations[operation] as (typeof operations)[string];
  try {
    readInput(record.input, JSON.parse(JSON.stringify(input)));
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    return { type: error.type, text: error.text && withSortedSets(error.text) };
  }
  return null;
}

describe.each(names)("%s", (operation) => {
  const rows = brokenInputs(operation);
  test.for(rows)("$name", ({ input, text }) => {
    expect(refusalOf(operation, input)).toEqual(
      text === null
        ? { type: "SerializationException", text: expect.any(String) }
        : { type: "ValidationException", text: withSortedSets(text) },
    );
  });

  test("has an input whose constraints are tried", () => {
    const { input } = operations[operation] as (typeof operations)[string];
    expect(rows.length).toBeGreaterThanOrEqual(Object.keys(input).length);
  });
});

test("the rows are there", () => {
  const rows = names.flatMap(brokenInputs);
  expect(rows.length).toBeGreaterThan(10 * names.length);
  // One of each kind, typed from the records on AWS.
  const texts = rows.map(({ operation, text }) => `${operation}: ${text}`);
  for (const text of [
    "DescribeKey: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    "GenerateRandom: 1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
    "GenerateRandom: 1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    "Encrypt: 1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    `CreateKey: 1 validation error detected: Value '${"a".repeat(129)}' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128`,
    "DeriveSharedSecret: 1 validation error detected: Value 'NO_SUCH_VALUE' at 'keyAgreementAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [ECDH]",
    // Newer than the model of many a client.
    "CreateGrant: 1 validation error detected: Value 'Ārn:aws:dynamodb:us-east-1:111122223333:table/orders' at 'constraints.sourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
  ]) {
    expect(texts).toContain(text);
  }
});
