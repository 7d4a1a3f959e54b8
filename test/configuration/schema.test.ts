// The published schema is the one that is checked. `UPDATE_SCHEMA=1 npm test -- test/configuration`
// rewrites it, `npm run format` lays it out.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configurationSchema, type Schema } from "../../src/configuration/schema.ts";

const published = new URL("../../docs/edge-kms.schema.json", import.meta.url);

test("docs/edge-kms.schema.json is the schema of the code", () => {
  const text = `${JSON.stringify(configurationSchema, null, 2)}\n`;
  if (process.env.UPDATE_SCHEMA) writeFileSync(published, text);
  expect(JSON.parse(readFileSync(published, "utf8"))).toEqual(JSON.parse(text));
});

test("every pattern is one of JSON Schema, and every reference leads somewhere", () => {
  const seen = { patterns: 0, references: 0 };
  walk(configurationSchema);
  expect(seen.patterns).toBeGreaterThan(2);
  expect(seen.references).toBeGreaterThan(4);

  function walk(schema: Schema): void {
    if (schema.pattern !== undefined) {
      expect(new RegExp(schema.pattern, "u")).toBeInstanceOf(RegExp);
      seen.patterns++;
    }
    if (schema.$ref !== undefined) {
      expect(configurationSchema.$defs).toHaveProperty(schema.$ref.replace("#/$defs/", ""));
      seen.references++;
    }
    for (const part of [schema.items, schema.additionalProperties, schema.propertyNames]) {
      if (part) walk(part);
    }
    for (const parts of [schema.properties, schema.$defs]) Object.values(parts ?? {}).forEach(walk);
  }
});
