// What each key spec can do, typed from the guide's page on key specs, allowed and refused.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import { createPublicKey, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type KeyPairSpec, publicKeyOf } from "../../src/crypto/key-pair.ts";
import { base64, outcome, World } from "../support/core.ts";

const REGION = "us-east-1";
const CHINA = "cn-north-1";

const USAGES = [
  "ENCRYPT_DECRYPT",
  "SIGN_VERIFY",
  "GENERATE_VERIFY_MAC",
  "KEY_AGREEMENT",
  "ENCAPSULATE_DECAPSULATE",
] as const;
type Usage = (typeof USAGES)[number];

const OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
const RSASSA = [
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
];
const rsa = { ENCRYPT_DECRYPT: OAEP, SIGN_VERIFY: RSASSA };
const curve = (algorithm: string) => ({ SIGN_VERIFY: [algorithm], KEY_AGREEMENT: ["ECDH"] });

const page: Readonly<Record<string, Partial<Record<Usage, readonly string[]>>>> = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT"] },
  HMAC_224: { GENERATE_VERIFY_MAC: ["HMAC_SHA_224"] },
  HMAC_256: { GENERATE_VERIFY_MAC: ["HMAC_SHA_256"] },
  HMAC_384: { GENERATE_VERIFY_MAC: ["HMAC_SHA_384"] },
  HMAC_512: { GENERATE_VERIFY_MAC: ["HMAC_SHA_512"] },
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: curve("ECDSA_SHA_256"),
  ECC_NIST_P384: curve("ECDSA_SHA_384"),
  ECC_NIST_P521: curve("ECDSA_SHA_512"),
  ECC_SECG_P256K1: { SIGN_VERIFY: ["ECDSA_SHA_256"] },
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: ["ED25519_SHA_512", "ED25519_PH_SHA_512"] },
  ML_DSA_44: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  ML_DSA_65: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  ML_DSA_87: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  ML_KEM_512: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
  ML_KEM_768: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
  ML_KEM_1024: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
  SM2: { ENCRYPT_DECRYPT: ["SM2PKE"], SIGN_VERIFY: ["SM2DSA"], KEY_AGREEMENT: ["ECDH"] },
};

const listOf = {
  ENCRYPT_DECRYPT: "EncryptionAlgorithms",
  SIGN_VERIFY: "SigningAlgorithms",
  GENERATE_VERIFY_MAC: "MacAlgorithms",
  KEY_AGREEMENT: "KeyAgreementAlgorithms",
  ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
} as const;

const regionOf = (spec: string) => (spec === "SM2" ? CHINA : REGION);
const text = base64("a message");

/** Bytes of a digest, by the algorithm; RAW where it takes none. */
const digestOf = (algorithm: string) =>
  algorithm === "ED25519_PH_SHA_512"
    ? { MessageType: "DIGEST", Message: Buffer.alloc(64, 7).toString("base64") }
    : { MessageType: "RAW", Message: text };

