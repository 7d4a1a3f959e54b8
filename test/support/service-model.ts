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

/**
 * Values that AWS has added since, whoever compares with a newer model may strike them out; and
 * SYMMETRIC_DEFAULT, which KMS takes for a signing algorithm (recorded on AWS).
 */
const NEWER_VALUES: Readonly<Record<string, readonly string[]>> = {
  SigningAlgorithm: ["SYMMETRIC_DEFAULT"],
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
  /** The values that a refusal names, where they are others. */
  readonly named?: readonly string[];
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
    ...(name === "DataKeySpec" && { named: keySpecsOf(shapes) }),
    ...(name === "SigningAlgorithmSpec" && { named: [...(shape.enum ?? [])].sort() }),
    ...(element && { element: describedByModel(model as Model, element.shape, member, false) }),
    ...(shape.members && { members: membersByModel(model as Model, name) }),
  };
}

/** What KMS names where the KeySpec of a data key is wrong (recorded on AWS). */
const keySpecsOf = (shapes: Model["shapes"]) =>
  [...new Set([...(shapes.KeySpec?.enum ?? []), ...(NEWER_VALUES.KeySpec ?? [])])].sort();

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
  const rule = (name: string) => shape.rules.find((each) => each.name === name);
  const bound = (name: string) => rule(name)?.bound;
  const named = rule("enum")?.named;
  const [min, max, pattern, values] = ["min", "max", "pattern", "enum"].map(bound);
  return {
    type: shape.type,
    required: shape.required,
    sensitive: shape.sensitive,
    ...(min !== undefined && { min: min as number }),
    ...(max !== undefined && { max: max as number }),
    ...(pattern !== undefined && { pattern: pattern as string }),
    ...(values !== undefined && { values: [...(values as string[])].sort() }),
    ...(named && { named: named.toSorted() }),
    ...(shape.element && { element: describedByCode(shape.element) }),
    ...(shape.members && { members: membersByCode(shape.members) }),
  };
}

export const membersByCode = (members: Members) =>
  Object.fromEntries(
    Object.entries(members).map(([member, shape]) => [member, describedByCode(shape)]),
  );

const member = (more: Partial<Described>): Described => ({
  type: "string",
  required: false,
  sensitive: false,
  ...more,
});

const service = member({
  min: 1,
  max: 128,
  pattern: "^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$",
});

interface Newer {
  /** By their paths. */
  readonly added: Readonly<Record<string, Described>>;
  /** Those that are no longer required for their sake. */
  readonly optional: readonly string[];
}

/** Members that AWS has added since, as the model of botocore 1.43.107 has them; a model's own count. */
const NEWER_MEMBERS: Readonly<Record<string, Newer>> = {
  CreateGrant: {
    added: {
      GranteeServicePrincipal: service,
      RetiringServicePrincipal: service,
      "Constraints.SourceArn": member({
        min: 20,
        max: 512,
        pattern: "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
      }),
    },
    optional: ["GranteePrincipal"],
  },
  ListGrants: { added: { GranteeServicePrincipal: service }, optional: [] },
  ListRetirableGrants: {
    added: { RetiringServicePrincipal: service },
    optional: ["RetiringPrincipal"],
  },
};

/** The input of one of the model's operations as it is today, with what was added since. */
export function inputByModel(of: Model, operation: string): Record<string, Described> {
  const { input } = of.operations[operation] as Model["operations"][string];
  const { added = {}, optional = [] } = NEWER_MEMBERS[operation] ?? {};
  let members = withOptional(membersByModel(of, input.shape), optional);
  for (const [path, described] of Object.entries(added))
    members = withMember(members, path, described);
  return members;
}

/** The members with one more, which is named by its path, unless they have it. */
function withMember(
  members: Record<string, Described>,
  path: string,
  described: Described,
): Record<string, Described> {
  const [name = "", ...rest] = path.split(".");
  if (rest.length === 0) return { [name]: described, ...members };
  const outer = members[name] as Described;
  const inner = withMember({ ...outer.members }, rest.join("."), described);
  return { ...members, [name]: { ...outer, members: inner } };
}

const withOptional = (members: Record<string, Described>, names: readonly string[]) =>
  Object.fromEntries(
    Object.entries(members).map(([name, described]) => [
      name,
      names.includes(name) ? { ...described, required: false } : described,
    ]),
  );
