// New key material: where its bytes and its ID come from. Pure; the chance is the moment's.

import { toBase64, toHex } from "../crypto/base64.ts";
import type { KeyMaterial } from "./key-set.ts";
import { type KeySpec, keySpecs } from "./key-spec.ts";
import type { Moment } from "./moment.ts";

/** Fresh material of origin AWS_KMS; its ID is 64 hex digits and says nothing of the bytes. */
export function newKeyMaterial(spec: KeySpec, at: Moment): Pick<KeyMaterial, "id" | "bytes"> {
  return {
    id: toHex(at.random(32)),
    bytes: toBase64(at.random(keySpecs[spec].materialBytes)),
  };
}