/** Uses a key in the way of its usage, there and back; throws what KMS refuses. */
async function used(world: World, region: string, KeyId: string, usage: Usage, algorithm: string) {
  const call = (operation: string, input: object) =>
    world.call<Record<string, string>>(region, operation, { KeyId, ...input });
  switch (usage) {
    case "ENCRYPT_DECRYPT": {
      const EncryptionAlgorithm = algorithm;
      const { CiphertextBlob } = await call("Encrypt", { Plaintext: text, EncryptionAlgorithm });
      const back = await call("Decrypt", { CiphertextBlob, EncryptionAlgorithm });
      expect(back.Plaintext).toBe(text);
      return;
    }
    case "SIGN_VERIFY": {
      const message = { ...digestOf(algorithm), SigningAlgorithm: algorithm };
      const { Signature } = await call("Sign", message);
      expect(await call("Verify", { ...message, Signature })).toMatchObject({
        SignatureValid: true,
      });
      const other = { ...message, Message: Buffer.alloc(64, 8).toString("base64") };
      expect(await outcome(call("Verify", { ...other, Signature }))).toBe(
        "KMSInvalidSignatureException",
      );
      return;
    }
    case "GENERATE_VERIFY_MAC": {
      const message = { Message: text, MacAlgorithm: algorithm };
      const { Mac } = await call("GenerateMac", message);
      expect(await call("VerifyMac", { ...message, Mac })).toMatchObject({ MacValid: true });
      return;
    }
    case "KEY_AGREEMENT": {
      const { PublicKey } = await call("GetPublicKey", {});
      await call("DeriveSharedSecret", { KeyAgreementAlgorithm: algorithm, PublicKey });
      return;
    }
    case "ENCAPSULATE_DECAPSULATE": {
      const made = await call("Encapsulate", { EncapsulationAlgorithm: algorithm });
      const back = await call("Decapsulate", {
        EncapsulationAlgorithm: algorithm,
        SharedSecretCiphertextBlob: made.SharedSecretCiphertextBlob,
      });
      expect(back.SharedSecret).toBe(made.SharedSecret);
    }
  }
}

/** An operation of each usage, and its name in the refusal. */
const operationOf: Record<Usage, string> = {
  ENCRYPT_DECRYPT: "Encrypt",
  SIGN_VERIFY: "Sign",
  GENERATE_VERIFY_MAC: "GenerateMac",
  KEY_AGREEMENT: "DeriveSharedSecret",
  ENCAPSULATE_DECAPSULATE: "Encapsulate",
};

const someAlgorithm: Record<Usage, string> = {
  ENCRYPT_DECRYPT: "SYMMETRIC_DEFAULT",
  SIGN_VERIFY: "ECDSA_SHA_256",
  GENERATE_VERIFY_MAC: "HMAC_SHA_256",
  KEY_AGREEMENT: "ECDH",
  ENCAPSULATE_DECAPSULATE: "ML_KEM",
};

const inputOf = (usage: Usage, algorithm: string): object =>
  ({
    ENCRYPT_DECRYPT: { Plaintext: text, EncryptionAlgorithm: algorithm },
    SIGN_VERIFY: { Message: text, SigningAlgorithm: algorithm },
    GENERATE_VERIFY_MAC: { Message: text, MacAlgorithm: algorithm },
    KEY_AGREEMENT: { PublicKey: text, KeyAgreementAlgorithm: algorithm },
    ENCAPSULATE_DECAPSULATE: { EncapsulationAlgorithm: algorithm },
  })[usage];

interface Created {
  readonly KeyMetadata: Readonly<Record<string, unknown>> & { KeyId: string; Arn: string };
}

const create = (world: World, KeySpec: string, KeyUsage: string) =>
  world.call<Created>(regionOf(KeySpec), "CreateKey", { KeySpec, KeyUsage });

describe.each(Object.entries(page))("%s", (spec, usages) => {
  const region = regionOf(spec);

  test.each(USAGES.filter((usage) => usages[usage] === undefined))(
    "is not for %s",
    async (usage) => {
      expect(await outcome(create(new World(), spec, usage))).toBe(
        `ValidationException: KeyUsage ${usage} is not compatible with KeySpec ${spec}`,
      );
    },
  );

  test.each(Object.entries(usages) as [Usage, readonly string[]][])(
    "is for %s",
    async (usage, algorithms) => {
      const world = new World();
      const { KeyMetadata } = await create(world, spec, usage);
      const { KeyId, Arn } = KeyMetadata;
      expect(KeyMetadata).toMatchObject({
        KeySpec: spec,
        KeyUsage: usage,
        CustomerMasterKeySpec: spec,
      });
      for (const [each, list] of Object.entries(listOf)) {
        expect(KeyMetadata[list]).toEqual(each === usage ? algorithms : undefined);
      }
      for (const algorithm of algorithms) await used(world, region, KeyId, usage, algorithm);
      for (const other of USAGES.filter((each) => each !== usage)) {
        const input = { KeyId, ...inputOf(other, someAlgorithm[other]) };
        expect(await outcome(world.call(region, operationOf[other], input))).toBe(
          `InvalidKeyUsageException: ${Arn} key usage is ${usage} which is not valid for ` +
            `${operationOf[other]}.`,
        );
      }
      const foreign = Object.values(page).flatMap((row) => row[usage] ?? []);
      for (const algorithm of new Set(foreign.filter((each) => !algorithms.includes(each)))) {
        const input = { KeyId, ...inputOf(usage, algorithm) };
        expect(await outcome(world.call(region, operationOf[usage], input))).toBe(
          `InvalidKeyUsageException: Algorithm ${algorithm} is incompatible with key spec ${spec}.`,
        );
      }
    },
  );
});

