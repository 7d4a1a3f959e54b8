// The principals and managed policies that a configuration names, in the form in which they are kept and
// used: checked, and with every policy as JSON text or as the ARN of one that is there. Knows no file and
// no request.

import { awsManagedPolicy, managedPolicyName } from "../domain/managed-policy.ts";
import { parseDocument } from "../domain/policy/grammar.ts";
import { KmsError, type Refusal } from "../errors.ts";
import { check, type Fault, type Path } from "./check.ts";
import { configurationSchema } from "./schema.ts";

/** All that a configuration says. Lists and not objects by name: the names are a stranger's. */
export interface Configuration {
  readonly accounts: readonly Account[];
}

export interface Account {
  readonly id: string;
  readonly users: readonly User[];
  readonly roles: readonly Role[];
  /** Left out where a configuration was stored before there were any. */
  readonly policies?: readonly ManagedPolicy[];
}

interface Named {
  /** `division/`, or empty. */
  readonly path: string;
  readonly name: string;
}

/** A customer managed policy. */
export interface ManagedPolicy extends Named {
  readonly text: string;
}

interface Permissions extends Named {
  /** Each as JSON text, or the ARN of a managed policy. */
  readonly policies: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** As one of `policies`. */
  readonly boundary: string | null;
}

export interface User extends Permissions {
  readonly accessKeys: readonly AccessKey[];
}

export interface Role extends Permissions {
  readonly trust: string;
}

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

export const EMPTY: Configuration = { accounts: [] };

