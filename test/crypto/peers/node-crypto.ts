// Node's crypto (OpenSSL) as a second opinion, through its one-shot functions.

import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import type { Peer } from "./peer.ts";

const bytes = (digits: string) => Buffer.from(digits, "hex");
const hex = (buffer: Buffer) => buffer.toString("hex");

const privateKey = (digits: string) =>
  createPrivateKey({ key: bytes(digits), format: "der", type: "pkcs8" });
const publicKey = (digits: string) =>
  createPublicKey({ key: bytes(digits), format: "der", type: "spki" });

const curves: Readonly<Record<string, string>> = {
  ECC_NIST_P256: "P-256",
  ECC_NIST_P384: "P-384",
  ECC_NIST_P521: "P-521",
  ECC_SECG_P256K1: "secp256k1",
};

const hashOf = (algorithm: string) => `sha${algorithm.slice(algorithm.lastIndexOf("_") + 1)}`;

/** The key with its padding, and the hash; Ed25519 has neither. */
function signing(algorithm: string, key: KeyObject) {
  if (algorithm.startsWith("ED25519")) return { hash: null, key };
  const hash = hashOf(algorithm);
  if (!algorithm.startsWith("RSASSA_PSS")) return { hash, key };
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return { hash, key: { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } };
}

const oaep = (algorithm: string) => ({
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: hashOf(algorithm),
});

function generate(spec: string) {
  const namedCurve = curves[spec];
  if (namedCurve) return generateKeyPairSync("ec", { namedCurve });
  if (spec === "ECC_NIST_EDWARDS25519") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

function wrap(algorithm: string, spki: string, material: Buffer): Buffer {
  const key = { key: publicKey(spki), ...oaep(algorithm) };
  if (!algorithm.startsWith("RSA_AES_KEY_WRAP")) return publicEncrypt(key, material);
  const aesKey = randomBytes(32);
  const cipher = createCipheriv("id-aes256-wrap-pad", aesKey, bytes("a65959a6"));
  const wrapped = Buffer.concat([cipher.update(material), cipher.final()]);
  return Buffer.concat([publicEncrypt(key, aesKey), wrapped]);
}

/** AES-256-GCM with its tag behind the ciphertext. */
function seal(key: Buffer, iv: Buffer, data: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(data);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function unseal(key: Buffer, iv: Buffer, data: Buffer, sealed: Buffer): Buffer | null {
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(data);
  decipher.setAuthTag(sealed.subarray(-16));
  const plaintext = decipher.update(sealed.subarray(0, -16));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    return null;
  }
}

/** SM2's x coordinate from a private number and an uncompressed point. */
function deriveSm2(scalar: Buffer, point: Buffer): Buffer {
  const own = createECDH("SM2");
  own.setPrivateKey(scalar);
  return own.computeSecret(point);
}

function answer(words: readonly string[]): string {
  const [operation, a = "", b = "", c = "", d = "", e = ""] = words;
  switch (operation) {
    case "generate": {
      const pair = generate(a);
      const pkcs8 = pair.privateKey.export({ type: "pkcs8", format: "der" });
      return `${hex(pkcs8)} ${hex(pair.publicKey.export({ type: "spki", format: "der" }))}`;
    }
    case "sign": {
      const { hash, key } = signing(a, privateKey(b));
      return hex(sign(hash, bytes(c), key));
    }
    case "verify": {
      const { hash, key } = signing(a, publicKey(b));
      return String(verify(hash, bytes(c), key, bytes(d)));
    }
    case "encrypt":
      return hex(publicEncrypt({ key: publicKey(b), ...oaep(a) }, bytes(c)));
    case "decrypt":
      return hex(privateDecrypt({ key: privateKey(b), ...oaep(a) }, bytes(c)));
    case "wrap":
      return hex(wrap(a, b, bytes(c)));
    case "mac":
      return createHmac(hashOf(a), bytes(b)).update(bytes(c)).digest("hex");
    case "derive":
      return hex(diffieHellman({ privateKey: privateKey(a), publicKey: publicKey(b) }));
    case "seal":
      return hex(seal(bytes(b), bytes(c), bytes(d), bytes(e)));
    case "unseal": {
      const plaintext = unseal(bytes(b), bytes(c), bytes(d), bytes(e));
      return plaintext ? hex(plaintext) : "false";
    }
    case "derive_sm2":
      return hex(deriveSm2(bytes(a), bytes(b)));
    default:
      throw new Error(`no operation ${operation}`);
  }
}

export const nodePeer: Peer = {
  ask: async (...words) => answer(words),
  stop() {},
};
