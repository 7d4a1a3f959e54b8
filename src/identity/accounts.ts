// Who is who in a configuration, looked up by what a request names, and as the principal that
// policies see. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

import { assert } from "../assert.ts";
import type * as configured from "../configuration/configuration.ts";
import { awsManagedPolicy, managedPolicyName } from "../domain/managed-policy.ts";
import type { AttachedPolicy, Principal } from "../domain/principal.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import type { RoleSession } from "./session.ts";
import { uniqueId } from "./unique-id.ts";

/** With the policies that were named by ARN. */
type WithPolicies<Permissions> = Omit<Permissions, "policies" | "boundary"> & {
  readonly policies: readonly AttachedPolicy[];
  readonly boundary: AttachedPolicy | null;
};
export type User = WithPolicies<configured.User>;
export type Role = WithPolicies<configured.Role>;

/** A user with the access key that named it. */
export interface KeyHolder {
  readonly accountId: string;
  readonly user: User;
  readonly secret: string;
}

/** A configuration, by the names that requests use. */
export class Accounts {
  readonly #keys = new Map<string, KeyHolder>();
  readonly #users = new Map<string, User>();
  readonly #roles = new Map<string, Role>();
  readonly #policies = new Map<string, string>();
  /** Those that have a principal, so that one that is not there is none. */
  readonly #known = new Set<string>();

  constructor({ accounts }: configured.Configuration) {
    for (const { id: accountId, users, roles, policies = [] } of accounts) {
      if (users.length + roles.length > 0) this.#known.add(accountId);
      for (const { path, name, text } of policies) {
        this.#policies.set(`${accountId}/${path}${name}`, text);
      }
      for (const role of roles) {
        this.#roles.set(`${accountId}/${role.name}`, this.#withPolicies(role, accountId));
      }
      for (const each of users) {
        const user = this.#withPolicies(each, accountId);
        this.#users.set(`${accountId}/${user.name}`, user);
        for (const { id, secret } of user.accessKeys) {
          this.#keys.set(id, { accountId, user, secret });
        }
      }
    }
  }

