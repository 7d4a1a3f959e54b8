// Who is who in a configuration, looked up by what a request names, and as the principal that
// policies see. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

import type { Configuration, Role, User } from "../configuration/configuration.ts";
import type { Principal } from "../domain/principal.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import type { RoleSession } from "./session.ts";
import { uniqueId } from "./unique-id.ts";

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
  /** Those that have a principal, so that one that is not there is none. */
  readonly #known = new Set<string>();

  constructor({ accounts }: Configuration) {
    for (const { id: accountId, users, roles } of accounts) {
      if (users.length + roles.length > 0) this.#known.add(accountId);
      for (const role of roles) this.#roles.set(`${accountId}/${role.name}`, role);
      for (const user of users) {
        this.#users.set(`${accountId}/${user.name}`, user);
        for (const { id, secret } of user.accessKeys) {
          this.#keys.set(id, { accountId, user, secret });
        }
      }
    }
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

export function userPrincipal(region: Region, accountId: string, user: User): Principal {
  const arn = iamArn(region, accountId, `user/${user.path}${user.name}`);
  return {
    type: "User",
    accountId,
    arn,
    principalArn: arn,
    userId: uniqueId("AIDA", `${accountId}/user/${user.name}`),
    userName: user.name,
    tags: user.tags,
    policies: user.policies,
    boundary: user.boundary,
    sessionPolicies: null,
  };
}

/**
 * A session of a role as the role is now: a change of its policies or tags counts for sessions that
 * began before it. `role` is null where no configuration names it.
 */
export function sessionPrincipal(
  region: Region,
  session: Pick<RoleSession, "accountId" | "roleName" | "sessionName" | "tags" | "policy">,
  role: Role | null,
): Principal {
  const { accountId, roleName, sessionName, tags, policy } = session;
  const name = roleName.slice(roleName.lastIndexOf("/") + 1);
  return {
    type: "AssumedRole",
    accountId,
    arn: assumedRoleArn(region, accountId, name, sessionName),
    principalArn: roleArn(region, accountId, roleName),
    userId: `${roleId(accountId, name)}:${sessionName}`,
    userName: null,
    tags: { ...without(role?.tags ?? {}, Object.keys(tags)), ...tags },
    policies: role?.policies ?? null,
    boundary: role?.boundary ?? null,
    sessionPolicies: policy === null ? null : [policy],
  };
}

/** A session's tags take the place of its role's, whose keys are the same in any case. */
function without(tags: Role["tags"], names: readonly string[]): Role["tags"] {
  const taken = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !taken.has(key.toLowerCase())));
}

/** The session's ARN has the role's name without its path. */
const assumedRoleArn = (region: Region, accountId: string, name: string, sessionName: string) =>
  `arn:${partitionOf(region)}:sts::${accountId}:assumed-role/${name}/${sessionName}`;

const roleId = (accountId: string, name: string) => uniqueId("AROA", `${accountId}/role/${name}`);
