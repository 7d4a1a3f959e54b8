// The inputs of all operations against AWS's published service model, in botocore's copy of it, and
// the names of the operations against it and the AWS SDK for JavaScript.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { operations, operationsNotBuilt } from "../../src/operations/index.ts";
import type { Members, Shape } from "../../src/operations/shape.ts";

interface ModelShape {
  readonly type: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
}

interface Model {
  readonly operations: Readonly<
    Record<
      string,
      { readonly input: { readonly shape: string }; readonly errors: readonly { shape: string }[] }
    >
  >;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

/** The model of the botocore that `python3` finds, or null where there is none. */
function botocoreModel(): Model | null {
  const where = "import botocore, os; print(os.path.dirname(botocore.__file__))";
  let folder: string;
  try {
    folder = execFileSync("python3", ["-c", where], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
  const file = join(folder, "data", "kms", "2014-11-01", "service-2.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  if (!existsSync(`${file}.gz`)) return null;
  return JSON.parse(gunzipSync(readFileSync(`${file}.gz`)).toString());
}

const model = botocoreModel();

/** Values that AWS has added since; whoever compares with a newer model may strike them out. */
const NEWER_VALUES: Readonly<Record<string, readonly string[]>> = {
  KeySpec: ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"],
  KeyPairSpec: ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"],
  KeyUsage: ["ENCAPSULATE_DECAPSULATE"],
  Operations: ["Decapsulate", "Encapsulate"],
};

/** Members that AWS has added since, and those that are no longer required for their sake. */
const NEWER_MEMBERS: Readonly<
  Record<string, { readonly added: readonly string[]; readonly optional: readonly string[] }>
> = {
  CreateGrant: {
    added: ["GranteeServicePrincipal", "RetiringServicePrincipal", "Constraints.SourceArn"],
    optional: ["GranteePrincipal"],
  },
  ListGrants: { added: ["GranteeServicePrincipal"], optional: [] },
  ListRetirableGrants: { added: ["RetiringServicePrincipal"], optional: ["RetiringPrincipal"] },
};

/** Operations that AWS has added since. */
const NEWER_OPERATIONS = ["Decapsulate", "Encapsulate"];

/** A member in either notation; what is not limited is left out. */
interface Described {
  readonly type: string;
  readonly required: boolean;
  readonly sensitive: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly values?: readonly string[];
  readonly element?: Described;
  readonly members?: Readonly<Record<string, Described>>;
}

function describedByModel(
  { shapes }: Model,
  name: string,
  member: string,
  required: boolean,
): Described {
  const shape = shapes[name] as ModelShape;
  const element = shape.member ?? shape.value;
  return {
    type: shape.type,
    required,
    sensitive: shape.sensitive ?? false,
    ...(shape.min !== undefined && { min: shape.min }),
    ...(shape.max !== undefined && { max: shape.max }),
    ...(shape.pattern !== undefined && { pattern: shape.pattern }),
    ...(shape.enum && { values: [...new Set([...shape.enum, ...newer(member, shape)])].sort() }),
    ...(element && { element: describedByModel(model as Model, element.shape, member, false) }),
    ...(shape.members && { members: membersByModel(model as Model, name) }),
  };
}

/** GenerateDataKey has a KeySpec as well, of other values. */
const newer = (member: string, { enum: values = [] }: ModelShape) =>
  values.includes("AES_256") ? [] : (NEWER_VALUES[member] ?? []);

function membersByModel(of: Model, shapeName: string): Record<string, Described> {
  const { members = {}, required = [] } = of.shapes[shapeName] as ModelShape;
  return Object.fromEntries(
    Object.entries(members).map(([member, { shape }]) => [
      member,
      describedByModel(of, shape, member, required.includes(member)),
    ]),
  );
}

function describedByCode(shape: Shape<unknown>): Described {
  const bound = (name: string) => shape.rules.find((rule) => rule.name === name)?.bound;
  const [min, max, pattern, values] = ["min", "max", "pattern", "enum"].map(bound);
  return {
    type: shape.type,
    required: shape.required,
    sensitive: shape.sensitive,
    ...(min !== undefined && { min: min as number }),
    ...(max !== undefined && { max: max as number }),
    ...(pattern !== undefined && { pattern: pattern as string }),
    ...(values !== undefined && { values: [...(values as string[])].sort() }),
    ...(shape.element && { element: describedByCode(shape.element) }),
    ...(shape.members && { members: membersByCode(shape.members) }),
  };
}

const membersByCode = (members: Members) =>
  Object.fromEntries(
    Object.entries(members).map(([member, shape]) => [member, describedByCode(shape)]),
  );

/** The members without some of them, which are named by their paths. */
function without(members: Record<string, Described>, paths: readonly string[]) {
  return Object.fromEntries(
    Object.entries(members)
      .filter(([name]) => !paths.includes(name))
      .map(([name, described]): [string, Described] => {
        const inner = paths
          .filter((path) => path.startsWith(`${name}.`))
          .map((path) => path.slice(name.length + 1));
        if (inner.length === 0) return [name, described];
        return [name, { ...described, members: without({ ...described.members }, inner) }];
      }),
  );
}

const withOptional = (members: Record<string, Described>, names: readonly string[]) =>
  Object.fromEntries(
    Object.entries(members).map(([name, described]) => [
      name,
      names.includes(name) ? { ...described, required: false } : described,
    ]),
  );

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
    expect(without(ours, added)).toEqual(theirs);
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
    expect([...built, ...operationsNotBuilt].sort()).toEqual(
      [...new Set([...names, ...NEWER_OPERATIONS])].sort(),
    );
  });
});

test("the operations are the commands of the AWS SDK for JavaScript", () => {
  const commands = Object.keys(sdk).filter((name) => /^[A-Z]\w*Command$/.test(name));
  expect([...built, ...operationsNotBuilt].sort()).toEqual(
    commands.map((name) => name.replace(/Command$/, "")).sort(),
  );
});

test("no operation is both built and not", () => {
  expect(built.filter((name) => operationsNotBuilt.includes(name))).toEqual([]);
});
