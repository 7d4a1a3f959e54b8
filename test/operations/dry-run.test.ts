// DryRun wherever AWS has it: the call always fails, with what it would have failed with anyway or
// with DryRunOperationException, and nothing is changed.
// https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html

import { beforeAll, describe, expect, test } from "vitest";
import { operations } from "../../src/operations/index.ts";
import { ACCOUNT, base64, outcome, World } from "../support/core.ts";

const P = "us-east-1";
const SUCCEEDED =
  "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";

/** A call that works, another that is refused for what only its last step finds out, if any. */
interface Attempt {
  readonly key: keyof Keys;
  readonly input: object;
  readonly failing?: readonly [object, string];
}

interface Keys {
  readonly symmetric: string;
  readonly signing: string;
  readonly agreeing: string;
  readonly mac: string;
  readonly kem: string;
}

let world: World;
let keys: Keys;
let attempts: Readonly<Record<string, Attempt>>;

beforeAll(async () => {
  world = new World();
  const ofKind = async (KeySpec: string, KeyUsage: string) =>
    (await world.createKey(P, { KeySpec, KeyUsage })).KeyId;
  keys = {
    symmetric: await ofKind("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    signing: await ofKind("ECC_NIST_P256", "SIGN_VERIFY"),
    agreeing: await ofKind("ECC_NIST_P256", "KEY_AGREEMENT"),
    mac: await ofKind("HMAC_256", "GENERATE_VERIFY_MAC"),
    kem: await ofKind("ML_KEM_512", "ENCAPSULATE_DECAPSULATE"),
  };
  const answer = (operation: string, input: object) =>
    world.call<Record<string, string>>(P, operation, input);
  const Message = base64("text");
  const [symmetric, other] = [{ KeyId: keys.symmetric }, base64("other")];
  const sign = { KeyId: keys.signing, Message, SigningAlgorithm: "ECDSA_SHA_256" };
  const makeMac = { KeyId: keys.mac, Message, MacAlgorithm: "HMAC_SHA_256" };
  const encapsulate = { KeyId: keys.kem, EncapsulationAlgorithm: "ML_KEM" };
  const grant = {
    ...symmetric,
    GranteePrincipal: `arn:aws:iam::${ACCOUNT}:role/Grantee`,
    Operations: ["Encrypt"],
  };
  const CiphertextBlob = await world.encrypt(P, keys.symmetric);
  const { Signature } = await answer("Sign", sign);
  const { Mac } = await answer("GenerateMac", makeMac);
  const { PublicKey } = await answer("GetPublicKey", { KeyId: keys.agreeing });
  const { SharedSecretCiphertextBlob } = await answer("Encapsulate", encapsulate);
  const { GrantId = "" } = await answer("CreateGrant", grant);
  const wrongContext = { EncryptionContext: { not: "this" } };
  attempts = {
    CreateGrant: {
      key: "symmetric",
      input: grant,
      failing: [{ Operations: ["CreateGrant"] }, "ValidationException"],
    },
    Decapsulate: {
      key: "kem",
      input: { ...encapsulate, SharedSecretCiphertextBlob },
      failing: [{ SharedSecretCiphertextBlob: other }, "InvalidCiphertextException"],
    },
    Decrypt: {
      key: "symmetric",
      input: { CiphertextBlob },
      failing: [wrongContext, "InvalidCiphertextException"],
    },
    DeriveSharedSecret: {
      key: "agreeing",
      input: { KeyId: keys.agreeing, KeyAgreementAlgorithm: "ECDH", PublicKey },
      failing: [{ PublicKey: other }, "ValidationException"],
    },
    Encapsulate: { key: "kem", input: encapsulate },
    Encrypt: {
      key: "symmetric",
      input: { ...symmetric, Plaintext: Message },
      failing: [{ EncryptionAlgorithm: "RSAES_OAEP_SHA_1" }, "InvalidKeyUsageException"],
    },
    GenerateDataKey: { key: "symmetric", input: { ...symmetric, KeySpec: "AES_256" } },
    GenerateDataKeyPair: {
      key: "symmetric",
      input: { ...symmetric, KeyPairSpec: "ECC_NIST_P256" },
      failing: [{ KeyPairSpec: "SM2" }, "UnsupportedOperationException"],
    },
    GenerateDataKeyPairWithoutPlaintext: {
      key: "symmetric",
      input: { ...symmetric, KeyPairSpec: "ECC_NIST_P256" },
    },
    GenerateDataKeyWithoutPlaintext: {
      key: "symmetric",
      input: { ...symmetric, NumberOfBytes: 24 },
    },
    GenerateMac: {
      key: "mac",
      input: makeMac,
      failing: [{ MacAlgorithm: "HMAC_SHA_512" }, "InvalidKeyUsageException"],
    },
    ReEncrypt: {
      key: "symmetric",
      input: { CiphertextBlob, DestinationKeyId: keys.symmetric },
      failing: [{ DestinationKeyId: keys.mac }, "InvalidKeyUsageException"],
    },
    RetireGrant: {
      key: "symmetric",
      input: { ...symmetric, GrantId },
      failing: [{ GrantId: "0".repeat(64) }, "NotFoundException"],
    },
    RevokeGrant: {
      key: "symmetric",
      input: { ...symmetric, GrantId },
      failing: [{ GrantId: "0".repeat(64) }, "NotFoundException"],
    },
    Sign: {
      key: "signing",
      input: sign,
      failing: [{ MessageType: "DIGEST" }, "ValidationException"],
    },
    Verify: {
      key: "signing",
      input: { ...sign, Signature },
      failing: [{ Message: other }, "KMSInvalidSignatureException"],
    },
    VerifyMac: {
      key: "mac",
      input: { ...makeMac, Mac },
      failing: [{ Message: other }, "KMSInvalidMacException"],
    },
  };
});

const try_ = (of: World, operation: string, input: object) => outcome(of.call(P, operation, input));

// The published model's 15, and the two that came since.
const DRY_RUNNING = [
  "CreateGrant",
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "ReEncrypt",
  "RetireGrant",
  "RevokeGrant",
  "Sign",
  "Verify",
  "VerifyMac",
];

test("the operations that have it", () => {
  const having = (member: string) =>
    Object.entries(operations)
      .filter(([, { input }]) => Object.hasOwn(input, member))
      .map(([name]) => name)
      .sort();
  expect(having("DryRun")).toEqual(DRY_RUNNING);
  expect(Object.keys(attempts)).toEqual(DRY_RUNNING);
  expect(having("DryRunModifiers")).toEqual(["Decrypt", "ReEncrypt"]);
});

describe.each(DRY_RUNNING)("%s", (operation) => {
  const attempt = () => attempts[operation] as Attempt;

  test("that would succeed says so and does nothing", async () => {
    const { key, input } = attempt();
    const before = world.saved(keys[key]);
    expect(await try_(world, operation, { ...input, DryRun: true })).toBe(SUCCEEDED);
    expect(world.saved(keys[key])).toBe(before);
  });

  test("without it, and with it false, is done", async () => {
    const { input } = attempt();
    expect(await try_(world.fork(), operation, input)).toBe("ok");
    expect(await try_(world.fork(), operation, { ...input, DryRun: false })).toBe("ok");
  });

  test("that would be refused is refused alike", async () => {
    const { input, failing: [more, right] = [null, ""] } = attempt();
    if (!more) return;
    const failing = { ...input, ...more };
    const refused = await try_(world.fork(), operation, failing);
    expect(refused.split(":")[0]).toBe(right);
    expect(await try_(world, operation, { ...failing, DryRun: true })).toBe(refused);
  });

  test("asks for the key state all the same", async () => {
    const { key, input } = attempt();
    const fork = world.fork();
    await fork.call(P, "DisableKey", { KeyId: keys[key] });
    const refused = await try_(fork.fork(), operation, input);
    const stateless = operation === "RetireGrant" || operation === "RevokeGrant";
    expect(refused.split(":")[0]).toBe(stateless ? "ok" : "DisabledException");
    const dry = await try_(fork, operation, { ...input, DryRun: true });
    expect(dry).toBe(stateless ? SUCCEEDED : refused);
  });
});

describe("IGNORE_CIPHERTEXT", () => {
  const modified = { DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] };
  const other = () => ({ CiphertextBlob: base64("no ciphertext") });

  test.each(["Decrypt", "ReEncrypt"])("%s needs none, and looks at none", async (operation) => {
    const KeyId = keys.symmetric;
    const named =
      operation === "Decrypt" ? { KeyId } : { SourceKeyId: KeyId, DestinationKeyId: KeyId };
    expect(await try_(world, operation, { ...named, ...modified })).toBe(SUCCEEDED);
    expect(await try_(world, operation, { ...named, ...other(), ...modified })).toBe(SUCCEEDED);
    expect(await try_(world, operation, { ...named, ...other(), DryRun: true })).toBe(
      "InvalidCiphertextException",
    );
    const without = { ...named, DryRun: true, DryRunModifiers: [] };
    expect(await try_(world, operation, without)).toMatch(
      /^ValidationException: .* at 'ciphertextBlob' failed/,
    );
  });

  test.each(["Decrypt", "ReEncrypt"])("%s has to name the key", async (operation) => {
    const input = { ...other(), DestinationKeyId: keys.symmetric, ...modified };
    const member = operation === "Decrypt" ? "KeyId" : "SourceKeyId";
    expect(await try_(world, operation, input)).toBe(
      `ValidationException: ${member} is required with the IGNORE_CIPHERTEXT modifier.`,
    );
  });

  test("modifies nothing but a dry run", async () => {
    const { DryRunModifiers } = modified;
    const input = { ...other(), KeyId: keys.symmetric, DryRunModifiers };
    expect(await try_(world, "Decrypt", input)).toBe("InvalidCiphertextException");
    expect(await try_(world, "Decrypt", { ...input, DryRun: false })).toBe(
      "InvalidCiphertextException",
    );
  });

  test("asks for the state and the usage of the key", async () => {
    expect(await try_(world, "Decrypt", { KeyId: keys.mac, ...modified })).toMatch(
      /^InvalidKeyUsageException/,
    );
    const fork = world.fork();
    await fork.call(P, "DisableKey", { KeyId: keys.symmetric });
    expect(await try_(fork, "Decrypt", { KeyId: keys.symmetric, ...modified })).toMatch(
      /^DisabledException/,
    );
  });

  test("is the only modifier", async () => {
    const input = { KeyId: keys.symmetric, DryRun: true, DryRunModifiers: ["IGNORE_ALL"] };
    expect(await try_(world, "Decrypt", input)).toBe(
      "ValidationException: 1 validation error detected: Value '[IGNORE_ALL]' at 'dryRunModifiers' " +
        "failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum " +
        "value set: [IGNORE_CIPHERTEXT]]",
    );
  });
});
