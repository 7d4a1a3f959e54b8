// Callers of tests, as the edge hands them to the core.

import type { AttachedPolicy, Principal } from "../../src/domain/principal.ts";

export const OWN = "111122223333";
export const FOREIGN = "444455556666";

export const rootArn = (account = OWN) => `arn:aws:iam::${account}:root`;
export const userArn = (name: string, account = OWN) => `arn:aws:iam::${account}:user/${name}`;
export const roleArn = (name: string, account = OWN) => `arn:aws:iam::${account}:role/${name}`;
export const sessionArn = (role: string, session: string, account = OWN) =>
  `arn:aws:sts::${account}:assumed-role/${role}/${session}`;

export type Statement = Record<string, unknown>;

/** A policy document of these statements. */
export const policy = (...statements: readonly Statement[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** A policy that is written where it counts. */
export const inline = (text: string): AttachedPolicy => ({ arn: null, text });

export const policyArn = (name: string, account = OWN) => `arn:aws:iam::${account}:policy/${name}`;

/** A customer managed policy of these statements. */
export const managed = (name: string, ...statements: readonly Statement[]): AttachedPolicy => ({
  arn: policyArn(name),
  text: policy(...statements),
});

export const allow = (Action: unknown, more: Statement = {}): Statement => ({
  Effect: "Allow",
  Action,
  Resource: "*",
  ...more,
});
export const deny = (Action: unknown, more: Statement = {}): Statement => ({
  ...allow(Action, more),
  Effect: "Deny",
});
export const toAws = (...ids: readonly string[]) => ({ Principal: { AWS: ids } });

interface Own {
  readonly account?: string;
  /** Statements of one identity-based policy; null where no configuration names the principal. */
  readonly policies?: readonly Statement[] | null;
  /** Managed policies, after that one. */
  readonly attached?: readonly AttachedPolicy[];
  readonly boundary?: readonly Statement[] | AttachedPolicy;
  readonly session?: readonly Statement[];
  /** A session's managed policies, after that one. */
  readonly sessionAttached?: readonly AttachedPolicy[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly sourceIdentity?: string;
}

const oneInline = (statements: readonly Statement[]) =>
  statements.length === 0 ? [] : [inline(policy(...statements))];

function limits(own: Own) {
  const { policies = [], attached = [], boundary, session, sessionAttached } = own;
  const ofSession = [...(session ? oneInline(session) : []), ...(sessionAttached ?? [])];
  const { tags = {}, sourceIdentity = null } = own;
  return {
    tags,
    sourceIdentity,
    policies: policies && [...oneInline(policies), ...attached],
    boundary: boundary ? ("arn" in boundary ? boundary : inline(policy(...boundary))) : null,
    sessionPolicies: session || sessionAttached ? ofSession : null,
  };
}

/** The root of an account. */
export function root(account = OWN): Principal {
  const arn = rootArn(account);
  return {
    type: "Account",
    accountId: account,
    arn,
    principalArn: arn,
    userId: account,
    userName: null,
    ...limits({ policies: null }),
  };
}

export function user(name: string, own: Own = {}): Principal {
  const arn = userArn(name, own.account);
  return {
    type: "User",
    accountId: own.account ?? OWN,
    arn,
    principalArn: arn,
    userId: `AIDA${name.toUpperCase().padEnd(17, "X")}`,
    userName: name,
    ...limits(own),
  };
}

/** A role's session. */
export function session(role: string, name: string, own: Own = {}): Principal {
  return {
    type: "AssumedRole",
    accountId: own.account ?? OWN,
    arn: sessionArn(role, name, own.account),
    principalArn: roleArn(role, own.account),
    userId: `AROA${role.toUpperCase().padEnd(17, "X")}:${name}`,
    userName: null,
    ...limits(own),
  };
}
