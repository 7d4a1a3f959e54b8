// Whether a role may be assumed: its trust policy, and the policies of who asks.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//
// Knows what trust policies are made of and no more: text, ARN, Bool and Null conditions. A condition
// that it cannot decide lets an Allow fail and a Deny hold.

import type { Principal } from "../domain/principal.ts";
import { matches } from "./wildcard.ts";

/** What is asked of a role. */
export interface AssumeRequest {
  readonly action: "sts:AssumeRole" | "sts:TagSession";
  readonly roleArn: string;
  readonly roleAccountId: string;
  /** Condition keys in lower case, each with its values. */
  readonly context: ReadonlyMap<string, readonly string[]>;
}

type OneOrMore<T> = T | readonly T[];

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: PrincipalElement;
  readonly NotPrincipal?: PrincipalElement;
  readonly Action?: OneOrMore<string>;
  readonly NotAction?: OneOrMore<string>;
  readonly Resource?: OneOrMore<string>;
  readonly NotResource?: OneOrMore<string>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore<unknown>>>>>;
}
type PrincipalElement = string | { readonly AWS?: OneOrMore<string> };

/**
 * Whether `caller` may do this to the role. A trust policy that names the caller itself is enough
 * within one account; one that names the caller's account leaves it to the caller's own policies;
 * and from another account both have to allow.
 */
export function mayAssume(trust: string, caller: Principal, request: AssumeRequest): boolean {
  const asked = { ...request, context: contextOf(caller, request.context) };
  const trusting = statementsOf(trust).filter((statement) => isAbout(statement, asked));
  const byEffect = (effect: Statement["Effect"]) =>
    trusting
      .filter(({ Effect }) => Effect === effect)
      .map((statement) => ({ statement, names: nameOf(statement, caller) }))
      .filter(({ statement, names }) => names && holds(statement, asked));
  if (byEffect("Deny").length > 0 || isDeniedByOwn(caller, asked)) return false;
  const allowing = byEffect("Allow");
  if (allowing.length === 0) return false;
  const isNamed = allowing.some(({ names }) => names === "itself");
  const isOwnAccount = caller.accountId === request.roleAccountId;
  return (isNamed && isOwnAccount) || isAllowedByOwn(caller, asked);
}

/** How a statement names the caller: itself or everyone, its account, or not at all. */
function nameOf({ Principal, NotPrincipal }: Statement, caller: Principal) {
  if (Principal === undefined) {
    return NotPrincipal !== undefined && namedIn(NotPrincipal, caller) === null ? "itself" : null;
  }
  return namedIn(Principal, caller);
}

function namedIn(element: PrincipalElement, caller: Principal): "itself" | "account" | null {
  const ids = typeof element === "string" ? [element] : listOf(element.AWS ?? []);
  if (ids.some((id) => id === "*" || id === caller.arn || id === caller.principalArn)) {
    return "itself";
  }
  const { accountId } = caller;
  const partition = caller.arn.split(":")[1];
  const account = [accountId, `arn:${partition}:iam::${accountId}:root`];
  return ids.some((id) => account.includes(id)) ? "account" : null;
}

// The caller's own policies. One that no configuration names may do everything.

function isDeniedByOwn(caller: Principal, asked: AssumeRequest): boolean {
  const all = [
    ...(caller.policies ?? []),
    ...(caller.boundary === null ? [] : [caller.boundary]),
    ...(caller.sessionPolicies ?? []),
  ];
  return all.some((policy) => decides(policy, "Deny", asked));
}

function isAllowedByOwn(caller: Principal, asked: AssumeRequest): boolean {
  const { policies, boundary, sessionPolicies } = caller;
  const allows = (policy: string) => decides(policy, "Allow", asked);
  return (
    (policies === null || policies.some(allows)) &&
    (boundary === null || allows(boundary)) &&
    (sessionPolicies === null || sessionPolicies.some(allows))
  );
}

const decides = (policy: string, effect: Statement["Effect"], asked: AssumeRequest) =>
  statementsOf(policy).some(
    (statement) =>
      statement.Effect === effect && isAbout(statement, asked) && holds(statement, asked),
  );