/** A configuration file's value, as it is written; what its schema says holds of it. */
interface Written {
  readonly accounts?: Readonly<Record<string, WrittenAccount>>;
}
interface WrittenAccount {
  readonly users?: Readonly<Record<string, WrittenPrincipal>>;
  readonly roles?: Readonly<Record<string, WrittenPrincipal>>;
  readonly policies?: Readonly<Record<string, WrittenPolicy>>;
}
interface WrittenPrincipal {
  readonly accessKeys?: readonly AccessKey[];
  readonly trust?: WrittenPolicy;
  readonly policies?: readonly WrittenPolicy[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly boundary?: WrittenPolicy;
}
type WrittenPolicy = string | object;

/** The configuration that a file's value means, or the first thing that is wrong with it. */
export function configurationFrom(value: unknown): Configuration | { readonly fault: Fault } {
  const fault = check(value, configurationSchema, configurationSchema);
  if (fault) return { fault };
  try {
    const accounts = Object.entries((value as Written).accounts ?? {});
    const configuration = { accounts: accounts.map(([id, account]) => accountFrom(id, account)) };
    requireOwnKeys(configuration);
    return configuration;
  } catch (error) {
    if (error instanceof FaultError) return { fault: error.fault };
    throw error;
  }
}

class FaultError extends Error {
  readonly fault: Fault;
  constructor(path: Path, text: string) {
    super(text);
    this.fault = { path, text };
  }
}

function accountFrom(
  id: string,
  { users = {}, roles = {}, policies = {} }: WrittenAccount,
): Account {
  const at = ["accounts", id];
  const managed = named(policies, [...at, "policies"], (policy, path) => ({
    text: policyText(policy, "identity", path),
  }));
  const permissions = (principal: WrittenPrincipal, path: Path) =>
    permissionsOf(principal, path, { id, policies: managed });
  return {
    id,
    users: named(users, [...at, "users"], (user, path) => ({
      ...permissions(user, path),
      accessKeys: user.accessKeys ?? [],
    })),
    roles: named(roles, [...at, "roles"], (role, path) => ({
      ...permissions(role, path),
      trust: policyText(role.trust ?? "", "trust", [...path, "trust"]),
    })),
    policies: managed,
  };
}

/** Whatever is written by name, with the name taken apart. */
function named<Value, Own>(
  written: Readonly<Record<string, Value>>,
  at: Path,
  own: (value: Value, path: Path) => Own,
): (Named & Own)[] {
  const names = new Set<string>();
  return Object.entries(written).map(([fullName, value]) => {
    const path = [...at, fullName];
    const slash = fullName.lastIndexOf("/") + 1;
    const name = fullName.slice(slash);
    // IAM tells those of an account apart by their names alone, and not by case.
    if (names.has(name.toLowerCase())) throw new FaultError(path, "has a name that is taken");
    names.add(name.toLowerCase());
    return { path: fullName.slice(0, slash), name, ...own(value, path) };
  });
}

type PolicyOwner = Pick<Account, "id"> & Required<Pick<Account, "policies">>;

function permissionsOf(
  { policies = [], tags = {}, boundary }: WrittenPrincipal,
  path: Path,
  account: PolicyOwner,
): Omit<Permissions, keyof Named> {
  return {
    policies: policies.map((policy, index) =>
      attached(policy, [...path, "policies", index], account),
    ),
    tags,
    boundary: boundary === undefined ? null : attached(boundary, [...path, "boundary"], account),
  };
}

/** A policy that is written where it counts, or the ARN of a managed one that is there. */
function attached(written: WrittenPolicy, path: Path, account: PolicyOwner): string {
  if (typeof written !== "string" || !written.startsWith("arn:")) {
    return policyText(written, "identity", path);
  }
  const fault = managedPolicyFault(written, account);
  if (fault !== null) throw new FaultError(path, fault);
  return written;
}

function managedPolicyFault(arn: string, { id, policies }: PolicyOwner): string | null {
  const managed = managedPolicyName(arn);
  if (!managed) return "is not the ARN of a managed policy";
  const { accountId, fullName } = managed;
  if (accountId === null) {
    return awsManagedPolicy(fullName) === null
      ? "names a policy of AWS's own that is not known here: write down what it says of kms and sts"
      : null;
  }
  if (accountId !== id) return "names a policy of another account";
  return policies.some(({ path, name }) => path + name === fullName)
    ? null
    : "names a policy that the account does not have";
}

/** An access key ID is one user's, whatever the account. */
function requireOwnKeys({ accounts }: Configuration): void {
  const ids = new Set<string>();
  for (const account of accounts) {
    for (const { path, name, accessKeys } of account.users) {
      for (const [index, { id }] of accessKeys.entries()) {
        const at = ["accounts", account.id, "users", path + name, "accessKeys", index, "id"];
        if (ids.has(id)) throw new FaultError(at, "is another access key's, too");
        ids.add(id);
      }
    }
  }
}

type PolicyKind = "identity" | "trust";

/** What is wrong with a session's policy, or null. */
export function sessionPolicyFault(text: string): string | null {
  const refusal = refusalOf(text, "identity");
  return refusal?.message ?? null;
}

/** A policy document as JSON text, as it was sent where it was a text. */
function policyText(written: WrittenPolicy, kind: PolicyKind, path: Path): string {
  const isText = typeof written === "string";
  const text = isText ? written : jsonOf(written, path);
  const refusal = refusalOf(text, kind);
  if (!refusal) return text;
  const at = isText ? path : [...path, ...placeOfFault(written as PolicyDocument, kind)];
  throw new FaultError(at, `is refused: ${refusal.message ?? refusal.type}`);
}

/** Why IAM would not take a policy; null where it would. */
function refusalOf(text: string, kind: PolicyKind): Refusal | null {
  try {
    parseDocument(text, kind, null);
    return null;
  } catch (error) {
    if (error instanceof KmsError) return error.refusal;
    throw error;
  }
}

interface PolicyDocument {
  readonly Statement: object | readonly object[];
}

/** Where a policy is wrong, so that its line can be named: in one statement, in one element of it. */
function placeOfFault({ Statement }: PolicyDocument, kind: PolicyKind): Path {
  const isWrong = (statement: object) =>
    refusalOf(JSON.stringify({ Statement: statement }), kind) !== null;
  if (!Array.isArray(Statement)) return ["Statement", ...elementAtFault(Statement, isWrong)];
  const index = Statement.findIndex(isWrong);
  return index < 0
    ? ["Statement"]
    : ["Statement", index, ...elementAtFault(Statement[index], isWrong)];
}

/** The element without which, or with another value of which, nothing would be wrong. */
function elementAtFault(statement: object, isWrong: (statement: object) => boolean): Path {
  const name = Object.keys(statement).find((each) => {
    const other = Object.entries(statement).filter(([element]) => element !== each);
    const rest = Object.fromEntries(other);
    return !isWrong(rest) || !isWrong({ ...rest, [each]: each === "Effect" ? "Deny" : "*" });
  });
  return name === undefined ? [] : [name];
}

function jsonOf(written: object, path: Path): string {
  try {
    return JSON.stringify(written);
  } catch (error) {
    // The stack's end, and not the file's.
    if (error instanceof RangeError) throw new FaultError(path, "is too deep");
    throw error;
  }
}
