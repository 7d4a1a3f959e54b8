// The one path every key operation takes, so that the order of refusals is decided once, here:
// look-up, permission, grant tokens, combinations of parameters, designation, key usage, key state,
// the operation's own rules, dry run. https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html

import { assert } from "../assert.ts";
import type { Attestation } from "../attestation/parse-attestation.ts";
import { keyArn } from "../domain/arn.ts";
import { arnOf, isPrimary, type KeySet, keyIn } from "../domain/key-set.ts";
import { type KeyOperationName, requireState } from "../domain/key-state.ts";
import { isTracked, LastUsages, type Usage } from "../domain/last-usage.ts";
import { managedKeyAllows } from "../domain/managed-key.ts";
import type { Moment, NewKeyPair } from "../domain/moment.ts";
import type { Denied } from "../domain/policy/decision.ts";
import type { Region } from "../domain/region.ts";
import { advance } from "../domain/schedule.ts";
import { KmsError, keyNotFound, keyOutOfReach } from "../errors.ts";
import { dryRunSucceeded } from "./encryption.ts";
import { requireGrantTokens } from "./grant-tokens.ts";
import { keyOperations } from "./index.ts";
import { inKeyStore, type OpenKeyStore } from "./key-store-of-key.ts";
import { firstUse } from "./managed-keys.ts";
import type { Caller, Create, KeyRecord, Output, Target, Use } from "./operation.ts";
import {
  accessDenied,
  callerArn,
  decisionOnKey,
  deniedOnKey,
  type Fetched,
  type Permission,
  requireMayCreate,
} from "./permission.ts";
import { attestationFacts, requestedKey } from "./question.ts";
import { sealed } from "./recipient.ts";
import { requireUsage } from "./usage.ts";

/** One request to a key set, as the edge sends it. */
export interface Call {
  readonly operation: string;
  readonly input: object;
  readonly caller: Caller;
  /** The ID that the answer bears; left out where nobody is answered. */
  readonly requestId?: string;
  /** The account and ID of the key that is asked for. */
  readonly accountId: string;
  readonly keyId: string;
  /**
   * What the attestation document of its Recipient says, verified: whom to answer, and of what
   * conditions may ask (kms:RecipientAttestation).
   */
  readonly recipient?: Attestation | undefined;
  /** The alias it was named by, if that is of an AWS managed key: the first use makes it. */
  readonly awsAlias?: string;
  /** What `prepare` made of it. */
  readonly prepared?: unknown;
  /** The custom key store that the key is in, or is to be in, as it is now. */
  readonly keyStore?: OpenKeyStore;
  /** What policies ask about beside the request; left out where none does. */
  readonly fetched?: Fetched;
}

/** What a call did: the set as it is now, to be saved where it is another one, and the answer. */
export interface Step {
  readonly set: KeySet | null;
  readonly output: Output | Promise<Output>;
  /** What to note of the key's use once the output is there; null for most. */
  readonly usage: Usage | null;
}

/** Of which kind a key operation is, or undefined where there is none of that name. */
export const keyOperationKind = (operation: string) => keyOperations[operation]?.kind;

/**
 * The set as a call finds it, advanced to the moment. Save it if it changed, whatever the call
 * comes to: what time did is not undone by a refusal.
 */
export const atMoment = (loaded: KeySet | null, at: Moment): KeySet | null =>
  loaded && advance(loaded, at);

/** What has to be loaded for a call, or undefined, as for nearly all. */
export function loading({ operation }: Call): Promise<void> | undefined {
  const record = keyOperations[operation];
  return record?.kind === "change" ? record.loads?.() : undefined;
}

/** Whether a call starts a set, which has to know the clock. */
export const startsSet = (set: KeySet | null, call: Call) =>
  keyOperationKind(call.operation) === "create" || (set === null && call.awsAlias !== undefined);

/** The Region in which a call makes a key that the quota counts, or null. */
export function newKeyRegion({ operation, input, caller }: Call): Region | null {
  const record = keyOperations[operation];
  if (record?.kind === "create") return caller.region;
  return record?.kind === "change" ? (record.makesKeyIn?.(input) ?? null) : null;
}

