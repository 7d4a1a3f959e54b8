// Why a request would be allowed or refused: the questions that `perform` asks, answered by the same
// functions, with all that was looked at. Performs nothing.

import { assert } from "../assert.ts";
import { keyArn } from "../domain/arn.ts";
import { type Grant, grantById } from "../domain/grant.ts";
import type { KeySet } from "../domain/key-set.ts";
import type { LastUsages } from "../domain/last-usage.ts";
import type { Moment } from "../domain/moment.ts";
import type { AuthorizationRequest } from "../domain/policy/authorize.ts";
import type { Decision, Denied, PolicyRole, Reason } from "../domain/policy/decision.ts";
import { type Trace, traceOf } from "../domain/policy/trace.ts";
import type { AttachedPolicy } from "../domain/principal.ts";
import { type KmsError, keyNotFound, validation } from "../errors.ts";
import { retirementDecision } from "./grants.ts";
import { keyOperations } from "./index.ts";
import { identityPolicy } from "./known-policies.ts";
import { firstUse } from "./managed-keys.ts";
import type { Caller, KeyRecord, Target } from "./operation.ts";
import {
  type Call,
  found,
  isKeptFromAll,
  nobodys,
  permissionOf,
  refusalOnKey,
  targetsOf,
} from "./perform.ts";
import {
  type AccountPermission,
  accessDenied,
  decisionByAccount,
  decisionOnKey,
  evaluationByAccount,
  evaluationOnKey,
  onResource,
  type Permission,
  permissionsToCreate,
  requestByAccount,
  requestOnKey,
  requestOnRetirement,
} from "./permission.ts";
import { replicaFacts, requestedKey } from "./question.ts";

/** One permission that a request takes: what decided, and what was looked at. */
export interface Explanation {
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  /** What AWS says; null where it is allowed. */
  readonly message: string | null;
  /** What let the caller through, or the Deny; empty where nothing allows. */
  readonly by: readonly ShownReason[];
  readonly considered: Trace;
}

/** A reason; that of a statement with its text. */
export type ShownReason = Reason & { readonly document?: unknown };

/** The step that takes a permission on a key; null for what is asked of no key. */
export function stepOnKey(action: string): string | null {
  if (keyRecord(action)) return action;
  return Object.keys(keyOperations).find((step) => keyRecord(step)?.action === action) ?? null;
}

function keyRecord(step: string): KeyRecord | null {
  const record = keyOperations[step];
  return record && record.kind !== "create" ? record : null;
}

/** All that a call takes of its key's set, as it is at the moment. Throws where there is no key. */
export function explainOnKey(
  before: KeySet | null,
  call: Call,
  at: Moment,
  usages: LastUsages,
): readonly Explanation[] {
  const record = keyRecord(call.operation);
  assert(record, `${call.operation} is an operation on a key`);
  const target = foundFor(before ?? firstUse(call, at), record, call, usages);
  const permission = permissionOf(record, call, at);
  const explained = (
    each: Target,
    decision: Decision,
    request = requestOnKey(permission, each),
  ): Explanation => {
    const documents = {
      ...documentsOf(call.caller),
      resource: [{ arn: null, text: each.key.policy }],
    };
    const told = (denied: Denied) => refusalOnKey(each, record, call, permission, denied);
    return explanation(permission, request, decision, documents, told);
  };
  if (isKeptFromAll(target, record, call)) return [explained(target, nobodys)];
  if (record.ownPermission) {
    const grant = grantToRetire(permission, target);
    const decision = retirementDecision(grant, target, permission);
    return [explained(target, decision, requestOnRetirement(permission, target, grant))];
  }
  const onKeys = targetsOf(target, record, call).map((each) =>
    explained(each, decisionOnKey(permission, each) ?? certain(permission, each)),
  );
  const region = record.kind === "change" ? (record.makesKeyIn?.(call.input) ?? null) : null;
  if (region === null) return onKeys;
  const { keyId } = target.set;
  const toCreate = permissionsToCreate(permission, replicaFacts(target), region, keyId);
  return [...onKeys, ...toCreate.map(explainByAccount)];
}

/** The owner of everything is told that a key is not there, as nobody else is. */
function foundFor(set: KeySet | null, record: KeyRecord, call: Call, usages: LastUsages): Target {
  return found(set, { ...record, missing: () => absent(call) }, call, usages);
}

const absent = ({ accountId, keyId, caller: { region } }: Call): KmsError =>
  keyNotFound(keyArn(region, accountId, keyId));

/** What is certain beforehand, with what makes it so; where no policy counts, by nothing. */
const certain = (permission: Permission, target: Target): Decision =>
  permission.caller.request ? evaluationOnKey(permission, target) : { allowed: true, by: [] };

function grantToRetire(permission: Permission, target: Target): Grant {
  const { GrantId } = permission.input as { readonly GrantId?: string };
  const grant = GrantId === undefined ? null : grantById(target.key.grants, GrantId);
  if (!grant) throw validation("Say which grant of the key, by its GrantId.");
  return grant;
}

/** What a permission takes that IAM policies alone decide. */
export function explainByAccount(permission: AccountPermission): Explanation {
  const isEvaluated = permission.caller.request !== undefined;
  const decision: Decision =
    decisionByAccount(permission) ??
    (isEvaluated ? evaluationByAccount(permission) : { allowed: true, by: [] });
  const request = requestByAccount(permission);
  const documents = documentsOf(permission.caller);
  const told = (denied: Denied) => accessDenied(permission, denied, onResource(permission));
  return explanation(permission, request, decision, documents, told);
}

/** All that CreateKey takes, or any other operation without a key. */
export function explainWithoutKey(permission: AccountPermission): readonly Explanation[] {
  const { action, input, caller } = permission;
  if (action !== "CreateKey") return [explainByAccount(permission)];
  const key = requestedKey(input, caller);
  return permissionsToCreate(permission, key, caller.region).map(explainByAccount);
}

type Documents = Readonly<Partial<Record<PolicyRole, readonly AttachedPolicy[]>>>;

function documentsOf({ principal }: Caller): Documents {
  const { policies, boundary, sessionPolicies } = principal ?? {};
  return {
    identity: policies ?? [],
    boundary: boundary ? [boundary] : [],
    session: sessionPolicies ?? [],
  };
}

function explanation(
  permission: Permission,
  request: AuthorizationRequest,
  decision: Decision,
  documents: Documents,
  told: (denied: Denied) => KmsError,
): Explanation {
  const reasons = decision.allowed ? decision.by : decision.by ? [decision.by] : [];
  const isEvaluated = permission.caller.request !== undefined;
  return {
    action: `kms:${permission.action}`,
    resource: request.resource,
    allowed: decision.allowed,
    message: decision.allowed ? null : told(decision).text,
    by: reasons.map((reason) => shown(reason, documents)),
    considered: isEvaluated ? traceOf(request, identityPolicy) : { policies: [], grants: [] },
  };
}

function shown(reason: Reason, documents: Documents): ShownReason {
  if (reason.kind !== "statement") return reason;
  const document = documents[reason.of]?.[reason.policy];
  if (document === undefined) return reason;
  const { Statement } = JSON.parse(document.text) as { readonly Statement: unknown };
  return { ...reason, document: [Statement].flat()[reason.statement] };
}
