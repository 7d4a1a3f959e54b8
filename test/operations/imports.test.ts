// Imported key material: keys without it, what it is wrapped with, the tokens, and that it works then
// as elsewhere. What becomes of it later is in imported-material.test.ts.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html

import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  wrappingAlgorithmNames,
  wrappingKeySpecs,
  wrappingRefusal,
} from "../../src/domain/wrapping.ts";
import { base64, DAY, outcome, unbase64, World } from "../support/core.ts";
import {
  externalKey,
  importMaterial,
  NO_EXPIRY,
  parameters,
  random,
  wrap,
} from "../support/importing.ts";

const REGION = "us-east-1";
const CHINA = "cn-north-1";
const HEX_64 = /^[0-9a-f]{64}$/;

// crypto.md 1: every key spec that may have the origin EXTERNAL, with one of its usages.
const importable: [KeySpec: string, KeyUsage: string][] = [
  ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"],
  ["HMAC_224", "GENERATE_VERIFY_MAC"],
  ["HMAC_256", "GENERATE_VERIFY_MAC"],
  ["HMAC_384", "GENERATE_VERIFY_MAC"],
  ["HMAC_512", "GENERATE_VERIFY_MAC"],
  ["RSA_2048", "ENCRYPT_DECRYPT"],
  ["RSA_3072", "SIGN_VERIFY"],
  ["RSA_4096", "SIGN_VERIFY"],
  ["ECC_NIST_P256", "SIGN_VERIFY"],
  ["ECC_NIST_P384", "KEY_AGREEMENT"],
  ["ECC_NIST_P521", "SIGN_VERIFY"],
  ["ECC_SECG_P256K1", "SIGN_VERIFY"],
  ["ECC_NIST_EDWARDS25519", "SIGN_VERIFY"],
  ["SM2", "SIGN_VERIFY"],
];
const madeByKmsAlone: [KeySpec: string, KeyUsage: string][] = [
  ["ML_DSA_44", "SIGN_VERIFY"],
  ["ML_DSA_65", "SIGN_VERIFY"],
  ["ML_DSA_87", "SIGN_VERIFY"],
  ["ML_KEM_768", "ENCAPSULATE_DECAPSULATE"],
];

describe("CreateKey with Origin EXTERNAL", () => {
  test.for(importable)("%s, %s: PendingImport, without material", async ([KeySpec, KeyUsage]) => {
    const region = KeySpec === "SM2" ? CHINA : REGION;
    const world = new World();
    const input = { Origin: "EXTERNAL", KeySpec, KeyUsage };
    const metadata = await world.createKey(region, input);
    expect(metadata).toMatchObject({
      KeyState: "PendingImport",
      Enabled: false,
      Origin: "EXTERNAL",
      KeySpec,
    });
    for (const absent of ["CurrentKeyMaterialId", "ExpirationModel", "ValidTo"]) {
      expect(metadata).not.toHaveProperty(absent);
    }
    expect(await world.describe(region, metadata.KeyId)).toEqual(metadata);
  });

  test.for(madeByKmsAlone)("%s is refused", async ([KeySpec, KeyUsage]) => {
    const world = new World();
    const made = world.createKey(REGION, { Origin: "EXTERNAL", KeySpec, KeyUsage });
    expect(await outcome(made)).toBe(
      `UnsupportedOperationException: Origin EXTERNAL is not supported for KeySpec ${KeySpec}.`,
    );
  });

  test("nothing can be done with the key but its management", async () => {
    const { world, KeyId, Arn, materials } = await externalKey();
    const pending = `KMSInvalidStateException: ${Arn} is pending import.`;
    expect(await outcome(world.encrypt(REGION, KeyId))).toBe(pending);
    expect(await outcome(world.dataKey(REGION, KeyId))).toBe(pending);
    expect(await outcome(world.call(REGION, "EnableKey", { KeyId }))).toBe(pending);
    expect(await outcome(world.call(REGION, "RotateKeyOnDemand", { KeyId }))).toBe(pending);
    expect(await outcome(world.call(REGION, "TagResource", { KeyId, Tags: [] }))).toBe("ok");
    expect(await materials()).toEqual([]);
  });
});

