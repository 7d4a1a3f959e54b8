// The vocabulary in which an operation states its input, and the one engine that holds a request
// to it with AWS's wording. Source of every bound: the published service model of KMS.

import { KmsError, validation } from "../errors.ts";

/** What one member of an input may be. `T` is its type once it was read. */
export interface Shape<T> {
  readonly type:
    | "string"
    | "integer"
    | "boolean"
    | "timestamp"
    | "blob"
    | "list"
    | "map"
    | "structure";
  readonly required: boolean;
  /** The refusal of a sensitive member leaves its value out, and that there is none, too. */
  readonly sensitive: boolean;
  readonly rules: readonly Rule[];
  /** Of a list's elements or a map's values. */
  readonly element?: Shape<unknown>;
  readonly members?: Members;
  /** Never set: carries the type. */
  readonly value?: T;
}

export interface Members {
  readonly [name: string]: Shape<unknown>;
}

/**
 * One constraint, with the words KMS refuses it with; `size` is a length or the number itself.
 * `observed` is a pattern that AWS holds a member to and does not publish.
 */
export interface Rule {
  readonly name: "min" | "max" | "pattern" | "enum" | "observed";
  readonly bound: number | string | readonly string[];
  readonly words: string;
  readonly holds: (value: unknown, size: number) => boolean;
}

type RequiredNames<M extends Members> = {
  [Name in keyof M]: M[Name]["required"] extends true ? Name : never;
}[keyof M];

type ValueOf<S> = S extends Shape<infer T> ? T : never;

/** The type of an input that was read: required members are there, the others may be. */
export type InputOf<M extends Members> = {
  readonly [Name in RequiredNames<M>]: ValueOf<M[Name]>;
} & { readonly [Name in Exclude<keyof M, RequiredNames<M>>]?: ValueOf<M[Name]> };

interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  /** A pattern that is not in the published model. */
  readonly observed?: string;
  readonly sensitive?: boolean;
}

function sizeRules({ min, max }: Bounds, what: "length" | "value"): Rule[] {
  const rules: Rule[] = [];
  if (min !== undefined) {
    rules.push({
      name: "min",
      bound: min,
      words: `Member must have ${what} greater than or equal to ${min}`,
      holds: (_value, size) => size >= min,
    });
  }
  if (max !== undefined) {
    rules.push({
      name: "max",
      bound: max,
      words: `Member must have ${what} less than or equal to ${max}`,
      holds: (_value, size) => size <= max,
    });
  }
  return rules;
}

function patternRule(pattern: string, name: "pattern" | "observed" = "pattern"): Rule {
  // The model's patterns are matched against the whole value; none has a nested quantifier, so
  // matching is linear. Compiled at the first use: those of Unicode's classes take long.
  let whole: RegExp | undefined;
  return {
    name,
    bound: pattern,
    words: `Member must satisfy regular expression pattern: ${pattern}`,
    holds(value) {
      whole ??= new RegExp(`^(?:${pattern})$`, pattern.includes("\\p{") ? "u" : "");
      return whole.test(value as string);
    },
  };
}

/** A string; lengths count UTF-16 units, as AWS's services do. */
export const text = (bounds: Bounds = {}): Shape<string> & { required: false } => ({
  type: "string",
  required: false,
  sensitive: bounds.sensitive ?? false,
  rules: [
    ...(bounds.pattern === undefined ? [] : [patternRule(bounds.pattern)]),
    ...sizeRules(bounds, "length"),
    ...(bounds.observed === undefined ? [] : [patternRule(bounds.observed, "observed")]),
  ],
});

/** A string that is one of these values, or of those that AWS takes without listing them. */
export const oneOf = <const T extends string>(
  values: readonly T[],
  unlisted: readonly string[] = [],
): Shape<T> & { required: false } => ({
  type: "string",
  required: false,
  sensitive: false,
  rules: [
    {
      name: "enum",
      bound: values,
      words: `Member must satisfy enum value set: [${values.join(", ")}]`,
      holds: (value) => values.includes(value as T) || unlisted.includes(value as string),
    },
  ],
});

/** A whole number. */
export const integer = (bounds: Bounds = {}): Shape<number> & { required: false } => ({
  type: "integer",
  required: false,
  sensitive: false,
  rules: sizeRules(bounds, "value"),
});

export const boolean: Shape<boolean> & { required: false } = {
  type: "boolean",
  required: false,
  sensitive: false,
  rules: [],
};

/** An instant, in seconds since the epoch, with a fraction. */
export const instant: Shape<number> & { required: false } = {
  type: "timestamp",
  required: false,
  sensitive: false,
  rules: [],
};

/** Bytes, kept as the base64 text they came in; lengths count bytes. */
export const blob = (bounds: Bounds = {}): Shape<string> & { required: false } => ({
  type: "blob",
  required: false,
  sensitive: bounds.sensitive ?? false,
  rules: sizeRules(bounds, "length"),
});

export const list = <T>(
  element: Shape<T>,
  bounds: Bounds = {},
): Shape<readonly T[]> & { required: false } => ({
  type: "list",
  required: false,
  sensitive: false,
  rules: sizeRules(bounds, "length"),
  element,
});

/** A map from any string to a string. */
export const stringMap: Shape<Readonly<Record<string, string>>> & { required: false } = {
  type: "map",
  required: false,
  sensitive: false,
  rules: [],
  element: text(),
};

