// The lockout safety check of CreateKey, ReplicateKey and PutKeyPolicy.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key

import type { KeyPolicy, Scope, Statement } from "./grammar.ts";
import { type NamedPrincipal, rootArn } from "./principal-grammar.ts";
import { LOCKOUT, malformed } from "./refusals.ts";
import { fits } from "./wildcards.ts";

/**
 * The lockout safety check: MalformedPolicyDocumentException unless somebody in the account may
 * call PutKeyPolicy under this policy. Conditions are taken to be satisfiable, and an allowed
 * account to have an IAM policy. AWS asks whether the caller may, which needs the evaluator.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key
 */
export function requireNoLockout(policy: KeyPolicy, accountId: string, partition: string): void {
  const home: Home = { partition, accountId, root: rootArn(partition, accountId) };
  const relevant = policy.statements.filter(({ action }) => includesPutKeyPolicy(action));
  const denials = relevant.filter((statement) => alwaysDenies(statement, home));
  const editors = relevant
    .filter(({ effect, resource }) => effect === "Allow" && mayReachKey(resource, home))
    .flatMap(({ principal }) => editorsIn(principal, home));
  const isDenied = (id: string) => denials.some(({ principal }) => denies(principal, id, home));
  if (editors.every(isDenied)) throw malformed(LOCKOUT);
}

// The lockout safety check. The key's Region and ID are not known, so that a Resource may name it
// (enough to allow) or names every key of the account (needed to deny).

interface Home {
  readonly partition: string;
  readonly accountId: string;
  readonly root: string;
}

function alwaysDenies({ effect, resource, conditions }: Statement, home: Home): boolean {
  return effect === "Deny" && conditions.length === 0 && reachesEveryKey(resource, home);
}

function includesPutKeyPolicy(action: Scope<string> | null): boolean {
  if (action === null) return false;
  const isNamed = action.values.some((name) => fits(name.toLowerCase(), "kms:putkeypolicy"));
  return isNamed !== action.except;
}

function mayReachKey(resource: Scope<string> | null, home: Home): boolean {
  if (resource === null) return false;
  const { except, values } = resource;
  if (except) return !values.some((pattern) => namesEveryKey(pattern, home));
  return values.some((pattern) => mayNameKey(pattern, home));
}

function reachesEveryKey(resource: Scope<string> | null, home: Home): boolean {
  if (resource === null) return false;
  const { except, values } = resource;
  if (except) return !values.some((pattern) => mayNameKey(pattern, home));
  return values.some((pattern) => namesEveryKey(pattern, home));
}

function mayNameKey(pattern: string, home: Home): boolean {
  if (pattern === "*") return true;
  const [, partition = "", service = "", region, account = "", ...name] = arnParts(pattern);
  if (!fits(partition, home.partition) || !fits(service, "kms") || region === "") return false;
  return fits(account, home.accountId) && mayStartWith("key/", name.join(":"));
}

function namesEveryKey(pattern: string, home: Home): boolean {
  if (pattern === "*") return true;
  const [, , , region, , ...name] = arnParts(pattern);
  return mayNameKey(pattern, home) && region === "*" && /^(?:key\/)?\*$/.test(name.join(":"));
}

/** The parts of an ARN pattern; a final `*` stands also for the parts that are not written. */
function arnParts(pattern: string): string[] {
  const parts = pattern.split(":");
  const rest = pattern.endsWith("*") ? "*" : "";
  return parts.length < 6 ? [...parts, ...Array<string>(6 - parts.length).fill(rest)] : parts;
}

/** Whether some text with this start fits `pattern`. */
function mayStartWith(start: string, pattern: string): boolean {
  const [literal = ""] = pattern.split(/[*?]/, 1);
  return literal.startsWith(start) || (literal !== pattern && start.startsWith(literal));
}

/** Those of the account who are allowed by a statement; `*` when that is everyone. */
function editorsIn(principal: Scope<NamedPrincipal>, home: Home): string[] {
  const ids = awsIds(principal);
  if (principal.except) return ids.includes("*") || ids.includes(home.root) ? [] : ["*"];
  return ids.filter((id) => id === "*" || isOfAccount(id, home));
}

/** Denying an account denies everyone in it, and excepting anyone of it leaves it an editor. */
function denies(principal: Scope<NamedPrincipal>, editor: string, home: Home): boolean {
  const isWhole = editor === "*" || editor === home.root;
  const concerns = (id: string) => id === "*" || id === home.root || id === editor;
  const ids = awsIds(principal);
  if (!principal.except) return ids.some(concerns);
  return !ids.some((id) => concerns(id) || (isWhole && isOfAccount(id, home)));
}

const awsIds = ({ values }: Scope<NamedPrincipal>) =>
  values.filter(({ type }) => type === "AWS").map(({ id }) => id);

const isOfAccount = (arn: string, home: Home) => arn.split(":")[4] === home.accountId;
