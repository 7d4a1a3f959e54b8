// RSA key pairs: RSAPrivateKey and RSAPublicKey (RFC 8017, appendix A.1) with exponent 65537.

import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { attempt } from "./attempt.ts";
import { toBase64, toHex } from "./base64.ts";
import { sameBytes } from "./bytes.ts";
import { derNull } from "./der.ts";
import { type KeyPair, type KeyPairKind, privateKeyObject } from "./key.ts";
import { algorithmIdentifier, decodePkcs8, encodePkcs8 } from "./key-encoding.ts";
import { modulusBytes, rawPrivate, rawPublic } from "./rsa-raw.ts";

const rsaEncryption = algorithmIdentifier("1.2.840.113549.1.1.1", derNull);
const MIN_EXPONENT = 65537n;

/** Making a pair of 4096 bits takes half a second and more, in which workerd does nothing else. */
export const rsaKeys = (modulusLength: number): KeyPairKind => ({
  modulusLength,
  generate() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength,
      privateKeyEncoding: { type: "pkcs8", format: "der" },
      publicKeyEncoding: { type: "spki", format: "der" },
    });
    return { privateKey: new Uint8Array(privateKey), publicKey: new Uint8Array(publicKey) };
  },
  read: (pkcs8) => readPair(modulusLength, pkcs8),
});

function readPair(modulusLength: number, pkcs8: Uint8Array): KeyPair | null {
  const content = decodePkcs8(pkcs8);
  if (content?.algorithm !== toHex(rsaEncryption)) return null;
  const bytes = toBase64(encodePkcs8(rsaEncryption, content.key));
  const privateKey = attempt(() => privateKeyObject({ bytes }));
  const details = privateKey?.asymmetricKeyDetails;
  if (!privateKey || details?.modulusLength !== modulusLength) return null;
  // FIPS 186-5 wants an exponent above 2^16, and BoringSSL reads no smaller one.
  if ((details.publicExponent ?? 0n) < MIN_EXPONENT) return null;
  const publicKey = createPublicKey(privateKey);
  if (!belongTogether(privateKey, publicKey)) return null;
  return {
    privateKey: new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" })),
    publicKey: new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
  };
}

/** Whether one undoes the other: OpenSSL reads keys whose numbers do not fit each other. */
function belongTogether(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const block = new Uint8Array(modulusBytes(publicKey)).fill(1);
  const signed = attempt(() => rawPrivate(privateKey, block));
  const undone = signed && rawPublic(publicKey, signed);
  return undone !== null && sameBytes(undone, block);
}
