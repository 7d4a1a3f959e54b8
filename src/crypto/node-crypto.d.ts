// The part of node:crypto that is used here; the Workers runtime types do not describe it.
declare module "node:crypto" {
  type Bytes = Uint8Array<ArrayBuffer>;
  type HashName = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

  interface Digest {
    update(data: Uint8Array): Digest;
    digest(): Bytes;
  }

  export function createHash(algorithm: HashName): Digest;
  export function createHmac(algorithm: HashName, key: Uint8Array): Digest;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;

  interface Cipher {
    setAAD(data: Uint8Array): void;
    update(data: Uint8Array): Bytes;
    final(): Bytes;
    getAuthTag(): Bytes;
    setAuthTag(tag: Uint8Array): void;
  }

  export function createCipheriv(name: "aes-256-gcm", key: Uint8Array, iv: Uint8Array): Cipher;
  export function createDecipheriv(name: "aes-256-gcm", key: Uint8Array, iv: Uint8Array): Cipher;

  export interface KeyObject {
    readonly asymmetricKeyDetails?: {
      readonly modulusLength?: number;
      readonly publicExponent?: bigint;
    };
    export(options: { type: "pkcs8" | "spki"; format: "der" }): Bytes;
  }

  export function createPrivateKey(pem: string): KeyObject;
  export function createPublicKey(key: string | KeyObject): KeyObject;

  interface DerEncodings {
    readonly privateKeyEncoding: { readonly type: "pkcs8"; readonly format: "der" };
    readonly publicKeyEncoding: { readonly type: "spki"; readonly format: "der" };
  }
  interface DerKeyPair {
    readonly privateKey: Bytes;
    readonly publicKey: Bytes;
  }

  export function generateKeyPairSync(
    type: "rsa",
    options: DerEncodings & { readonly modulusLength: number },
  ): DerKeyPair;
  export function generateKeyPairSync(
    type: "ec",
    options: DerEncodings & { readonly namedCurve: string },
  ): DerKeyPair;

  export const constants: {
    readonly RSA_NO_PADDING: number;
    readonly RSA_PKCS1_OAEP_PADDING: number;
  };

  interface RsaKey {
    readonly key: KeyObject;
    readonly padding: number;
    readonly oaepHash?: HashName;
  }

  export function publicEncrypt(key: RsaKey, plaintext: Uint8Array): Bytes;
  export function privateDecrypt(key: RsaKey, ciphertext: Uint8Array): Bytes;
  export function privateEncrypt(key: RsaKey, block: Uint8Array): Bytes;
  export function publicDecrypt(key: RsaKey, block: Uint8Array): Bytes;

  /** `null` is for Ed25519, which has its own hash. */
  export function sign(algorithm: HashName | null, data: Uint8Array, key: KeyObject): Bytes;
  export function verify(
    algorithm: HashName | null,
    data: Uint8Array,
    key: KeyObject,
    signature: Uint8Array,
  ): boolean;
}
