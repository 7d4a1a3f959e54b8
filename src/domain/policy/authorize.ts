// The evaluation of a request against everything that may allow or deny it: the key policy, grants,
// and the caller's identity-based policies, permissions boundary and session policies. Pure; what
// the conditions ask of the request comes in as a function.
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

import type { Grant } from "../grant.ts";
import type { AttachedPolicy, Principal } from "../principal.ts";
import { crossAccountActions } from "./actions.ts";
import { type Naming, namingIn, namingOf, namings } from "./caller-names.ts";
import type { Allowed, Decision, Denied, PolicyRole, Reason } from "./decision.ts";
import { type GrantedUse, namingByGrant } from "./grants.ts";
import type { Policy, ReadyStatement, StatementRequest } from "./policy.ts";
import type { ConditionContext } from "./variables.ts";

/** What is asked: may this caller do this to that? */
export interface AuthorizationRequest {
  /** The permission without its `kms:` or `sts:`, such as `ReEncryptFrom`. */
  readonly action: string;
  /** An ARN, or `*` where the action has no resource. */
  readonly resource: string;
  readonly caller: Principal;
  /** The key that is asked for; null for what IAM policies alone decide. */
  readonly key: KeyAccess | null;
  readonly context: ConditionContext;
}

/** Who may do what, as far as the key says. */
export interface KeyAccess {
  readonly accountId: string;
  readonly policy: Policy;
  readonly grants: readonly Grant[];
  readonly use: Omit<GrantedUse, "action">;
}

/** How a text of a principal's becomes a policy; whoever has one keeps what it made. */
export type ReadPolicy = (text: string) => Policy;

/** Allowed or denied, and why. An explicit Deny anywhere wins over everything that allows. */
export function authorize(request: AuthorizationRequest, read: ReadPolicy): Decision {
  const asked = askedOf(request, read);
  const { key } = request;
  if (key && isKeptOut(asked, key)) return nothingAllows("resource");
  const denied = explicitlyDenied(asked);
  if (denied) return denied;
  if (!key) return byAccount(asked, []);
  const decision = byResourcePolicy(asked, key);
  return decision.allowed ? decision : (byGrant(asked, key) ?? decision);
}

/**
 * Whether nothing on the side of the key lets in a caller of another account. That is said before
 * their own policies are asked: by a Deny of their own they would learn which keys there are.
 */
function isKeptOut(asked: Asked, { accountId, policy, grants, use }: KeyAccess): boolean {
  const { caller, request } = asked;
  if (caller.accountId === accountId || caller.type === "Service") return false;
  if (!crossAccountActions.has(request.action)) return true;
  if (permitOf(asked, policy)) return false;
  return !grants.some((grant) => namingByGrant(grant, caller, { ...use, action: request.action }));
}

/**
 * Whether the caller may do this to a role, such as AssumeRole. As with keys, its trust policy has to
 * allow; `*` and who is named need no more within the role's account.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 */
export function authorizeOnRole(
  request: Omit<AuthorizationRequest, "key">,
  trust: Pick<KeyAccess, "accountId" | "policy">,
  read: ReadPolicy,
): Decision {
  const key = { ...trust, grants: [], use: { encryptionContext: null, child: null } };
  const asked = askedOf({ ...request, key }, read, "sts");
  return explicitlyDenied(asked) ?? byResourcePolicy(asked, trust);
}

function byResourcePolicy(
  asked: Asked,
  { policy, accountId }: Pick<KeyAccess, "accountId" | "policy">,
): Decision {
  const permit = permitOf(asked, policy);
  const isForeign = asked.caller.accountId !== accountId;
  return permit ? withinAccount(asked, permit, isForeign) : nothingAllows("resource");
}

/** Whether the key policy would do, were the caller's own policies to allow everything. */
export function isAllowedByKeyPolicy(request: AuthorizationRequest): boolean {
  const unlimited = { policies: null, boundary: null, sessionPolicies: null };
  const caller = { ...request.caller, ...unlimited };
  return authorize({ ...request, caller }, unread).allowed;
}

function unread(): never {
  throw new Error("a caller without policies has none to be read");
}

/**
 * Whether the caller may retire a grant: its retiring principal, its grantee where it says so, and
 * whoever the account that made it lets. No key policy has a say.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grant-manage.html#grant-delete
 */
export function authorizeRetirement(
  request: Pick<AuthorizationRequest, "resource" | "caller" | "context">,
  grant: Grant,
  read: ReadPolicy,
): Decision {
  const asked = askedOf({ ...request, action: "RetireGrant", key: null }, read);
  const may = [grant.retiringPrincipal, grant.issuingAccount];
  if (grant.operations.includes("RetireGrant")) may.push(grant.granteePrincipal);
  const named = may.flatMap((id) => (id && namingOf(id, asked.caller)) || []);
  // First, as of keys: nobody learns of a grant by a Deny of their own.
  if (named.length === 0) return nothingAllows("resource");
  const denied = explicitlyDenied(asked);
  if (denied) return denied;
  const by: Reason = { kind: "grant", grantId: grant.id };
  const isByName = named.some((naming) => naming !== "account");
  return isByName ? { allowed: true, by: [by] } : byAccount(asked, [by]);
}

/** A policy that was read; `arn` is a managed one's. */
export interface HeldPolicy {
  readonly arn: string | null;
  readonly policy: Policy;
}

/** A request together with the caller's policies, read. */
export interface Asked extends StatementRequest {
  readonly request: AuthorizationRequest;
  readonly caller: Principal;
  /** Null where the account lets the caller do everything. */
  readonly identity: readonly HeldPolicy[] | null;
  readonly boundary: readonly HeldPolicy[] | null;
  readonly session: readonly HeldPolicy[] | null;
}

