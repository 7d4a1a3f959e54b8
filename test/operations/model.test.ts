// The inputs of all operations against AWS's published service model, in botocore's copy of it, and
// the names of the operations against it and the AWS SDK for JavaScript.

import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { operations } from "../../src/operations/index.ts";
import type { Members } from "../../src/operations/shape.ts";
import {
  hasMember,
  type Model,
  membersByCode,
  membersByModel,
  model,
  NEWER_MEMBERS,
  NEWER_OPERATIONS,
  withOptional,
  without,
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
    const { input } = known.operations[operation] as Model["operations"][string];
    const { input: members } = operations[operation] as { input: Members };
    const { added, optional } = NEWER_MEMBERS[operation] ?? { added: [], optional: [] };
    const ours = membersByCode(members);
    const theirs = withOptional(membersByModel(known, input.shape), optional);
    const missing = added.filter((path) => !hasMember(theirs, path));
    expect(without(ours, missing)).toEqual(theirs);
    for (const path of added) expect(without(ours, [path])).not.toEqual(ours);
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