describe("GetParametersForImport", () => {
  test("gives a public key of the wrapping key spec, and a token, for 24 hours", async () => {
    const { world, KeyId, Arn } = await externalKey();
    const bits = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 };
    for (const [WrappingKeySpec, modulusLength] of Object.entries(bits)) {
      const answer = await parameters(world, REGION, KeyId, { WrappingKeySpec });
      expect(answer).toEqual({
        KeyId: Arn,
        ImportToken: expect.any(String),
        PublicKey: expect.any(String),
        ParametersValidTo: (world.now + DAY) / 1000,
      });
      const der = Buffer.from(answer.PublicKey, "base64");
      const key = createPublicKey({ key: der, format: "der", type: "spki" });
      expect(key.asymmetricKeyType).toBe("rsa");
      expect(key.asymmetricKeyDetails?.modulusLength).toBe(modulusLength);
      expect(Buffer.from(answer.ImportToken, "base64").length).toBeLessThanOrEqual(6144);
    }
  });

  test("gives others each time, and writes nothing", async () => {
    const { world, KeyId } = await externalKey();
    const before = world.saved(KeyId);
    const [one, two] = [
      await parameters(world, REGION, KeyId),
      await parameters(world, REGION, KeyId),
    ];
    expect(one.PublicKey).not.toBe(two.PublicKey);
    expect(one.ImportToken).not.toBe(two.ImportToken);
    expect(world.saved(KeyId)).toBe(before);
  });

  test("the token does not show the private key, nor what it says", async () => {
    const { world, KeyId } = await externalKey();
    const { ImportToken } = await parameters(world, REGION, KeyId);
    const token = Buffer.from(ImportToken, "base64").toString("latin1");
    expect(token).not.toMatch(/algorithm|RSAES|privateKey|MII/);
  });

  test("is refused for keys of AWS_KMS (recorded on AWS), and so are its sisters", async () => {
    const world = new World();
    const { KeyId, Arn } = await world.createKey(REGION);
    const refusal =
      `UnsupportedOperationException: ${Arn} origin is AWS_KMS which is not valid for this ` +
      "operation.";
    const input = { KeyId, ImportToken: "AAAA", EncryptedKeyMaterial: "AAAA", ...NO_EXPIRY };
    const calls = [
      () => parameters(world, REGION, KeyId),
      () => world.call(REGION, "ImportKeyMaterial", input),
      () => world.call(REGION, "DeleteImportedKeyMaterial", { KeyId }),
    ];
    for (const call of calls) expect(await outcome(call())).toBe(refusal);
    // Footnote 9 of the key-state table comes before 8.
    await world.call(REGION, "ScheduleKeyDeletion", { KeyId });
    for (const call of calls) expect(await outcome(call())).toBe(refusal);
  });

  // crypto.md 9.2, column by column.
  const rsa = ["RSA_2048", "RSA_3072", "RSA_4096"];
  const oaep = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
  const keyWrap = ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"];
  const pairs = (algorithms: string[], keys: string[]) =>
    algorithms.flatMap((algorithm) => keys.map((key) => `${algorithm} ${key}`));
  const secret = pairs(oaep, rsa);
  const sm2 = ["SM2PKE SM2"];
  const wrappings: [KeySpec: string, everywhere: string[], china: string[]][] = [
    ["SYMMETRIC_DEFAULT", secret, secret],
    ["HMAC_224", secret, secret],
    ["HMAC_256", secret, secret],
    ["HMAC_384", secret, secret],
    ["HMAC_512", secret, secret],
    ["RSA_2048", pairs(keyWrap, rsa), sm2],
    ["RSA_3072", pairs(keyWrap, rsa), sm2],
    ["RSA_4096", pairs(keyWrap, rsa), sm2],
    ["ECC_NIST_P256", pairs([...oaep, ...keyWrap], rsa), [...pairs(oaep, rsa), ...sm2]],
    ["ECC_NIST_P384", pairs([...oaep, ...keyWrap], rsa), [...pairs(oaep, rsa), ...sm2]],
    [
      "ECC_NIST_P521",
      [...pairs(oaep, ["RSA_3072", "RSA_4096"]), ...pairs(keyWrap, rsa)],
      [...pairs(oaep, ["RSA_3072", "RSA_4096"]), ...sm2],
    ],
    ["ECC_SECG_P256K1", pairs([...oaep, ...keyWrap], rsa), [...pairs(oaep, rsa), ...sm2]],
    ["ECC_NIST_EDWARDS25519", pairs([...oaep, ...keyWrap], rsa), [...pairs(oaep, rsa), ...sm2]],
    ["SM2", [], [...pairs(oaep, rsa), ...sm2]],
  ];
  test.for(wrappings)("%s: every wrapping algorithm with every wrapping key", (row) => {
    const [keySpec, everywhere, china] = row;
    for (const [region, page] of [
      [REGION, everywhere],
      [CHINA, china],
    ] as const) {
      if (keySpec === "SM2" && region === REGION) continue; // There is no such key.
      const allowed = wrappingAlgorithmNames.flatMap((algorithm) =>
        wrappingKeySpecs
          .filter((key) => wrappingRefusal(algorithm, key, keySpec as "SM2", region) === null)
          .map((key) => `${algorithm} ${key}`),
      );
      expect(allowed.sort()).toEqual([...page].sort());
    }
  });

  test.for<[string, object, object, string]>([
    [
      "RSAES_PKCS1_V1_5, which AWS has not served since October 2023",
      {},
      { WrappingAlgorithm: "RSAES_PKCS1_V1_5" },
      "WrappingAlgorithm RSAES_PKCS1_V1_5 is not supported any more.",
    ],
    [
      "an RSA private key by RSAES_OAEP alone",
      { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" },
      { WrappingKeySpec: "RSA_4096" },
      "WrappingAlgorithm RSAES_OAEP_SHA_256 is not supported for KeySpec RSA_2048.",
    ],
    [
      "a symmetric key by RSA_AES_KEY_WRAP",
      {},
      { WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_256" },
      "WrappingAlgorithm RSA_AES_KEY_WRAP_SHA_256 is not supported for KeySpec SYMMETRIC_DEFAULT.",
    ],
    [
      "P-521 by RSAES_OAEP under RSA_2048",
      { KeySpec: "ECC_NIST_P521", KeyUsage: "SIGN_VERIFY" },
      { WrappingAlgorithm: "RSAES_OAEP_SHA_1" },
      "WrappingAlgorithm RSAES_OAEP_SHA_1 is not supported with WrappingKeySpec RSA_2048 " +
        "for KeySpec ECC_NIST_P521.",
    ],
    [
      "SM2 outside China",
      {},
      { WrappingAlgorithm: "SM2PKE", WrappingKeySpec: "SM2" },
      "WrappingAlgorithm SM2PKE is not supported with WrappingKeySpec SM2 in us-east-1.",
    ],
    [
      "SM2PKE under an RSA key",
      {},
      { WrappingAlgorithm: "SM2PKE" },
      "WrappingAlgorithm SM2PKE is not supported with WrappingKeySpec RSA_2048.",
    ],
  ])("refuses %s", async ([, key, wrapping, refusal]) => {
    const { world, KeyId } = await externalKey(key);
    const answer = await outcome(parameters(world, REGION, KeyId, wrapping));
    expect(answer).toBe(`UnsupportedOperationException: ${refusal}`);
  });
});

describe("what is imported works as it would elsewhere", () => {
  const algorithms = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] as const;

  test.for(algorithms)("SYMMETRIC_DEFAULT, by %s", async (WrappingAlgorithm) => {
    const { world, KeyId, Arn, state } = await externalKey();
    const material = random(32);
    const answer = await importMaterial(world, REGION, KeyId, material, NO_EXPIRY, {
      WrappingAlgorithm,
      WrappingKeySpec: "RSA_3072",
    });
    expect(answer).toEqual({ KeyId: Arn, KeyMaterialId: expect.stringMatching(HEX_64) });
    expect(await state()).toBe("Enabled");
    expect(await world.describe(REGION, KeyId)).toMatchObject({
      Enabled: true,
      CurrentKeyMaterialId: answer.KeyMaterialId,
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
    const blob = await world.encrypt(REGION, KeyId, "secret");
    const opened = await world.decrypt(REGION, blob);
    expect(unbase64(opened.Plaintext)).toBe("secret");
    expect(opened.KeyMaterialId).toBe(answer.KeyMaterialId);
  });

  test("in China SYMMETRIC_DEFAULT takes the 16 bytes of SM4, and no 32", async () => {
    const { world, KeyId } = await externalKey({}, CHINA);
    const long = await outcome(importMaterial(world, CHINA, KeyId, random(32)));
    expect(long).toMatch(/^IncorrectKeyMaterialException: /);
    await importMaterial(world, CHINA, KeyId, random(16));
    const blob = await world.encrypt(CHINA, KeyId, "secret");
    expect(unbase64((await world.decrypt(CHINA, blob)).Plaintext)).toBe("secret");
  });

  test.for([
    ["HMAC_224", 28],
    ["HMAC_256", 32],
    ["HMAC_384", 48],
    ["HMAC_512", 64],
  ] as const)("%s, %i bytes and no other number", async ([KeySpec, length]) => {
    const key = await externalKey({ KeySpec, KeyUsage: "GENERATE_VERIFY_MAC" });
    const { world, KeyId, Arn, send } = key;
    for (const wrong of [length - 1, length + 1]) {
      expect(await outcome(send(random(wrong)))).toBe(
        `IncorrectKeyMaterialException: The key material of KeySpec ${KeySpec} must have ` +
          `${length} bytes.`,
      );
    }
    const material = random(length);
    expect(await send(material)).toEqual({ KeyId: Arn });
    const digest = KeySpec.replace("HMAC_", "sha");
    const { Mac } = await world.call<{ Mac: string }>(REGION, "GenerateMac", {
      KeyId,
      Message: base64("text"),
      MacAlgorithm: KeySpec.replace("_", "_SHA_"),
    });
    expect(Mac).toBe(createHmac(digest, material).update("text").digest("base64"));
  });

  interface Foreign {
    readonly KeySpec: string;
    readonly KeyUsage: string;
    readonly SigningAlgorithm: string;
    readonly WrappingAlgorithm: string;
    readonly made: { readonly privateKey: Buffer; readonly publicKey: Buffer };
    readonly digest: string | null;
  }
  const exported = ({
    privateKey,
    publicKey,
  }: {
    privateKey: KeyObject;
    publicKey: KeyObject;
  }) => ({
    privateKey: privateKey.export({ type: "pkcs8", format: "der" }),
    publicKey: publicKey.export({ type: "spki", format: "der" }),
  });
  const ec = (namedCurve: string) => exported(generateKeyPairSync("ec", { namedCurve }));
  const rsaPair = (modulusLength: number) =>
    exported(generateKeyPairSync("rsa", { modulusLength }));
  const foreign = (
    KeySpec: string,
    SigningAlgorithm: string,
    WrappingAlgorithm: string,
    made: Foreign["made"],
    digest: string | null,
  ): Foreign => ({
    KeySpec,
    KeyUsage: "SIGN_VERIFY",
    SigningAlgorithm,
    WrappingAlgorithm,
    made,
    digest,
  });
  const wrapped = "RSA_AES_KEY_WRAP_SHA_256";
  test.for([
    foreign("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", wrapped, rsaPair(2048), "sha256"),
    foreign(
      "RSA_3072",
      "RSASSA_PKCS1_V1_5_SHA_384",
      "RSA_AES_KEY_WRAP_SHA_1",
      rsaPair(3072),
      "sha384",
    ),
    foreign("ECC_NIST_P256", "ECDSA_SHA_256", "RSAES_OAEP_SHA_256", ec("P-256"), "sha256"),
    foreign("ECC_NIST_P384", "ECDSA_SHA_384", "RSAES_OAEP_SHA_1", ec("P-384"), "sha384"),
    foreign("ECC_NIST_P521", "ECDSA_SHA_512", wrapped, ec("P-521"), "sha512"),
    foreign("ECC_SECG_P256K1", "ECDSA_SHA_256", wrapped, ec("secp256k1"), "sha256"),
    foreign(
      "ECC_NIST_EDWARDS25519",
      "ED25519_SHA_512",
      "RSAES_OAEP_SHA_256",
      exported(generateKeyPairSync("ed25519")),
      null,
    ),
  ])("$KeySpec, by $WrappingAlgorithm", async (from) => {
    const { KeySpec, KeyUsage, SigningAlgorithm, WrappingAlgorithm, made, digest } = from;
    const { world, KeyId, Arn } = await externalKey({ KeySpec, KeyUsage });
    const material = made.privateKey;
    const answer = await importMaterial(world, REGION, KeyId, material, NO_EXPIRY, {
      WrappingAlgorithm,
    });
    // Only symmetric keys show the IDs of their materials.
    expect(answer).toEqual({ KeyId: Arn });
    expect(await world.describe(REGION, KeyId)).not.toHaveProperty("CurrentKeyMaterialId");
    const { publicKey } = made;
    const shown = await world.call<{ PublicKey: string }>(REGION, "GetPublicKey", { KeyId });
    expect(shown.PublicKey).toBe(publicKey.toString("base64"));
    const signed = await world.call<{ Signature: string }>(REGION, "Sign", {
      KeyId,
      Message: base64("text"),
      SigningAlgorithm,
    });
    const key = createPublicKey({ key: publicKey, format: "der", type: "spki" });
    const signature = Buffer.from(signed.Signature, "base64");
    expect(verify(digest, Buffer.from("text"), key, signature)).toBe(true);
  });

  test("SM2 in China, by SM2PKE and by RSAES_OAEP; RSA there by SM2PKE alone", async () => {
    const pair = ec("SM2");
    for (const wrapping of [
      { WrappingAlgorithm: "SM2PKE", WrappingKeySpec: "SM2" },
      { WrappingAlgorithm: "RSAES_OAEP_SHA_256" },
    ]) {
      const input = { KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" };
      const { world, KeyId } = await externalKey(input, CHINA);
      await importMaterial(world, CHINA, KeyId, pair.privateKey, NO_EXPIRY, wrapping);
      const shown = await world.call<{ PublicKey: string }>(CHINA, "GetPublicKey", { KeyId });
      expect(shown.PublicKey).toBe(pair.publicKey.toString("base64"));
    }
    const { privateKey } = rsaPair(2048);
    const { world, KeyId } = await externalKey(
      { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
      CHINA,
    );
    const wrapping = { WrappingAlgorithm: "SM2PKE", WrappingKeySpec: "SM2" };
    await importMaterial(world, CHINA, KeyId, privateKey, NO_EXPIRY, wrapping);
    expect((await world.describe(CHINA, KeyId)).KeyState).toBe("Enabled");
  });

  test("a private key of another spec, or none at all, is refused", async () => {
    const { send, state } = await externalKey({
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
    });
    const { privateKey } = ec("P-256");
    const wrong = [
      ec("secp256k1").privateKey,
      ec("P-384").privateKey,
      random(32),
      privateKey.subarray(1),
    ];
    for (const material of wrong) {
      expect(await outcome(send(material))).toBe(
        "IncorrectKeyMaterialException: The key material is no private key of KeySpec ECC_NIST_P256.",
      );
    }
    expect(await state()).toBe("PendingImport");
    await send(privateKey);
    expect(await state()).toBe("Enabled");
  });

  test("SYMMETRIC_DEFAULT takes 32 bytes and no other number", async () => {
    const { send } = await externalKey();
    for (const length of [1, 16, 31, 33, 64]) {
      expect(await outcome(send(random(length)))).toBe(
        "IncorrectKeyMaterialException: The key material of KeySpec SYMMETRIC_DEFAULT must have " +
          "32 bytes.",
      );
    }
  });

  test("the same bytes in two keys are two materials; one does not decrypt for the other", async () => {
    const { world, KeyId, send } = await externalKey();
    const other = (await world.createKey(REGION, { Origin: "EXTERNAL" })).KeyId;
    const material = random(32);
    const { KeyMaterialId } = await send(material);
    expect(await importMaterial(world, REGION, other, material)).not.toMatchObject({
      KeyMaterialId,
    });
    const blob = await world.encrypt(REGION, KeyId);
    expect(await outcome(world.decrypt(REGION, blob, { KeyId: other }))).toMatch(
      /^IncorrectKeyException/,
    );
  });
});

describe("import tokens", () => {
  const INVALID =
    "InvalidImportTokenException: The import token is invalid or associated with a different KMS key.";

  async function prepared() {
    const key = await externalKey();
    const { ImportToken, PublicKey } = await parameters(key.world, REGION, key.KeyId);
    const EncryptedKeyMaterial = await wrap(PublicKey, random(32));
    const input = { KeyId: key.KeyId, ImportToken, EncryptedKeyMaterial, ...NO_EXPIRY };
    const submit = (more: object = {}) =>
      outcome(key.world.call(REGION, "ImportKeyMaterial", { ...input, ...more }));
    return { ...key, ImportToken, submit };
  }

  test("are good until the instant at which 24 hours are over, and more than once", async () => {
    const { world, submit } = await prepared();
    expect(await submit()).toBe("ok");
    world.pass(DAY - 1);
    expect(await submit()).toBe("ok");
    world.pass(1);
    expect(await submit()).toBe("ExpiredImportTokenException: The import token is expired.");
  });

  test("are refused wherever one bit is another, and where they are cut", async () => {
    const { ImportToken, submit } = await prepared();
    const token = Buffer.from(ImportToken, "base64");
    for (const index of [0, 11, 12, 100, token.length >> 1, token.length - 17, token.length - 1]) {
      const altered = Buffer.from(token);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(await submit({ ImportToken: altered.toString("base64") })).toBe(INVALID);
    }
    for (const end of [1, 12, 27, 28, 29, token.length - 1]) {
      const cut = token.subarray(0, end).toString("base64");
      expect(await submit({ ImportToken: cut })).toBe(INVALID);
    }
  });

  test("are one key's alone", async () => {
    const { world, submit } = await prepared();
    const { KeyId } = await world.createKey(REGION, { Origin: "EXTERNAL" });
    const { ImportToken } = await parameters(world, REGION, KeyId);
    expect(await submit({ ImportToken })).toBe(INVALID);
    expect(await submit({ KeyId })).toBe(INVALID);
  });

  test("belong to their wrapping key", async () => {
    const { world, KeyId, submit } = await prepared();
    const other = await parameters(world, REGION, KeyId);
    const EncryptedKeyMaterial = await wrap(other.PublicKey, random(32));
    expect(await submit({ EncryptedKeyMaterial })).toBe("InvalidCiphertextException");
    expect(await submit({ EncryptedKeyMaterial, ImportToken: other.ImportToken })).toBe("ok");
  });

  test("name the wrapping algorithm: another one, or noise, is no ciphertext", async () => {
    const { world, KeyId, submit, state } = await prepared();
    const { ImportToken, PublicKey } = await parameters(world, REGION, KeyId);
    const EncryptedKeyMaterial = await wrap(PublicKey, random(32), {
      WrappingAlgorithm: "RSAES_OAEP_SHA_1",
    });
    expect(await submit({ ImportToken, EncryptedKeyMaterial })).toBe("InvalidCiphertextException");
    const noise = Buffer.from(random(256)).toString("base64");
    expect(await submit({ EncryptedKeyMaterial: noise })).toBe("InvalidCiphertextException");
    expect(await state()).toBe("PendingImport");
  });
});