  #withPolicies<P extends Pick<configured.User, "policies" | "boundary">>(
    permissions: P,
    accountId: string,
  ) {
    const attached = (written: string): AttachedPolicy => {
      const policy = written.startsWith("arn:")
        ? this.managedPolicy(written, accountId)
        : { arn: null, text: written };
      assert(policy, "a configuration names managed policies that are there");
      return policy;
    };
    const { policies, boundary } = permissions;
    return {
      ...permissions,
      policies: policies.map(attached),
      boundary: boundary === null ? null : attached(boundary),
    };
  }

  /** What those of an account may have by this ARN: a policy of its own, or of AWS's; else null. */
  managedPolicy(arn: string, accountId: string): AttachedPolicy | null {
    const managed = managedPolicyName(arn);
    if (!managed || (managed.accountId ?? accountId) !== accountId) return null;
    const text =
      managed.accountId === null
        ? awsManagedPolicy(managed.fullName)
        : (this.#policies.get(`${accountId}/${managed.fullName}`) ?? null);
    return text === null ? null : { arn, text };
  }

  /**
   * What limits a session, its inline policy first: empty where nothing does, null where one of the
   * managed policies is not there (any more).
   */
  sessionPolicies(session: SessionPolicies): readonly AttachedPolicy[] | null {
    const { accountId, policy, policyArns } = session;
    const policies: AttachedPolicy[] = policy === null ? [] : [{ arn: null, text: policy }];
    for (const arn of policyArns) {
      const managed = this.managedPolicy(arn, accountId);
      if (!managed) return null;
      policies.push(managed);
    }
    return policies;
  }

  /** Whether anyone can sign at all. */
  get hasAccessKeys(): boolean {
    return this.#keys.size > 0;
  }

  keyHolder(accessKeyId: string): KeyHolder | null {
    return this.#keys.get(accessKeyId) ?? null;
  }

  user(accountId: string, name: string): User | null {
    return this.#users.get(`${accountId}/${name}`) ?? null;
  }

  /** By the name alone, as in a session's ARN. */
  roleNamed(accountId: string, name: string): Role | null {
    return this.#roles.get(`${accountId}/${name}`) ?? null;
  }

  /**
   * Whether there may be a principal of this ARN: where an account has principals, only they are;
   * any other account is not known, nor are federated users.
   */
  mayBe(principalArn: string): boolean {
    const [, accountId = "", kind, name = ""] = PRINCIPAL_ARN.exec(principalArn) ?? [];
    if (!this.#known.has(accountId)) return true;
    switch (kind) {
      case "user":
        return this.userOf(accountId, name) !== null;
      case "role":
        return this.role(accountId, name) !== null;
      default:
        return this.roleNamed(accountId, name.slice(0, name.indexOf("/"))) !== null;
    }
  }

  /** `fullName` is the name with its path, as in a user's ARN. */
  userOf(accountId: string, fullName: string): User | null {
    const user = this.user(accountId, fullName.slice(fullName.lastIndexOf("/") + 1));
    return user && user.path + user.name === fullName ? user : null;
  }

  /** `fullName` is the name with its path, as in a role's ARN. */
  role(accountId: string, fullName: string): Role | null {
    const role = this.#roles.get(`${accountId}/${fullName.slice(fullName.lastIndexOf("/") + 1)}`);
    return role && role.path + role.name === fullName ? role : null;
  }
}

const PRINCIPAL_ARN = /^arn:[a-z-]+:(?:iam|sts)::(\d{12}):(user|role|assumed-role)\/(.+)$/;

const iamArn = (region: Region, accountId: string, resource: string) =>
  `arn:${partitionOf(region)}:iam::${accountId}:${resource}`;

export const roleArn = (region: Region, accountId: string, fullName: string) =>
  iamArn(region, accountId, `role/${fullName}`);

const userPrincipals = new WeakMap<User, Map<string, Principal>>();

/** Made once for a user in a Region: its ID is a hash. */
export function userPrincipal(region: Region, accountId: string, user: User): Principal {
  const known = userPrincipals.get(user) ?? new Map<string, Principal>();
  userPrincipals.set(user, known);
  const name = `${region}/${accountId}`;
  const principal = known.get(name) ?? newUserPrincipal(region, accountId, user);
  known.set(name, principal);
  return principal;
}

function newUserPrincipal(region: Region, accountId: string, user: User): Principal {
  const arn = iamArn(region, accountId, `user/${user.path}${user.name}`);
  return {
    type: "User",
    accountId,
    arn,
    principalArn: arn,
    userId: uniqueId("AIDA", `${accountId}/user/${user.name}`),
    userName: user.name,
    tags: user.tags,
    sourceIdentity: null,
    policies: user.policies,
    boundary: user.boundary,
    sessionPolicies: null,
  };
}

/** A session, as far as its own policies go. */
export type SessionPolicies = Pick<RoleSession, "accountId" | "policy" | "policyArns">;

/**
 * A session of a role as the role is now: a change of its policies or tags counts for sessions that
 * began before it. `role` is null where no configuration names it; `policies` are the session's own.
 */
export function sessionPrincipal(
  region: Region,
  session: Pick<RoleSession, "accountId" | "roleName" | "sessionName" | "tags" | "sourceIdentity">,
  role: Role | null,
  policies: readonly AttachedPolicy[],
): Principal {
  const { accountId, roleName, sessionName, tags, sourceIdentity } = session;
  const name = roleName.slice(roleName.lastIndexOf("/") + 1);
  return {
    type: "AssumedRole",
    accountId,
    arn: assumedRoleArn(region, accountId, name, sessionName),
    principalArn: roleArn(region, accountId, roleName),
    userId: `${roleId(accountId, name)}:${sessionName}`,
    userName: null,
    tags: { ...withoutKeys(role?.tags ?? {}, Object.keys(tags)), ...tags },
    sourceIdentity,
    policies: role?.policies ?? null,
    boundary: role?.boundary ?? null,
    sessionPolicies: policies.length === 0 ? null : policies,
  };
}

/** Tags without those of these keys, which are not case-sensitive: a session's take their place. */
function withoutKeys(tags: Readonly<Record<string, string>>, keys: readonly string[]) {
  const lower = new Set(keys.map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !lower.has(key.toLowerCase())));
}

/** The session's ARN has the role's name without its path. */
const assumedRoleArn = (region: Region, accountId: string, name: string, sessionName: string) =>
  `arn:${partitionOf(region)}:sts::${accountId}:assumed-role/${name}/${sessionName}`;

const roleId = (accountId: string, name: string) => uniqueId("AROA", `${accountId}/role/${name}`);
