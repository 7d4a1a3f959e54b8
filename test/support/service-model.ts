// The inputs of KMS's operations as AWS's published service model states them, in botocore's copy of
// it, and as the records state them, in one notation.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
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

export interface Model {
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

export const model = botocoreModel();

/** Values that AWS has added since; whoever compares with a newer model may strike them out. */
const NEWER_VALUES: Readonly<Record<string, readonly string[]>> = {
  KeySpec: ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"],
  KeyPairSpec: ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"],
  KeyUsage: ["ENCAPSULATE_DECAPSULATE"],
  Operations: ["Decapsulate", "Encapsulate"],
};

/** Operations that AWS has added since. */
export const NEWER_OPERATIONS = ["Decapsulate", "Encapsulate"];

/** A member in either notation; what is not limited is left out. */
export interface Described {
  readonly type: string;
  readonly required: boolean;
  readonly sensitive: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly values?: readonly string[];
  /** A pattern that AWS holds the member to and that is not in the model. */
  readonly observed?: string;
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

export function membersByModel(of: Model, shapeName: string): Record<string, Described> {
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

export const membersByCode = (members: Members) =>
  Object.fromEntries(
    Object.entries(members).map(([member, shape]) => [member, describedByCode(shape)]),
  );

/** Members that an older model lacks, and those that are no longer required for their sake. */
export const NEWER_MEMBERS: Readonly<
  Record<string, { readonly added: readonly string[]; readonly optional: readonly string[] }>
> = {
  CreateGrant: {
    added: ["GranteeServicePrincipal", "RetiringServicePrincipal", "Constraints.SourceArn"],
    optional: ["GranteePrincipal"],
  },
  ListGrants: { added: ["GranteeServicePrincipal"], optional: [] },
  ListRetirableGrants: { added: ["RetiringServicePrincipal"], optional: ["RetiringPrincipal"] },
};

/** Whether the member of that path is among the members. */
export function hasMember(members: Readonly<Record<string, Described>>, path: string): boolean {
  const [name = "", ...inner] = path.split(".");
  const found = members[name];
  if (!found || inner.length === 0) return found !== undefined;
  return hasMember(found.members ?? {}, inner.join("."));
}

/** The members without some of them, which are named by their paths. */
export function without(members: Record<string, Described>, paths: readonly string[]) {
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

export const withOptional = (members: Record<string, Described>, names: readonly string[]) =>
  Object.fromEntries(
    Object.entries(members).map(([name, described]) => [
      name,
      names.includes(name) ? { ...described, required: false } : described,
    ]),
  );
