// GCM (SP 800-38D) with an IV of 96 bits and a tag of 128 behind the ciphertext: AES, which is
// WebCrypto's, and in the China Regions SM4 (GM/T 0002, RFC 8998).

import { attempt, attemptAsync } from "./attempt.ts";
import { type Bytes, concat } from "./bytes.ts";
import { smCrypto } from "./libraries.ts";

const TAG_BYTES = 16;
const SM4_KEY_BYTES = 16;

export interface Gcm {
  /** The ciphertext and its tag. `iv` is 12 bytes that no other plaintext of the key has. */
  seal(iv: Bytes, additionalData: Bytes, plaintext: Bytes): Promise<Bytes>;
  /** The plaintext, or null where anything is not what was sealed. */
  open(iv: Bytes, additionalData: Bytes, sealed: Bytes): Promise<Bytes | null>;
}

/** Of a key of 128 bits SM4, of one of 256 bits AES, as SYMMETRIC_DEFAULT has it. */
export const gcm = (key: Bytes): Promise<Gcm> =>
  key.length === SM4_KEY_BYTES ? sm4Gcm(key) : aesGcm(key);

export async function aesGcm(bytes: Bytes): Promise<Gcm> {
  const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  const name = "AES-GCM";
  return {
    async seal(iv, additionalData, plaintext) {
      return new Uint8Array(
        await crypto.subtle.encrypt({ name, iv, additionalData }, key, plaintext),
      );
    },
    async open(iv, additionalData, sealed) {
      const opened = crypto.subtle.decrypt({ name, iv, additionalData }, key, sealed);
      const plaintext = await attemptAsync(opened);
      return plaintext && new Uint8Array(plaintext);
    },
  };
}

export async function sm4Gcm(key: Bytes): Promise<Gcm> {
  const { sm4 } = await smCrypto.load();
  const options = { mode: "gcm", output: "array", outputTag: true } as const;
  return {
    async seal(iv, associatedData, plaintext) {
      const sealed = sm4.encrypt(plaintext, key, { ...options, iv, associatedData });
      return concat(sealed.output, sealed.tag ?? new Uint8Array());
    },
    async open(iv, associatedData, sealed) {
      if (sealed.length < TAG_BYTES) return null;
      const tag = sealed.subarray(-TAG_BYTES);
      const text = sealed.subarray(0, -TAG_BYTES);
      const opened = { ...options, iv, associatedData, tag };
      return attempt(() => new Uint8Array(sm4.decrypt(text, key, opened)));
    },
  };
}