/** Performs an operation on a set that is at the moment. Throws the KmsError AWS would answer. */
export function perform(
  before: KeySet | null,
  call: Call,
  at: Moment,
  usages: LastUsages = new LastUsages(),
): Step {
  const record = keyOperations[call.operation];
  if (!record) throw new Error(`no key operation ${call.operation}`);
  if (record.kind === "create") {
    // Two UUIDs that are alike: never seen, and it would take somebody's key away.
    assert(before === null, `no key set has the ID ${call.keyId} of a new one`);
    return started(record, call, at);
  }
  const set = before ?? firstUse(call, at);
  const seen = set && call.keyStore ? inKeyStore(set, call.keyStore) : set;
  const target = found(seen, record, call, usages);
  requirePermission(target, record, call, at);
  requireGrantTokens(target, call.input);
  record.check?.(call.input);
  requireDesignation(record, target);
  record.precondition?.(target, call.input);
  if (record.keyUsage) requireUsage(target, record.keyUsage, call.operation);
  requireState(record.state ?? (call.operation as KeyOperationName), target.key.state, target.arn);
  if (record.kind === "use") {
    const output = answerOf(record, record.use(target, call.input, at), call, at);
    const usage = usageOf(record, call, at);
    if (isDryRun(call)) return { set: before, output: outcomeOfDryRun(output), usage };
    return { set, output, usage };
  }
  const changed = record.change(target, call.input, at, call.caller);
  if (isDryRun(call)) throw dryRunSucceeded();
  return { set: advance(changed.set, at, at.now), output: changed.output, usage: null };
}

/** Throws AccessDeniedException unless the caller may make the key that the call asks for. */
export function requireMayStart({ caller, input }: Call, at: Moment): void {
  requireMayCreate({ caller, input, now: at.now }, requestedKey(input, caller), caller.region);
}

function started(record: Create<unknown>, call: Call, at: Moment): Step {
  const { keyId, input, prepared, caller, keyStore = null } = call;
  requireMayStart(call, at);
  const created = record.create(keyId, input, prepared, caller, at, keyStore);
  return { ...created, usage: null };
}

/**
 * Throws what a new key would be refused for, so that nothing is made for one that is refused:
 * `create` is pure, so it can be tried and its result forgotten.
 */
export function rehearse(call: Call, at: Moment): void {
  const record = keyOperations[call.operation];
  if (record?.kind === "create") started(record, { ...call, prepared: null }, at);
}

/** What an operation needs to have made before it meets the set; null for most. */
export async function prepare(call: Call, newKeyPair: NewKeyPair): Promise<unknown> {
  const record = keyOperations[call.operation];
  return record?.kind === "create" ? record.prepare(call.input, call.caller, newKeyPair) : null;
}

/** The key that a call is for. Throws what AWS answers where there is none. */
export function found(
  set: KeySet | null,
  record: KeyRecord,
  call: Call,
  usages: LastUsages,
): Target {
  const { region } = call.caller;
  const key = set && keyIn(set, region);
  if (set && key) {
    const { keyStore } = call;
    const lastUsage = usages.of(key);
    return { set, key, arn: arnOf(set, key), lastUsage, ...(keyStore && { keyStore }) };
  }
  throw outOfReach(record, call, keyArn(region, call.accountId, call.keyId));
}

/** Throws AccessDeniedException unless policies or a grant allow it, on each key it takes. */
function requirePermission(target: Target, record: KeyRecord, call: Call, at: Moment): void {
  const permission = permissionOf(record, call, at);
  if (isKeptFromAll(target, record, call)) throw deniedOnKey(permission, nobodys, target);
  if (record.ownPermission) return;
  for (const each of targetsOf(target, record, call)) requireOnKey(each, record, call, permission);
}

/** A resource-based policy that allows it to none. */
export const nobodys: Denied = { allowed: false, of: "resource", by: null };

