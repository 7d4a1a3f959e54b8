// Holds a value to a schema of `schema.ts` and says what is wrong and where. Texts name members and
// never show a value: it may be a secret.

import type { JsonType, Schema } from "./schema.ts";

/** The members and indices that lead to a value. */
export type Path = readonly (string | number)[];

/** The first thing that is wrong, in the order of the schema. */
export interface Fault {
  readonly path: Path;
  readonly text: string;
}

/** What is wrong with a value, or null. `root` is where `$ref` looks for `$defs`. */
export function check(value: unknown, schema: Schema, root: Schema, path: Path = []): Fault | null {
  if (schema.$ref !== undefined) return check(value, definition(schema.$ref, root), root, path);
  const type = typeOf(value);
  const types = schema.type === undefined ? [type] : [schema.type].flat();
  if (!types.includes(type)) {
    return { path, text: `has to be ${types.map((each) => words[each]).join(" or ")}` };
  }
  switch (type) {
    case "string":
      return checkText(value as string, schema, path);
    case "array":
      return checkList(value as unknown[], schema, root, path);
    case "object":
      return checkObject(value as Record<string, unknown>, schema, root, path);
    default:
      return null;
  }
}

const words: Readonly<Record<JsonType, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  object: "a mapping",
  array: "a list",
  null: "null",
};

function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as JsonType;
}

function definition(ref: string, root: Schema): Schema {
  const schema = root.$defs?.[ref.slice("#/$defs/".length)];
  if (!schema) throw new Error(`no schema ${ref}`);
  return schema;
}

function checkText(value: string, schema: Schema, path: Path): Fault | null {
  const fault = (text: string) => ({ path, text });
  if (schema.enum && !schema.enum.includes(value)) {
    return fault(`has to be one of ${schema.enum.join(", ")}`);
  }
  if (value.length < (schema.minLength ?? 0)) return fault("is empty");
  if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) {
    return fault(`is longer than ${schema.maxLength} characters`);
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) {
    return fault(`does not match ${schema.pattern}`);
  }
  return null;
}

function checkList(values: unknown[], schema: Schema, root: Schema, path: Path): Fault | null {
  if (values.length < (schema.minItems ?? 0)) return { path, text: "is empty" };
  if (values.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) {
    return { path, text: `has more than ${schema.maxItems} entries` };
  }
  const { items } = schema;
  return items
    ? first(values, (value, index) => check(value, items, root, [...path, index]))
    : null;
}

function checkObject(
  object: Record<string, unknown>,
  schema: Schema,
  root: Schema,
  path: Path,
): Fault | null {
  const names = Object.keys(object);
  const missing = schema.required?.find((name) => !Object.hasOwn(object, name));
  if (missing !== undefined) return { path, text: `lacks ${missing}` };
  if (names.length > (schema.maxProperties ?? Number.POSITIVE_INFINITY)) {
    return { path, text: `has more than ${schema.maxProperties} members` };
  }
  return first(names, (name) => {
    const at = [...path, name];
    const wrongName = schema.propertyNames && check(name, schema.propertyNames, root, at);
    if (wrongName) return { path: at, text: `has a name that ${wrongName.text}` };
    const { properties = {}, additionalProperties } = schema;
    const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (known === false) return { path: at, text: "is not known" };
    return known ? check(object[name], known, root, at) : null;
  });
}

function first<T>(items: readonly T[], look: (item: T, index: number) => Fault | null) {
  for (const [index, item] of items.entries()) {
    const fault = look(item, index);
    if (fault) return fault;
  }
  return null;
}
