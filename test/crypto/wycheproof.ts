// What C2SP's Wycheproof vectors (github.com/C2SP/wycheproof, testvectors_v1) say of the algorithms
// of AWS KMS: file by file, how a vector is tried. Runs in Node and in workerd alike.

import "./all-libraries.ts";
import { expect } from "vitest";
import type {
  EncryptionAlgorithm,
  MacAlgorithm,
  Message,
  MessageType,
  SigningAlgorithm,
} from "../../src/crypto/algorithm.ts";
import {
  encryptionAlgorithms,
  keyAgreementAlgorithms,
  keyEncapsulationAlgorithms,
  macAlgorithms,
  signingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { fromHex as hex, toBase64, toHex } from "../../src/crypto/base64.ts";
import { type Curve, curves } from "../../src/crypto/curves.ts";
import { derElement, derInteger, derOctetString, derSequence } from "../../src/crypto/der.ts";
import { aesGcm } from "../../src/crypto/gcm.ts";
import { type HashName, hash } from "../../src/crypto/hash.ts";
import { unwrapPadded } from "../../src/crypto/import-wrapping.ts";
import { algorithmIdentifier, encodePkcs8, encodeSpki } from "../../src/crypto/key-encoding.ts";
import { type KeyPairSpec, readKeyPair } from "../../src/crypto/key-pair.ts";

/** Members of vectors and groups; the numbers and bytes among them are hex. */
type Members = Readonly<Record<string, string | undefined>>;

type Vector = Members & {
  readonly flags: readonly string[];
  readonly result: "valid" | "acceptable" | "invalid";
};

export interface VectorFile {
  readonly testGroups: readonly (Members & { readonly tests: readonly Vector[] })[];
}

/** Whether the code under test takes a vector; null where KMS has no such thing. */
type Verdict = boolean | null;

interface Trial {
  readonly file: string;
  /** What is tried, where it is not what the file is about. */
  readonly of?: string;
  /** Vectors of each kind that are enough where the file is long and the algorithm slow. */
  readonly sample?: number;
  /** Throws for a result that differs from the vector's. */
  accepts(test: Vector, group: Members): Verdict | Promise<Verdict>;
}

/** The vectors that were not judged as they are; of each kind no more than `sample` are tried. */
export async function misjudged(trial: Trial, { testGroups }: VectorFile, sample = Infinity) {
  const wrong: object[] = [];
  const seen = new Map<string, number>();
  let judged = 0;
  for (const group of testGroups) {
    for (const test of group.tests) {
      const { tcId, comment, flags, result } = test;
      const kind = [result, ...flags].join();
      const count = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, count);
      if (count > sample) continue;
      const accepted = await trial.accepts(test, group);
      if (accepted === null) continue;
      judged += 1;
      const fits = result === "acceptable" || accepted === (result === "valid");
      if (!fits) wrong.push({ tcId, comment, flags, result });
    }
  }
  expect(judged).toBeGreaterThan(0);
  return wrong;
}

const base64 = (digits = "") => toBase64(hex(digits));
const same = (bytes: Uint8Array | null, digits = "") => bytes !== null && toHex(bytes) === digits;

/** Signatures of messages, or of their digests where a hash is given. */
function signatures(file: string, algorithm: SigningAlgorithm, digest?: HashName): Trial {
  const keys = new Map<string, { readonly publicKey: string }>();
  const type: MessageType = digest ? "DIGEST" : "RAW";
  return {
    file,
    ...(digest && { of: "its digests", sample: 10 }),
    accepts({ msg = "", sig = "" }, { publicKeyDer = "" }) {
      const key = keys.get(publicKeyDer) ?? { publicKey: base64(publicKeyDer) };
      keys.set(publicKeyDer, key);
      const bytes = digest ? hash(digest, hex(msg)) : hex(msg);
      return algorithm.verify(key, { type, bytes }, hex(sig));
    },
  };
}

const oaep = (file: string, algorithm: EncryptionAlgorithm): Trial => ({
  file,
  accepts({ msg, ct = "", label }, { privateKeyPkcs8 }) {
    const plaintext = algorithm.decrypt({ bytes: base64(privateKeyPkcs8) }, hex(ct));
    if (label === "") return same(plaintext, msg);
    expect(plaintext).toBe(null); // KMS has no label.
    return null;
  },
});