const statementsOf = (policy: string): readonly Statement[] =>
  listOf((JSON.parse(policy) as { Statement: OneOrMore<Statement> }).Statement);

/** Whether a statement is about this action on this role; a trust policy names no resource. */
function isAbout(statement: Statement, { action, roleArn }: AssumeRequest): boolean {
  const { Action, NotAction, Resource, NotResource } = statement;
  const isAction = (patterns: OneOrMore<string>) =>
    listOf(patterns).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()));
  const isRole = (patterns: OneOrMore<string>) =>
    listOf(patterns).some((pattern) => matches(pattern, roleArn));
  const aboutAction = Action === undefined ? !isAction(NotAction ?? "*") : isAction(Action);
  const aboutRole = Resource === undefined ? !isRole(NotResource ?? []) : isRole(Resource);
  return aboutAction && aboutRole;
}

// Conditions.

type Values = readonly string[];
type Test = (value: string, wanted: string) => boolean;

const same: Test = (value, wanted) => value === wanted;
const like: Test = (value, wanted) => matches(wanted, value);
const sameIgnoringCase: Test = (value, wanted) => value.toLowerCase() === wanted.toLowerCase();

/** Each operator with the test of its plain form; `Not` in its name turns it round. */
const operators: Readonly<Record<string, Test>> = {
  stringequals: same,
  stringnotequals: same,
  stringequalsignorecase: sameIgnoringCase,
  stringnotequalsignorecase: sameIgnoringCase,
  stringlike: like,
  stringnotlike: like,
  arnequals: like,
  arnnotequals: like,
  arnlike: like,
  arnnotlike: like,
  bool: sameIgnoringCase,
};

/** Whether all conditions of a statement hold; what cannot be decided counts against the caller. */
function holds({ Condition = {}, Effect }: Statement, { context }: AssumeRequest): boolean {
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(
      ([key, wanted]) =>
        conditionHolds(
          operator,
          context.get(key.toLowerCase()),
          listOf(wanted).map(String),
          context,
        ) ?? Effect === "Deny",
    ),
  );
}

/** null where it cannot be decided. */
function conditionHolds(
  operator: string,
  values: Values | undefined,
  wanted: Values,
  context: AssumeRequest["context"],
): boolean | null {
  const [, quantifier, name = "", ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/i.exec(operator) ?? [];
  if (name.toLowerCase() === "null") return wanted.some((each) => each === String(!values));
  const test = Object.hasOwn(operators, name.toLowerCase()) && operators[name.toLowerCase()];
  if (!test) return null;
  const isNegated = /not/i.test(name);
  if (!values?.length) {
    return ifExists !== undefined || quantifier?.toLowerCase() === "forallvalues" || isNegated;
  }
  const patterns = wanted.map((each) => withVariables(each, context));
  if (patterns.includes(null)) return null;
  const one = (value: string) =>
    patterns.some((pattern) => test(value, pattern as string)) !== isNegated;
  return quantifier?.toLowerCase() === "foranyvalue" ? values.some(one) : values.every(one);
}

/** `${aws:username}` and the like replaced; null where one of them has no single value. */
function withVariables(text: string, context: AssumeRequest["context"]): string | null {
  let isKnown = true;
  const replaced = text.replace(/\$\{([^}]*)\}/g, (_all, key: string) => {
    const values = context.get(key.toLowerCase());
    isKnown &&= values?.length === 1;
    return values?.[0] ?? "";
  });
  return isKnown ? replaced : null;
}

function contextOf(caller: Principal, own: AssumeRequest["context"]): AssumeRequest["context"] {
  const context = new Map(own);
  context.set("aws:principalarn", [caller.principalArn]);
  context.set("aws:principalaccount", [caller.accountId]);
  context.set("aws:principaltype", [caller.type]);
  context.set("aws:userid", [caller.userId]);
  if (caller.userName !== null) context.set("aws:username", [caller.userName]);
  for (const [key, value] of Object.entries(caller.tags)) {
    context.set(`aws:principaltag/${key.toLowerCase()}`, [value]);
  }
  return context;
}

const listOf = <T>(value: OneOrMore<T>): readonly T[] =>
  Array.isArray(value) ? value : [value as T];
