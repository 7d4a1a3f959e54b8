// A ciphertext of a key in an external key store is encrypted twice: by KMS with the key's own
// material, then by the external key manager with the external key. Neither can decrypt it alone.
// https://docs.aws.amazon.com/kms/latest/developerguide/keystore-external.html#concept-double-encryption
//
// KMS's encryption is that of any symmetric key: a header, then what AES-GCM sealed. The header
// stays outside, where it says whose the ciphertext is; the proxy encrypts the rest, 28 bytes longer
// than the caller's plaintext. Its answer goes into the caller's ciphertext whole:
//
//  64  header             as of any ciphertext, crypto/ciphertext-blob.ts
//   1  form               1
//   1  IV length          12 or 16
//   1  metadata length    0 to 20
//      IV
//      metadata           the proxy's own, for the key it used
//  16  tag
//   n  ciphertext         of KMS's IV, ciphertext and tag
//
// The header is authenticated by both, so is the encryption context; the rest of what is not
// ciphertext, by the proxy.

import { type Bytes, concat } from "../crypto/bytes.ts";
import { HEADER_BYTES } from "../crypto/ciphertext-blob.ts";
import { IV_LENGTHS, MAX_METADATA_BYTES, type ProxyCiphertext, TAG_BYTES } from "./responses.ts";

const FORM = 1;
const PREFIX_BYTES = HEADER_BYTES + 3;
/** KMS's own IV and tag, and at least one byte. */
const MIN_CIPHERTEXT_BYTES = 29;
/** What a proxy has to be able to take. */
const MAX_AUTHENTICATED_BYTES = 8192;

/** A ciphertext of KMS's own, in two: what everyone may read, and what the proxy gets to encrypt. */
export interface InnerCiphertext {
  readonly header: Bytes;
  readonly sealed: Bytes;
}

export const innerCiphertext = (blob: Bytes): InnerCiphertext => ({
  header: blob.subarray(0, HEADER_BYTES),
  sealed: blob.subarray(HEADER_BYTES),
});

/** The ciphertext of KMS's own that `innerCiphertext` took apart. */
export const innerBlob = ({ header, sealed }: InnerCiphertext): Bytes => concat(header, sealed);

/** The ciphertext that the caller gets. */
export function encodeOuter(header: Uint8Array, outer: ProxyCiphertext): Bytes {
  const { initializationVector, ciphertextMetadata, authenticationTag, ciphertext } = outer;
  const lengths = Uint8Array.of(FORM, initializationVector.length, ciphertextMetadata.length);
  return concat(
    header,
    lengths,
    initializationVector,
    ciphertextMetadata,
    authenticationTag,
    ciphertext,
  );
}

export interface OuterCiphertext {
  readonly header: Bytes;
  readonly outer: ProxyCiphertext;
}

/** What `encodeOuter` put together; null for anything that it cannot have made. */
export function decodeOuter(blob: Bytes): OuterCiphertext | null {
  const [form, ivBytes = 0, metadataBytes = 0] = blob.subarray(HEADER_BYTES, PREFIX_BYTES);
  if (form !== FORM || !IV_LENGTHS.includes(ivBytes) || metadataBytes > MAX_METADATA_BYTES) {
    return null;
  }
  const metadataAt = PREFIX_BYTES + ivBytes;
  const tagAt = metadataAt + metadataBytes;
  const ciphertextAt = tagAt + TAG_BYTES;
  if (blob.length < ciphertextAt + MIN_CIPHERTEXT_BYTES) return null;
  return {
    header: blob.subarray(0, HEADER_BYTES),
    outer: {
      initializationVector: blob.subarray(PREFIX_BYTES, metadataAt),
      ciphertextMetadata: blob.subarray(metadataAt, tagAt),
      authenticationTag: blob.subarray(tagAt, ciphertextAt),
      ciphertext: blob.subarray(ciphertextAt),
    },
  };
}

/**
 * What the proxy is asked to authenticate: the header, then the encryption context as JSON pairs in
 * the order of their names. A context that does not fit is left to KMS's own layer, which
 * authenticates all of it.
 */
export function proxyAuthenticatedData(
  header: Uint8Array,
  context: Readonly<Record<string, string>> | undefined,
): Bytes {
  const names = Object.keys(context ?? {}).sort();
  if (names.length === 0) return concat(header);
  const pairs = JSON.stringify(names.map((name) => [name, context?.[name]]));
  const data = concat(header, new TextEncoder().encode(pairs));
  return data.length > MAX_AUTHENTICATED_BYTES ? concat(header) : data;
}
