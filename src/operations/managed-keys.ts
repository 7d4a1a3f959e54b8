// AWS managed keys come into being when somebody first uses them by their alias.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key

import { madeMaterial, randomMaterial } from "../domain/key-material.ts";
import type { KeySet } from "../domain/key-set.ts";
import { materialBytesOf } from "../domain/key-spec.ts";
import { MANAGED_ROTATION_DAYS, managedKeyText } from "../domain/managed-key.ts";
import { DAY_MS, type Moment } from "../domain/moment.ts";
import { newKey } from "./new-key.ts";
import type { Call } from "./perform.ts";

const KEY_SPEC = "SYMMETRIC_DEFAULT";

/** The key that a call by an AWS alias makes; null for a call by anything else. */
export function firstUse({ awsAlias, accountId, keyId, caller }: Call, at: Moment): KeySet | null {
  const { region } = caller;
  const text = awsAlias === undefined ? null : managedKeyText(accountId, region, awsAlias);
  if (awsAlias === undefined || text === null) return null;
  const { description: Description, policy } = text;
  // What AWS writes itself is held to no rule for customers' policies; two of its Sids are the same.
  const owner = { region, accountId, editor: null };
  const key = { ...newKey({ Description }, owner, "Enabled", at), policy };
  const made = randomMaterial(materialBytesOf(KEY_SPEC, region) ?? 0, at);
  return {
    accountId,
    keyId,
    multiRegion: false,
    keySpec: KEY_SPEC,
    keyUsage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    primaryRegion: region,
    update: null,
    materials: [{ ...madeMaterial(made, at), rotation: null }],
    pendingMaterial: null,
    rotation: {
      periodDays: MANAGED_ROTATION_DAYS,
      nextAt: at.now + MANAGED_ROTATION_DAYS * DAY_MS,
    },
    rotationInProgress: null,
    keys: { [region]: key },
    version: 0,
    awsAlias,
  };
}
