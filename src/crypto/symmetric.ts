// SYMMETRIC_DEFAULT: AES-256-GCM, and in the China Regions SM4-GCM, with a random IV of 96 bits and
// the encryption context as authenticated data.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import { fromBase64 } from "./base64.ts";
import { type Bytes, concat } from "./bytes.ts";
import {
  type CiphertextOrigin,
  ciphertextHeader,
  HEADER_BYTES,
  IV_BYTES,
} from "./ciphertext-blob.ts";
import { type Gcm, gcm } from "./gcm.ts";
import type { SecretKey } from "./key.ts";

/** What is made once per key material: its cipher and the header of its ciphertexts. */
interface Prepared {
  readonly cipher: Gcm;
  readonly header: Uint8Array<ArrayBuffer>;
}

// Key material is immutable and lives as long as its key set is in memory, and so does this.
const prepared = new WeakMap<SecretKey, Prepared>();

async function prepare(material: SecretKey, origin: CiphertextOrigin): Promise<Prepared> {
  const cipher = await gcm(fromBase64(material.bytes));
  const made = { cipher, header: ciphertextHeader(origin) };
  prepared.set(material, made);
  return made;
}

/** Any text to any text; the order of its members does not count. */
export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * Encrypts `plaintext` and returns the whole ciphertext blob, 92 bytes longer.
 * `origin` is what the material is; `iv` is 12 fresh random bytes.
 */
export async function encryptSymmetric(
  material: SecretKey,
  origin: CiphertextOrigin,
  plaintext: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
  iv: Uint8Array<ArrayBuffer>,
): Promise<Bytes> {
  const { cipher, header } = prepared.get(material) ?? (await prepare(material, origin));
  const sealed = await cipher.seal(iv, authenticatedData(header, context), plaintext);
  return concat(header, iv, sealed);
}

/**
 * The plaintext of a blob that names this material, or null when the blob or the context is not
 * what was encrypted.
 */
export async function decryptSymmetric(
  material: SecretKey,
  origin: CiphertextOrigin,
  blob: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
): Promise<Uint8Array | null> {
  const { cipher, header } = prepared.get(material) ?? (await prepare(material, origin));
  const iv = blob.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const sealed = blob.subarray(HEADER_BYTES + IV_BYTES);
  return cipher.open(iv, authenticatedData(header, context), sealed);
}

const utf8 = new TextEncoder();

/** The header, then each pair of the context in the order of its keys, each part length-prefixed. */
function authenticatedData(
  header: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
): Uint8Array<ArrayBuffer> {
  const names = context ? Object.keys(context).sort() : [];
  if (!context || names.length === 0) return header;
  const parts = names.flatMap((name) => [utf8.encode(name), utf8.encode(context[name] ?? "")]);
  const length = parts.reduce((sum, part) => sum + 4 + part.length, header.length);
  const data = new Uint8Array(length);
  const view = new DataView(data.buffer);
  data.set(header);
  let offset = header.length;
  for (const part of parts) {
    view.setUint32(offset, part.length);
    data.set(part, offset + 4);
    offset += 4 + part.length;
  }
  return data;
}
