import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64, toHex } from "../../src/crypto/base64.ts";
import {
  generateKeyPair,
  isKeyPairSpec,
  type KeyPairSpec,
  modulusLengthOf,
  publicKeyOf,
  readKeyPair,
} from "../../src/crypto/key-pair.ts";
import vectors from "./vectors/private-keys.json" with { type: "json" };

/** The AlgorithmIdentifier and the bytes of the public key and of the private key, in DER. */
const forms: Readonly<Record<KeyPairSpec, readonly [string, number, number | null]>> = {
  // The private key of RSA varies by some bytes.
  RSA_2048: ["300d06092a864886f70d0101010500", 294, null],
  RSA_3072: ["300d06092a864886f70d0101010500", 422, null],
  RSA_4096: ["300d06092a864886f70d0101010500", 550, null],
  ECC_NIST_P256: ["301306072a8648ce3d020106082a8648ce3d030107", 91, 138],
  ECC_NIST_P384: ["301006072a8648ce3d020106052b81040022", 120, 185],
  ECC_NIST_P521: ["301006072a8648ce3d020106052b81040023", 158, 241],
  ECC_SECG_P256K1: ["301006072a8648ce3d020106052b8104000a", 88, 135],
  ECC_NIST_EDWARDS25519: ["300506032b6570", 44, 48],
  ML_DSA_44: ["300b0609608648016503040311", 1334, 54],
  ML_DSA_65: ["300b0609608648016503040312", 1974, 54],
  ML_DSA_87: ["300b0609608648016503040313", 2614, 54],
  ML_KEM_512: ["300b0609608648016503040401", 822, 86],
  ML_KEM_768: ["300b0609608648016503040402", 1206, 86],
  ML_KEM_1024: ["300b0609608648016503040403", 1590, 86],
  SM2: ["301306072a8648ce3d020106082a811ccf5501822d", 91, 138],
};
const specs = Object.keys(forms) as KeyPairSpec[];

it("of RSA alone takes long to make", () => {
  const slow = specs.filter((spec) => modulusLengthOf(spec) !== null);
  expect(slow.map((spec) => [spec, modulusLengthOf(spec)])).toEqual([
    ["RSA_2048", 2048],
    ["RSA_3072", 3072],
    ["RSA_4096", 4096],
  ]);
});

describe.each(specs)("%s", (spec) => {
  const pair = generateKeyPair(spec);

  it("comes in the encodings of AWS", async () => {
    const { privateKey, publicKey } = await pair;
    const [algorithm, publicBytes, privateBytes] = forms[spec];
    expect(publicKey).toHaveLength(publicBytes);
    if (privateBytes) expect(privateKey).toHaveLength(privateBytes);
    expect(toHex(publicKey)).toContain(algorithm);
    expect(toHex(privateKey)).toContain(`020100${algorithm}04`);
  });

  it("is read as it was made", async () => {
    const { privateKey, publicKey } = await pair;
    expect(await readKeyPair(spec, privateKey)).toEqual({ privateKey, publicKey });
    expect(await publicKeyOf(spec, privateKey)).toEqual(publicKey);
  });

  it("is new each time", async () => {
    if (spec.startsWith("RSA")) return;
    expect(await generateKeyPair(spec)).not.toEqual(await pair);
  });

  it("is not read as of another spec", async () => {
    const { privateKey } = await pair;
    for (const other of specs.filter((name) => name !== spec)) {
      expect(await publicKeyOf(other, privateKey)).toBe(null);
    }
  });

  it("is read or refused, whatever the bytes are", async () => {
    const { privateKey } = await pair;
    const index = fc.nat({ max: privateKey.length - 1 });
    const damage = fc.tuple(index, fc.integer({ min: 1, max: 255 }), fc.constantFrom(-1, 0, 1));
    await fc.assert(
      fc.asyncProperty(damage, async ([at, change, growth]) => {
        const bytes = [...privateKey];
        if (growth === 0) bytes[at] = (bytes[at] ?? 0) ^ change;
        else if (growth > 0) bytes.splice(at, 0, change);
        else bytes.splice(at, 1);
        const read = await readKeyPair(spec, new Uint8Array(bytes));
        if (read) expect(await readKeyPair(spec, read.privateKey)).toEqual(read);
      }),
      { numRuns: spec === "RSA_4096" || spec === "RSA_3072" ? 20 : 60 },
    );
  });
});

describe("a private key made elsewhere", () => {
  it.each(vectors.keys)("$title: $spec", async ({ spec, privateKey, publicKey }) => {
    if (!isKeyPairSpec(spec)) throw new Error(spec);
    const read = await readKeyPair(spec, fromBase64(privateKey));
    expect(read && toBase64(read.publicKey)).toBe(publicKey);
    // However it came, it leaves as our own do.
    if (read) expect(await readKeyPair(spec, read.privateKey)).toEqual(read);
  });
});

it("a key pair spec is told from the others", () => {
  expect(specs.every(isKeyPairSpec)).toBe(true);
  for (const name of ["SYMMETRIC_DEFAULT", "HMAC_256", "toString"]) {
    expect(isKeyPairSpec(name)).toBe(false);
  }
});
