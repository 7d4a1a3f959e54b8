// JSON that keeps what JSON.parse loses: the order of members, members named twice, and the
// digits of a number. Knows no policy but its syntax errors.

import { assert } from "../../assert.ts";
import type { KmsError } from "../../errors.ts";
import { syntaxError } from "./refusals.ts";

export type Json = string | boolean | null | JsonNumber | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

interface JsonNumber {
  readonly digits: string;
}

/** An array or object whose end is not read yet; `name` is that of the member under way. */
interface Frame {
  readonly into: Json[] | JsonObject;
  name: string | null;
}

/** The tokens of a text that is known to be JSON. */
const jsonTokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/** The value of a text; `notJson` where it is none, MalformedPolicyDocumentException where it names a member twice. */
export function readJson(text: string, notJson: () => KmsError): Json {
  requireJson(text, notJson);
  const whole: Json[] = [];
  // A stack of our own, so that nesting costs memory of the heap and not of the call stack.
  const frames: Frame[] = [{ into: whole, name: null }];
  for (const [token] of text.matchAll(jsonTokens)) readToken(token, frames);
  const [value] = whole;
  assert(value !== undefined, "a JSON text has a value");
  return value;
}

function requireJson(text: string, notJson: () => KmsError): void {
  try {
    JSON.parse(text);
  } catch {
    throw notJson();
  }
}

function readToken(token: string, frames: Frame[]): void {
  const frame = frames.at(-1);
  assert(frame, "brackets of a JSON text are paired");
  if (token === ":" || token === ",") return;
  if (token === "}" || token === "]") {
    frames.pop();
  } else if (frame.into instanceof Map && frame.name === null) {
    frame.name = JSON.parse(token);
  } else {
    const value = jsonStartingWith(token);
    place(value, frame);
    if (isObject(value) || Array.isArray(value)) frames.push({ into: value, name: null });
  }
}

function jsonStartingWith(token: string): Json {
  if (token === "{") return new Map();
  if (token === "[") return [];
  return /^[-0-9]/.test(token) ? { digits: token } : JSON.parse(token);
}

function place(value: Json, frame: Frame): void {
  if (Array.isArray(frame.into)) {
    frame.into.push(value);
    return;
  }
  assert(frame.name !== null, "a member has its name before its value");
  if (frame.into.has(frame.name)) throw syntaxError(`it has '${frame.name}' twice in one place`);
  frame.into.set(frame.name, value);
  frame.name = null;
}

/**
 * The value as Jackson's DefaultPrettyPrinter writes it. Only a parsed policy comes here, and its
 * grammar nests six levels deep at most.
 */
export function print(value: Json, indent = ""): string {
  if (Array.isArray(value)) return printArray(value.map((item) => print(item, indent)));
  if (isObject(value)) return printObject(value, indent);
  if (isNumber(value)) return value.digits;
  return typeof value === "string" ? printString(value) : String(value);
}

const printArray = (items: string[]) => (items.length === 0 ? "[ ]" : `[ ${items.join(", ")} ]`);

function printObject(object: JsonObject, indent: string): string {
  if (object.size === 0) return "{ }";
  const inner = `${indent}  `;
  const lines = [...object].map(
    ([name, value]) => `${inner}${printString(name)} : ${print(value, inner)}`,
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

/** Escapes what a key policy may not contain, so that the printed document can be sent again. */
function printString(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -\u00ff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

export const isObject = (value: Json): value is JsonObject => value instanceof Map;

export const isNumber = (value: Json): value is JsonNumber =>
  typeof value === "object" && value !== null && "digits" in value;

/** A value that may be a list of itself, as a list. */
export const listIn = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [value]);
