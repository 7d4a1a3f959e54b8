// Who is who in a configuration, looked up by what a request names, and as the principal that
// policies see. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

import type { Configuration, Role, User } from "../configuration/configuration.ts";
import { rootArn } from "../domain/arn.ts";
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

  constructor({ accounts }: Configuration) {
    for (const { id: accountId, users, roles } of accounts) {
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

  /** `fullName` is the name with its path, as in a role's ARN. */
  role(accountId: string, fullName: string): Role | null {
    const role = this.#roles.get(`${accountId}/${fullName.slice(fullName.lastIndexOf("/") + 1)}`);
    return role && role.path + role.name === fullName ? role : null;
  }
}

const iamArn = (region: Region, accountId: string, resource: string) =>
  `arn:${partitionOf(region)}:iam::${accountId}:${resource}`;

export const roleArn = (region: Region, accountId: string, fullName: string) =>
  iamArn(region, accountId, `role/${fullName}`);

/** The account itself, which is who signs with twelve digits. */
export const rootPrincipal = (region: Region, accountId: string): Principal => ({
  type: "Account",
  accountId,
  arn: rootArn(region, accountId),
  principalArn: rootArn(region, accountId),
  userId: accountId,
  userName: null,
  tags: {},
  policies: null,
  boundary: null,
  sessionPolicies: null,
});

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
  { accountId, roleName, sessionName, tags, policy }: RoleSession,
  role: Role | null,
): Principal {
  const name = roleName.slice(roleName.lastIndexOf("/") + 1);
  return {
    type: "AssumedRole",
    accountId,
    arn: assumedRoleArn(region, accountId, name, sessionName),
    principalArn: roleArn(region, accountId, roleName),
    userId: `${roleId(accountId, name)}:${sessionName}`,
    userName: null,
    tags: { ...role?.tags, ...tags },
    policies: role?.policies ?? null,
    boundary: role?.boundary ?? null,
    sessionPolicies: policy === null ? null : [policy],
  };
}

/** The session's ARN has the role's name without its path. */
const assumedRoleArn = (region: Region, accountId: string, name: string, sessionName: string) =>
  `arn:${partitionOf(region)}:sts::${accountId}:assumed-role/${name}/${sessionName}`;

const roleId = (accountId: string, name: string) => uniqueId("AROA", `${accountId}/role/${name}`);
