// What imported key material does to a key set: it comes per Region, expires, and is deleted, and a
// key without all of its material waits for it.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html

import {
  hasAllMaterial,
  type ImportedMaterial,
  isPrimary,
  type Key,
  type KeyMaterial,
  type KeySet,
  keysOf,
  withKeys,
} from "./key-set.ts";

/** A material as a set knows it, whether it has the bytes or not. */
type NamedMaterial = Pick<KeyMaterial, "id" | "description">;

/** What comes with an import, to one Region's key. */
export interface Import {
  readonly id: string;
  /** Null where the importer does not say; then what was said of it before stays. */
  readonly description: string | null;
  readonly material: ImportedMaterial;
}

/** Imported material that no rotation has made current yet: waiting for it, or on its way. */
export const materialToRotateTo = (set: KeySet): NamedMaterial | null =>
  set.pendingMaterial ?? set.rotationInProgress?.material ?? null;

/** Every material that belongs to the set, oldest first; each key may have its own bytes of it. */
export function associatedMaterials(set: KeySet): readonly NamedMaterial[] {
  const next = materialToRotateTo(set);
  return next ? [...set.materials, next] : set.materials;
}

/** The set after an import: material it did not know becomes current if it is the first, else it waits. */
export function withImported(set: KeySet, key: Key, { id, description, material }: Import): KeySet {
  const known = associatedMaterials(set).some((associated) => associated.id === id);
  const named = known ? described(set, id, description) : withNewMaterial(set, { id, description });
  const imported = { ...key.imported, [id]: material };
  return settled(withKeys(named, { ...key, imported }));
}

const withNewMaterial = (set: KeySet, material: NamedMaterial): KeySet =>
  set.materials.length === 0
    ? { ...set, materials: [{ ...material, made: null, rotation: null }] }
    : { ...set, pendingMaterial: material };

/** The description is the material's in every Region. */
function described(set: KeySet, id: string, description: string | null): KeySet {
  if (description === null) return set;
  const { pendingMaterial, rotationInProgress } = set;
  const renamed = <M extends NamedMaterial>(material: M): M =>
    material.id === id ? { ...material, description } : material;
  return {
    ...set,
    materials: set.materials.map(renamed),
    pendingMaterial: pendingMaterial && renamed(pendingMaterial),
    rotationInProgress: rotationInProgress && {
      ...rotationInProgress,
      material: renamed(rotationInProgress.material),
    },
  };
}

function withoutImported(key: Key, id: string): Key {
  const { [id]: _deleted, ...imported } = key.imported;
  return { ...key, imported };
}

/**
 * The set after a key lost a material, by deletion or expiry. Material that waits for its rotation
 * goes from every Region when the primary loses it; of a replica's loss the others know nothing.
 */
export function withoutMaterial(set: KeySet, key: Key, id: string): KeySet {
  const isPending = set.pendingMaterial?.id === id;
  if (isPending && isPrimary(set, key)) {
    const keys = keysOf(set).map((each) => withoutImported(each, id));
    return withKeys({ ...set, pendingMaterial: null }, ...keys);
  }
  if (key.imported[id] === undefined) return set;
  const rest = withoutImported(key, id);
  // A disabled key that loses material is PendingImport, too.
  const state =
    key.state === "Disabled" && !hasAllMaterial(set, rest) ? "PendingImport" : key.state;
  return settled(withKeys(set, { ...rest, state }));
}

/** Every key in the state that its material calls for. */
export function settled(set: KeySet): KeySet {
  if (set.origin !== "EXTERNAL") return set;
  const changed = keysOf(set)
    .map((key): Key => ({ ...key, state: settledState(set, key) }))
    .filter((key) => key.state !== set.keys[key.region]?.state);
  return changed.length === 0 ? set : withKeys(set, ...changed);
}

/** A disabled key stays it: one whose deletion was cancelled may lack material, and shows when enabled. */
function settledState(set: KeySet, key: Key) {
  const { state } = key;
  if (state !== "Enabled" && state !== "PendingImport") return state;
  return hasAllMaterial(set, key) ? "Enabled" : "PendingImport";
}

/** Whether every Region's key has the material that waits for its rotation. */
export const isPendingEverywhere = (set: KeySet) =>
  set.pendingMaterial !== null &&
  keysOf(set).every((key) => key.imported[set.pendingMaterial?.id ?? ""] !== undefined);
