// What each key spec can do, typed from the guide's page on key specs, allowed and refused.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import { createPublicKey, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
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

test.each(["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"])(
  "%s",
  async (operation) => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const pair = await world.call<Record<string, string>>(REGION, operation, {
      KeyId,
      KeyPairSpec: "RSA_2048",
      EncryptionContext: { a: "b" },
    });
    const plain = await world.call<{ Plaintext: string }>(REGION, "Decrypt", {
      CiphertextBlob: pair.PrivateKeyCiphertextBlob,
      EncryptionContext: { a: "b" },
    });
    if (operation === "GenerateDataKeyPair") expect(pair.PrivateKeyPlaintext).toBe(plain.Plaintext);
    else expect(pair).not.toHaveProperty("PrivateKeyPlaintext");
    const bare = { CiphertextBlob: pair.PrivateKeyCiphertextBlob };
    expect(await outcome(world.call(REGION, "Decrypt", bare))).toBe("InvalidCiphertextException");
  },
);

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
  // Recorded on AWS: there is nothing to disable, and no error.
  expect(await world.call(REGION, "DisableKeyRotation", { KeyId })).toBeNull();
  expect(await world.call(REGION, "GetKeyRotationStatus", { KeyId })).toMatchObject({
    KeyRotationEnabled: false,
  });
});

test("the public key of a disabled key can be had (recorded on AWS)", async () => {
  const world = new World();
  const { KeyMetadata } = await create(world, "ECC_NIST_P256", "SIGN_VERIFY");
  const { KeyId } = KeyMetadata;
  const shown = () => world.call<{ PublicKey: string }>(REGION, "GetPublicKey", { KeyId });
  const { PublicKey } = await shown();
  await world.call(REGION, "DisableKey", { KeyId });
  expect((await shown()).PublicKey).toBe(PublicKey);
});

describe("the order of what is held (recorded on AWS)", () => {
  const crypting: [string, string, string, object][] = [
    ["RSA_2048", "SIGN_VERIFY", "Encrypt", { Plaintext: "AAAA" }],
    ["RSA_2048", "SIGN_VERIFY", "GenerateDataKey", { KeySpec: "AES_256" }],
    ["RSA_2048", "SIGN_VERIFY", "GenerateDataKeyPair", { KeyPairSpec: "RSA_2048" }],
    [
      "RSA_2048",
      "ENCRYPT_DECRYPT",
      "Verify",
      { ...inputOf("SIGN_VERIFY", "RSASSA_PSS_SHA_256"), Signature: "AAAA" },
    ],
    ["HMAC_256", "GENERATE_VERIFY_MAC", "Sign", inputOf("SIGN_VERIFY", "RSASSA_PSS_SHA_256")],
    [
      "SYMMETRIC_DEFAULT",
      "ENCRYPT_DECRYPT",
      "GenerateMac",
      inputOf("GENERATE_VERIFY_MAC", "HMAC_SHA_256"),
    ],
    [
      "SYMMETRIC_DEFAULT",
      "ENCRYPT_DECRYPT",
      "DeriveSharedSecret",
      inputOf("KEY_AGREEMENT", "ECDH"),
    ],
  ];

  test.for(crypting)(
    "%s, %s, %s: usage, then state",
    async ([KeySpec, KeyUsage, operation, input]) => {
      const world = new World();
      const { KeyId, Arn } = await world.createKey(REGION, { KeySpec, KeyUsage });
      await world.call(REGION, "DisableKey", { KeyId });
      expect(await outcome(world.call(REGION, operation, { KeyId, ...input }))).toBe(
        `InvalidKeyUsageException: ${Arn} key usage is ${KeyUsage} which is not valid for ${operation}.`,
      );
    },
  );

  test("state, then algorithm and spec", async () => {
    const world = new World();
    const rsa = await world.createKey(REGION, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
    const other = await world.createKey(REGION, {
      KeySpec: "RSA_2048",
      KeyUsage: "ENCRYPT_DECRYPT",
    });
    for (const { KeyId } of [rsa, other]) await world.call(REGION, "DisableKey", { KeyId });
    const sign = { KeyId: rsa.KeyId, ...inputOf("SIGN_VERIFY", "ECDSA_SHA_256") };
    expect(await outcome(world.call(REGION, "Sign", sign))).toBe(
      `DisabledException: ${rsa.Arn} is disabled.`,
    );
    const dataKey = { KeyId: other.KeyId, KeySpec: "AES_256" };
    expect(await outcome(world.call(REGION, "GenerateDataKey", dataKey))).toBe(
      `DisabledException: ${other.Arn} is disabled.`,
    );
  });
});

test.each([
  ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", "algorithm ED25519_SHA_512"],
  ["ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", "algorithm ED25519_PH_SHA_512"],
  ["ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", "key spec ML_DSA_44"],
])(
  "%s, %s does not take %s (recorded on AWS)",
  async (KeySpec, SigningAlgorithm, MessageType, misfit) => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION, { KeySpec, KeyUsage: "SIGN_VERIFY" });
    const input = { KeyId, SigningAlgorithm, MessageType, Message: "AAAA" };
    for (const [operation, more] of [
      ["Sign", {}],
      ["Verify", { Signature: "AAAA" }],
    ] as const) {
      expect(await outcome(world.call(REGION, operation, { ...input, ...more }))).toBe(
        `ValidationException: Message type ${MessageType} is incompatible with ${misfit}.`,
      );
    }
  },
);

test("SYMMETRIC_DEFAULT is refused as an algorithm that no signing key has (recorded on AWS)", async () => {
  const world = new World();
  const { KeyId } = await world.createKey(REGION, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
  const input = { KeyId, ...inputOf("SIGN_VERIFY", "SYMMETRIC_DEFAULT") };
  expect(await outcome(world.call(REGION, "Sign", input))).toBe(
    "InvalidKeyUsageException: Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
  );
});

test("what key pairs that encrypt do not do (recorded on AWS)", async () => {
  const world = new World();
  const { KeyId } = await world.createKey(REGION, {
    KeySpec: "RSA_2048",
    KeyUsage: "ENCRYPT_DECRYPT",
  });
  for (const operation of ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"]) {
    expect(await outcome(world.call(REGION, operation, { KeyId, KeySpec: "AES_256" }))).toBe(
      "InvalidKeyUsageException: You cannot generate a data key with an asymmetric CMK",
    );
  }
  const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
  const inContext = { EncryptionAlgorithm, EncryptionContext: { a: "1" } };
  const refusal =
    "ValidationException: EncryptionContext is not supported when encrypting/decrypting with " +
    "asymmetric CMKs.";
  expect(await outcome(world.encrypt(REGION, KeyId, "text", inContext))).toBe(refusal);
  const blob = await world.encrypt(REGION, KeyId, "text", { EncryptionAlgorithm });
  expect(await outcome(world.decrypt(REGION, blob, { KeyId, ...inContext }))).toBe(refusal);
});

test.each([
  ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"],
  ["HMAC_256", "GENERATE_VERIFY_MAC"],
])("%s has no public key, and no text says so (recorded on AWS)", async (KeySpec, KeyUsage) => {
  const world = new World();
  const { KeyId } = await world.createKey(REGION, { KeySpec, KeyUsage });
  expect(await outcome(world.call(REGION, "GetPublicKey", { KeyId }))).toBe(
    "UnsupportedOperationException",
  );
});
