// The answer of `/_edge-kms/explain` as a person reads it: the decision, what made it, and each statement
// that was looked at with what keeps it from deciding. Statements are counted from 1, here alone.

import type {
  GrantTrace,
  PolicyTrace,
  StatementDifference,
  StatementTrace,
} from "../domain/policy/trace.ts";
import type { Explanation, ShownReason } from "../operations/explanation.ts";

/** What the server answers. */
export interface Answered {
  readonly allowed: boolean;
  readonly principal: string;
  /** Where no policy is evaluated. */
  readonly policies?: "off";
  readonly permissions: readonly Explanation[];
}

export function explanationText({ allowed, principal, policies, permissions }: Answered): string {
  const verdict = allowed ? "ALLOWED" : "DENIED";
  return [
    `${verdict}  ${principal}`,
    ...(policies ? ["No policy is evaluated: the server runs with --no-policies."] : []),
    ...permissions.flatMap((each) => ["", ...permissionLines(each)]),
    "",
  ].join("\n");
}

function permissionLines({ action, resource, allowed, message, by, considered }: Explanation) {
  const { policies, grants } = considered;
  return [
    `${allowed ? "allowed" : "denied"}: ${action} on ${resource}`,
    ...(message === null ? [] : [`  ${message}`]),
    ...by.flatMap(reasonLines),
    ...(policies.length + grants.length === 0 ? [] : ["  looked at:"]),
    ...policies.flatMap(policyLines),
    ...grants.map(grantLine),
  ];
}

function reasonLines(reason: ShownReason): string[] {
  switch (reason.kind) {
    case "account":
      return [`  by the account ${reason.accountId}, whose principal nobody has configured`];
    case "grant":
      return [`  by the grant ${reason.grantId}`];
    default: {
      const name = statementName(reason.statement, reason.sid);
      return [
        `  by ${name} of ${policyName(reason)}`,
        ...(reason.document === undefined ? [] : [`    ${JSON.stringify(reason.document)}`]),
      ];
    }
  }
}

const statementName = (index: number, sid: string | null) =>
  `statement ${index + 1}${sid ? ` (${sid})` : ""}`;

const policyNames: Readonly<Record<PolicyTrace["of"], string>> = {
  resource: "the key policy",
  identity: "identity-based policy",
  boundary: "the permissions boundary",
  session: "session policy",
};

function policyName({ of, policy, arn }: Pick<PolicyTrace, "of" | "policy" | "arn">): string {
  if (arn !== undefined) return `${policyNames[of]} ${arn}`;
  return policyNames[of] + (of === "identity" || of === "session" ? ` ${policy + 1}` : "");
}

function policyLines(trace: PolicyTrace): string[] {
  return [`    ${policyName(trace)}`, ...trace.statements.map(statementLine)];
}

function statementLine({ statement, sid, effect, differs }: StatementTrace): string {
  return `      ${statementName(statement, sid)}: ${effect}, ${differenceText(differs)}`;
}

function differenceText(differs: StatementDifference | null): string {
  if (differs === null) return "applies";
  if (typeof differs === "string") return `does not apply: another ${differs}`;
  const { operator, key, values, actual } = differs;
  const is = actual === null ? "is not there" : `is ${JSON.stringify(actual)}`;
  return `does not apply: ${operator} ${key} ${JSON.stringify(values)}, which ${is}`;
}

const grantDifferences = {
  operations: "does not have the operation",
  constraints: "has constraints that the request does not meet",
} as const;

const grantLine = ({ grantId, differs }: GrantTrace) =>
  `    grant ${grantId}: ${differs === null ? "applies" : grantDifferences[differs]}`;
