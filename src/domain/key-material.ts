// Key material: what AWS_KMS makes, and how imported material is recognised. Pure; the chance is
// the moment's.

import { createHash } from "node:crypto";
import { toBase64, toHex } from "../crypto/base64.ts";
import type { KeyMaterial, MaterialBytes } from "./key-set.ts";
import type { Moment } from "./moment.ts";

/** Random material of so many bytes. */
export const randomMaterial = (length: number, at: Moment): MaterialBytes => ({
  bytes: toBase64(at.random(length)),
});

/** Material of AWS_KMS's making; its ID is 64 hex digits and says nothing of the bytes. */
export const madeMaterial = (
  made: MaterialBytes | null,
  at: Moment,
): Omit<KeyMaterial, "rotation"> => ({
  id: toHex(at.random(32)),
  made,
  description: null,
});

/**
 * The ID of imported material: the same for the same bytes in the same key, in every Region.
 * AWS derives it from the key and the bytes, and does not say how.
 */
export function importedMaterialId(keyId: string, bytes: Uint8Array): string {
  const label = new TextEncoder().encode(`edge-kms imported key material ${keyId}\n`);
  const digest = createHash("sha256").update(label).update(bytes).digest();
  return toHex(digest);
}
