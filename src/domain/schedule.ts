// What time does to a key set. Every deadline is already in the state: `nextDue` is the earliest,
// `advance` applies those that are due one by one, each at its own instant, so that a late alarm,
// a lost one and a request that comes first all lead to the same state.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html

import { assert } from "../assert.ts";
import { settled, withoutMaterial } from "./imported-material.ts";
import { madeMaterial, randomMaterial } from "./key-material.ts";
import {
  isPrimary,
  type Key,
  type KeySet,
  keysOf,
  primaryOf,
  replicasOf,
  withKeys,
  withoutKey,
} from "./key-set.ts";
import { materialBytesOf } from "./key-spec.ts";
import { DAY_MS, type Moment } from "./moment.ts";
import type { Region } from "./region.ts";

/** The instant of the next deadline in ms since the epoch; Infinity when nothing is to come. */
export function nextDue(set: KeySet): number {
  let next = Math.min(updateDue(set), rotationEnd(set), rotationDue(set));
  for (const key of keysOf(set)) {
    next = Math.min(next, readyDue(key), deletionDue(key), expiryDue(key));
  }
  return next;
}

/**
 * The set as it is at `at.now`, or null when its last key is gone. The same object comes back when
 * nothing was due. Due deadlines happen in the order of their instants, each with `now` set to
 * its own, so `advance(s, t2)` equals `advance(advance(s, t1), t2)` for t1 ≤ t2. What an operation
 * at `from` has set free happens no earlier than that.
 */
export function advance(set: KeySet, at: Moment, from = Number.NEGATIVE_INFINITY): KeySet | null {
  let current = set;
  let instant = from;
  for (;;) {
    const due = nextDue(current);
    if (due > at.now) return current;
    // A deadline that another one held up (a rotation waiting for the one before) happens then.
    instant = Math.max(instant, due);
    const next = happen(current, due, { ...at, now: instant });
    if (next === null) return null;
    current = next;
  }
}

/** Applies the one deadline that is due; of several at one instant the first in this order. */
function happen(set: KeySet, due: number, at: Moment): KeySet | null {
  const ready = keysOf(set).find((key) => readyDue(key) === due);
  if (ready) return settled(withKeys(set, { ...ready, state: "Enabled" }));
  if (updateDue(set) === due) return finishUpdate(set);
  if (rotationEnd(set) === due) return finishRotation(set, at.now);
  if (rotationDue(set) === due) return startRotation(set, "AUTOMATIC", at);
  const deleted = keysOf(set).find((key) => deletionDue(key) === due);
  if (deleted) return removeKey(set, deleted, at.now);
  const expired = keysOf(set).find((key) => expiryDue(key) === due);
  assert(expired, "something is due");
  return withoutMaterial(set, expired, expiredMaterial(expired, due));
}

const readyDue = (key: Key) => (key.state === "Creating" ? key.readyAt : Infinity);

const updateDue = (set: KeySet) => set.update?.endsAt ?? Infinity;

const deletionDue = (key: Key) => key.deletionAt ?? Infinity;

/** When the first of a key's imported materials expires. */
function expiryDue(key: Key): number {
  let due = Infinity;
  for (const id in key.imported) due = Math.min(due, key.imported[id]?.validTo ?? Infinity);
  return due;
}

function expiredMaterial(key: Key, due: number): string {
  const id = Object.keys(key.imported).find((each) => key.imported[each]?.validTo === due);
  assert(id, "a material has expired");
  return id;
}

/** A rotation is over when its time has passed and no replica is still waiting for material. */
function rotationEnd(set: KeySet): number {
  if (!set.rotationInProgress) return Infinity;
  return keysOf(set)
    .filter((key) => key.state === "Creating")
    .reduce((end, key) => Math.max(end, key.readyAt), set.rotationInProgress.endsAt);
}

/** Only a primary that could encrypt rotates by itself; a disabled one is overdue until enabled. */
function rotationDue(set: KeySet): number {
  if (!set.rotation || set.rotationInProgress) return Infinity;
  const { state } = primaryOf(set);
  return state === "Enabled" || state === "Updating" ? set.rotation.nextAt : Infinity;
}

function finishUpdate(set: KeySet): KeySet {
  const updated = keysOf(set)
    .filter((key) => key.state === "Updating")
    .map((key): Key => ({ ...key, state: "Enabled" }));
  return settled(withKeys({ ...set, update: null }, ...updated));
}

/**
 * Begins a rotation: to new material, or of an imported key to that which waits for it. Until the
 * rotation ends nothing uses it.
 */
export function startRotation(set: KeySet, type: "AUTOMATIC" | "ON_DEMAND", at: Moment): KeySet {
  const { rotation, pendingMaterial } = set;
  const length = materialBytesOf(set.keySpec, set.primaryRegion);
  return {
    ...set,
    pendingMaterial: null,
    rotation:
      rotation && type === "AUTOMATIC"
        ? { ...rotation, nextAt: at.now + rotation.periodDays * DAY_MS }
        : rotation,
    rotationInProgress: {
      type,
      material: pendingMaterial
        ? { ...pendingMaterial, made: null }
        : madeMaterial(randomMaterial(length ?? 0, at), at),
      startedAt: at.now,
      endsAt: at.now + at.delays.rotatingMs,
    },
  };
}

function finishRotation(set: KeySet, completedAt: number): KeySet {
  const { rotationInProgress } = set;
  if (!rotationInProgress) return set;
  const { material, type } = rotationInProgress;
  return settled({
    ...set,
    materials: [...set.materials, { ...material, rotation: { type, completedAt } }],
    rotationInProgress: null,
  });
}

/** A primary whose last replica is gone begins its own waiting period at that instant. */
function removeKey(set: KeySet, key: Key, now: number): KeySet | null {
  const rest = withoutKey(set, key.region);
  if (isPrimary(set, key)) return null;
  const primary = primaryOf(rest);
  if (primary.state !== "PendingReplicaDeletion" || keysOf(rest).length > 1) return rest;
  return withKeys(rest, pendingDeletion(primary, primary.waitingPeriodDays ?? 0, now));
}

/** The key waiting for its deletion, which comes `waitingPeriodDays` after `now`. */
export const pendingDeletion = (key: Key, waitingPeriodDays: number, now: number): Key => ({
  ...key,
  state: "PendingDeletion",
  waitingPeriodDays,
  deletionAt: now + waitingPeriodDays * DAY_MS,
});

/**
 * The instant from which a Region's key is gone if nobody intervenes, or null while it has none.
 * That of a primary waiting for its replicas is known once all of theirs are.
 */
export function goneAt(set: KeySet, region: Region): number | null {
  const key = set.keys[region];
  if (!key) return null;
  if (key.state !== "PendingReplicaDeletion") return key.deletionAt;
  const last = replicasOf(set).reduce(
    (latest, replica) => Math.max(latest, deletionDue(replica)),
    Number.NEGATIVE_INFINITY,
  );
  return Number.isFinite(last) ? last + (key.waitingPeriodDays ?? 0) * DAY_MS : null;
}
