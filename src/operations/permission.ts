// May the caller? Where every operation asks, and how AWS refuses.
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html

import { keyArn, rootArn } from "../domain/arn.ts";
import type { Grant } from "../domain/grant.ts";
import {
  type AuthorizationRequest,
  authorize,
  authorizeRetirement,
} from "../domain/policy/authorize.ts";
import { type Decision, type Denied, grounds } from "../domain/policy/decision.ts";
import type { Editor } from "../domain/policy/lockout.ts";
import { type Principal, type RequestContext, rootPrincipal } from "../domain/principal.ts";
import type { Region } from "../domain/region.ts";
import { keyOutOfReach, notAuthorized } from "../errors.ts";
import { contextOf, encryptionContext } from "./condition-keys.ts";
import { identityPolicy, keyPolicy } from "./known-policies.ts";
import type { Caller, Target } from "./operation.ts";
import {
  factsOf,
  type KeyFacts,
  type Question,
  type RecipientAttestation,
  type SupposedValues,
} from "./question.ts";

/** A request for one permission, as the operation sees it. */
export interface Permission {
  /** Without its `kms:`. */
  readonly action: string;
  readonly caller: Caller;
  readonly input: object;
  readonly now: number;
  readonly fetched?: Fetched | undefined;
}

/** A permission that IAM policies alone decide. */
export interface AccountPermission extends Permission {
  /** An ARN, or `*` where the action has no resource. */
  readonly resource: string;
  /** Where it is needed, if that is not the called Region. */
  readonly region?: Region;
  /** The key that is to be made. */
  readonly key?: KeyFacts;
}

/** What conditions may ask about beside the request, where somebody has fetched it. */
export interface Fetched {
  /** The names of the key's aliases in each Region. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly attestation?: RecipientAttestation;
  /** Only where nobody is served but somebody asks what would be. */
  readonly supposed?: SupposedValues;
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
export function decisionOnKey(permission: Permission, target: Target): Decision | null {
  const { caller } = permission;
  const { set, key } = target;
  const own = caller.accountId === set.accountId;
  if (!caller.request) return own ? null : { allowed: false, of: "resource", by: null };
  const policy = keyPolicy(key.policy, key.region);
  if (own && isUnlimited(caller) && policy.leavesAllTo.has(set.accountId)) return null;
  if (!policy.denies && isUnnamedOwner(caller, target)) return null;
  return evaluationOnKey(permission, target);
}

/** The same decision, always with what it is made by. */
export function evaluationOnKey(permission: Permission, target: Target): Decision {
  const { caller } = permission;
  const decision = authorize(requestOnKey(permission, target), identityPolicy);
  if (decision.allowed || decision.by || !isUnnamedOwner(caller, target)) return decision;
  return { allowed: true, by: [{ kind: "account", accountId: target.set.accountId }] };
}

/** What policies and grants are asked about a key. */
export function requestOnKey(permission: Permission, target: Target): AuthorizationRequest {
  const { set, key, arn } = target;
  const { aliases } = permission.fetched ?? {};
  const question = questionOf(permission, key.region, factsOf(target, aliases?.[key.region]));
  return {
    ...question,
    resource: arn,
    key: {
      accountId: set.accountId,
      policy: keyPolicy(key.policy, key.region),
      grants: key.grants,
      use: grantedUse(question),
    },
    context: contextOf(question),
  };
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
export function decisionByAccount(permission: AccountPermission): Decision | null {
  const { caller } = permission;
  if (!caller.request || isUnlimited(caller)) return null;
  return evaluationByAccount(permission);
}

/** The same decision, always with what it is made by. */
export const evaluationByAccount = (permission: AccountPermission): Decision =>
  authorize(requestByAccount(permission), identityPolicy);

/** What IAM policies are asked. */
export function requestByAccount(permission: AccountPermission): AuthorizationRequest {
  const { resource, caller, region = caller.region, key = null } = permission;
  const question = questionOf(permission, region, key);
  return { ...question, resource, key: null, context: contextOf(question) };
}

/** Throws AccessDeniedException unless the caller's IAM policies allow it. */
export function requireByAccount(permission: AccountPermission): void {
  const decision = decisionByAccount(permission);
  if (decision && !decision.allowed) {
    throw accessDenied(permission, decision, onResource(permission));
  }
}

/** What AWS's refusal says of the resource. Seen in public issues: of TagResource on a new key nothing. */
export const onResource = ({ action, resource }: AccountPermission) =>
  action === "TagResource" ? null : `on resource: ${resource}`;

/**
 * What making a key takes: CreateKey, and TagResource with tags. Both are IAM's alone, in the
 * Region where the key is to be.
 */
export function permissionsToCreate(
  asked: Omit<Permission, "action">,
  key: KeyFacts,
  region: Region,
): AccountPermission[] {
  const { Tags = [] } = asked.input as { Tags?: readonly unknown[] };
  const creating = { ...asked, action: "CreateKey", resource: "*", key, region };
  if (Tags.length === 0) return [creating];
  const resource = keyArn(region, asked.caller.accountId, "*");
  return [creating, { ...asked, action: "TagResource", resource, key, region }];
}

/** Throws AccessDeniedException unless the caller may make the key. */
export function requireMayCreate(
  asked: Omit<Permission, "action">,
  key: KeyFacts,
  region: Region,
): void {
  for (const permission of permissionsToCreate(asked, key, region)) requireByAccount(permission);
}

/** AWS's refusal; `on` is what it says of the resource. */
export function accessDenied(
  { action, caller }: Pick<Permission, "action" | "caller">,
  decision: Denied,
  on: string | null,
) {
  return notAuthorized(callerArn(caller), `kms:${action}`, on, grounds(decision, `kms:${action}`));
}

/** AWS's refusal on a key. Of another account's it does not tell whether it is there. */
export function deniedOnKey(
  permission: Pick<Permission, "action" | "caller">,
  decision: Denied,
  { set, arn }: Pick<Target, "set" | "arn">,
) {
  const { action, caller } = permission;
  if (decision.of === "resource" && set.accountId !== caller.accountId) {
    return keyOutOfReach(callerArn(caller), action, "named");
  }
  return accessDenied(permission, decision, `on resource: ${arn}`);
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
  { action, caller, input, now, fetched }: Permission,
  region: Region,
  key: KeyFacts | null,
): Question {
  return {
    action,
    region,
    caller: caller.principal ?? rootPrincipal(caller.region, caller.accountId),
    request: caller.request ?? unknownRequest,
    now,
    input: input as Question["input"],
    key,
    attestation: fetched?.attestation,
    supposed: fetched?.supposed,
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
