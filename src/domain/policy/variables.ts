// Policy variables: `${aws:username}` in a Resource or a value of a condition, `${key, 'default'}`,
// and the escapes `${*}`, `${?}` and `${$}`.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

import { KmsError } from "../../errors.ts";
import { literalUnits, wildUnits } from "./wildcards.ts";

/** What the conditions of a statement are held against. */
export interface ConditionContext {
  /**
   * The value of a condition key, written in any case; a list where the key is multivalued;
   * undefined where the request has no such key.
   */
  valueOf(key: string): ContextValue;
  /** What evaluating may still take of `limits.server.policies`; no limit where it is left out. */
  readonly effort?: { left: number };
}

/** Throws LimitExceededException, whatever the policies would have come to. */
export function spend({ effort }: ConditionContext, steps: number): void {
  if (!effort) return;
  effort.left -= steps;
  if (effort.left < 0) {
    throw new KmsError("LimitExceededException", "The policies take too long to evaluate.");
  }
}

export type ContextValue = string | readonly string[] | undefined;

interface Variable {
  readonly key: string;
  readonly standard: string | null;
}

/** A text with its variables found; `string`s are text that may have wildcards. */
export type Template = readonly (string | { readonly literal: string } | Variable)[];

/** No policy says as much as variables could make of it. */
const MAX_RESOLVED_LENGTH = 8192;

// The bound keeps a text full of beginnings from being read to its end for each of them.
const VARIABLE = /\$\{(?:([*?$])|\s*([^\s,'{}]+)\s*(?:,\s*'((?:[^']|''){0,1024})'\s*)?)\}/g;

/** The text as a template. Policies of the older version have no variables. */
export function templateOf(text: string, hasVariables: boolean): Template {
  if (!hasVariables || !text.includes("${")) return [text];
  const pieces: Template[number][] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, escaped, key = "", standard] = match;
    if (match.index > end) pieces.push(text.slice(end, match.index));
    end = match.index + whole.length;
    if (escaped !== undefined) pieces.push({ literal: escaped });
    else pieces.push({ key, standard: standard?.replaceAll("''", "'") ?? null });
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/** The text of a template without variables; null for others. */
export function fixedText(template: Template): string | null {
  const [only = "", more] = template;
  return typeof only === "string" && more === undefined ? only : null;
}

/** The text for a request, or null where a variable has no value: then nothing equals it. */
export function resolvedText(template: Template, context: ConditionContext): string | null {
  let text = "";
  for (const piece of template) {
    const resolved = typeof piece === "string" ? piece : pieceText(piece, context);
    if (resolved === null || text.length + resolved.length > MAX_RESOLVED_LENGTH) return null;
    text += resolved;
  }
  return text;
}

/** The units of the pattern for a request: what variables stand for has no wildcards. */
export function resolvedUnits(template: Template, context: ConditionContext): number[] | null {
  const units: number[] = [];
  for (const piece of template) {
    const resolved = typeof piece === "string" ? piece : pieceText(piece, context);
    if (resolved === null || units.length + resolved.length > MAX_RESOLVED_LENGTH) return null;
    for (const unit of typeof piece === "string" ? wildUnits(piece) : literalUnits(resolved)) {
      units.push(unit);
    }
  }
  // Making a pattern costs more than comparing with it.
  spend(context, units.length * 10);
  return units;
}

/** Keys that are multivalued cannot be variables. */
function pieceText(
  piece: { readonly literal: string } | Variable,
  context: ConditionContext,
): string | null {
  if ("literal" in piece) return piece.literal;
  const value = context.valueOf(piece.key);
  return typeof value === "string" ? value : piece.standard;
}
