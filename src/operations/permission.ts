// May the caller? Where every operation asks, and how AWS refuses.
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html

import { keyArn, rootArn } from "../domain/arn.ts";
import type { Grant } from "../domain/grant.ts";
import { authorize, authorizeRetirement } from "../domain/policy/authorize.ts";
import { type Decision, type Denied, grounds } from "../domain/policy/decision.ts";
import type { Editor } from "../domain/policy/lockout.ts";
import type { Principal, RequestContext } from "../domain/principal.ts";
import type { Region } from "../domain/region.ts";
import { notAuthorized } from "../errors.ts";
import { contextOf, encryptionContext } from "./condition-keys.ts";
import { identityPolicy, keyPolicy } from "./known-policies.ts";
import type { Caller, Target } from "./operation.ts";
import { factsOf, type KeyFacts, type Question, type RecipientAttestation } from "./question.ts";

/** A request for one permission, as the operation sees it. */
export interface Permission {
  /** Without its `kms:`. */
  readonly action: string;
  readonly caller: Caller;
  readonly input: object;
  readonly now: number;
}

/** What conditions may ask about beside the request, where somebody has fetched it. */
export interface Fetched {
  /** The names of the key's aliases in each Region. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly attestation?: RecipientAttestation;
}

/** The caller as refusals name it. */
export const callerArn = ({ principal, region, accountId }: Caller) =>
  principal?.arn ?? rootArn(region, accountId);

/** Whether the caller's account lets it do everything, with nothing to be evaluated. */
export const isUnlimited = ({ principal }: Caller) =>
  principal === undefined ||
  (principal.policies === null &&
    principal.boundary === null &&
    principal.sessionPolicies === null);

/** Whether the conditions of a caller's own policies ask for the aliases of keys. */
export function namesAliases({ principal, request }: Caller): boolean {
  if (!principal || !request) return false;
  const { policies, boundary, sessionPolicies } = principal;
  const texts = [
    ...(policies ?? []),
    ...(boundary === null ? [] : [boundary]),
    ...(sessionPolicies ?? []),
  ];
  return texts.some((text) => identityPolicy(text).namesAliases);
}

/**
 * What may be done to a key, and why. Null where that is certain beforehand: its policy leaves
 * everything to its account, which lets the caller do everything. So it is with the default key
 * policy, which costs no more than this. Without a request to ask about no policy is evaluated.
 *
 * A caller whom nobody named does to its own account's keys whatever no policy denies: who has
 * configured nobody could not help themselves otherwise.
 */
export function decisionOnKey(
  permission: Permission,
  target: Target,
  fetched: Fetched = {},
): Decision | null {
  const { caller } = permission;
  const { set, key } = target;
  const own = caller.accountId === set.accountId;
  if (!caller.request) return own ? null : { allowed: false, of: "resource", by: null };
  const policy = keyPolicy(key.policy, key.region);
  if (own && isUnlimited(caller) && policy.leavesAllTo.has(set.accountId)) return null;
  if (!policy.denies && isUnnamedOwner(caller, target)) return null;
  return evaluationOnKey(permission, target, fetched);
}

/** The same decision, always with what it is made by. */
export function evaluationOnKey(
  permission: Permission,
  target: Target,
  fetched: Fetched = {},
): Decision {
  const { caller } = permission;
  const { set, key, arn } = target;
  const facts = factsOf(target, fetched.aliases?.[key.region]);
  const question = questionOf(permission, key.region, facts, fetched.attestation);
  const access = {
    accountId: set.accountId,
    policy: keyPolicy(key.policy, key.region),
    grants: key.grants,
    use: grantedUse(question),
  };
  const asked = { ...question, resource: arn, key: access, context: contextOf(question) };
  const decision = authorize(asked, identityPolicy);
  if (decision.allowed || decision.by || !isUnnamedOwner(caller, target)) return decision;
  return { allowed: true, by: [{ kind: "account", accountId: set.accountId }] };
}

const isUnnamedOwner = ({ principal, accountId }: Caller, { set }: Target) =>
  principal === undefined && accountId === set.accountId;

/** Whether a caller whom somebody named may retire a grant; no key policy has a say. */
export function decisionOnRetirement(
  permission: Permission & { readonly principal: Principal },
  { set, key, arn }: Target,
  grant: Grant,
): Decision {
  const question = questionOf(permission, key.region, factsOf({ set, key, arn }));
  const { principal } = permission;
  const asked = { resource: arn, caller: principal, context: contextOf(question) };
  return authorizeRetirement(asked, grant, identityPolicy);
}

/** What IAM policies alone decide; null where nothing has to be evaluated. */
export function decisionByAccount(
  permission: Permission,
  resource: string,
  region: Region = permission.caller.region,
  key: KeyFacts | null = null,
): Decision | null {
  const { caller } = permission;
  if (!caller.request || isUnlimited(caller)) return null;
  const question = questionOf(permission, region, key);
  return authorize(
    { ...question, resource, key: null, context: contextOf(question) },
    identityPolicy,
  );
}

/** Throws AccessDeniedException unless the caller's IAM policies allow it. */
export function requireByAccount(
  permission: Permission,
  resource = "*",
  region: Region = permission.caller.region,
  key: KeyFacts | null = null,
): void {
  const decision = decisionByAccount(permission, resource, region, key);
  if (decision && !decision.allowed) {
    throw accessDenied(permission, decision, `on resource: ${resource}`);
  }
}

/**
 * What making a key takes: CreateKey, and TagResource with tags. Both are IAM's alone, in the
 * Region where the key is to be.
 */
export function requireMayCreate(
  { caller, input, now }: Omit<Permission, "action">,
  key: KeyFacts,
  region: Region,
): void {
  requireByAccount({ action: "CreateKey", caller, input, now }, "*", region, key);
  const { Tags = [] } = input as { Tags?: readonly unknown[] };
  if (Tags.length === 0) return;
  const tagging = { action: "TagResource", caller, input, now };
  const resource = keyArn(region, caller.accountId, "*");
  const decision = decisionByAccount(tagging, resource, region, key);
  // Seen in public issues: without a resource.
  if (decision && !decision.allowed) throw accessDenied(tagging, decision, null);
}

/** AWS's refusal; `on` is what it says of the resource. */
export function accessDenied(
  { action, caller }: Pick<Permission, "action" | "caller">,
  decision: Denied,
  on: string | null,
) {
  return notAuthorized(callerArn(caller), `kms:${action}`, on, grounds(decision, `kms:${action}`));
}

/** Who gives a key its policy, for the lockout safety check. */
export function editorOf(
  { caller, input, now }: Omit<Permission, "action">,
  key: KeyFacts,
  region: Region,
  keyId: string,
): Editor {
  const question = questionOf({ action: "PutKeyPolicy", caller, input, now }, region, key);
  return {
    accountId: key.accountId,
    caller: question.caller,
    resource: keyArn(region, key.accountId, keyId),
    context: contextOf(question),
  };
}

const unknownRequest: RequestContext = { sourceIp: null, userAgent: null, secure: true };

function questionOf(
  { action, caller, input, now }: Permission,
  region: Region,
  key: KeyFacts | null,
  attestation?: RecipientAttestation,
): Question {
  return {
    action,
    region,
    caller: caller.principal ?? rootOf(caller),
    request: caller.request ?? unknownRequest,
    now,
    input: input as Question["input"],
    key,
    attestation,
  };
}

/** The root of an account, whom its account lets do everything. */
function rootOf({ region, accountId }: Caller): Principal {
  const arn = rootArn(region, accountId);
  return {
    type: "Account",
    accountId,
    arn,
    principalArn: arn,
    userId: accountId,
    userName: null,
    tags: {},
    policies: null,
    boundary: null,
    sessionPolicies: null,
  };
}

function grantedUse(question: Question) {
  const { Operations, Constraints } = question.input as {
    Operations?: Grant["operations"];
    Constraints?: Grant["constraints"];
  };
  const child =
    question.action === "CreateGrant"
      ? { operations: Operations ?? [], constraints: Constraints ?? null }
      : null;
  return { encryptionContext: encryptionContext(question), child };
}
