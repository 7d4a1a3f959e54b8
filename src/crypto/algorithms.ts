// Every algorithm of AWS KMS but SYMMETRIC_DEFAULT (symmetric.ts), under its name there. Nothing
// outside this table tells one algorithm from another: callers take a row and use it. Which key
// spec has which of them is in domain/key-spec.ts. Signing, encryption and MAC algorithms are in the
// order in which AWS lists them to who names another (recorded in 2026, floci-io/floci#3968).
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import type {
  EncryptionAlgorithm,
  KeyAgreementAlgorithm,
  KeyEncapsulationAlgorithm,
  MacAlgorithm,
  SigningAlgorithm,
  WrappingAlgorithm,
} from "./algorithm.ts";
import { ecdh } from "./ecdh.ts";
import { ecdsa } from "./ecdsa.ts";
import { prehashedEd25519, pureEd25519 } from "./ed25519.ts";
import { rsaAesKeyWrap, wrappedBy, wrappedByRsa } from "./import-wrapping.ts";
import { hmac } from "./mac.ts";
import { mlDsa } from "./ml-dsa.ts";
import { mlKem } from "./ml-kem.ts";
import { rsaesOaep, rsassaPkcs1, rsassaPss } from "./rsa.ts";
import { sm2dsa, sm2pke } from "./sm2.ts";

export const signingAlgorithms = {
  RSASSA_PSS_SHA_256: rsassaPss("sha256"),
  RSASSA_PSS_SHA_384: rsassaPss("sha384"),
  RSASSA_PSS_SHA_512: rsassaPss("sha512"),
  RSASSA_PKCS1_V1_5_SHA_256: rsassaPkcs1("sha256"),
  RSASSA_PKCS1_V1_5_SHA_384: rsassaPkcs1("sha384"),
  RSASSA_PKCS1_V1_5_SHA_512: rsassaPkcs1("sha512"),
  ECDSA_SHA_256: ecdsa("sha256"),
  ECDSA_SHA_384: ecdsa("sha384"),
  ECDSA_SHA_512: ecdsa("sha512"),
  ED25519_SHA_512: pureEd25519,
  ED25519_PH_SHA_512: prehashedEd25519,
  SM2DSA: sm2dsa,
  ML_DSA_SHAKE_256: mlDsa,
} as const satisfies Record<string, SigningAlgorithm>;

export const encryptionAlgorithms = {
  RSAES_OAEP_SHA_1: rsaesOaep("sha1"),
  RSAES_OAEP_SHA_256: rsaesOaep("sha256"),
  SM2PKE: sm2pke,
} as const satisfies Record<string, EncryptionAlgorithm>;

export const macAlgorithms = {
  HMAC_SHA_384: hmac("sha384"),
  HMAC_SHA_256: hmac("sha256"),
  HMAC_SHA_224: hmac("sha224"),
  HMAC_SHA_512: hmac("sha512"),
} as const satisfies Record<string, MacAlgorithm>;

export const keyAgreementAlgorithms = {
  ECDH: ecdh,
} as const satisfies Record<string, KeyAgreementAlgorithm>;

export const keyEncapsulationAlgorithms = {
  ML_KEM: mlKem,
} as const satisfies Record<string, KeyEncapsulationAlgorithm>;

/** RSAES_PKCS1_V1_5 is a name of the API, too, which AWS has not served since October 2023. */
export const wrappingAlgorithms = {
  RSAES_OAEP_SHA_1: wrappedByRsa(encryptionAlgorithms.RSAES_OAEP_SHA_1),
  RSAES_OAEP_SHA_256: wrappedByRsa(encryptionAlgorithms.RSAES_OAEP_SHA_256),
  RSA_AES_KEY_WRAP_SHA_1: rsaAesKeyWrap(encryptionAlgorithms.RSAES_OAEP_SHA_1),
  RSA_AES_KEY_WRAP_SHA_256: rsaAesKeyWrap(encryptionAlgorithms.RSAES_OAEP_SHA_256),
  SM2PKE: wrappedBy(encryptionAlgorithms.SM2PKE),
} as const satisfies Record<string, WrappingAlgorithm>;

export type SigningAlgorithmName = keyof typeof signingAlgorithms;
export type EncryptionAlgorithmName = keyof typeof encryptionAlgorithms;
export type MacAlgorithmName = keyof typeof macAlgorithms;
export type WrappingAlgorithmName = keyof typeof wrappingAlgorithms;
