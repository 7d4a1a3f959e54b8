// What imported key material does to a key set: it comes per Region, expires, and is deleted, and a
// key without all of its material waits for it.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html

import {
  hasAllMaterial,
  type ImportedMaterial,
  isPrimary,
  type Key,
  type KeySet,
  keysOf,
  replicasOf,
  withKeys,
} from "./key-set.ts";

/** The key with a material added or imported anew. */
export const withImported = (key: Key, id: string, material: ImportedMaterial): Key => ({
  ...key,
  imported: { ...key.imported, [id]: material },
});

function withoutImported(key: Key, id: string): Key {
  const { [id]: _deleted, ...imported } = key.imported;
  return { ...key, imported };
}

/**
 * The set after a key lost a material, by deletion or expiry. Material that waits for its rotation
 * goes from every Region when the primary loses it; of a replica's loss the others know nothing.
 */
export function withoutMaterial(set: KeySet, key: Key, id: string): KeySet {
  const lost = withKeys(set, withoutImported(key, id));
  if (set.pendingMaterial?.id !== id || !isPrimary(set, key)) return settled(lost);
  const replicas = replicasOf(lost).map((replica) => withoutImported(replica, id));
  return settled(withKeys({ ...lost, pendingMaterial: null }, ...replicas));
}

/** Every key in the state that its material calls for. */
export function settled(set: KeySet): KeySet {
  if (set.origin !== "EXTERNAL") return set;
  const changed = keysOf(set)
    .map((key): Key => ({ ...key, state: settledState(set, key) }))
    .filter((key) => key.state !== set.keys[key.region]?.state);
  return changed.length === 0 ? set : withKeys(set, ...changed);
}

/** A disabled key that loses material is PendingImport, too; one that has it stays disabled. */
function settledState(set: KeySet, key: Key) {
  const { state } = key;
  if (state !== "Enabled" && state !== "Disabled" && state !== "PendingImport") return state;
  if (!hasAllMaterial(set, key)) return "PendingImport";
  return state === "PendingImport" ? "Enabled" : state;
}

/** Whether every Region's key has the material that waits for its rotation. */
export const isPendingEverywhere = (set: KeySet) =>
  set.pendingMaterial !== null &&
  keysOf(set).every((key) => key.imported[set.pendingMaterial?.id ?? ""] !== undefined);
