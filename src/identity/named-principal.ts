// Whoever is meant by a name, as the principal that would call: for who asks what somebody may do.

import type { Principal } from "../domain/principal.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import { type Accounts, sessionPrincipal, type User, userPrincipal } from "./accounts.ts";
import type { RoleSession } from "./session.ts";

/** What a role's session may have beside its name. */
export type SessionTerms = Pick<RoleSession, "policy" | "policyArns" | "tags" | "sourceIdentity">;

/** Null for `principal` is the root of the account, as in a call. */
export interface NamedCaller {
  readonly accountId: string;
  readonly principal: Principal | null;
}

/** A name by which nobody is known; the text says why. */
export class UnknownName extends Error {}

const ARN = /^arn:([a-z-]+):(?:iam|sts)::(\d{12}):(?:(root)$|(user|role|assumed-role)\/(.+)$)/;

/**
 * Who is named by 12 digits, a configured access key ID, or the ARN of an account's root, a user, a
 * role or a role's session. Throws UnknownName; with `anyRole` not for a role, configured or not.
 */
export function callerNamed(
  name: string,
  region: Region,
  accounts: Accounts,
  { anyRole, ...terms }: SessionTerms & { readonly anyRole: boolean },
): NamedCaller {
  if (/^\d{12}$/.test(name)) return { accountId: name, principal: null };
  const holder = accounts.keyHolder(name);
  if (holder) {
    const { accountId, user } = holder;
    return { accountId, principal: userPrincipal(region, accountId, user) };
  }
  const [, partition, accountId, root, kind, rest = ""] = ARN.exec(name) ?? [];
  if (partition === undefined || accountId === undefined) throw new UnknownName(EXPECTED);
  if (partition !== partitionOf(region)) {
    throw new UnknownName(`${name} is not of the partition of ${region}.`);
  }
  if (root) return { accountId, principal: null };
  const isRole = kind !== "user";
  if (!accounts.mayBe(name) && !(isRole && anyRole))
    throw new UnknownName(`The configuration has no ${name}.`);
  if (!isRole) {
    const user = accounts.userOf(accountId, rest);
    const principal = userPrincipal(region, accountId, user ?? unconfigured(rest));
    return { accountId, principal: user ? principal : { ...principal, policies: null } };
  }
  return {
    accountId,
    principal: sessionNamed(kind === "role", rest, accountId, region, accounts, terms),
  };
}

const EXPECTED =
  "The principal has to be 12 digits, a configured access key ID, or the ARN of an account's root, a " +
  "user, a role or an assumed role's session.";

/** What a role's session is called where only the role is named. */
const SESSION_NAME = "explain";

function sessionNamed(
  isRole: boolean,
  rest: string,
  accountId: string,
  region: Region,
  accounts: Accounts,
  terms: SessionTerms,
): Principal {
  const slash = rest.indexOf("/");
  const named = isRole ? null : accounts.roleNamed(accountId, rest.slice(0, slash));
  const roleName = isRole ? rest : named ? named.path + named.name : rest.slice(0, slash);
  const sessionName = isRole ? SESSION_NAME : rest.slice(slash + 1);
  const session = { accountId, roleName, sessionName, ...terms };
  const policies = accounts.sessionPolicies(session);
  if (!policies) {
    throw new UnknownName("The configuration does not have all of the session's managed policies.");
  }
  return sessionPrincipal(region, session, accounts.role(accountId, roleName), policies);
}

/** Of an account in which nobody is configured: its own account lets it do everything. */
const unconfigured = (fullName: string): User => {
  const slash = fullName.lastIndexOf("/") + 1;
  const [path, name] = [fullName.slice(0, slash), fullName.slice(slash)];
  return { path, name, policies: [], tags: {}, boundary: null, accessKeys: [] };
};