export function askedOf(
  request: AuthorizationRequest,
  read: ReadPolicy,
  vendor: "kms" | "sts" = "kms",
): Asked {
  const { caller, action, resource, context } = request;
  const held = ({ arn, text }: AttachedPolicy): HeldPolicy => ({ arn, policy: read(text) });
  return {
    request,
    caller,
    action: `${vendor}:${action}`.toLowerCase(),
    resource,
    context,
    identity: caller.policies?.map(held) ?? null,
    boundary: caller.boundary === null ? null : [held(caller.boundary)],
    session: caller.sessionPolicies?.map(held) ?? null,
  };
}

const nothingAllows = (of: PolicyRole): Denied => ({ allowed: false, of, by: null });

type StatementReason = Extract<Reason, { kind: "statement" }>;

function reasonOf(
  of: PolicyRole,
  policy: number,
  { index, sid }: ReadyStatement,
  arn: string | null = null,
): StatementReason {
  return { kind: "statement", of, policy, ...(arn !== null && { arn }), statement: index, sid };
}

// Of several policies that deny AWS names one; which is not documented.

function explicitlyDenied(asked: Asked): Denied | null {
  const { key } = asked.request;
  const by =
    statementIn("identity", asked.identity, "Deny", asked) ??
    (key && denyOf(asked, key.policy)) ??
    statementIn("boundary", asked.boundary, "Deny", asked) ??
    statementIn("session", asked.session, "Deny", asked);
  return by && { allowed: false, of: by.of, by };
}

/** The first statement to this effect among policies that name no principal. */
function statementIn(
  of: PolicyRole,
  policies: readonly HeldPolicy[] | null,
  effect: ReadyStatement["effect"],
  asked: Asked,
): StatementReason | null {
  for (const [at, { arn, policy }] of (policies ?? []).entries()) {
    const found = policy.statements.find((each) => each.effect === effect && each.concerns(asked));
    if (found) return reasonOf(of, at, found, arn);
  }
  return null;
}

function denyOf(asked: Asked, { statements }: Policy): StatementReason | null {
  const found = statements.find(
    (each) => each.effect === "Deny" && isAbout(each, asked) && each.concerns(asked),
  );
  return found ? reasonOf("resource", 0, found) : null;
}

const namingOfStatement = ({ principal, effect }: ReadyStatement, { caller }: Asked) =>
  principal && namingIn(principal, effect, caller);

const isAbout = (statement: ReadyStatement, asked: Asked) =>
  namingOfStatement(statement, asked) !== null;

/** What allows on the side of the key, and as what it names the caller. */
interface Permit {
  readonly naming: Naming;
  readonly by: Reason;
}

/** The statement of the key policy that allows by the strongest name; null where none allows. */
function permitOf(asked: Asked, { statements }: Policy): Permit | null {
  let strongest: Permit | null = null;
  for (const statement of statements) {
    if (statement.effect !== "Allow") continue;
    const naming = namingOfStatement(statement, asked);
    if (!naming || (strongest && !isStronger(naming, strongest.naming))) continue;
    if (statement.concerns(asked)) strongest = { naming, by: reasonOf("resource", 0, statement) };
  }
  return strongest;
}

const isStronger = (one: Naming, other: Naming) => namings.indexOf(one) < namings.indexOf(other);

/**
 * A grant is an alternative to policies, for other accounts' principals, too. One to an account
 * leaves it to the account, as a key policy does. Null where no grant allows.
 */
function byGrant(asked: Asked, key: KeyAccess): Allowed | null {
  const use = { ...key.use, action: asked.request.action };
  for (const grant of key.grants) {
    const naming = namingByGrant(grant, asked.caller, use);
    if (!naming) continue;
    const by: Reason = { kind: "grant", grantId: grant.id };
    const decision = naming === "account" ? byAccount(asked, [by]) : null;
    if (!decision) return { allowed: true, by: [by] };
    if (decision.allowed) return decision;
  }
  return null;
}

/** What else it takes in the caller's own account, once the key policy allows. */
function withinAccount(asked: Asked, { naming, by }: Permit, foreign: boolean): Decision {
  const { caller } = asked;
  if (caller.type === "Service") return { allowed: true, by: [by] };
  if (foreign || naming === "account") return byAccount(asked, [by]);
  if (naming === "session") return { allowed: true, by: [by] };
  if (caller.type === "AssumedRole") return withinLimits(asked, [by]);
  return withinLimits({ ...asked, boundary: null }, [by]);
}

/** What IAM policies decide: one has to allow, within the boundary and the session's policies. */
function byAccount(asked: Asked, sofar: readonly Reason[]): Decision {
  if (asked.identity === null) {
    const account: Reason = { kind: "account", accountId: asked.caller.accountId };
    return withinLimits(asked, [...sofar, account]);
  }
  const by = statementIn("identity", asked.identity, "Allow", asked);
  return by ? withinLimits(asked, [...sofar, by]) : nothingAllows("identity");
}

/** A boundary and session policies allow nothing by themselves, but nothing goes beyond them. */
function withinLimits(asked: Asked, sofar: readonly Reason[]): Allowed | Denied {
  const by = [...sofar];
  for (const of of ["boundary", "session"] as const) {
    if (asked[of] === null) continue;
    const reason = statementIn(of, asked[of], "Allow", asked);
    if (!reason) return nothingAllows(of);
    by.push(reason);
  }
  return { allowed: true, by };
}
