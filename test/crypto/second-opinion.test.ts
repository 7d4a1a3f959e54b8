// Every algorithm held against other implementations, in both directions and with keys of both
// sides: what they sign, encrypt and wrap we take, and what we sign and encrypt they take. A peer
// that is not on this machine is skipped by name; where REQUIRE_CLIENTS=1 its tests fail.

import "./all-libraries.ts";
import { afterAll, describe, expect, it } from "vitest";
import {
  encryptionAlgorithms,
  keyAgreementAlgorithms,
  keyEncapsulationAlgorithms,
  macAlgorithms,
  signingAlgorithms,
  wrappingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { fromHex as hex, toBase64, toHex } from "../../src/crypto/base64.ts";
import { ecPrivateKey, ecPublicKey } from "../../src/crypto/ec-keys.ts";
import { gcm } from "../../src/crypto/gcm.ts";
import { type HashName, hash } from "../../src/crypto/hash.ts";
import type { PrivateKey, PublicKey } from "../../src/crypto/key.ts";
import { generateKeyPair, type KeyPairSpec, readKeyPair } from "../../src/crypto/key-pair.ts";
import type { Peer } from "./peers/peer.ts";
import { startPeers } from "./peers/peers.ts";

const peers = await startPeers();
type PeerName = keyof typeof peers;

afterAll(() => {
  for (const peer of Object.values(peers)) peer?.stop();
});

/** A test with a peer. */
function withPeer(name: PeerName, title: string, body: (peer: Peer) => Promise<void>): void {
  const peer = peers[name];
  it.skipIf(!peer && process.env.REQUIRE_CLIENTS !== "1")(`${title}, ${name}`, async () => {
    if (!peer) throw new Error(`${name} cannot run here, and REQUIRE_CLIENTS=1`);
    await body(peer);
  });
}

/** A key pair in the forms that we and the peers take. */
interface Pair extends PrivateKey, PublicKey {
  readonly pkcs8: string;
  readonly spki: string;
}

const pair = (privateKey: Uint8Array, publicKey: Uint8Array): Pair => ({
  bytes: toBase64(privateKey),
  publicKey: toBase64(publicKey),
  pkcs8: toHex(privateKey),
  spki: toHex(publicKey),
});

const made = new Map<KeyPairSpec, Pair>();

/** A pair of ours, one for each spec. */
async function ourPair(spec: KeyPairSpec): Promise<Pair> {
  const known = made.get(spec);
  if (known) return known;
  const { privateKey, publicKey } = await generateKeyPair(spec);
  const fresh = pair(privateKey, publicKey);
  made.set(spec, fresh);
  return fresh;
}

/** A pair of a peer's, as we read it: its public half has to be what the peer says it is. */
async function theirPair(peer: Peer, spec: KeyPairSpec): Promise<Pair> {
  const [pkcs8 = "", spki = ""] = (await peer.ask("generate", spec)).split(" ");
  const read = await readKeyPair(spec, hex(pkcs8));
  if (!read) throw new Error(`no ${spec}: ${pkcs8}`);
  expect(toHex(read.publicKey)).toBe(spki);
  return pair(read.privateKey, read.publicKey);
}

const bothPairs = async (peer: Peer, spec: KeyPairSpec) => [
  await ourPair(spec),
  await theirPair(peer, spec),
];

const message = new TextEncoder().encode("a message that is signed by one and read by the other");
const everyone: readonly PeerName[] = ["node", "openssl", "python", "java"];
const butJava: readonly PeerName[] = ["node", "openssl", "python"];

describe("signatures", () => {
  type Name = keyof typeof signingAlgorithms;

  /** They are asked for messages alone; our signatures of messages and of digests must both do. */
  function signatures(
    names: readonly PeerName[],
    algorithm: Name,
    spec: KeyPairSpec,
    h?: HashName,
  ) {
    for (const name of names) {
      withPeer(name, `${algorithm} with ${spec}`, async (peer) => {
        const { sign, verify } = signingAlgorithms[algorithm];
        const forms = [
          { type: "RAW", bytes: message } as const,
          ...(h ? [{ type: "DIGEST", bytes: hash(h, message) } as const] : []),
        ];
        for (const key of await bothPairs(peer, spec)) {
          const theirs = await peer.ask("sign", algorithm, key.pkcs8, toHex(message));
          for (const form of forms) {
            const ours = toHex(await sign(key, form));
            expect(await peer.ask("verify", algorithm, key.spki, toHex(message), ours)).toBe(
              "true",
            );
            expect(await verify(key, form, hex(theirs))).toBe(true);
          }
          const other = toHex(message.slice(1));
          expect(await peer.ask("verify", algorithm, key.spki, other, theirs)).toBe("false");
        }
      });
    }
  }

  for (const [bits, name] of [
    ["256", "sha256"],
    ["384", "sha384"],
    ["512", "sha512"],
  ] as const) {
    signatures(everyone, `RSASSA_PKCS1_V1_5_SHA_${bits}`, "RSA_2048", name);
    signatures(everyone, `RSASSA_PSS_SHA_${bits}`, "RSA_2048", name);
  }
  signatures(everyone, "ECDSA_SHA_256", "ECC_NIST_P256", "sha256");
  signatures(everyone, "ECDSA_SHA_384", "ECC_NIST_P384", "sha384");
  signatures(everyone, "ECDSA_SHA_512", "ECC_NIST_P521", "sha512");
  signatures(butJava, "ECDSA_SHA_256", "ECC_SECG_P256K1", "sha256");
  signatures(everyone, "ED25519_SHA_512", "ECC_NIST_EDWARDS25519");
  signatures(["python"], "ML_DSA_SHAKE_256", "ML_DSA_44");
  signatures(["python"], "ML_DSA_SHAKE_256", "ML_DSA_65");
  signatures(["python"], "ML_DSA_SHAKE_256", "ML_DSA_87");
  signatures(["openssl"], "SM2DSA", "SM2");

  withPeer("java", "ED25519_PH_SHA_512", async (peer) => {
    const { sign, verify } = signingAlgorithms.ED25519_PH_SHA_512;
    const algorithm = "ED25519_PH_SHA_512";
    const digest = hash("sha512", message);
    const form = { type: "DIGEST", bytes: digest } as const;
    for (const key of await bothPairs(peer, "ECC_NIST_EDWARDS25519")) {
      // Of the digest, not of the message: it is hashed again.
      const theirs = await peer.ask("sign", algorithm, key.pkcs8, toHex(digest));
      const ours = toHex(await sign(key, form));
      expect(ours).toBe(theirs);
      expect(await verify(key, form, hex(theirs))).toBe(true);
      expect(await peer.ask("verify", algorithm, key.spki, toHex(digest), ours)).toBe("true");
    }
  });

  for (const spec of ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"] as const) {
    withPeer("python", `ML_DSA_SHAKE_256 of an external mu with ${spec}`, async (peer) => {
      const { sign, verify } = signingAlgorithms.ML_DSA_SHAKE_256;
      const algorithm = "ML_DSA_SHAKE_256";
      const key = await ourPair(spec);
      const mu = hex(await peer.ask("mu", key.spki, toHex(message)));
      const form = { type: "EXTERNAL_MU", bytes: mu } as const;
      const ours = toHex(await sign(key, form));
      expect(await peer.ask("verify", algorithm, key.spki, toHex(message), ours)).toBe("true");
      const theirs = await peer.ask("sign", algorithm, key.pkcs8, toHex(message));
      expect(await verify(key, form, hex(theirs))).toBe(true);
    });
  }
});

describe("encryption", () => {
  function encryption(
    names: readonly PeerName[],
    algorithm: keyof typeof encryptionAlgorithms,
    spec: KeyPairSpec,
  ) {
    for (const name of names) {
      withPeer(name, `${algorithm} with ${spec}`, async (peer) => {
        const { encrypt, decrypt, maxPlaintextBytes } = encryptionAlgorithms[algorithm];
        for (const key of await bothPairs(peer, spec)) {
          for (const length of [1, 32, maxPlaintextBytes(key)]) {
            const plaintext = crypto.getRandomValues(new Uint8Array(length));
            const theirs = await peer.ask("encrypt", algorithm, key.spki, toHex(plaintext));
            expect(decrypt(key, hex(theirs))).toEqual(plaintext);
            const ours = toHex(encrypt(key, plaintext));
            expect(await peer.ask("decrypt", algorithm, key.pkcs8, ours)).toBe(toHex(plaintext));
          }
        }
      });
    }
  }

  encryption(everyone, "RSAES_OAEP_SHA_1", "RSA_2048");
  encryption(everyone, "RSAES_OAEP_SHA_256", "RSA_2048");
  encryption(["openssl"], "SM2PKE", "SM2");

  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

  /** What SYMMETRIC_DEFAULT is: AES, in China SM4. */
  function symmetric(names: readonly PeerName[], cipher: "AES" | "SM4", keyBytes: number) {
    for (const name of names) {
      withPeer(name, `SYMMETRIC_DEFAULT, ${cipher}-GCM`, async (peer) => {
        for (const length of [1, 15, 16, 17, 32, 100, 4096]) {
          const [key, iv, plaintext] = [random(keyBytes), random(12), random(length)];
          const data = random(length % 23);
          const ours = await gcm(key);
          const sealed = toHex(await ours.seal(iv, data, plaintext));
          const shared = [cipher, toHex(key), toHex(iv), toHex(data) || "-"];
          expect(await peer.ask("unseal", ...shared, sealed)).toBe(toHex(plaintext));
          const theirs = hex(await peer.ask("seal", ...shared, toHex(plaintext)));
          expect(await ours.open(iv, data, theirs)).toEqual(plaintext);
          const other = [cipher, toHex(random(keyBytes)), ...shared.slice(2)];
          expect(await peer.ask("unseal", ...other, sealed)).toBe("false");
        }
      });
    }
  }

  symmetric(["node", "python", "java"], "AES", 32);
  symmetric(["python"], "SM4", 16);
});

describe("key material wrapped for an import", () => {
  for (const algorithm of Object.keys(wrappingAlgorithms) as (keyof typeof wrappingAlgorithms)[]) {
    for (const name of algorithm === "SM2PKE" ? (["openssl"] as const) : everyone) {
      withPeer(name, algorithm, async (peer) => {
        const key = await ourPair(algorithm === "SM2PKE" ? "SM2" : "RSA_2048");
        const lengths = algorithm.startsWith("RSA_AES") ? [16, 32, 138, 1217, 2375] : [16, 32, 138];
        for (const length of lengths) {
          const material = crypto.getRandomValues(new Uint8Array(length));
          const wrapped = await peer.ask("wrap", algorithm, key.spki, toHex(material));
          expect(wrappingAlgorithms[algorithm].unwrap(key, hex(wrapped))).toEqual(material);
        }
      });
    }
  }
});

describe("MACs", () => {
  for (const algorithm of Object.keys(macAlgorithms) as (keyof typeof macAlgorithms)[]) {
    for (const name of everyone) {
      withPeer(name, algorithm, async (peer) => {
        const key = crypto.getRandomValues(new Uint8Array(48));
        const { generate, verify } = macAlgorithms[algorithm];
        const theirs = await peer.ask("mac", algorithm, toHex(key), toHex(message));
        expect(theirs).toBe(toHex(generate({ bytes: toBase64(key) }, message)));
        expect(verify({ bytes: toBase64(key) }, message, hex(theirs))).toBe(true);
      });
    }
  }
});

describe("key agreement", () => {
  const { deriveSharedSecret } = keyAgreementAlgorithms.ECDH;
  for (const spec of ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] as const) {
    for (const name of everyone) {
      withPeer(name, spec, async (peer) => {
        const [ours, theirs] = [await ourPair(spec), await theirPair(peer, spec)];
        const secret = toHex(
          (await deriveSharedSecret(ours, hex(theirs.spki))) ?? new Uint8Array(),
        );
        expect(await peer.ask("derive", theirs.pkcs8, ours.spki)).toBe(secret);
      });
    }
  }

  withPeer("node", "SM2", async (peer) => {
    const [ours, other] = [await ourPair("SM2"), await generateKeyPair("SM2")];
    const theirs = pair(other.privateKey, other.publicKey);
    const secret = toHex((await deriveSharedSecret(ours, other.publicKey)) ?? new Uint8Array());
    const scalar = toHex(ecPrivateKey(theirs).scalar);
    const point = toHex(ecPublicKey(ours).point);
    expect(await peer.ask("derive_sm2", scalar, point)).toBe(secret);
  });
});

describe("key encapsulation", () => {
  const { encapsulate, decapsulate } = keyEncapsulationAlgorithms.ML_KEM;
  for (const spec of ["ML_KEM_768", "ML_KEM_1024"] as const) {
    withPeer("python", spec, async (peer) => {
      for (const key of await bothPairs(peer, spec)) {
        const ours = await encapsulate(key);
        const answer = await peer.ask("decapsulate", key.pkcs8, toHex(ours.ciphertext));
        expect(answer).toBe(toHex(ours.sharedSecret));
        const [secret = "", ciphertext = ""] = (await peer.ask("encapsulate", key.spki)).split(" ");
        expect(await decapsulate(key, hex(ciphertext))).toEqual(hex(secret));
      }
    });
  }
});
