// The elliptic curves of AWS KMS's ECC and SM2 key specs.

import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sm2 } from "sm-crypto-v2";
import { attempt } from "./attempt.ts";
import { fromHex, toHex } from "./base64.ts";
import type { Bytes } from "./bytes.ts";
import { derObjectIdentifier } from "./der.ts";
import { algorithmIdentifier } from "./key-encoding.ts";

export interface Curve {
  /** id-ecPublicKey with the curve by name (RFC 5480, 2.1.1). */
  readonly algorithm: Bytes;
  /** Bytes of a coordinate and of a private number. */
  readonly coordinateBytes: number;
  /** What the platform calls it, or null where workerd does not have it. */
  readonly nativeName: "P-256" | "P-384" | "P-521" | null;
  /** ECDSA on it in noble, or null where it is not for ECDSA. */
  readonly ecdsa: ECDSA | null;
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
  ecdsa: ECDSA,
  nativeName: Curve["nativeName"] = null,
): Curve => ({
  algorithm: ecPublicKey(name),
  coordinateBytes,
  nativeName,
  ecdsa,
  randomScalar: () => new Uint8Array(ecdsa.utils.randomSecretKey()),
  publicPoint: (scalar) =>
    ecdsa.utils.isValidSecretKey(scalar) ? new Uint8Array(ecdsa.getPublicKey(scalar, false)) : null,
});

export const curves = {
  "P-256": ecdsaCurve("1.2.840.10045.3.1.7", 32, p256, "P-256"),
  "P-384": ecdsaCurve("1.3.132.0.34", 48, p384, "P-384"),
  "P-521": ecdsaCurve("1.3.132.0.35", 66, p521, "P-521"),
  secp256k1: ecdsaCurve("1.3.132.0.10", 32, secp256k1),
  /** Of GB/T 32918.5, under the OID of GM/T 0006. */
  SM2: {
    algorithm: ecPublicKey("1.2.156.10197.1.301"),
    coordinateBytes: 32,
    nativeName: null,
    ecdsa: null,
    randomScalar: () => fromHex(sm2.generateKeyPairHex().privateKey),
    publicPoint: (scalar) => attempt(() => fromHex(sm2.getPublicKeyFromPrivateKey(toHex(scalar)))),
  },
} as const satisfies Record<string, Curve>;

const byAlgorithm = new Map<string, Curve>(
  Object.values(curves).map((curve) => [toHex(curve.algorithm), curve]),
);

/** The curve of an AlgorithmIdentifier (DER, as hex), or null for any other. */
export const curveOf = (algorithm: string): Curve | null => byAlgorithm.get(algorithm) ?? null;
