// SYMMETRIC_DEFAULT outside China: AES-256-GCM with a random IV of 96 bits, the encryption context
// as authenticated data. https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-key-spec.html

import type { KeyMaterial } from "../domain/key-set.ts";
import { fromBase64 } from "./base64.ts";
import { ciphertextHeader, HEADER_BYTES, IV_BYTES } from "./ciphertext-blob.ts";

/** What is made once per key material: the imported key and the header of its ciphertexts. */
interface Prepared {
  readonly key: CryptoKey;
  readonly header: Uint8Array<ArrayBuffer>;
}

// Key material is immutable and lives as long as its key set is in memory, and so does this.
const prepared = new WeakMap<KeyMaterial, Prepared>();

async function prepare(material: KeyMaterial, owner: KeyOwner): Promise<Prepared> {
  const key = await crypto.subtle.importKey("raw", fromBase64(material.bytes), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  const header = ciphertextHeader({ ...owner, keyMaterialId: material.id });
  const made = { key, header };
  prepared.set(material, made);
  return made;
}

/** The key set whose material it is. */
export interface KeyOwner {
  readonly accountId: string;
  readonly keyId: string;
}

/** Any text to any text; the order of its members does not count. */
export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * Encrypts `plaintext` and returns the whole ciphertext blob, 92 bytes longer.
 * `iv` is 12 fresh random bytes.
 */
export async function encryptSymmetric(
  material: KeyMaterial,
  owner: KeyOwner,
  plaintext: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
  iv: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const { key, header } = prepared.get(material) ?? (await prepare(material, owner));
  const additionalData = authenticatedData(header, context);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData },
    key,
    plaintext,
  );
  const blob = new Uint8Array(HEADER_BYTES + IV_BYTES + sealed.byteLength);
  blob.set(header);
  blob.set(iv, HEADER_BYTES);
  blob.set(new Uint8Array(sealed), HEADER_BYTES + IV_BYTES);
  return blob;
}

/**
 * The plaintext of a blob that names this material, or null when the blob or the context is not
 * what was encrypted.
 */
export async function decryptSymmetric(
  material: KeyMaterial,
  owner: KeyOwner,
  blob: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
): Promise<Uint8Array | null> {
  const { key, header } = prepared.get(material) ?? (await prepare(material, owner));
  const iv = blob.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const sealed = blob.subarray(HEADER_BYTES + IV_BYTES);
  const additionalData = authenticatedData(header, context);
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed),
    );
  } catch {
    return null; // WebCrypto says no more than OperationError.
  }
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
