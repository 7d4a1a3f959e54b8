// The Condition element of a statement: its operators and keys, not their evaluation.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html

import type { PolicyKind } from "./grammar.ts";
import { isNumber, isObject, type Json, listIn } from "./ordered-json.ts";
import {
  KEYS_NOT_PERMITTED,
  malformed,
  NO_VENDOR,
  OVERLY_PERMISSIVE,
  syntaxError,
} from "./refusals.ts";

/** One key of a condition block, e.g. `ForAnyValue:StringLikeIfExists`. Values may be unquoted. */
export interface Condition {
  readonly quantifier: "ForAllValues" | "ForAnyValue" | null;
  readonly operator: string;
  readonly ifExists: boolean;
  readonly key: string;
  readonly values: readonly string[];
}

const orders = "Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals".split(" ");
const otherOperators =
  "StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike " +
  "StringNotLike Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals " +
  "ArnNotLike Null";

const conditionOperators = new Set([
  ...orders.flatMap((order) => [`Numeric${order}`, `Date${order}`]),
  ...otherOperators.split(" "),
]);

/** The conditions of a statement, all of which have to hold. */
export function conditionsIn(value: Json | undefined, kind: PolicyKind): Condition[] {
  if (value === undefined) return [];
  return [...blockIn(value, "a Condition")].flatMap(([operator, block]) =>
    [...blockIn(block, `the Condition ${operator}`)].map(([key, values]) =>
      conditionOf(operator, key, values, kind),
    ),
  );
}

function blockIn(value: Json, what: string) {
  if (!isObject(value)) throw syntaxError(`${what} is not an object`);
  return value;
}

function conditionOf(operatorText: string, key: string, values: Json, kind: PolicyKind): Condition {
  const operator = operatorOf(operatorText);
  if (!/^[^:]+:[^:]/.test(key)) throw malformed(NO_VENDOR);
  if (kind === "key") requireKeyPolicyCondition(key.toLowerCase(), operator.quantifier);
  return { ...operator, key, values: listIn(values).map(conditionValueOf) };
}

function operatorOf(text: string): Pick<Condition, "quantifier" | "operator" | "ifExists"> {
  const [, quantifier, test = ""] =
    /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+)$/.exec(text) ?? [];
  const operator = test.replace(/IfExists$/, "");
  const ifExists = operator !== test;
  if (!conditionOperators.has(operator) || test === "NullIfExists") {
    throw syntaxError(`'${text}' is not a condition operator`);
  }
  return {
    quantifier: (quantifier as Condition["quantifier"] | undefined) ?? null,
    operator,
    ifExists,
  };
}

/** `key` in lower case, as the names of condition keys are not case-sensitive. */
function requireKeyPolicyCondition(key: string, quantifier: Condition["quantifier"]): void {
  if (/^(?:(?:aws|kms):resourcetag(?:\/|$)|kms:resourcealiases$)/.test(key)) {
    throw malformed(KEYS_NOT_PERMITTED);
  }
  const isSingleValued = /^(?:kms:encryptioncontext:|aws:requesttag\/)/.test(key);
  if (quantifier === "ForAllValues" && isSingleValued) throw malformed(OVERLY_PERMISSIVE);
}

function conditionValueOf(value: Json): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (isNumber(value)) return value.digits;
  throw syntaxError("a value of a Condition is not a string, number or boolean");
}