// The page's other table: which operations are for keys of which usage. Each is tried on a key of every
// other one.
const signed = { Message: text, SigningAlgorithm: "RSASSA_PSS_SHA_256" };
const authenticated = { Message: text, MacAlgorithm: "HMAC_SHA_256" };
const operationsOfUsage: Record<Usage, readonly [operation: string, input: object][]> = {
  ENCRYPT_DECRYPT: [
    ["Encrypt", { Plaintext: text }],
    ["Encrypt", { Plaintext: text, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }],
    ["Decrypt", { CiphertextBlob: text, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }],
    ["GenerateDataKey", { KeySpec: "AES_256" }],
    ["GenerateDataKeyWithoutPlaintext", { KeySpec: "AES_256" }],
    ["GenerateDataKeyPair", { KeyPairSpec: "ECC_NIST_P256" }],
    ["GenerateDataKeyPairWithoutPlaintext", { KeyPairSpec: "ECC_NIST_P256" }],
  ],
  SIGN_VERIFY: [
    ["Sign", signed],
    ["Verify", { ...signed, Signature: text }],
  ],
  GENERATE_VERIFY_MAC: [
    ["GenerateMac", authenticated],
    ["VerifyMac", { ...authenticated, Mac: text }],
  ],
  KEY_AGREEMENT: [["DeriveSharedSecret", { PublicKey: text, KeyAgreementAlgorithm: "ECDH" }]],
  ENCAPSULATE_DECAPSULATE: [
    ["Encapsulate", { EncapsulationAlgorithm: "ML_KEM" }],
    ["Decapsulate", { EncapsulationAlgorithm: "ML_KEM", SharedSecretCiphertextBlob: text }],
  ],
};

