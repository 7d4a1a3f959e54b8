// What the condition operators mean. A condition is made ready once, when its policy is read, and
// then held against every request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html

import { assert } from "../../assert.ts";
import type { Condition } from "./condition-grammar.ts";
import { isWithin, rangeOf } from "./ip-range.ts";
import {
  type ConditionContext,
  type ContextValue,
  fixedText,
  resolvedText,
  resolvedUnits,
  spend,
  templateOf,
} from "./variables.ts";
import { arnPatternOf, fits, fitsArn, patternOf, wildUnits } from "./wildcards.ts";

/** Whether a condition holds for a request. */
export type ReadyCondition = (context: ConditionContext) => boolean;

/** Whether one value of the request is what one value of the policy says. */
type Match = (actual: string, context: ConditionContext) => boolean;
/** An operator made ready with one value of the policy. */
type Operator = (value: string, hasVariables: boolean) => Match;

const never: Match = () => false;

/** Compares texts; variables are put in for each request. */
const texts =
  (fold: (text: string) => string): Operator =>
  (value, hasVariables) => {
    const template = templateOf(value, hasVariables);
    const fixed = fixedText(template);
    if (fixed !== null) {
      const folded = fold(fixed);
      return (actual) => fold(actual) === folded;
    }
    return (actual, context) => {
      const text = resolvedText(template, context);
      return text !== null && fold(actual) === fold(text);
    };
  };

/** Compares with patterns; variables are put in for each request. */
const patterns =
  <P>(
    made: (units: readonly number[]) => P,
    suits: (pattern: P, actual: string) => boolean,
  ): Operator =>
  (value, hasVariables) => {
    const template = templateOf(value, hasVariables);
    const fixed = fixedText(template);
    if (fixed !== null) {
      const pattern = made(wildUnits(fixed));
      return (actual) => suits(pattern, actual);
    }
    return (actual, context) => {
      const units = resolvedUnits(template, context);
      return units !== null && suits(made(units), actual);
    };
  };

/** Compares numbers that both sides are read as; what is none is never as the policy says. */
const ordered =
  (
    read: (text: string) => number | null,
    holds: (actual: number, value: number) => boolean,
  ): Operator =>
  (text) => {
    const value = read(text);
    if (value === null) return never;
    return (actualText) => {
      const actual = read(actualText);
      return actual !== null && holds(actual, value);
    };
  };

const orders: Readonly<Record<string, (actual: number, value: number) => boolean>> = {
  Equals: (actual, value) => actual === value,
  LessThan: (actual, value) => actual < value,
  LessThanEquals: (actual, value) => actual <= value,
  GreaterThan: (actual, value) => actual > value,
  GreaterThanEquals: (actual, value) => actual >= value,
};

function numberIn(text: string): number | null {
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : null;
}

const W3C_DATE =
  /^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/;

/** Milliseconds since the epoch of an ISO 8601 date or of seconds since the epoch. */
function instantIn(text: string): number | null {
  const ms = W3C_DATE.test(text) ? Date.parse(text) : (numberIn(text) ?? Number.NaN) * 1000;
  return Number.isNaN(ms) ? null : ms;
}

const arns = patterns(arnPatternOf, fitsArn);
const lower = (text: string) => text.toLowerCase();
const same = (text: string) => text;

/** The operators that are no other's negation. ArnEquals and ArnLike behave identically. */
const operators: Readonly<Record<string, Operator>> = {
  StringEquals: texts(same),
  StringEqualsIgnoreCase: texts(lower),
  StringLike: patterns(patternOf, fits),
  ...Object.fromEntries(
    Object.entries(orders).flatMap(([name, holds]) => [
      [`Numeric${name}`, ordered(numberIn, holds)],
      [`Date${name}`, ordered(instantIn, holds)],
    ]),
  ),
  Bool: (value) => (actual) => lower(actual) === lower(value),
  BinaryEquals: (value) => (actual) => actual === value,
  IpAddress: (value) => {
    const range = rangeOf(value);
    return range ? (actual) => isWithin(actual, range) : never;
  },
  ArnEquals: arns,
  ArnLike: arns,
};

/** Makes a condition ready. Only policies of the newer version have variables. */
export function readyCondition(condition: Condition, hasVariables: boolean): ReadyCondition {
  const { key, values, quantifier, ifExists } = condition;
  if (condition.operator === "Null") return nullCondition(condition);
  // StringNotEquals is StringEquals that does not hold; NotIpAddress likewise.
  const negated = condition.operator.includes("Not");
  const operator = operators[condition.operator.replace("Not", "")];
  assert(operator, "every operator of the grammar has a meaning");
  const matches = values.map((value) => operator(value, hasVariables));
  const isAny = (actual: string, context: ConditionContext) => {
    spend(context, matches.length * (actual.length + 16));
    return matches.some((match) => match(actual, context));
  };
  const holds: Match = (actual, context) => isAny(actual, context) !== negated;
  return (context) => {
    const value = context.valueOf(key);
    if (isAbsent(value)) {
      if (ifExists || quantifier === "ForAllValues") return true;
      return negated && quantifier === null;
    }
    if (typeof value === "string") return holds(value, context);
    if (quantifier === "ForAllValues") return value.every((each) => holds(each, context));
    if (quantifier === "ForAnyValue") return value.some((each) => holds(each, context));
    // Of several values without a quantifier: one that fits, or, negated, none that does.
    return value.some((each) => isAny(each, context)) !== negated;
  };
}

/** `true` asks that the request does not have the key, `false` that it has it. */
function nullCondition({ key, values }: Condition): ReadyCondition {
  const wanted = values.map(lower);
  return (context) => wanted.includes(String(isAbsent(context.valueOf(key))));
}

/** An empty list is as good as no key. */
const isAbsent = (value: ContextValue): value is undefined =>
  value === undefined || (typeof value !== "string" && value.length === 0);
