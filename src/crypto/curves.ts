// The elliptic curves of AWS KMS's ECC and SM2 key specs.

import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { attempt } from "./attempt.ts";
import { fromHex, toHex } from "./base64.ts";
import type { Bytes } from "./bytes.ts";
import { derObjectIdentifier } from "./der.ts";
import { algorithmIdentifier } from "./key-encoding.ts";
import { type Library, nobleNistCurves, nobleSecp256k1, smCrypto } from "./libraries.ts";

export interface Curve {
  /** id-ecPublicKey with the curve by name (RFC 5480, 2.1.1). */
  readonly algorithm: Bytes;
  /** Bytes of a coordinate and of a private number. */
  readonly coordinateBytes: number;
  /** What the platform calls it, or null where workerd does not have it. */
  readonly nativeName: "P-256" | "P-384" | "P-521" | null;
  /** To be loaded before any of the functions below is called. */
  readonly library: Library<unknown>;
  /** ECDSA on it in noble, or null where it is not for ECDSA. */
  ecdsa(): ECDSA | null;
  /** A private number, big-endian. */
  randomScalar(): Bytes;
  /** The uncompressed public point of a private number, or null where it is out of range. */
  publicPoint(scalar: Uint8Array): Bytes | null;
}

const ecPublicKey = (curve: string) =>
  algorithmIdentifier("1.2.840.10045.2.1", derObjectIdentifier(curve));

const ecdsaCurve = (
  name: string,
  coordinateBytes: number,
  library: Library<unknown>,
  ecdsa: () => ECDSA,
  nativeName: Curve["nativeName"] = null,
): Curve => ({
  algorithm: ecPublicKey(name),
  coordinateBytes,
  nativeName,
  library,
  ecdsa,
  randomScalar: () => new Uint8Array(ecdsa().utils.randomSecretKey()),
  publicPoint: (scalar) =>
    ecdsa().utils.isValidSecretKey(scalar)
      ? new Uint8Array(ecdsa().getPublicKey(scalar, false))
      : null,
});

const nistCurve = (
  name: string,
  coordinateBytes: number,
  nativeName: "P-256" | "P-384" | "P-521",
  ecdsa: () => ECDSA,
): Curve => ecdsaCurve(name, coordinateBytes, nobleNistCurves, ecdsa, nativeName);

export const curves = {
  "P-256": nistCurve("1.2.840.10045.3.1.7", 32, "P-256", () => nobleNistCurves.loaded.p256),
  "P-384": nistCurve("1.3.132.0.34", 48, "P-384", () => nobleNistCurves.loaded.p384),
  "P-521": nistCurve("1.3.132.0.35", 66, "P-521", () => nobleNistCurves.loaded.p521),
  secp256k1: ecdsaCurve("1.3.132.0.10", 32, nobleSecp256k1, () => nobleSecp256k1.loaded.secp256k1),
  /** Of GB/T 32918.5, under the OID of GM/T 0006. */
  SM2: {
    algorithm: ecPublicKey("1.2.156.10197.1.301"),
    coordinateBytes: 32,
    nativeName: null,
    library: smCrypto,
    ecdsa: () => null,
    randomScalar: () => fromHex(smCrypto.loaded.sm2.generateKeyPairHex().privateKey),
    publicPoint(scalar) {
      const { sm2 } = smCrypto.loaded;
      return attempt(() => fromHex(sm2.getPublicKeyFromPrivateKey(toHex(scalar))));
    },
  },
} as const satisfies Record<string, Curve>;

const byAlgorithm = new Map<string, Curve>(
  Object.values(curves).map((curve) => [toHex(curve.algorithm), curve]),
);

/** The curve of an AlgorithmIdentifier (DER, as hex), or null for any other. */
export const curveOf = (algorithm: string): Curve | null => byAlgorithm.get(algorithm) ?? null;