const hmac = (file: string, algorithm: MacAlgorithm): Trial => ({
  file,
  accepts({ key, msg = "", tag = "", result }) {
    const secret = { bytes: base64(key) };
    const mac = algorithm.generate(secret, hex(msg));
    // Half of the vectors are of MACs that are cut short, which KMS does not have.
    if (tag.length < 2 * mac.length) return same(mac.subarray(0, tag.length / 2), tag);
    expect(same(mac, tag)).toBe(result === "valid");
    return algorithm.verify(secret, hex(msg), hex(tag));
  },
});

const ecdh = (file: string, curve: Curve): Trial => ({
  file,
  sample: 10,
  async accepts(test) {
    // The private numbers are written with or without zeros before them.
    const digits = 2 * curve.coordinateBytes;
    const scalar = hex((test.private ?? "").padStart(digits, "0").slice(-digits));
    const ecPrivateKey = derSequence(derInteger(new Uint8Array([1])), derOctetString(scalar));
    const key = { bytes: toBase64(encodePkcs8(curve.algorithm, ecPrivateKey)) };
    const peer = hex(test.public ?? "");
    const secret = await keyAgreementAlgorithms.ECDH.deriveSharedSecret(key, peer);
    if (secret) expect(toHex(secret)).toBe(test.shared);
    return secret !== null;
  },
});

const nistAlgorithm = (number: string) => algorithmIdentifier(`2.16.840.1.101.3.4.${number}`);

const messagesOf = ({ msg, mu }: Vector): Message[] => [
  ...(msg === undefined ? [] : [{ type: "RAW", bytes: hex(msg) } as const]),
  ...(mu === undefined ? [] : [{ type: "EXTERNAL_MU", bytes: hex(mu) } as const]),
];

/** `number` is the end of the parameter set's OID. */
function mlDsa(spec: KeyPairSpec, files: string, number: string): readonly Trial[] {
  const algorithm = nistAlgorithm(number);
  const { sign, verify } = signingAlgorithms.ML_DSA_SHAKE_256;
  return [
    {
      file: `${files}_verify_test.json`,
      accepts(test, { publicKey = "" }) {
        const [message] = messagesOf(test);
        // KMS has no context, and makes its public keys itself.
        if (!message || test.ctx || test.flags.includes("IncorrectPublicKeyLength")) return null;
        const key = { publicKey: toBase64(encodeSpki(algorithm, hex(publicKey))) };
        return verify(key, message, hex(test.sig ?? ""));
      },
    },
    {
      file: `${files}_sign_seed_test.json`,
      sample: 4,
      async accepts(test, { publicKey = "", privateSeed = "" }) {
        if (test.ctx) return null;
        const pkcs8 = encodePkcs8(algorithm, derElement(0x80, hex(privateSeed)));
        const pair = await readKeyPair(spec, pkcs8);
        if (!pair) return false;
        expect(pair.publicKey).toEqual(encodeSpki(algorithm, hex(publicKey)));
        const key = { bytes: toBase64(pair.privateKey), publicKey: toBase64(pair.publicKey) };
        for (const message of messagesOf(test)) {
          expect(await verify(key, message, hex(test.sig ?? ""))).toBe(true);
          // Ours are hedged, so that they differ from those of the file.
          expect(await verify(key, message, await sign(key, message))).toBe(true);
        }
        return true;
      },
    },
  ];
}

function mlKem(spec: KeyPairSpec, file: string, number: string): Trial {
  const algorithm = nistAlgorithm(number);
  return {
    file,
    async accepts({ seed = "", ek, c = "", K = "" }) {
      const pair = await readKeyPair(spec, encodePkcs8(algorithm, derElement(0x80, hex(seed))));
      if (!pair) return false;
      if (ek) expect(pair.publicKey).toEqual(encodeSpki(algorithm, hex(ek)));
      const key = { bytes: toBase64(pair.privateKey) };
      const secret = await keyEncapsulationAlgorithms.ML_KEM.decapsulate(key, hex(c));
      if (secret) expect(toHex(secret)).toBe(K);
      return secret !== null;
    },
  };
}

const aesGcmTrial: Trial = {
  file: "aes_gcm_test.json",
  async accepts({ key = "", iv = "", aad = "", msg = "", ct = "", tag = "", result }) {
    if (iv.length !== 24 || key.length === 48 || tag.length !== 32) return null;
    const gcm = await aesGcm(hex(key));
    if (result === "valid") {
      expect(toHex(await gcm.seal(hex(iv), hex(aad), hex(msg)))).toBe(ct + tag);
    }
    return same(await gcm.open(hex(iv), hex(aad), hex(ct + tag)), msg);
  },
};

