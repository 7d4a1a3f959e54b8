// A key set: a primary key and its replicas, or a single-Region key as a set of one. Plain,
// immutable data and the questions one asks of it. Knows no storage, no clock, no wire format.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html

import { assert } from "../assert.ts";
import { keyArn } from "./arn.ts";
import type { KeySpec, KeyUsage } from "./key-spec.ts";
import type { KeyState } from "./key-state.ts";
import type { Region } from "./region.ts";

export type RotationType = "AUTOMATIC" | "ON_DEMAND";

/** One generation of key material; every Region of the set has the same. */
export interface KeyMaterial {
  /** 64 lower-case hex digits, the same in every Region. */
  readonly id: string;
  /** The key bytes in base64. */
  readonly bytes: string;
  /** How and when it became current; null for the first material. */
  readonly rotation: { readonly type: RotationType; readonly completedAt: number } | null;
}

/** A rotation under way: made in the primary, spreading to the replicas, used by nobody yet. */
export interface RotationInProgress {
  readonly type: RotationType;
  readonly material: Pick<KeyMaterial, "id" | "bytes">;
  readonly startedAt: number;
  /** It ends no earlier than this, and no earlier than the last `Creating` replica is ready. */
  readonly endsAt: number;
}

/** The rotation settings of the primary, which every replica shows. Instants are ms since epoch. */
export interface RotationSettings {
  readonly periodDays: number;
  readonly nextAt: number;
}

/** An UpdatePrimaryRegion that was accepted and is not complete yet. */
export interface PrimaryUpdate {
  readonly from: Region;
  readonly to: Region;
  readonly endsAt: number;
}

export interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

/** One Region's member: everything that related keys do not share. Instants are ms since epoch. */
export interface Key {
  readonly region: Region;
  readonly state: KeyState;
  readonly createdAt: number;
  /** When its material has arrived; a replica is `Creating` until then. */
  readonly readyAt: number;
  /** Set only in PendingDeletion. */
  readonly deletionAt: number | null;
  /** The waiting period asked for; set in PendingDeletion and PendingReplicaDeletion. */
  readonly waitingPeriodDays: number | null;
  readonly description: string;
  readonly policy: string;
  readonly tags: readonly Tag[];
}

/** The shared properties once, and one member per Region. */
export interface KeySet {
  readonly accountId: string;
  readonly keyId: string;
  readonly multiRegion: boolean;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: "AWS_KMS";
  /** The designation; it moves when UpdatePrimaryRegion is accepted. */
  readonly primaryRegion: Region;
  readonly update: PrimaryUpdate | null;
  /** Oldest first; the last one is current. */
  readonly materials: readonly KeyMaterial[];
  readonly rotation: RotationSettings | null;
  readonly rotationInProgress: RotationInProgress | null;
  readonly keys: { readonly [region: string]: Key };
  /** Counts the changes that directories have to learn of. */
  readonly version: number;
}

/** The member of a Region, or null where the set has none. */
export const keyIn = (set: KeySet, region: string): Key | null =>
  Object.hasOwn(set.keys, region) ? (set.keys[region] ?? null) : null;

export const keysOf = (set: KeySet): readonly Key[] => Object.values(set.keys);

/** The key designated primary; it exists as long as the set does. */
export function primaryOf(set: KeySet): Key {
  const primary = keyIn(set, set.primaryRegion);
  assert(primary, "a key set has a primary key");
  return primary;
}

/** All members but the primary. */
export const replicasOf = (set: KeySet): readonly Key[] =>
  keysOf(set).filter((key) => key.region !== set.primaryRegion);

export const isPrimary = (set: KeySet, key: Key) => key.region === set.primaryRegion;

/** Whether UpdatePrimaryRegion has accepted but not finished a change that involves this key. */
export const isUpdating = (set: KeySet, key: Key) =>
  set.update !== null && (set.update.from === key.region || set.update.to === key.region);

export function currentMaterial(set: KeySet): KeyMaterial {
  const current = set.materials.at(-1);
  assert(current, "a key set has key material");
  return current;
}

export const arnOf = (set: KeySet, key: Key) => keyArn(key.region, set.accountId, set.keyId);

/** The set with some members replaced or added. */
export function withKeys(set: KeySet, ...keys: readonly Key[]): KeySet {
  return { ...set, keys: { ...set.keys, ...Object.fromEntries(keys.map((k) => [k.region, k])) } };
}

/** The set without the member of a Region. */
export function withoutKey(set: KeySet, region: Region): KeySet {
  const { [region]: _gone, ...keys } = set.keys;
  return { ...set, keys };
}

/** What holds of every key set, after each load and before each save. */
export function assertKeySet(set: KeySet): void {
  const keys = keysOf(set);
  assert(keys.length > 0, "a key set has at least one key");
  assert(set.multiRegion || keys.length === 1, "a single-Region key is alone");
  primaryOf(set);
  currentMaterial(set);
  for (const key of keys) {
    const primary = isPrimary(set, key);
    assert((key.state === "PendingDeletion") === (key.deletionAt !== null), "deletion has a date");
    assert(key.state !== "PendingReplicaDeletion" || primary, "only a primary waits for replicas");
    assert((key.state === "Updating") === isUpdating(set, key), "Updating has an update");
    assert(key.state !== "Creating" || !primary, "only a replica is Creating");
  }
}