/** Whether AWS keeps it to itself: it is a managed key's. */
export function isKeptFromAll({ set }: Target, record: KeyRecord, { operation }: Call): boolean {
  const { awsAlias } = set;
  return awsAlias !== undefined && !managedKeyAllows(awsAlias, record.action ?? operation);
}

/** The permission that a call takes. */
export function permissionOf(record: KeyRecord, call: Call, { now }: Moment): Permission {
  const { caller, input } = call;
  return { action: actionOf(record, call), caller, input, now, fetched: asked(call) };
}

/** The keys on which it takes that. */
export function targetsOf(target: Target, record: KeyRecord, { input }: Call): readonly Target[] {
  const related = record.related?.(target, input);
  return related ? [target, related] : [target];
}

function requireOnKey(target: Target, record: KeyRecord, call: Call, permission: Permission): void {
  const { input } = call;
  const decision = decisionOnKey(permission, target);
  if (!decision || decision.allowed) return;
  const missing = record.missing?.(input, call.caller);
  if (!missing) throw deniedOnKey(permission, decision, target);
  if (decision.of === "resource") throw missing;
  // Seen in public issues: without a KeyId the key of a ciphertext is not named.
  throw accessDenied(permission, decision, "on the resource associated with this ciphertext");
}

/** No such key, or not for this caller: of other accounts' keys AWS does not tell which exist. */
function outOfReach(record: KeyRecord, call: Call, arn: string): KmsError {
  const { caller, accountId, input } = call;
  const missing = record.missing?.(input, caller);
  if (missing) return missing;
  if (accountId === caller.accountId) return keyNotFound(arn);
  return keyOutOfReach(callerArn(caller), actionOf(record, call), "named");
}

const actionOf = (record: KeyRecord, { operation }: Call) => record.action ?? operation;

/** Recorded on AWS for ReplicateKey, before the key state is looked at. */
function requireDesignation(record: KeyRecord, { set, key, arn }: Target): void {
  if (!record.designation || (record.designation === "primary" && !set.multiRegion)) return;
  if (set.multiRegion && isPrimary(set, key)) return;
  throw new KmsError("UnsupportedOperationException", `${arn} is not a multi-region primary key.`);
}

/** Whether a call only uses a key, and whether that counts as a use of it. */
export function useOf({ operation }: Call): { readonly counts: boolean } | null {
  const record = keyOperations[operation];
  return record?.kind === "use" ? { counts: isTracked(countedAs(record, operation)) } : null;
}

/** A step counts as the operation that it is a part of. */
const countedAs = (record: Use<unknown>, operation: string) => record.state ?? operation;

function usageOf(record: Use<unknown>, call: Call, { now }: Moment): Usage | null {
  const requestId = call.requestId ?? null;
  if (record.undoesUsage) return { kind: "undone", requestId };
  const operation = countedAs(record, call.operation);
  return isTracked(operation) ? { kind: "used", usage: { operation, at: now, requestId } } : null;
}

/** The answer as whoever is to get it can read it. */
function answerOf(
  { forRecipient }: Use<unknown>,
  answer: Output | Promise<Output>,
  { recipient }: Call,
  at: Moment,
): Output | Promise<Output> {
  if (!recipient || forRecipient === undefined) return answer;
  return sealedAnswer(answer, forRecipient, recipient, at);
}

async function sealedAnswer(
  answer: Output | Promise<Output>,
  secret: string,
  recipient: Attestation,
  at: Moment,
): Promise<Output> {
  return sealed((await answer) ?? {}, secret, recipient, at.random);
}

/** What policies may ask about beside the request. */
function asked({ fetched, recipient }: Call): Fetched {
  return recipient ? { ...fetched, attestation: attestationFacts(recipient) } : (fetched ?? {});
}

const isDryRun = ({ input }: Call) => (input as { DryRun?: boolean }).DryRun === true;

async function outcomeOfDryRun(output: Output | Promise<Output>): Promise<never> {
  await output;
  throw dryRunSucceeded();
}
