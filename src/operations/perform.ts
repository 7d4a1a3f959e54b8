// The one path every key operation takes, so that the order of refusals is decided once, here:
// look-up, permission, combinations of parameters, designation, key state, the operation's own
// rules, dry run. https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html

import { keyArn } from "../domain/arn.ts";
import { arnOf, isPrimary, type KeySet, keyIn } from "../domain/key-set.ts";
import { type KeyOperationName, requireState } from "../domain/key-state.ts";
import type { Moment, NewKeyPair } from "../domain/moment.ts";
import { advance } from "../domain/schedule.ts";
import { KmsError, keyNotFound, notAllowedByResource } from "../errors.ts";
import { dryRunSucceeded } from "./encryption.ts";
import { keyOperations } from "./index.ts";
import type { Caller, Create, KeyRecord, Output, Target } from "./operation.ts";
import {
  accessDenied,
  callerArn,
  decisionOnKey,
  type Fetched,
  requireMayCreate,
} from "./permission.ts";
import { requestedKey } from "./question.ts";

/** One request to a key set, as the edge sends it. */
export interface Call {
  readonly operation: string;
  readonly input: object;
  readonly caller: Caller;
  /** The account and ID of the key that is asked for. */
  readonly accountId: string;
  readonly keyId: string;
  /** What `prepare` made of it. */
  readonly prepared?: unknown;
  /** What policies ask about beside the request; left out where none does. */
  readonly fetched?: Fetched;
}

/** What a call did: the set as it is now, to be saved where it is another one, and the answer. */
export interface Step {
  readonly set: KeySet | null;
  readonly output: Output | Promise<Output>;
}

/** Of which kind a key operation is, or undefined where there is none of that name. */
export const keyOperationKind = (operation: string) => keyOperations[operation]?.kind;

/**
 * The set as a call finds it, advanced to the moment. Save it if it changed, whatever the call
 * comes to: what time did is not undone by a refusal.
 */
export const atMoment = (loaded: KeySet | null, at: Moment): KeySet | null =>
  loaded && advance(loaded, at);

/** Performs an operation on a set that is at the moment. Throws the KmsError AWS would answer. */
export function perform(set: KeySet | null, call: Call, at: Moment): Step {
  const record = keyOperations[call.operation];
  if (!record) throw new Error(`no key operation ${call.operation}`);
  if (record.kind === "create") return started(record, call, at);
  const target = found(set, record, call);
  requirePermission(target, record, call, at);
  record.check?.(call.input);
  requireDesignation(record, target);
  record.precondition?.(target, call.input);
  requireState(record.state ?? (call.operation as KeyOperationName), target.key.state, target.arn);
  if (record.kind === "use") {
    const output = record.use(target, call.input, at);
    return { set, output: isDryRun(call) ? outcomeOfDryRun(output) : output };
  }
  const changed = record.change(target, call.input, at, call.caller);
  return { set: advance(changed.set, at, at.now), output: changed.output };
}

function started(record: Create<unknown>, call: Call, at: Moment): Step {
  const { caller, input } = call;
  requireMayCreate({ caller, input, now: at.now }, requestedKey(input, caller), caller.region);
  return record.create(call.keyId, call.input, call.prepared, call.caller, at);
}

/** What an operation needs to have made before it meets the set; null for most. */
export async function prepare(call: Call, newKeyPair: NewKeyPair): Promise<unknown> {
  const record = keyOperations[call.operation];
  return record?.kind === "create" ? record.prepare(call.input, call.caller, newKeyPair) : null;
}

function found(set: KeySet | null, record: KeyRecord, call: Call): Target {
  const { region } = call.caller;
  const key = set && keyIn(set, region);
  if (set && key) return { set, key, arn: arnOf(set, key) };
  throw outOfReach(record, call, keyArn(region, call.accountId, call.keyId));
}

/** Throws AccessDeniedException unless policies or a grant allow it, on each key it takes. */
function requirePermission(target: Target, record: KeyRecord, call: Call, at: Moment): void {
  requireOnKey(target, record, call, at);
  const related = record.related?.(target, call.input);
  if (related) requireOnKey(related, record, call, at);
}

function requireOnKey(target: Target, record: KeyRecord, call: Call, at: Moment): void {
  const { caller, input, operation, fetched } = call;
  const permission = { action: record.action ?? operation, caller, input, now: at.now };
  const decision = decisionOnKey(permission, target, fetched);
  if (!decision || decision.allowed) return;
  const missing = record.kind === "use" ? record.missing?.(input) : null;
  if (missing && decision.of === "resource") throw missing;
  // Seen in public issues: without a KeyId the key of a ciphertext is not named.
  const on = missing
    ? "on the resource associated with this ciphertext"
    : `on resource: ${target.arn}`;
  throw accessDenied(permission, decision, on);
}

/** No such key, or not for this caller: of other accounts' keys AWS does not tell which exist. */
function outOfReach(record: KeyRecord, call: Call, arn: string): KmsError {
  const missing = record.kind === "use" ? record.missing?.(call.input) : null;
  if (missing) return missing;
  return call.accountId === call.caller.accountId
    ? keyNotFound(arn)
    : notAllowed(record, call, arn);
}

function notAllowed(record: KeyRecord, { caller, operation }: Call, arn: string): KmsError {
  return notAllowedByResource(callerArn(caller), record.action ?? operation, arn);
}

/** Recorded on AWS for ReplicateKey, before the key state is looked at. */
function requireDesignation(record: KeyRecord, { set, key, arn }: Target): void {
  if (!record.designation || (record.designation === "primary" && !set.multiRegion)) return;
  if (set.multiRegion && isPrimary(set, key)) return;
  throw new KmsError("UnsupportedOperationException", `${arn} is not a multi-region primary key.`);
}

const isDryRun = ({ input }: Call) => (input as { DryRun?: boolean }).DryRun === true;

async function outcomeOfDryRun(output: Output | Promise<Output>): Promise<never> {
  await output;
  throw dryRunSucceeded();
}
