// How a policy or a grant can name a caller, and what the name it uses means for the evaluation.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html

import type { Principal } from "../principal.ts";
import type { Scope, Statement } from "./grammar.ts";
import type { NamedPrincipal } from "./principal-grammar.ts";

/**
 * As what a caller is named, the strongest first: a session and a user are allowed by their name
 * alone; a role's session that its role's name or `*` allows stays within the role's boundary and
 * the session's policies; a name of the account leaves it to the account's IAM policies.
 */
export const namings = ["session", "user", "role", "everyone", "account"] as const;
export type Naming = (typeof namings)[number];

/** As what an AWS principal's ARN or unique ID names the caller; null where it does not. */
export function namingOf(id: string, caller: Principal): Naming | null {
  if (id === "*") return "everyone";
  const isSession = caller.type === "AssumedRole";
  if (id === caller.arn) return isSession ? "session" : "user";
  if (id === caller.principalArn) return isSession ? "role" : "user";
  if (isUniqueIdOf(id, caller)) return isSession ? "role" : "user";
  return isRootOf(id, caller) ? "account" : null;
}

/** AWS shows the unique ID of a user or role that was deleted; a session's begins with its role's. */
const isUniqueIdOf = (id: string, { userId }: Principal) =>
  /^A(?:ID|RO)A/.test(id) && (userId === id || userId.startsWith(`${id}:`));

/** Whether an ARN is the root of the caller's account: `arn:<partition>:iam::<account>:root`. */
const isRootOf = (id: string, { accountId }: Principal) =>
  accountId !== "" && id.startsWith("arn:") && id.endsWith(`:iam::${accountId}:root`);

/** As what a statement of a key policy names the caller; null where it is about others. */
export function namingIn(
  principal: Scope<NamedPrincipal>,
  effect: Statement["effect"],
  caller: Principal,
): Naming | null {
  if (principal.except) return isExcepted(principal, effect, caller) ? null : "everyone";
  let strongest: Naming | null = null;
  for (const named of principal.values) {
    const naming = namingBy(named, caller);
    if (naming && (!strongest || namings.indexOf(naming) < namings.indexOf(strongest))) {
      strongest = naming;
    }
  }
  return strongest;
}

function namingBy({ type, id }: NamedPrincipal, caller: Principal): Naming | null {
  if (type === "AWS") return caller.type === "Service" && id !== "*" ? null : namingOf(id, caller);
  return type === "Service" && caller.type === "Service" && id === caller.arn ? "user" : null;
}

/**
 * A Deny leaves out only who is excepted under each of their names, that of the account included;
 * an Allow leaves out who is excepted under any.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
function isExcepted(
  { values }: Scope<NamedPrincipal>,
  effect: Statement["effect"],
  caller: Principal,
): boolean {
  const found = new Set(values.map((named) => namingBy(named, caller)));
  if (found.has("everyone")) return true;
  const names = namesOf(caller);
  return effect === "Deny"
    ? names.every((name) => found.has(name))
    : names.some((name) => found.has(name));
}

/** Under which names a caller goes. */
function namesOf({ type }: Principal): readonly Naming[] {
  switch (type) {
    case "AssumedRole":
      return ["session", "role", "account"];
    case "User":
      return ["user", "account"];
    default:
      return ["user"];
  }
}
