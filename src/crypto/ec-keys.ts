// Key pairs on elliptic curves. The private key is an ECPrivateKey (RFC 5915) that holds the public
// point but not the curve, which PKCS #8 has named; the public key is an uncompressed point.

import { generateKeyPairSync } from "node:crypto";
import { assert } from "../assert.ts";
import { fromBase64, toHex } from "./base64.ts";
import { sameBytes } from "./bytes.ts";
import { type Curve, curveOf } from "./curves.ts";
import {
  derBitString,
  derElement,
  derInteger,
  derOctetString,
  derSequence,
  readDer,
} from "./der.ts";
import type { KeyPair, KeyPairKind, PrivateKey, PublicKey } from "./key.ts";
import { decodePkcs8, decodeSpki, encodePkcs8, encodeSpki } from "./key-encoding.ts";
import { oncePerKey } from "./once-per-key.ts";

export const ecKeys = (curve: Curve): KeyPairKind => ({
  library: curve.library,
  generate: () => (curve.nativeName ? nativePair(curve.nativeName) : noblePair(curve)),
  read: (pkcs8) => readPair(curve, pkcs8),
});

/** A private key, opened. */
export interface EcPrivateKey {
  readonly curve: Curve;
  /** The private number, big-endian, `curve.coordinateBytes` long. */
  readonly scalar: Uint8Array;
}

/** A public key, opened. */
export interface EcPublicKey {
  readonly curve: Curve;
  /** The uncompressed point: 04, x, y. */
  readonly point: Uint8Array;
}

/** What is in a private key that `ecKeys` made or read. */
export const ecPrivateKey = oncePerKey((key: PrivateKey): EcPrivateKey => {
  const content = decodePkcs8(fromBase64(key.bytes));
  const curve = content && curveOf(content.algorithm);
  const inner = content && decodeEcPrivateKey(content.key);
  assert(curve && inner, "an EC key is on one of the curves");
  return { curve, scalar: inner.scalar };
});

/** What is in a public key that `ecKeys` made or read. */
export const ecPublicKey = oncePerKey((key: PublicKey): EcPublicKey => {
  const content = decodeSpki(fromBase64(key.publicKey));
  const curve = content && curveOf(content.algorithm);
  assert(curve, "an EC key is on one of the curves");
  return { curve, point: content.key };
});

function nativePair(namedCurve: string): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve,
    privateKeyEncoding: { type: "pkcs8", format: "der" },
    publicKeyEncoding: { type: "spki", format: "der" },
  });
  return { privateKey: new Uint8Array(privateKey), publicKey: new Uint8Array(publicKey) };
}

function noblePair(curve: Curve): KeyPair {
  const scalar = curve.randomScalar();
  const point = curve.publicPoint(scalar);
  assert(point, "a random private number is in range");
  return encodePair(curve, scalar, point);
}

/** The pair of a private key that says nothing wrong of its curve and its public point. */
function readPair(curve: Curve, pkcs8: Uint8Array): KeyPair | null {
  const content = decodePkcs8(pkcs8);
  if (content?.algorithm !== toHex(curve.algorithm)) return null;
  const inner = decodeEcPrivateKey(content.key);
  if (inner?.scalar.length !== curve.coordinateBytes) return null;
  const point = curve.publicPoint(inner.scalar);
  if (!point) return null;
  const stated = [content.publicKey, inner.point].filter((known) => known !== null);
  if (!stated.every((known) => sameBytes(known, point))) return null;
  if (inner.curve !== null && !toHex(curve.algorithm).endsWith(inner.curve)) return null;
  return encodePair(curve, inner.scalar, point);
}

const CURVE = 0xa0;
const POINT = 0xa1;

const encodePair = (curve: Curve, scalar: Uint8Array, point: Uint8Array): KeyPair => ({
  privateKey: encodePkcs8(
    curve.algorithm,
    derSequence(
      derInteger(new Uint8Array([1])),
      derOctetString(scalar),
      derElement(POINT, derBitString(point)),
    ),
  ),
  publicKey: encodeSpki(curve.algorithm, point),
});

/** An ECPrivateKey: the number, and where it says so the curve's OID (DER, as hex) and the point. */
const decodeEcPrivateKey = (der: Uint8Array) =>
  readDer(der, (input) =>
    input.sequence((key) => {
      key.unsigned(); // Version 1, the only one.
      return {
        scalar: key.octetString(),
        curve: key.explicit(CURVE, (inner) => toHex(inner.encodedObjectIdentifier())),
        point: key.explicit(POINT, (inner) => inner.bitString()),
      };
    }),
  );
