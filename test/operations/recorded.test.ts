// What others recorded of AWS KMS and published, where no guide says it: each group names its source.
// Facts of floci are those of floci-io/floci#3968 and its tests, measured in us-east-1 in 2026.

import { describe, expect, test } from "vitest";
import { base64, outcome, World } from "../support/core.ts";
import { importMaterial, parameters, random } from "../support/importing.ts";

const REGION = "us-east-1";
const X = base64("x");

const kinds = {
  symmetric: { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" },
  crypting: { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
  rsa: { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" },
  ecc: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
  edwards: { KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" },
  mlDsa: { KeySpec: "ML_DSA_44", KeyUsage: "SIGN_VERIFY" },
  agreement: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
  hmac: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
} as const;

type KindName = keyof typeof kinds;

/** What brings a new key into a state, and what KMS says of it then. */
const states = {
  Disabled: ["DisableKey", {}, "DisabledException: <arn> is disabled."],
  PendingDeletion: [
    "ScheduleKeyDeletion",
    {},
    "KMSInvalidStateException: <arn> is pending deletion.",
  ],
  PendingImport: [
    null,
    { Origin: "EXTERNAL" },
    "KMSInvalidStateException: <arn> is pending import.",
  ],
} as const;

type StateName = keyof typeof states;

/** A new key of that kind, in that state. */
async function key(kind: KindName, state?: StateName) {
  const world = new World();
  const [operation, more] = state ? states[state] : [null, {}];
  const { KeyId, Arn } = await world.createKey(REGION, { ...kinds[kind], ...more });
  if (operation) await world.call(REGION, operation, { KeyId });
  const call = <T>(name: string, input: object = {}) =>
    world.call<T>(REGION, name, { KeyId, ...input });
  /** What a call comes to, with the key's ARN as `<arn>`. */
  const said = async (name: string, input: object = {}) =>
    (await outcome(call(name, input))).replaceAll(Arn, "<arn>");
  return { world, KeyId, Arn, call, said };
}

const usage = (kind: KindName, operation: string) =>
  `InvalidKeyUsageException: <arn> key usage is ${kinds[kind].KeyUsage} which is not valid for ${operation}.`;

const algorithm = (kind: KindName, name: string) =>
  `InvalidKeyUsageException: Algorithm ${name} is incompatible with key spec ${kinds[kind].KeySpec}.`;

const sign = (SigningAlgorithm: string, more: object = {}) => ({
  Message: X,
  SigningAlgorithm,
  ...more,
});
const mac = (MacAlgorithm: string) => ({ Message: X, MacAlgorithm });
const wrongUses = [
  ["hmac", "Sign", sign("RSASSA_PSS_SHA_256")],
  ["hmac", "Verify", sign("RSASSA_PSS_SHA_256", { Signature: X })],
  ["rsa", "Encrypt", { Plaintext: X }],
  ["rsa", "GenerateDataKey", { KeySpec: "AES_256" }],
  ["rsa", "GenerateDataKeyWithoutPlaintext", { KeySpec: "AES_256" }],
  ["rsa", "GenerateMac", mac("HMAC_SHA_256")],
  ["symmetric", "VerifyMac", { ...mac("HMAC_SHA_256"), Mac: X }],
  ["symmetric", "Sign", sign("ECDSA_SHA_256")],
] as const;

describe("in any state, before it, a key's usage (floci)", () => {
  const all = wrongUses.flatMap((use) =>
    [undefined, "Disabled" as const, "PendingDeletion" as const].map(
      (state) => [state, ...use] as const,
    ),
  );
  test.for(all)("%s %s: %s", async ([state, kind, operation, input]) => {
    const { said } = await key(kind, state);
    expect(await said(operation, input)).toBe(usage(kind, operation));
  });
});

describe("after its state, whether a key has the algorithm (floci)", () => {
  const wrongAlgorithms = [
    ["rsa", "Sign", sign("ECDSA_SHA_256"), "ECDSA_SHA_256"],
    ["ecc", "Verify", sign("RSASSA_PSS_SHA_256", { Signature: X }), "RSASSA_PSS_SHA_256"],
    ["crypting", "Encrypt", { Plaintext: X }, "SYMMETRIC_DEFAULT"],
    ["hmac", "GenerateMac", mac("HMAC_SHA_512"), "HMAC_SHA_512"],
  ] as const;

  test.for(wrongAlgorithms)("%s: %s", async ([kind, operation, input, name]) => {
    expect(await (await key(kind)).said(operation, input)).toBe(algorithm(kind, name));
    for (const state of ["Disabled", "PendingDeletion", "PendingImport"] as const) {
      expect(await (await key(kind, state)).said(operation, input)).toBe(states[state][2]);
    }
  });
});

describe("what a data key takes (floci)", () => {
  const TWO = "ValidationException: Please specify either number of bytes or key spec.";
  const RSA = "InvalidKeyUsageException: You cannot generate a data key with an asymmetric CMK";

  test.for(["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"])(
    "%s: one size before usage and state, a symmetric key after them",
    async (operation) => {
      for (const [kind, state] of [["rsa"], ["symmetric", "Disabled"]] as const) {
        expect(await (await key(kind, state)).said(operation)).toBe(TWO);
      }
      const one = { KeySpec: "AES_256" };
      expect(await (await key("crypting")).said(operation, one)).toBe(RSA);
      expect(await (await key("crypting", "Disabled")).said(operation, one)).toBe(
        states.Disabled[2],
      );
    },
  );
});

describe("what a signing algorithm takes (floci)", () => {
  const DIGEST = { MessageType: "DIGEST" };

  test.for<[KindName, object, string]>([
    [
      "mlDsa",
      sign("ML_DSA_SHAKE_256", DIGEST),
      "Message type DIGEST is incompatible with key spec ML_DSA_44.",
    ],
    [
      "edwards",
      sign("ED25519_SHA_512", DIGEST),
      "Message type DIGEST is incompatible with algorithm ED25519_SHA_512.",
    ],
    [
      "edwards",
      sign("ED25519_PH_SHA_512"),
      "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.",
    ],
    [
      "edwards",
      sign("ED25519_PH_SHA_512", DIGEST),
      "Digest is invalid length for algorithm ED25519_PH_SHA_512.",
    ],
  ])("%s: %j", async ([kind, input, text]) => {
    const { said } = await key(kind);
    expect(await said("Sign", input)).toBe(`ValidationException: ${text}`);
    expect(await said("Verify", { ...input, Signature: X })).toBe(`ValidationException: ${text}`);
  });

  test("an algorithm of another key spec comes before what it takes", async () => {
    const { said } = await key("rsa");
    expect(await said("Sign", sign("ML_DSA_SHAKE_256", DIGEST))).toBe(
      algorithm("rsa", "ML_DSA_SHAKE_256"),
    );
  });

  test("SYMMETRIC_DEFAULT is an algorithm, but that of no signature", async () => {
    const { said } = await key("rsa");
    expect(await said("Sign", sign("SYMMETRIC_DEFAULT"))).toBe(
      algorithm("rsa", "SYMMETRIC_DEFAULT"),
    );
    expect(await said("Sign", sign("RSAES_OAEP_SHA_1"))).toBe(
      "ValidationException: 1 validation error detected: Value 'RSAES_OAEP_SHA_1' at " +
        "'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: " +
        "[RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, " +
        "RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, " +
        "ECDSA_SHA_512, ED25519_SHA_512, ED25519_PH_SHA_512, SM2DSA, ML_DSA_SHAKE_256]",
    );
  });

  test.for<[KindName, string]>([
    ["rsa", "RSASSA_PSS_SHA_256"],
    ["rsa", "RSASSA_PKCS1_V1_5_SHA_512"],
    ["ecc", "ECDSA_SHA_256"],
    ["edwards", "ED25519_SHA_512"],
    ["mlDsa", "ML_DSA_SHAKE_256"],
  ])("%s: bytes that are no signature of %s are an invalid one", async ([kind, name]) => {
    const { said } = await key(kind);
    for (const length of [1, 6144]) {
      const Signature = Buffer.alloc(length, 7).toString("base64");
      expect(await said("Verify", sign(name, { Signature }))).toBe("KMSInvalidSignatureException");
    }
  });
});

describe("other values in texts (floci)", () => {
  test.for([
    ["Encrypt", { Plaintext: X, EncryptionAlgorithm: "X" }, "encryptionAlgorithm"],
    ["GenerateMac", mac("X"), "macAlgorithm"],
    ["Sign", sign("ECDSA_SHA_256", { MessageType: "X" }), "messageType"],
  ] as const)("%s names those it takes in AWS's order", async ([operation, input, member]) => {
    const sets = {
      encryptionAlgorithm: "RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT",
      macAlgorithm: "HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512",
      messageType: "RAW, DIGEST, EXTERNAL_MU",
    };
    expect(await (await key("symmetric")).said(operation, input)).toBe(
      `ValidationException: 1 validation error detected: Value 'X' at '${member}' failed to ` +
        `satisfy constraint: Member must satisfy enum value set: [${sets[member]}]`,
    );
  });

  test("an empty key ID breaks two rules", async () => {
    const refusal = (name: string) =>
      `ValidationException: 2 validation errors detected: Value '' at '${name}' failed to satisfy ` +
      `constraint: Member must have length greater than or equal to 1; Value '' at '${name}' failed ` +
      "to satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$";
    const { said, KeyId, call } = await key("symmetric");
    expect(await said("DescribeKey", { KeyId: "" })).toBe(refusal("keyId"));
    const { CiphertextBlob } = await call<{ CiphertextBlob: string }>("Encrypt", { Plaintext: X });
    const reEncrypt = { CiphertextBlob, DestinationKeyId: "" };
    expect(await said("ReEncrypt", reEncrypt)).toBe(refusal("destinationKeyId"));
    const alias = { AliasName: "alias/a", TargetKeyId: "" };
    expect(await said("CreateAlias", alias)).toBe(refusal("targetKeyId"));
    expect(await said("DescribeKey", { KeyId: `${KeyId}é` })).toBe(
      `ValidationException: 1 validation error detected: Value '${KeyId}é' at 'keyId' failed to ` +
        "satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$",
    );
  });

  test("a plaintext or message that is missing has no value, not even null", async () => {
    const missing = (value: string, member: string) =>
      `ValidationException: 1 validation error detected: ${value} at '${member}' failed to satisfy ` +
      "constraint: Member must not be null";
    const { said } = await key("rsa");
    expect(await said("Encrypt")).toBe(missing("Value", "plaintext"));
    expect(await said("Sign", sign("ECDSA_SHA_256", { Message: undefined }))).toBe(
      missing("Value", "message"),
    );
    expect(await said("Verify", sign("ECDSA_SHA_256"))).toBe(missing("Value null", "signature"));
  });
});

describe("GetPublicKey (floci)", () => {
  test.for(["symmetric", "hmac"] as const)("of a %s key: no such operation", async (kind) => {
    expect(await (await key(kind)).said("GetPublicKey")).toBe("UnsupportedOperationException");
    for (const state of ["PendingDeletion", "PendingImport"] as const) {
      expect(await (await key(kind, state)).said("GetPublicKey")).toBe(states[state][2]);
    }
  });

  test("of a disabled key gives what it gives of an enabled one", async () => {
    const { call } = await key("ecc");
    const before = await call("GetPublicKey");
    await call("DisableKey");
    expect(await call("GetPublicKey")).toEqual(before);
  });
});

describe("rotation of keys that do not rotate (floci)", () => {
  test.for(["crypting", "rsa", "ecc", "mlDsa", "hmac"] as const)("%s", async (kind) => {
    const { said, call } = await key(kind);
    expect(await said("DisableKeyRotation")).toBe("ok");
    expect(await said("EnableKeyRotation")).toBe("UnsupportedOperationException");
    expect(await said("RotateKeyOnDemand")).toBe("UnsupportedOperationException");
    expect(await call("GetKeyRotationStatus")).toMatchObject({ KeyRotationEnabled: false });
    for (const operation of ["DisableKeyRotation", "EnableKeyRotation", "RotateKeyOnDemand"]) {
      const disabled = await key(kind, "Disabled");
      expect(await disabled.said(operation)).toBe(states.Disabled[2]);
    }
  });

  test("imported material is refused before any state", async () => {
    const origin =
      "UnsupportedOperationException: <arn> origin is EXTERNAL which is not valid for this operation.";
    const { said, call } = await key("symmetric", "PendingImport");
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation"]) {
      expect(await said(operation)).toBe(origin);
    }
    await call("ScheduleKeyDeletion");
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation"]) {
      expect(await said(operation)).toBe(origin);
    }
  });
});

describe("ciphertexts (floci)", () => {
  const INCORRECT =
    "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform " +
    "this operation.";

  test("of another key: refused before usage, state and algorithm of the one named", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    for (const kind of ["symmetric", "crypting", "rsa"] as const) {
      for (const more of [{}, { Origin: "EXTERNAL" }, null]) {
        const { KeyId: other } = await world.createKey(REGION, { ...kinds[kind], ...more });
        if (more === null) await world.call(REGION, "DisableKey", { KeyId: other });
        const decrypt = { CiphertextBlob, KeyId: other };
        expect(await outcome(world.call(REGION, "Decrypt", decrypt))).toBe(INCORRECT);
      }
    }
  });

  test("of RSA without its algorithm, and bytes that are none: invalid", async () => {
    const { said, call } = await key("crypting");
    const oaep = { EncryptionAlgorithm: "RSAES_OAEP_SHA_256" };
    const { CiphertextBlob } = await call<{ CiphertextBlob: string }>("Encrypt", {
      ...oaep,
      Plaintext: X,
    });
    expect(await said("Decrypt", { CiphertextBlob })).toBe("InvalidCiphertextException");
    for (const length of [1, 256, 300]) {
      const garbage = Buffer.alloc(length, 7).toString("base64");
      expect(await said("Decrypt", { ...oaep, CiphertextBlob: garbage })).toBe(
        "InvalidCiphertextException",
      );
    }
    await call("DisableKey");
    expect(await said("Decrypt", { ...oaep, CiphertextBlob })).toBe(states.Disabled[2]);
  });

  test("of material that was deleted, and for a key that has none", async () => {
    const { world, KeyId, call, said } = await key("symmetric", "PendingImport");
    const pending = states.PendingImport[2];
    const { KeyId: other } = await world.createKey(REGION);
    const ofOther = await world.encrypt(REGION, other);
    const to = { CiphertextBlob: ofOther, DestinationKeyId: KeyId };
    expect(await said("ReEncrypt", to)).toBe(pending);
    await importMaterial(world, REGION, KeyId, random(32));
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    await call("DeleteImportedKeyMaterial");
    for (const name of [KeyId, undefined]) {
      expect(await said("Decrypt", { CiphertextBlob, KeyId: name })).toBe(pending);
    }
    const from = { CiphertextBlob, DestinationKeyId: other };
    expect(await said("ReEncrypt", from)).toBe(pending);
  });

  // Inferred from the permission's name, which is what AWS's sentence has of every other operation.
  test("for a key of another usage: the half of ReEncrypt is named", async () => {
    const { world, KeyId, said } = await key("rsa");
    const { KeyId: other } = await world.createKey(REGION);
    const CiphertextBlob = await world.encrypt(REGION, other);
    expect(await said("ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId })).toBe(
      usage("rsa", "ReEncryptTo"),
    );
  });

  test("an encryption context is nothing for RSA, says floci as others", async () => {
    const { said } = await key("crypting");
    const oaep = { Plaintext: X, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" };
    expect(await said("Encrypt", { ...oaep, EncryptionContext: { a: "1" } })).toBe(
      "ValidationException: EncryptionContext is not supported when encrypting/decrypting with " +
        "asymmetric CMKs.",
    );
  });
});

describe("states (floci)", () => {
  const wrapping = { WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" };
  const grant = {
    GranteePrincipal: "arn:aws:iam::111122223333:root",
    Operations: ["DescribeKey"],
  };

  test.for<[string, object]>([
    ["UpdateKeyDescription", { Description: "x" }],
    ["TagResource", { Tags: [{ TagKey: "a", TagValue: "1" }] }],
    ["UntagResource", { TagKeys: ["a"] }],
    ["CreateGrant", grant],
    ["GetParametersForImport", wrapping],
    [
      "ImportKeyMaterial",
      {
        ImportToken: X,
        EncryptedKeyMaterial: X,
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
      },
    ],
    ["EnableKey", {}],
    ["DisableKey", {}],
    ["ScheduleKeyDeletion", {}],
  ])("%s while a key waits for its deletion", async ([operation, input]) => {
    const { said, call } = await key("symmetric", "PendingImport");
    await call("ScheduleKeyDeletion");
    expect(await said(operation, input)).toBe(states.PendingDeletion[2]);
  });

  test("an alias of a key that waits for its deletion", async () => {
    const { world, Arn, KeyId, call } = await key("symmetric", "PendingDeletion");
    const { KeyId: other } = await world.createKey(REGION);
    const refusal = states.PendingDeletion[2].replace("<arn>", Arn);
    expect(await outcome(call("CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }))).toBe(
      refusal,
    );
    await world.call(REGION, "CreateAlias", { AliasName: "alias/a", TargetKeyId: other });
    const update = { AliasName: "alias/a", TargetKeyId: KeyId };
    expect(await outcome(world.call(REGION, "UpdateAlias", update))).toBe(refusal);
  });

  test.for(["EnableKey", "DisableKey"])("%s while a key waits for material", async (operation) => {
    const { said } = await key("symmetric", "PendingImport");
    expect(await said(operation)).toBe(states.PendingImport[2]);
  });

  test("material of a key that AWS makes", async () => {
    const { said } = await key("symmetric");
    for (const [operation, input] of [
      ["GetParametersForImport", wrapping],
      ["DeleteImportedKeyMaterial", {}],
    ] as const) {
      expect(await said(operation, input)).toBe(
        "UnsupportedOperationException: <arn> origin is AWS_KMS which is not valid for this operation.",
      );
    }
  });
});

test("wrapped material of the wrong size is no ciphertext (local-kms's notes of AWS)", async () => {
  const { world, KeyId, said } = await key("symmetric", "PendingImport");
  const { ImportToken } = await parameters(world, REGION, KeyId);
  const input = { ImportToken, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
  const wrapped = (length: number) => ({
    ...input,
    EncryptedKeyMaterial: Buffer.alloc(length, 1).toString("base64"),
  });
  for (const length of [1, 255, 257]) {
    expect(await said("ImportKeyMaterial", wrapped(length))).toBe(
      "ValidationException: Invalid encrypted key size.",
    );
  }
  expect(await said("ImportKeyMaterial", wrapped(256))).toBe("InvalidCiphertextException");
});

test.for([
  ["SOC2,PCI", ""],
  ["a", "R&D"],
])("a tag of other signs than AWS takes (public logs of AWS): %s=%s", async ([k, v]) => {
  const { said, world } = await key("symmetric");
  const Tags = [{ TagKey: k, TagValue: v }];
  expect(await said("TagResource", { Tags })).toBe("TagException: Invalid tag");
  expect(await outcome(world.createKey(REGION, { Tags }))).toBe("TagException: Invalid tag");
  const letters = [{ TagKey: "Größe 1_.:/=+-@", TagValue: "大" }];
  expect(await said("TagResource", { Tags: letters })).toBe("ok");
});
