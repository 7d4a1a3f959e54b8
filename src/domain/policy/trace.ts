// What was looked at on the way to a decision: each statement of each policy, and each grant to the
// caller, with what keeps it from being about the request. By the evaluation's own tests.

import type { Principal } from "../principal.ts";
import {
  type Asked,
  type AuthorizationRequest,
  askedOf,
  type HeldPolicy,
  type ReadPolicy,
} from "./authorize.ts";
import { namingIn, namingOf } from "./caller-names.ts";
import type { PolicyRole } from "./decision.ts";
import { type GrantedUse, namingByGrant } from "./grants.ts";
import type { ReadyStatement } from "./policy.ts";
import type { ContextValue } from "./variables.ts";

/** By what a statement is about something else; null where it is about the request. */
export type StatementDifference =
  | "principal"
  | "action"
  | "resource"
  | {
      readonly operator: string;
      readonly key: string;
      readonly values: readonly string[];
      /** What the request has; null for nothing. */
      readonly actual: NonNullable<ContextValue> | null;
    };

export interface StatementTrace {
  readonly statement: number;
  readonly sid: string | null;
  readonly effect: "Allow" | "Deny";
  readonly differs: StatementDifference | null;
}

export interface PolicyTrace {
  readonly of: PolicyRole;
  /** Which of several of its role, from 0. */
  readonly policy: number;
  /** Of a managed policy. */
  readonly arn?: string;
  readonly statements: readonly StatementTrace[];
}

export interface GrantTrace {
  readonly grantId: string;
  readonly differs: "operations" | "constraints" | null;
}

export interface Trace {
  readonly policies: readonly PolicyTrace[];
  /** Those whose grantee is the caller. */
  readonly grants: readonly GrantTrace[];
}

export function traceOf(request: AuthorizationRequest, read: ReadPolicy): Trace {
  const asked = askedOf(request, read);
  const { key, caller, action } = request;
  const of = (role: PolicyRole, policies: readonly HeldPolicy[] | null) =>
    (policies ?? []).map((policy, at) => policyTrace(role, at, policy, asked));
  return {
    policies: [
      ...of("resource", key && [{ arn: null, policy: key.policy }]),
      ...of("identity", asked.identity),
      ...of("boundary", asked.boundary),
      ...of("session", asked.session),
    ],
    grants: key ? grantTraces(key.grants, caller, { ...key.use, action }) : [],
  };
}

const policyTrace = (
  of: PolicyRole,
  at: number,
  { arn, policy }: HeldPolicy,
  asked: Asked,
): PolicyTrace => ({
  of,
  policy: at,
  ...(arn !== null && { arn }),
  statements: policy.statements.map((statement) => ({
    statement: statement.index,
    sid: statement.sid,
    effect: statement.effect,
    differs: differenceOf(statement, asked),
  })),
});

function differenceOf(statement: ReadyStatement, asked: Asked): StatementDifference | null {
  const { principal, effect } = statement;
  if (principal && !namingIn(principal, effect, asked.caller)) return "principal";
  const difference = statement.differs(asked);
  if (difference === null || typeof difference === "string") return difference;
  const { quantifier, operator, ifExists, key, values } = difference.condition;
  return {
    operator: `${quantifier === null ? "" : `${quantifier}:`}${operator}${ifExists ? "IfExists" : ""}`,
    key,
    values,
    actual: asked.context.valueOf(key) ?? null,
  };
}

function grantTraces(
  grants: NonNullable<AuthorizationRequest["key"]>["grants"],
  caller: Principal,
  use: GrantedUse,
): GrantTrace[] {
  return grants
    .filter((grant) => grant.granteePrincipal && namingOf(grant.granteePrincipal, caller))
    .map((grant) => {
      if (namingByGrant(grant, caller, use)) return { grantId: grant.id, differs: null };
      const isNamed = grant.operations.some((operation) => operation === use.action);
      return { grantId: grant.id, differs: isNamed ? "constraints" : "operations" };
    });
}
