// The ciphertext of a symmetric key: which key and material made it, then AES-GCM's output. Clients
// never parse it; like AWS's it begins with the bytes that read `AQICAH` in base64. It does not
// name a Region, so that every related multi-Region key can decrypt it.
//
//   5  prefix            01 02 02 00 78
//   6  account           12 digits as a number, big-endian
//   1  key ID form       0 a UUID, 1 `mrk-` and 32 digits
//  16  key ID            its hex digits
//  32  key material ID
//   4  checksum          of everything before it, so that damage is told from an unknown key
//  12  IV
//   n  ciphertext, 16 tag

import { createHash } from "node:crypto";
import { fromHex, toHex } from "./base64.ts";

const PREFIX = [0x01, 0x02, 0x02, 0x00, 0x78] as const;
const CHECKED_BYTES = 60;
/** Bytes before the IV. */
export const HEADER_BYTES = CHECKED_BYTES + 4;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
/** The base64 digits that hold the whole header; 64 bytes end inside the 86th. */
const HEADER_DIGITS = 88;

/** What a ciphertext says of its origin. */
export interface CiphertextOrigin {
  readonly accountId: string;
  readonly keyId: string;
  readonly keyMaterialId: string;
}

/** The header of every ciphertext of this key material, 64 bytes. */
export function ciphertextHeader(origin: CiphertextOrigin): Uint8Array<ArrayBuffer> {
  const { accountId, keyId, keyMaterialId } = origin;
  const multiRegion = keyId.startsWith("mrk-");
  const header = new Uint8Array(HEADER_BYTES);
  header.set(PREFIX);
  header.set(fromHex(Number(accountId).toString(16).padStart(12, "0")), 5);
  header[11] = multiRegion ? 1 : 0;
  header.set(fromHex(multiRegion ? keyId.slice(4) : keyId.replaceAll("-", "")), 12);
  header.set(fromHex(keyMaterialId), 28);
  header.set(checksum(header), CHECKED_BYTES);
  return header;
}

/**
 * The origin that the bytes of a ciphertext claim, or null for anything that no key of edge-kms
 * wrote: another form, too short, or damaged in the header.
 */
export function ciphertextOrigin(blob: Uint8Array): CiphertextOrigin | null {
  if (blob.length <= HEADER_BYTES + IV_BYTES + TAG_BYTES) return null;
  const header = blob.subarray(0, HEADER_BYTES);
  if (!PREFIX.every((byte, index) => header[index] === byte)) return null;
  const stated = header.subarray(CHECKED_BYTES);
  if (!checksum(header).every((byte, index) => stated[index] === byte)) return null;
  const form = header[11];
  if (form !== 0 && form !== 1) return null;
  const digits = toHex(header.subarray(12, 28));
  return {
    accountId: String(Number.parseInt(toHex(header.subarray(5, 11)), 16)).padStart(12, "0"),
    keyId: form === 1 ? `mrk-${digits}` : dashed(digits),
    keyMaterialId: toHex(header.subarray(28, CHECKED_BYTES)),
  };
}

/** The part of a base64 ciphertext that holds its header; enough for `ciphertextOrigin`'s fields. */
export const headerDigits = (base64: string) => base64.slice(0, HEADER_DIGITS);

const checksum = (header: Uint8Array) =>
  createHash("sha256").update(header.subarray(0, CHECKED_BYTES)).digest().subarray(0, 4);

const dashed = (hex: string) =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  );
