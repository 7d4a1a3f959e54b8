// Why a request would be allowed or refused: the questions that `perform` asks, answered by the same
// functions, with all that was looked at. Performs nothing.

import { assert } from "../assert.ts";
import { keyArn } from "../domain/arn.ts";
import { grantById } from "../domain/grant.ts";
import type { KeySet } from "../domain/key-set.ts";
import type { LastUsages } from "../domain/last-usage.ts";
import type { Moment } from "../domain/moment.ts";
import type { AuthorizationRequest } from "../domain/policy/authorize.ts";
import type { Decision, Reason } from "../domain/policy/decision.ts";
import { type Trace, traceOf } from "../domain/policy/trace.ts";
import { type KmsError, keyNotFound, validation } from "../errors.ts";
import { retirementDecision } from "./grants.ts";
import { keyOperations } from "./index.ts";
import { identityPolicy } from "./known-policies.ts";
import { firstUse } from "./managed-keys.ts";
import type { Caller, KeyRecord, Target } from "./operation.ts";
import { type Call, found, isKeptFromAll, nobodys, permissionOf, targetsOf } from "./perform.ts";
import {
  type AccountPermission,
  accessDenied,
  decisionByAccount,
  decisionOnKey,
  deniedOnKey,
  evaluationByAccount,
  evaluationOnKey,
  onResource,
  type Permission,
  permissionsToCreate,
  requestByAccount,
  requestOnKey,
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
  if (isKeptFromAll(target, record, call)) return [explained(permission, target, nobodys)];
  if (record.ownPermission)
    // No key policy has a say.
    return [explained(permission, target, retirementOf(permission, target), null)];
  const onKeys = targetsOf(target, record, call).map((each) =>
    explained(permission, each, decisionOnKey(permission, each) ?? certain(permission, each)),
  );
  const region = record.kind === "change" ? (record.makesKeyIn?.(call.input) ?? null) : null;
  if (region === null) return onKeys;
  const toCreate = permissionsToCreate(permission, replicaFacts(target), region);
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

function retirementOf(permission: Permission, target: Target): Decision {
  const { GrantId } = permission.input as { readonly GrantId?: string };
  const grant = GrantId === undefined ? null : grantById(target.key.grants, GrantId);
  if (!grant) throw validation("Say which grant of the key, by its GrantId.");
  return retirementDecision(grant, target, permission);
}

function explained(
  permission: Permission,
  target: Target,
  decision: Decision,
  key?: null,
): Explanation {
  const request = requestOnKey(permission, target);
  const documents = { ...documentsOf(permission.caller), resource: [target.key.policy] };
  const asked = key === null ? { ...request, key } : request;
  const refusal = decision.allowed ? null : deniedOnKey(permission, decision, target);
  return explanation(permission, asked, decision, documents, refusal);
}

/** What a permission takes that IAM policies alone decide. */
export function explainByAccount(permission: AccountPermission): Explanation {
  const isEvaluated = permission.caller.request !== undefined;
  const decision: Decision =
    decisionByAccount(permission) ??
    (isEvaluated ? evaluationByAccount(permission) : { allowed: true, by: [] });
  const request = requestByAccount(permission);
  const documents = documentsOf(permission.caller);
  const refusal = decision.allowed
    ? null
    : accessDenied(permission, decision, onResource(permission));
  return explanation(permission, request, decision, documents, refusal);
}

/** All that CreateKey takes, or any other operation without a key. */
export function explainWithoutKey(permission: AccountPermission): readonly Explanation[] {
  const { action, input, caller } = permission;
  if (action !== "CreateKey") return [explainByAccount(permission)];
  const key = requestedKey(input, caller);
  return permissionsToCreate(permission, key, caller.region).map(explainByAccount);
}

type Documents = Readonly<Partial<Record<string, readonly string[]>>>;

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
  refusal: KmsError | null,
): Explanation {
  const reasons = decision.allowed ? decision.by : decision.by ? [decision.by] : [];
  const isEvaluated = permission.caller.request !== undefined;
  return {
    action: `kms:${permission.action}`,
    resource: request.resource,
    allowed: decision.allowed,
    message: refusal?.text ?? null,
    by: reasons.map((reason) => shown(reason, documents)),
    considered: isEvaluated ? traceOf(request, identityPolicy) : { policies: [], grants: [] },
  };
}

function shown(reason: Reason, documents: Documents): ShownReason {
  if (reason.kind !== "statement") return reason;
  const text = documents[reason.of]?.[reason.policy];
  if (text === undefined) return reason;
  const { Statement } = JSON.parse(text) as { readonly Statement: unknown };
  return { ...reason, document: [Statement].flat()[reason.statement] };
}