describe.each<[string, Usage]>([
  ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"],
  ["RSA_2048", "ENCRYPT_DECRYPT"],
  ["RSA_2048", "SIGN_VERIFY"],
  ["ECC_NIST_P256", "SIGN_VERIFY"],
  ["ML_DSA_44", "SIGN_VERIFY"],
  ["HMAC_256", "GENERATE_VERIFY_MAC"],
  ["ECC_NIST_P256", "KEY_AGREEMENT"],
  ["ML_KEM_768", "ENCAPSULATE_DECAPSULATE"],
])("a key of %s for %s", (spec, usage) => {
  const keyOfSpec = async () => {
    const world = new World();
    const { KeyMetadata } = await create(world, spec, usage);
    const call = (operation: string, input: object = {}) =>
      outcome(world.call(REGION, operation, { KeyId: KeyMetadata.KeyId, ...input }));
    return { world, call, ...KeyMetadata };
  };

  test("is not for the operations of other usages", async () => {
    const { call, Arn } = await keyOfSpec();
    for (const other of USAGES.filter((each) => each !== usage)) {
      for (const [operation, input] of operationsOfUsage[other]) {
        expect(await call(operation, input)).toBe(
          `InvalidKeyUsageException: ${Arn} key usage is ${usage} which is not valid for ${operation}.`,
        );
      }
    }
  });

  test("takes a ciphertext of another key for no ciphertext of its own", async () => {
    const { world, call } = await keyOfSpec();
    const { KeyId } = await world.createKey(REGION);
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    const incorrect =
      "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform " +
      "this operation.";
    expect(await call("Decrypt", { CiphertextBlob })).toBe(incorrect);
  });

  test("re-encrypts to itself if it encrypts", async () => {
    const { world, KeyId, Arn } = await keyOfSpec();
    const source = await world.createKey(REGION);
    const CiphertextBlob = await world.encrypt(REGION, source.KeyId);
    const reEncrypted = world.call(REGION, "ReEncrypt", {
      CiphertextBlob,
      DestinationKeyId: KeyId,
      ...(spec === "RSA_2048" && { DestinationEncryptionAlgorithm: "RSAES_OAEP_SHA_1" }),
    });
    expect(await outcome(reEncrypted)).toBe(
      usage === "ENCRYPT_DECRYPT"
        ? "ok"
        : `InvalidKeyUsageException: ${Arn} key usage is ${usage} which is not valid for ReEncrypt.`,
    );
  });

  test("makes data keys, and rotates, if it is symmetric", async () => {
    const { call } = await keyOfSpec();
    const symmetric = spec === "SYMMETRIC_DEFAULT";
    if (usage === "ENCRYPT_DECRYPT") {
      const dataKeys = operationsOfUsage.ENCRYPT_DECRYPT.slice(3);
      for (const [operation, input] of dataKeys) {
        // Recorded on AWS for the first two (floci-io/floci#3968).
        expect(await call(operation, input)).toBe(
          symmetric
            ? "ok"
            : "InvalidKeyUsageException: You cannot generate a data key with an asymmetric CMK",
        );
      }
    }
    for (const operation of ["EnableKeyRotation", "ListKeyRotations", "RotateKeyOnDemand"]) {
      expect(await call(operation)).toBe(symmetric ? "ok" : "UnsupportedOperationException");
    }
    // Recorded on AWS: there is nothing to disable.
    expect(await call("DisableKeyRotation")).toBe("ok");
  });

  test("has a public key if it is a pair", async () => {
    const { call } = await keyOfSpec();
    const secret = spec === "SYMMETRIC_DEFAULT" || spec === "HMAC_256";
    expect(await call("GetPublicKey")).toBe(secret ? "UnsupportedOperationException" : "ok");
  });
});

test("a public key is the same in every Region, and others verify with it", async () => {
  const world = new World();
  const { KeyMetadata } = await world.call<Created>(REGION, "CreateKey", {
    KeySpec: "ECC_NIST_P256",
    KeyUsage: "SIGN_VERIFY",
    MultiRegion: true,
  });
  const { KeyId } = KeyMetadata;
  await world.replicate(KeyId, REGION, "eu-west-1");
  const [here, there] = await Promise.all(
    [REGION, "eu-west-1"].map((region) =>
      world.call<{ PublicKey: string }>(region, "GetPublicKey", { KeyId }),
    ),
  );
  expect(here?.PublicKey).toBe(there?.PublicKey);
  const message = { KeyId, Message: text, SigningAlgorithm: "ECDSA_SHA_256" };
  const { Signature } = await world.call<{ Signature: string }>("eu-west-1", "Sign", message);
  const der = Buffer.from(here?.PublicKey ?? "", "base64");
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const signed = Buffer.from("a message");
  expect(verify("sha256", signed, key, Buffer.from(Signature, "base64"))).toBe(true);
});

