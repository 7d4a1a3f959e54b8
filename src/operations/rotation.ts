// Rotation of key material, automatic and on demand. In a multi-Region key set the primary governs it.
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html

import { currentMaterial, type KeyMaterial, type KeySet } from "../domain/key-set.ts";
import { keySpecRow } from "../domain/key-spec.ts";
import { DAY_MS } from "../domain/moment.ts";
import { startRotation } from "../domain/schedule.ts";
import { KmsError } from "../errors.ts";
import { timestamp } from "./key-metadata.ts";
import { requireNoKeyStore } from "./key-store-of-key.ts";
import * as members from "./members.ts";
import { change, type Target, use } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { integer, oneOf, required } from "./shape.ts";

const STANDARD_ROTATION_PERIOD_DAYS = 365;
/** Automatic rotations do not count. */
const MAX_ON_DEMAND_ROTATIONS = 25;
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

  DisableKeyRotation: change({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    designation: "primary",
    change(target) {
      const { set } = target;
      requireRotating(target);
      return { set: set.rotation ? { ...set, rotation: null } : set, output: null };
    },
  }),

  /** While a key waits for its deletion its rotation reads as off; cancelling restores it. */
  GetKeyRotationStatus: use({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    use(target) {
      const { set, key, arn } = target;
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
      const made = set.materials.filter((material) => material.rotation?.type === "ON_DEMAND");
      if (made.length >= MAX_ON_DEMAND_ROTATIONS) {
        // Recorded on AWS, without a final dot.
        throw new KmsError(
          "LimitExceededException",
          "The on-demand rotations limit has been reached for the given keyId. " +
            `No more on-demand rotations can be performed for this key: ${arn}`,
        );
      }
      return { set: startRotation(set, "ON_DEMAND", at), output: { KeyId: arn } };
    },
  }),

  /** The oldest first, as in AWS's examples; the first material only with ALL_KEY_MATERIAL. */
  ListKeyRotations: use({
    input: {
      KeyId: required(members.keyId),
      IncludeKeyMaterial: oneOf(["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]),
      Limit: members.limit,
      Marker: members.marker,
    },
    invalidArn: true,
    use(target, input) {
      const { set } = target;
      requireRotating(target);
      const all = input.IncludeKeyMaterial === "ALL_KEY_MATERIAL";
      const shown = set.materials.filter((material) => all || material.rotation);
      const { items, output } = pageOf("ListKeyRotations", shown, input, ROTATION_PAGE);
      return { Rotations: items.map((material) => rotationsListEntry(set, material)), ...output };
    },
  }),
};

/** Only symmetric encryption keys rotate. Recorded for RotateKeyOnDemand, without a text. */
function requireRotating(target: Target): void {
  if (!keySpecRow(target.set.keySpec).rotates) throw new KmsError("UnsupportedOperationException");
  requireNoKeyStore(target);
}

function requireNoRotationNear(set: KeySet, now: number): void {
  const near = set.rotation && set.rotation.nextAt - now <= CONFLICT_MS;
  if (!near && !set.rotationInProgress) return;
  throw new KmsError(
    "ConflictException",
    "A rotation of this key is in progress or scheduled to begin within the next 20 minutes.",
  );
}

const rotationsListEntry = (set: KeySet, material: KeyMaterial) => ({
  KeyId: set.keyId,
  KeyMaterialId: material.id,
  KeyMaterialState: material === currentMaterial(set) ? "CURRENT" : "NON_CURRENT",
  ...(material.rotation && {
    RotationDate: timestamp(material.rotation.completedAt),
    RotationType: material.rotation.type,
  }),
});
