// ECDSA (FIPS 186-5, SEC 1). Signatures are the DER of r and s, and either half of the range will
// do for s. Messages are hashed and signed by the platform; it does not take digests, nor does
// workerd have secp256k1, so there it is noble.

import { sign, verify } from "node:crypto";
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { assert } from "../assert.ts";
import { digestOf, type SigningAlgorithm } from "./algorithm.ts";
import type { Curve } from "./curves.ts";
import { ecPrivateKey, ecPublicKey } from "./ec-keys.ts";
import { digestBytes, type HashName } from "./hash.ts";
import { privateKeyObject, publicKeyObject } from "./key.ts";

const options = { prehash: false, lowS: false, format: "der" } as const;

/** ECDSA with a hash, on the curve of the key. */
export const ecdsa = (name: HashName): SigningAlgorithm => ({
  messageBytes: { RAW: null, DIGEST: digestBytes[name] },
  sign(key, message) {
    const { curve, scalar } = ecPrivateKey(key);
    if (message.type === "RAW" && curve.nativeName) {
      return new Uint8Array(sign(name, message.bytes, privateKeyObject(key)));
    }
    // Extra entropy: like the platform's, two signatures of one message differ.
    const hedged = { ...options, extraEntropy: true };
    const digest = digestOf(name, message);
    return nobleOf(curve).then((noble) => new Uint8Array(noble.sign(digest, scalar, hedged)));
  },
  verify(key, message, signature) {
    const { curve, point } = ecPublicKey(key);
    if (message.type === "RAW" && curve.nativeName) {
      return verify(name, message.bytes, publicKeyObject(key), signature);
    }
    const digest = digestOf(name, message);
    return nobleOf(curve).then((noble) => noble.verify(signature, digest, point, options));
  },
});

async function nobleOf({ library, ecdsa }: Curve): Promise<ECDSA> {
  await library.load();
  const noble = ecdsa();
  assert(noble, "the key's curve is one for ECDSA");
  return noble;
}
