// "Modern Algorithms in the Web Cryptography API": ML-DSA and ML-KEM, where the runtime has them.
// workerd has all but ML-KEM-512 under its flag webcrypto_modern_algorithms; Node has them since
// 24.7. https://wicg.github.io/webcrypto-modern-algos/

import type { Bytes } from "./bytes.ts";

type Usage = "sign" | "verify" | "encapsulateBits" | "decapsulateBits";

/** What the types of neither runtime know yet. */
interface ModernSubtleCrypto {
  importKey(
    format: "pkcs8" | "spki",
    der: Bytes,
    algorithm: string,
    extractable: boolean,
    usages: readonly Usage[],
  ): Promise<CryptoKey>;
  /** Missing where the runtime has none of all this. */
  getPublicKey?(key: CryptoKey, usages: readonly Usage[]): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  sign(algorithm: string, key: CryptoKey, message: Uint8Array): Promise<ArrayBuffer>;
  verify(
    algorithm: string,
    key: CryptoKey,
    signature: Uint8Array,
    message: Uint8Array,
  ): Promise<boolean>;
  encapsulateBits(
    algorithm: string,
    key: CryptoKey,
  ): Promise<{ readonly sharedKey: ArrayBuffer; readonly ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: string, key: CryptoKey, ciphertext: Uint8Array): Promise<ArrayBuffer>;
}

export const modernSubtle = crypto.subtle as unknown as ModernSubtleCrypto;

/** A key in WebCrypto; `native` is null where the runtime does not have its algorithm. */
export interface NativeKey {
  readonly native: CryptoKey | null;
}

/** Imports a key of ours: anything but a missing algorithm is thrown. */
export async function importNative(
  format: "pkcs8" | "spki",
  der: Bytes,
  algorithm: string,
  usage: Usage,
): Promise<NativeKey> {
  if (!modernSubtle.getPublicKey) return { native: null };
  try {
    return { native: await modernSubtle.importKey(format, der, algorithm, false, [usage]) };
  } catch (error) {
    if (error instanceof Error && error.name === "NotSupportedError") return { native: null };
    throw error;
  }
}

/** The raw public key of a private key, or null where the runtime does not have its algorithm. */
export async function nativePublicKey(
  pkcs8: Bytes,
  algorithm: string,
  usages: { readonly privateKey: Usage; readonly publicKey: Usage },
): Promise<Bytes | null> {
  const { native } = await importNative("pkcs8", pkcs8, algorithm, usages.privateKey);
  if (!native || !modernSubtle.getPublicKey) return null;
  const publicKey = await modernSubtle.getPublicKey(native, [usages.publicKey]);
  return new Uint8Array(await modernSubtle.exportKey("raw-public", publicKey));
}