export const structure = <M extends Members>(
  members: M,
): Shape<InputOf<M>> & { required: false } => ({
  type: "structure",
  required: false,
  sensitive: false,
  rules: [],
  members,
});

/** The same member, but a request without it is refused. */
export const required = <T>(shape: Shape<T>): Shape<T> & { required: true } => ({
  ...shape,
  required: true,
});

/**
 * Reads a request's JSON against an operation's input and returns its known members alone.
 * Throws SerializationException for a wrong JSON type or bad base64, and one ValidationException
 * that names every broken constraint. A member that is `null` counts as absent.
 */
export function readInput<M extends Members>(members: M, body: unknown): InputOf<M> {
  const violations: string[] = [];
  const input = readMembers(members, body, "", violations);
  if (violations.length > 0) {
    const errors = violations.length === 1 ? "error" : "errors";
    throw validation(
      `${violations.length} validation ${errors} detected: ${violations.join("; ")}`,
    );
  }
  return input as InputOf<M>;
}

function readMembers(
  members: Members,
  body: unknown,
  path: string,
  violations: string[],
): Record<string, unknown> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw wrongType(path || "the request", "a JSON object");
  }
  const given = body as Record<string, unknown>;
  const read: Record<string, unknown> = {};
  for (const name in members) {
    const shape = members[name] as Shape<unknown>;
    const value = given[name];
    if (value !== undefined && value !== null) {
      read[name] = readValue(shape, value, path + wireName(name), violations);
    } else if (shape.required) {
      const value = shape.sensitive ? "Value" : "Value null";
      violations.push(refused(value, path + wireName(name), "Member must not be null"));
    }
  }
  return read;
}

function readValue(
  shape: Shape<unknown>,
  value: unknown,
  path: string,
  violations: string[],
): unknown {
  const size = sizeOf(shape, value, path);
  for (const rule of shape.rules) {
    if (!rule.holds(value, size)) {
      violations.push(refused(shown(shape, value), path, rule.words));
    }
  }
  if (shape.type === "list") return readList(shape, value as unknown[], path, violations);
  if (shape.type === "map") return readMap(value as Record<string, unknown>, path);
  if (shape.members) return readMembers(shape.members, value, `${path}.`, violations);
  return value;
}

/** The length of a text, list or blob, or a number itself; refuses a wrong JSON type. */
function sizeOf(shape: Shape<unknown>, value: unknown, path: string): number {
  switch (shape.type) {
    case "string":
      if (typeof value !== "string") throw wrongType(path, "a string");
      return value.length;
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value)) {
        throw wrongType(path, "a whole number");
      }
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw wrongType(path, "true or false");
      return 0;
    case "timestamp":
      if (typeof value !== "number") throw wrongType(path, "a number of seconds since 1970");
      return value;
    case "blob":
      if (typeof value !== "string") throw wrongType(path, "a base64 string");
      return blobLength(value, path);
    case "list":
      if (!Array.isArray(value)) throw wrongType(path, "a list");
      return value.length;
    case "map":
    case "structure":
      if (typeof value !== "object" || Array.isArray(value)) throw wrongType(path, "a JSON object");
      return 0;
  }
}

function readList(shape: Shape<unknown>, values: unknown[], path: string, violations: string[]) {
  const element = shape.element as Shape<unknown>;
  if (element.members) {
    return values.map((value, index) =>
      readValue(element, notNull(value, path), `${path}.${index + 1}.member`, violations),
    );
  }
  // Of scalars AWS prints the whole list and every constraint of its elements: max, min, pattern.
  let broken = false;
  for (const value of values) {
    const size = sizeOf(element, notNull(value, path), path);
    broken ||= element.rules.some((rule) => !rule.holds(value, size));
  }
  if (broken) {
    const all = element.rules.map((rule) => rule.words).toReversed();
    violations.push(
      refused(shown(shape, values), path, `Member must satisfy constraint: [${all.join(", ")}]`),
    );
  }
  return values;
}

function readMap(value: Record<string, unknown>, path: string) {
  for (const key of Object.keys(value)) {
    if (typeof value[key] !== "string") throw wrongType(path, "a map of strings");
  }
  return value;
}

function notNull(value: unknown, path: string): unknown {
  if (value === null) throw wrongType(path, "a list without null");
  return value;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Bytes in a base64 text, without decoding it. Padding is required, as AWS's SDKs send it. */
function blobLength(base64: string, path: string): number {
  const { length } = base64;
  if (length % 4 !== 0 || !BASE64.test(base64)) throw wrongType(path, "base64");
  if (length === 0) return 0;
  return (length / 4) * 3 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}

const wrongType = (path: string, expected: string) =>
  new KmsError("SerializationException", `${path} must be ${expected}`);

/** KMS names members in camelCase: `KeyId` is `keyId` (recorded on AWS). */
const wireName = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

/** Sensitive values and bytes are left out (recorded on AWS for Plaintext, Signature and Mac). */
const shown = (shape: Shape<unknown>, value: unknown) =>
  shape.sensitive || shape.type === "blob" ? "Value" : `Value '${printed(value)}'`;

const refused = (value: string, path: string, words: string) =>
  `${value} at '${path}' failed to satisfy constraint: ${words}`;

/** A value as AWS's services print it: lists as `[a, b]`, structures and maps as `{k=v}`. */
function printed(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printed).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([k, v]) => `${k}=${printed(v)}`)
    .join(", ")}}`;
}
