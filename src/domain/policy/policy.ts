// A policy made ready to be held against requests: actions, resources and conditions are prepared
// once, when the document is read.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html

import type { Condition } from "./condition-grammar.ts";
import { type ReadyCondition, readyCondition } from "./conditions.ts";
import {
  type PolicyDocument,
  type PolicyKind,
  parseDocument,
  type Scope,
  type Statement,
} from "./grammar.ts";
import type { NamedPrincipal } from "./principal-grammar.ts";
import { type ConditionContext, fixedText, resolvedUnits, templateOf } from "./variables.ts";
import { arnPatternOf, fits, fitsArn, patternOf, wildUnits } from "./wildcards.ts";

/** What a statement is held against. `action` is in lower case: `kms:encrypt`. */
export interface StatementRequest {
  readonly action: string;
  /** An ARN, or `*` where the action has no resource. */
  readonly resource: string;
  readonly context: ConditionContext;
}

/** One statement, ready; where it stands is for those who ask why. */
export interface ReadyStatement {
  readonly index: number;
  readonly sid: string | null;
  readonly effect: Statement["effect"];
  readonly principal: Scope<NamedPrincipal> | null;
  /** Whether it is about this request, but for who asks. */
  readonly concerns: (request: StatementRequest) => boolean;
  /** The first element by which it is not; null where it is. */
  readonly differs: (request: StatementRequest) => Difference | null;
}

/** What keeps a statement from being about a request. */
export type Difference = "action" | "resource" | { readonly condition: Condition };

export interface Policy {
  readonly statements: readonly ReadyStatement[];
  /** Whether a condition asks for the aliases of the key: only then are they fetched. */
  readonly namesAliases: boolean;
  /**
   * The accounts whose IAM policies decide about everything, no matter what is asked: of the
   * default key policy, its own. Empty where the policy denies anything.
   */
  readonly leavesAllTo: ReadonlySet<string>;
  /** Whether it denies anybody anything. */
  readonly denies: boolean;
}

/**
 * The policy in a text. Throws MalformedPolicyDocumentException for what is none. `partition` is
 * that of the principals that a key policy names, null for any.
 */
export function policyIn(text: string, kind: PolicyKind, partition: string | null = null): Policy {
  return readyPolicy(parseDocument(text, kind, partition));
}

export function readyPolicy(document: PolicyDocument): Policy {
  const { version, statements } = document;
  const denies = statements.some(({ effect }) => effect === "Deny");
  return {
    denies,
    statements: statements.map((statement, index) => ready(statement, index, version)),
    namesAliases: statements.some(({ conditions }) =>
      conditions.some(({ key }) => key.toLowerCase() === "kms:resourcealiases"),
    ),
    leavesAllTo: new Set(denies ? [] : statements.flatMap(accountsLeftAll)),
  };
}

function ready(
  { sid, effect, principal, action, resource, conditions }: Statement,
  index: number,
  version: PolicyDocument["version"],
): ReadyStatement {
  // Variables came with the newer version of the language.
  const hasVariables = version === "2012-10-17";
  const isAction = action && readyActions(action);
  const isResource = resource && readyResources(resource, hasVariables);
  const readyConditions = conditions.map((condition) => ({
    holds: readyCondition(condition, hasVariables),
    difference: { condition },
  }));
  // Without an action or a resource a statement has no effect.
  const differs = (request: StatementRequest) => {
    if (isAction === null || !isAction(request)) return "action";
    if (isResource === null || !isResource(request)) return "resource";
    return firstDifference(readyConditions, request.context);
  };
  return {
    index,
    sid,
    effect,
    principal,
    concerns: (request) => differs(request) === null,
    differs,
  };
}

function firstDifference(
  conditions: readonly { readonly holds: ReadyCondition; readonly difference: Difference }[],
  context: ConditionContext,
): Difference | null {
  for (const { holds, difference } of conditions) if (!holds(context)) return difference;
  return null;
}

function readyActions({ except, values }: Scope<string>): (request: StatementRequest) => boolean {
  const patterns = values.map((value) => patternOf(wildUnits(value.toLowerCase())));
  return ({ action }) => patterns.some((pattern) => fits(pattern, action)) !== except;
}

type ResourceMatch = (request: StatementRequest) => boolean;

function readyResources({ except, values }: Scope<string>, hasVariables: boolean): ResourceMatch {
  const matches = values.map((value) => readyResource(value, hasVariables));
  return (request) => matches.some((match) => match(request)) !== except;
}

function readyResource(value: string, hasVariables: boolean): ResourceMatch {
  if (value === "*") return () => true;
  const template = templateOf(value, hasVariables);
  const fixed = fixedText(template);
  if (fixed !== null) {
    const pattern = arnPatternOf(wildUnits(fixed));
    return ({ resource }) => fitsArn(pattern, resource);
  }
  return ({ resource, context }) => {
    const units = resolvedUnits(template, context);
    return units !== null && fitsArn(arnPatternOf(units), resource);
  };
}

/** Those accounts that a statement allows everything, whatever the request is like. */
function accountsLeftAll({ effect, principal, action, resource, conditions }: Statement): string[] {
  const isWhole = (scope: Scope<string> | null, all: readonly string[]) =>
    scope !== null && !scope.except && scope.values.some((value) => all.includes(value));
  if (effect !== "Allow" || principal === null || principal.except || conditions.length > 0)
    return [];
  if (!isWhole(action, ["*", "kms:*"]) || !isWhole(resource, ["*"])) return [];
  return principal.values.flatMap(({ id }) => /^arn:[^:]+:iam::(\d{12}):root$/.exec(id)?.[1] ?? []);
}