const signing = signingAlgorithms;

export const trials: readonly Trial[] = [
  signatures("ecdsa_secp256r1_sha256_test.json", signing.ECDSA_SHA_256),
  signatures("ecdsa_secp384r1_sha384_test.json", signing.ECDSA_SHA_384),
  signatures("ecdsa_secp521r1_sha512_test.json", signing.ECDSA_SHA_512),
  signatures("ecdsa_secp256k1_sha256_test.json", signing.ECDSA_SHA_256),
  signatures("ecdsa_secp256r1_sha256_test.json", signing.ECDSA_SHA_256, "sha256"),
  signatures("ecdsa_secp384r1_sha384_test.json", signing.ECDSA_SHA_384, "sha384"),
  signatures("ecdsa_secp521r1_sha512_test.json", signing.ECDSA_SHA_512, "sha512"),
  signatures("ecdsa_secp256k1_sha256_test.json", signing.ECDSA_SHA_256, "sha256"),
  signatures("ed25519_test.json", signing.ED25519_SHA_512),
  signatures("rsa_pss_2048_sha256_mgf1_32_test.json", signing.RSASSA_PSS_SHA_256),
  signatures("rsa_pss_2048_sha384_mgf1_48_test.json", signing.RSASSA_PSS_SHA_384),
  signatures("rsa_pss_3072_sha256_mgf1_32_test.json", signing.RSASSA_PSS_SHA_256),
  signatures("rsa_pss_4096_sha256_mgf1_32_test.json", signing.RSASSA_PSS_SHA_256),
  signatures("rsa_pss_4096_sha384_mgf1_48_test.json", signing.RSASSA_PSS_SHA_384),
  signatures("rsa_pss_4096_sha512_mgf1_64_test.json", signing.RSASSA_PSS_SHA_512),
  signatures("rsa_signature_2048_sha256_test.json", signing.RSASSA_PKCS1_V1_5_SHA_256),
  signatures("rsa_signature_2048_sha384_test.json", signing.RSASSA_PKCS1_V1_5_SHA_384),
  signatures("rsa_signature_2048_sha512_test.json", signing.RSASSA_PKCS1_V1_5_SHA_512),
  signatures("rsa_signature_3072_sha256_test.json", signing.RSASSA_PKCS1_V1_5_SHA_256),
  signatures("rsa_signature_4096_sha512_test.json", signing.RSASSA_PKCS1_V1_5_SHA_512),
  oaep("rsa_oaep_2048_sha1_mgf1sha1_test.json", encryptionAlgorithms.RSAES_OAEP_SHA_1),
  oaep("rsa_oaep_2048_sha256_mgf1sha256_test.json", encryptionAlgorithms.RSAES_OAEP_SHA_256),
  oaep("rsa_oaep_3072_sha256_mgf1sha256_test.json", encryptionAlgorithms.RSAES_OAEP_SHA_256),
  oaep("rsa_oaep_4096_sha256_mgf1sha256_test.json", encryptionAlgorithms.RSAES_OAEP_SHA_256),
  hmac("hmac_sha224_test.json", macAlgorithms.HMAC_SHA_224),
  hmac("hmac_sha256_test.json", macAlgorithms.HMAC_SHA_256),
  hmac("hmac_sha384_test.json", macAlgorithms.HMAC_SHA_384),
  hmac("hmac_sha512_test.json", macAlgorithms.HMAC_SHA_512),
  aesGcmTrial,
  {
    file: "aes_kwp_test.json",
    accepts: ({ key = "", msg, ct = "" }) => same(unwrapPadded(hex(key), hex(ct)), msg),
  },
  ecdh("ecdh_secp256r1_test.json", curves["P-256"]),
  ecdh("ecdh_secp384r1_test.json", curves["P-384"]),
  ecdh("ecdh_secp521r1_test.json", curves["P-521"]),
  ...mlDsa("ML_DSA_44", "mldsa_44", "3.17"),
  ...mlDsa("ML_DSA_65", "mldsa_65", "3.18"),
  ...mlDsa("ML_DSA_87", "mldsa_87", "3.19"),
  mlKem("ML_KEM_512", "mlkem_512_test.json", "4.1"),
  mlKem("ML_KEM_768", "mlkem_768_test.json", "4.2"),
  mlKem("ML_KEM_1024", "mlkem_1024_test.json", "4.3"),
];