// DataKeyPairSpec of the API reference.
describe.each([
  "RSA_2048",
  "RSA_3072",
  "RSA_4096",
  "ECC_NIST_P256",
  "ECC_NIST_P384",
  "ECC_NIST_P521",
  "ECC_SECG_P256K1",
  "ECC_NIST_EDWARDS25519",
  "ML_KEM_512",
  "ML_KEM_768",
  "ML_KEM_1024",
  "SM2",
] as const)("a data key pair of %s", (KeyPairSpec) => {
  test.each(["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"])(
    "%s",
    async (operation) => {
      const world = new World();
      const region = regionOf(KeyPairSpec);
      const { KeyId, Arn } = await world.createKey(region);
      const EncryptionContext = { a: "b" };
      const { PrivateKeyCiphertextBlob: CiphertextBlob, ...pair } = await world.call<
        Record<string, string>
      >(region, operation, { KeyId, KeyPairSpec, EncryptionContext });
      const { Plaintext } = await world.call<{ Plaintext: string }>(region, "Decrypt", {
        CiphertextBlob,
        EncryptionContext,
      });
      expect(pair).toEqual({
        KeyId: Arn,
        KeyPairSpec,
        KeyMaterialId: expect.any(String),
        PublicKey: await publicHalf(KeyPairSpec, Plaintext),
        ...(operation === "GenerateDataKeyPair" && { PrivateKeyPlaintext: Plaintext }),
      });
      const bare = world.call(region, "Decrypt", { CiphertextBlob });
      expect(await outcome(bare)).toBe("InvalidCiphertextException");
    },
  );
});

const publicHalf = async (spec: KeyPairSpec, pkcs8: string) =>
  Buffer.from((await publicKeyOf(spec, Buffer.from(pkcs8, "base64"))) ?? []).toString("base64");

test.each(["ML_DSA_44", "HMAC_256", "SYMMETRIC_DEFAULT"])(
  "%s is no spec of data key pairs",
  async (KeyPairSpec) => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const made = world.call(REGION, "GenerateDataKeyPair", { KeyId, KeyPairSpec });
    expect(await outcome(made)).toMatch(/^ValidationException: .* at 'keyPairSpec' /);
  },
);

test.each([
  ["SM2", REGION],
  ["ML_KEM_768", CHINA],
])("data key pairs of %s are not to be had in %s", async (KeyPairSpec, region) => {
  const world = new World();
  const { KeyId } = await world.createKey(region);
  for (const operation of ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"]) {
    expect(await outcome(world.call(region, operation, { KeyId, KeyPairSpec }))).toBe(
      `UnsupportedOperationException: KeyPairSpec ${KeyPairSpec} is not supported in Region ${region}.`,
    );
  }
});

test("RSA encrypts no more than its modulus lets it", async () => {
  const world = new World();
  const { KeyMetadata } = await create(world, "RSA_2048", "ENCRYPT_DECRYPT");
  const encrypt = (length: number) =>
    world.call(REGION, "Encrypt", {
      KeyId: KeyMetadata.KeyId,
      Plaintext: Buffer.alloc(length, 1).toString("base64"),
      EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
    });
  await encrypt(190);
  expect(await outcome(encrypt(191))).toBe(
    "ValidationException: Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data " +
      "larger than 190 bytes.",
  );
});

test("a digest has the length of its hash", async () => {
  const world = new World();
  const { KeyMetadata } = await create(world, "ECC_NIST_P256", "SIGN_VERIFY");
  const input = { Message: text, MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" };
  expect(await outcome(world.call(REGION, "Sign", { KeyId: KeyMetadata.KeyId, ...input }))).toBe(
    "ValidationException: Digest is invalid length for algorithm ECDSA_SHA_256.",
  );
});

test("key pairs and MAC keys do not rotate", async () => {
  const world = new World();
  const { KeyMetadata } = await create(world, "HMAC_256", "GENERATE_VERIFY_MAC");
  const { KeyId } = KeyMetadata;
  for (const operation of ["EnableKeyRotation", "RotateKeyOnDemand", "ListKeyRotations"]) {
    expect(await outcome(world.call(REGION, operation, { KeyId }))).toBe(
      "UnsupportedOperationException",
    );
  }
  expect(await world.call(REGION, "GetKeyRotationStatus", { KeyId })).toMatchObject({
    KeyRotationEnabled: false,
  });
});
