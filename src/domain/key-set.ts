// A key set: a primary key and its replicas, or a single-Region key as a set of one. Plain,
// immutable data and the questions one asks of it. Knows no storage, no clock, no wire format.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html

import { assert } from "../assert.ts";
import { keyArn } from "./arn.ts";
import type { Grant } from "./grant.ts";
import type { KeySpec, KeyUsage, Origin } from "./key-spec.ts";
import type { KeyState } from "./key-state.ts";
import type { Region } from "./region.ts";

export type RotationType = "AUTOMATIC" | "ON_DEMAND";

/** Key bytes: raw for symmetric and HMAC keys, PKCS #8 (DER) for key pairs. All in base64. */
export interface MaterialBytes {
  readonly bytes: string;
  /** The public half of a key pair as SubjectPublicKeyInfo (DER). */
  readonly publicKey?: string;
}

/** One generation of key material; every Region of the set has the same. */
export interface KeyMaterial {
  /** 64 lower-case hex digits, the same in every Region. */
  readonly id: string;
  /** The bytes AWS_KMS made; of imported material each key has its own (Key.imported). */
  readonly made: MaterialBytes | null;
  /** What its importer says of it. */
  readonly description: string | null;
  /** How and when it became current; null for the first material. */
  readonly rotation: { readonly type: RotationType; readonly completedAt: number } | null;
}

/** Material that was imported into one Region's key. Deleting it deletes the bytes. */
export interface ImportedMaterial extends MaterialBytes {
  /** When it expires, or null where it does not. Ms since the epoch. */
  readonly validTo: number | null;
}

/** A rotation under way: made in the primary, spreading to the replicas, used by nobody yet. */
export interface RotationInProgress {
  readonly type: RotationType;
  readonly material: Omit<KeyMaterial, "rotation">;
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

/** A successful use of a key, at an instant in ms since the epoch. */
export interface KeyLastUsage {
  readonly operation: string;
  readonly at: number;
  /** Of the request that it answered; null where nobody was answered. */
  readonly requestId: string | null;
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
  /** Of origin EXTERNAL: what was imported here, by the ID of the material. */
  readonly imported: { readonly [materialId: string]: ImportedMaterial };
  /** The last use that was saved; there may have been later ones. See last-usage.ts. */
  readonly lastUsage?: KeyLastUsage | null;
  /** In the order of their IDs. Related keys share none. */
  readonly grants: readonly Grant[];
  /** In a custom key store: the state to come back to from Unavailable. */
  readonly whenAvailable?: "Enabled" | "Disabled";
}

/** Where a key of a custom key store is. */
export interface PlaceInKeyStore {
  readonly id: string;
  /** The cluster of a CloudHSM key store, as the key last saw it. */
  readonly cloudHsmClusterId: string | null;
  /** The external key of a key in an external key store. */
  readonly xksKeyId: string | null;
}

/** The shared properties once, and one member per Region. */
export interface KeySet {
  readonly accountId: string;
  readonly keyId: string;
  readonly multiRegion: boolean;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: Origin;
  /** Of the origins AWS_CLOUDHSM and EXTERNAL_KEY_STORE alone. */
  readonly customKeyStore?: PlaceInKeyStore;
  /** The designation; it moves when UpdatePrimaryRegion is accepted. */
  readonly primaryRegion: Region;
  readonly update: PrimaryUpdate | null;
  /** Oldest first; the last one is current. Empty before the first import. */
  readonly materials: readonly KeyMaterial[];
  /** Imported as new, and waiting for RotateKeyOnDemand. */
  readonly pendingMaterial: Pick<KeyMaterial, "id" | "description"> | null;
  /** What seals its import tokens, in base64; of origin EXTERNAL alone. */
  readonly importSecret?: string;
  readonly rotation: RotationSettings | null;
  readonly rotationInProgress: RotationInProgress | null;
  readonly keys: { readonly [region: string]: Key };
  /** What its grant tokens are authenticated with, in base64; made with the first grant. */
  readonly grantSecret?: string;
  /** Counts the changes that directories have to learn of. */
  readonly version: number;
  /** Of an AWS managed key: the alias it is known by. Left out of a customer managed key. */
  readonly awsAlias?: string;
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

/** The material that encrypts; null before the first import. */
export const currentMaterial = (set: KeySet): KeyMaterial | null => set.materials.at(-1) ?? null;

/** The bytes of a material as one Region's key has them, or null where it lacks them. */
export function bytesIn(set: KeySet, key: Key, materialId: string): MaterialBytes | null {
  if (set.origin === "EXTERNAL") return key.imported[materialId] ?? null;
  return set.materials.find((material) => material.id === materialId)?.made ?? null;
}

/** Whether its keys live in a CloudHSM cluster or an external key manager. */
export const isInCustomKeyStore = ({ origin }: KeySet) =>
  origin === "AWS_CLOUDHSM" || origin === "EXTERNAL_KEY_STORE";

/** Whether a key has every material of its set, without which it cannot be used. */
export const hasAllMaterial = (set: KeySet, key: Key) =>
  set.origin !== "EXTERNAL" ||
  (set.materials.length > 0 && set.materials.every(({ id }) => key.imported[id] !== undefined));

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
  assert(set.origin === "EXTERNAL" || currentMaterial(set), "a key set has key material");
  for (const key of keys) {
    const primary = isPrimary(set, key);
    assert((key.state === "PendingDeletion") === (key.deletionAt !== null), "deletion has a date");
    assert(key.state !== "PendingReplicaDeletion" || primary, "only a primary waits for replicas");
    assert((key.state === "Updating") === isUpdating(set, key), "Updating has an update");
    assert(key.state !== "Creating" || !primary, "only a replica is Creating");
  }
}
