// Callers of tests, as the edge hands them to the core.

import type { Principal } from "../../src/domain/principal.ts";

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
  readonly boundary?: readonly Statement[];
  readonly session?: readonly Statement[];
  readonly tags?: Readonly<Record<string, string>>;
}

function limits({ policies = [], boundary, session, tags = {} }: Own) {
  return {
    tags,
    policies: policies && (policies.length === 0 ? [] : [policy(...policies)]),
    boundary: boundary ? policy(...boundary) : null,
    sessionPolicies: session ? [policy(...session)] : null,
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
