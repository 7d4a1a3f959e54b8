// Rotation of key material, automatic and on demand. In a multi-Region key set the primary governs it.
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html

import { isPendingEverywhere, materialToRotateTo } from "../domain/imported-material.ts";
import { currentMaterial, type Key, type KeyMaterial, type KeySet } from "../domain/key-set.ts";
import { keySpecRow } from "../domain/key-spec.ts";
import { DAY_MS } from "../domain/moment.ts";
import { requireQuota } from "../domain/quota.ts";
import { startRotation } from "../domain/schedule.ts";
import { invalidOrigin, KmsError } from "../errors.ts";
import { expirationOf, timestamp } from "./key-metadata.ts";
import { requireNoKeyStore } from "./key-store-of-key.ts";
import * as members from "./members.ts";
import { change, type Target, use } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { integer, oneOf, required } from "./shape.ts";

const STANDARD_ROTATION_PERIOD_DAYS = 365;
/** An automatic rotation this near, or under way, keeps RotateKeyOnDemand out. */
const CONFLICT_MS = 20 * 60_000;
const ROTATION_PAGE = { standard: 100, max: 1000 };

export const rotation = {
  /** The first rotation comes a period from now, and again whenever the period is changed. */
  EnableKeyRotation: change({
    input: {
      KeyId: required(members.keyId),
      RotationPeriodInDays: integer({ min: 90, max: 2560 }),
    },
    invalidArn: true,
    designation: "primary",
    precondition: refuseImported,
    change(target, { RotationPeriodInDays }, at) {
      const { set } = target;
      requireRotating(target);
      const before = set.rotation?.periodDays;
      const periodDays = RotationPeriodInDays ?? before ?? STANDARD_ROTATION_PERIOD_DAYS;
      if (periodDays === before) return { set, output: null };
      const nextAt = at.now + periodDays * DAY_MS;
      return { set: { ...set, rotation: { periodDays, nextAt } }, output: null };
    },
  }),

  /** Of a key that cannot rotate it is no error (recorded on AWS, floci-io/floci#3968). */
  DisableKeyRotation: change({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    designation: "primary",
    precondition: refuseImported,
    change(target) {
      const { set } = target;
      requireNoKeyStore(target);
      return { set: set.rotation ? { ...set, rotation: null } : set, output: null };
    },
  }),

  /** While a key waits for its deletion its rotation reads as off; cancelling restores it. */
  GetKeyRotationStatus: use({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    use(target) {
      const { set, key, arn } = target;
      if (!keySpecRow(set.keySpec).rotates && set.origin === "EXTERNAL") {
        throw invalidOrigin(arn, set.origin);
      }
      requireNoKeyStore(target);
      const pending = key.state === "PendingDeletion" || key.state === "PendingReplicaDeletion";
      const settings = pending ? null : set.rotation;
      const running = set.rotationInProgress;
      return {
        KeyId: arn,
        KeyRotationEnabled: settings !== null,
        ...(settings && {
          RotationPeriodInDays: settings.periodDays,
          NextRotationDate: timestamp(settings.nextAt),
        }),
        ...(running?.type === "ON_DEMAND" && {
          OnDemandRotationStartDate: timestamp(running.startedAt),
        }),
      };
    },
  }),

  RotateKeyOnDemand: change({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    designation: "primary",
    change(target, _input, at) {
      const { set, arn } = target;
      requireRotating(target);
      requireNoRotationNear(set, at.now);
      if (set.origin === "EXTERNAL" && !isPendingEverywhere(set)) throw nothingPending(arn);
      const made = set.materials.filter((material) => material.rotation?.type === "ON_DEMAND");
      requireQuota("ON_DEMAND_ROTATIONS", made.length + 1, at.quotas, arn);
      return { set: startRotation(set, "ON_DEMAND", at), output: { KeyId: arn } };
    },
  }),

  /**
   * The oldest first, as in AWS's examples; the first material, and imported material that waits for
   * its rotation, only with ALL_KEY_MATERIAL.
   */
  ListKeyRotations: use({
    input: {
      KeyId: required(members.keyId),
      IncludeKeyMaterial: oneOf(["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]),
      Limit: members.limit,
      Marker: members.marker,
    },
    invalidArn: true,
    use(target, input) {
      const { set, key } = target;
      requireRotating(target);
      const all = input.IncludeKeyMaterial === "ALL_KEY_MATERIAL";
      const shown: Material[] = set.materials.filter((material) => all || material.rotation);
      const next = set.origin === "EXTERNAL" ? materialToRotateTo(set) : null;
      if (all && next) shown.push({ ...next, rotation: null });
      const { items, output } = pageOf("ListKeyRotations", shown, input, ROTATION_PAGE);
      const Rotations = items.map((material) => rotationsListEntry(set, key, material));
      return { Rotations, ...output };
    },
  }),
};

/** Only symmetric encryption keys rotate. Recorded for RotateKeyOnDemand, without a text. */
function requireRotating(target: Target): void {
  if (!keySpecRow(target.set.keySpec).rotates) throw new KmsError("UnsupportedOperationException");
  requireNoKeyStore(target);
}

/**
 * Imported material is rotated on demand alone, that of a key pair never. The origin comes before the
 * state (recorded on AWS, floci-io/floci#3968).
 */
function refuseImported({ set, arn }: Target): void {
  if (set.origin === "EXTERNAL") throw invalidOrigin(arn, set.origin);
}

/** Recorded on AWS. */
const nothingPending = (arn: string) =>
  new KmsError(
    "KMSInvalidStateException",
    `No available key material pending rotation for the key: ${arn}.`,
  );

function requireNoRotationNear(set: KeySet, now: number): void {
  const near = set.rotation && set.rotation.nextAt - now <= CONFLICT_MS;
  if (!near && !set.rotationInProgress) return;
  throw new KmsError(
    "ConflictException",
    "A rotation of this key is in progress or scheduled to begin within the next 20 minutes.",
  );
}

type Material = Pick<KeyMaterial, "id" | "description" | "rotation">;

const rotationsListEntry = (set: KeySet, key: Key, material: Material) => ({
  KeyId: set.keyId,
  KeyMaterialId: material.id,
  ...(material.description !== null && { KeyMaterialDescription: material.description }),
  ...(set.origin === "EXTERNAL" && importOf(key, material.id)),
  KeyMaterialState: materialState(set, material),
  ...(material.rotation && {
    RotationDate: timestamp(material.rotation.completedAt),
    RotationType: material.rotation.type,
  }),
});

/** Imported material waits until every Region has it, and then for RotateKeyOnDemand to come to its end. */
function materialState(set: KeySet, { id }: Material): string {
  if (id === currentMaterial(set)?.id) return "CURRENT";
  if (set.materials.some((material) => material.id === id)) return "NON_CURRENT";
  if (set.pendingMaterial && !isPendingEverywhere(set)) {
    return "PENDING_MULTI_REGION_IMPORT_AND_ROTATION";
  }
  return "PENDING_ROTATION";
}

/** What this Region's key has of a material that is imported. */
function importOf(key: Key, materialId: string): object {
  const material = key.imported[materialId];
  return material
    ? { ImportState: "IMPORTED", ...expirationOf(material.validTo) }
    : { ImportState: "PENDING_IMPORT" };
}
