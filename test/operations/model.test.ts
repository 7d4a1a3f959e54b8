// The inputs of all operations against AWS's published service model, in botocore's copy of it, and
// the names of the operations against it and the AWS SDK for JavaScript.

import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { operations } from "../../src/operations/index.ts";
import type { Members } from "../../src/operations/shape.ts";
import {
  inputByModel,
  type Model,
  membersByCode,
  model,
  NEWER_OPERATIONS,
} from "../support/service-model.ts";

const built = Object.keys(operations);

// Where the other clients have to be there, their absence is a failure and no reason to skip.
const required = process.env.REQUIRE_CLIENTS === "1";

test.skipIf(model === null && !required)("botocore's model of KMS is installed", () => {
  expect(model).not.toBe(null);
});

describe.skipIf(model === null)("botocore's model of KMS", () => {
  const known = model as Model;
  const modelled = built.filter((name) => !NEWER_OPERATIONS.includes(name));

  test.for(modelled)("%s: every member, with its type and its limits", (operation) => {
    const { input } = operations[operation] as { input: Members };
    expect(membersByCode(input)).toEqual(inputByModel(known, operation));
  });

  test.for(modelled)("%s: InvalidArnException as it is declared", (operation) => {
    const record = operations[operation] as { kind: string; invalidArn?: boolean };
    if (record.kind !== "use" && record.kind !== "change") return;
    const { errors } = known.operations[operation] as Model["operations"][string];
    const declared = errors.some(({ shape }) => shape === "InvalidArnException");
    expect(record.invalidArn ?? false).toBe(declared);
  });

  test("the operations are the model's 54 and those that came since", () => {
    const names = Object.keys(known.operations);
    expect([...built].sort()).toEqual([...new Set([...names, ...NEWER_OPERATIONS])].sort());
  });
});

test("the operations are the commands of the AWS SDK for JavaScript", () => {
  const commands = Object.keys(sdk).filter((name) => /^[A-Z]\w*Command$/.test(name));
  expect([...built].sort()).toEqual(commands.map((name) => name.replace(/Command$/, "")).sort());
});
