// GetKeyLastUsage: which calls count as a use of a key, and what is said of the last one.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html

import { KeyLastUsageTrackingOperation } from "@aws-sdk/client-kms";
import { beforeEach, describe, expect, test } from "vitest";
import { base64, DAY, outcome, SECOND, START, World } from "../support/core.ts";

const P = "us-east-1";
const R = "eu-west-1";

interface LastUsage {
  readonly KeyId: string;
  readonly KeyCreationDate: number;
  readonly TrackingStartDate: number;
  readonly KeyLastUsage: {
    readonly Operation?: string;
    readonly Timestamp?: number;
    readonly CloudTrailEventId?: string;
    readonly KmsRequestId?: string;
  };
}

let world: World;

beforeEach(() => {
  world = new World();
});

const lastUsage = (KeyId: string, region = P) =>
  world.call<LastUsage>(region, "GetKeyLastUsage", { KeyId });

const lastOperation = async (KeyId: string, region = P) =>
  (await lastUsage(KeyId, region)).KeyLastUsage.Operation;

test("a key that was never used", async () => {
  const { KeyId } = await world.createKey(P);
  world.pass(SECOND);
  expect(await lastUsage(KeyId)).toEqual({
    KeyId,
    KeyCreationDate: START / 1000,
    TrackingStartDate: START / 1000,
    KeyLastUsage: {},
  });
});

test("a use, with its operation, its instant, its request and its event", async () => {
  const { KeyId, Arn } = await world.createKey(P);
  world.pass(1500);
  await world.encrypt(P, KeyId);
  world.pass(DAY);
  const answer = await lastUsage(Arn);
  expect(answer).toEqual({
    KeyId,
    KeyCreationDate: START / 1000,
    TrackingStartDate: START / 1000,
    KeyLastUsage: {
      Operation: "Encrypt",
      Timestamp: START / 1000 + 1.5,
      KmsRequestId: "4112f4d6-db54-4af4-ae30-000000000002",
      CloudTrailEventId: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
    },
  });
  expect(await lastUsage(KeyId)).toEqual(answer);
  await world.encrypt(P, KeyId);
  const next = await lastUsage(KeyId);
  expect(next.KeyLastUsage.Timestamp).toBe((START + DAY + 1500) / 1000);
  expect(next.KeyLastUsage.CloudTrailEventId).not.toBe(answer.KeyLastUsage.CloudTrailEventId);
});

describe("counts as a use", () => {
  type Play = (KeyId: string) => Promise<unknown>;
  const call =
    (operation: string, input: object): Play =>
    (KeyId) =>
      world.call(P, operation, { KeyId, ...input });
  const signature = { Message: base64("m"), SigningAlgorithm: "ECDSA_SHA_256" };
  const mac = { Message: base64("m"), MacAlgorithm: "HMAC_SHA_256" };
  const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
  const macs = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
  const kem = { KeySpec: "ML_KEM_512", KeyUsage: "ENCAPSULATE_DECAPSULATE" };
  const EncapsulationAlgorithm = "ML_KEM";
  // The values of KeyLastUsageTrackingOperation.
  const rows: readonly (readonly [string, object, Play])[] = [
    ["Decrypt", {}, async (KeyId) => world.decrypt(P, await world.encrypt(P, KeyId))],
    [
      "DeriveSharedSecret",
      { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
      async (KeyId) => {
        const { PublicKey } = await world.call<{ PublicKey: string }>(P, "GetPublicKey", { KeyId });
        await call("DeriveSharedSecret", { KeyAgreementAlgorithm: "ECDH", PublicKey })(KeyId);
      },
    ],
    ["Encapsulate", kem, call("Encapsulate", { EncapsulationAlgorithm })],
    [
      "Decapsulate",
      kem,
      async (KeyId) => {
        const { SharedSecretCiphertextBlob } = await world.call<{
          SharedSecretCiphertextBlob: string;
        }>(P, "Encapsulate", { KeyId, EncapsulationAlgorithm });
        const input = { EncapsulationAlgorithm, SharedSecretCiphertextBlob };
        await call("Decapsulate", input)(KeyId);
      },
    ],
    ["Encrypt", {}, call("Encrypt", { Plaintext: base64("x") })],
    ["GenerateDataKey", {}, call("GenerateDataKey", { KeySpec: "AES_256" })],
    ["GenerateDataKeyPair", {}, call("GenerateDataKeyPair", { KeyPairSpec: "ECC_NIST_P256" })],
    [
      "GenerateDataKeyPairWithoutPlaintext",
      {},
      call("GenerateDataKeyPairWithoutPlaintext", { KeyPairSpec: "ECC_NIST_P256" }),
    ],
    [
      "GenerateDataKeyWithoutPlaintext",
      {},
      call("GenerateDataKeyWithoutPlaintext", { KeySpec: "AES_256" }),
    ],
    ["GenerateMac", macs, call("GenerateMac", mac)],
    [
      "ReEncrypt",
      {},
      async (KeyId) => {
        const CiphertextBlob = await world.encrypt(P, KeyId);
        await world.call(P, "ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId });
      },
    ],
    ["Sign", signing, call("Sign", signature)],
    [
      "Verify",
      signing,
      async (KeyId) => {
        const { Signature } = await world.call<{ Signature: string }>(P, "Sign", {
          KeyId,
          ...signature,
        });
        await call("Verify", { ...signature, Signature })(KeyId);
      },
    ],
    [
      "VerifyMac",
      macs,
      async (KeyId) => {
        const { Mac } = await world.call<{ Mac: string }>(P, "GenerateMac", { KeyId, ...mac });
        await call("VerifyMac", { ...mac, Mac })(KeyId);
      },
    ],
  ];

  test("all of KeyLastUsageTrackingOperation", () => {
    const names = rows.map(([operation]) => operation);
    expect(names.sort()).toEqual(Object.values(KeyLastUsageTrackingOperation).sort());
  });

  test.for(rows)("%s", async ([operation, spec, play]) => {
    const { KeyId } = await world.createKey(P, spec);
    await play(KeyId);
    expect(await lastOperation(KeyId)).toBe(operation);
  });
});

describe("counts as none", () => {
  test("whatever is no cryptographic operation", async () => {
    const { KeyId } = await world.createKey(P, {
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
    });
    await world.call(P, "GetPublicKey", { KeyId });
    await world.call(P, "DescribeKey", { KeyId });
    await world.call(P, "UpdateKeyDescription", { KeyId, Description: "d" });
    await world.call(P, "DisableKey", { KeyId });
    expect(await lastOperation(KeyId)).toBeUndefined();
  });

  test("a call that is refused, and a dry run", async () => {
    const { KeyId } = await world.createKey(P);
    const CiphertextBlob = await world.encrypt(P, KeyId);
    const wrong = { CiphertextBlob, EncryptionContext: { not: "this" } };
    expect(await outcome(world.call(P, "Decrypt", wrong))).toBe("InvalidCiphertextException");
    expect(await outcome(world.call(P, "Decrypt", { CiphertextBlob, DryRun: true }))).toMatch(
      /^DryRunOperationException/,
    );
    await world.call(P, "DisableKey", { KeyId });
    expect(await outcome(world.decrypt(P, CiphertextBlob))).toMatch(/^DisabledException/);
    expect(await lastOperation(KeyId)).toBe("Encrypt");
  });

  test("a ReEncrypt that the destination refuses, and its dry run, on either key", async () => {
    const { KeyId: from } = await world.createKey(P);
    const { KeyId: to } = await world.createKey(P);
    const CiphertextBlob = await world.encrypt(P, from);
    const before = await lastUsage(from);
    world.pass(SECOND);
    const input = { CiphertextBlob, DestinationKeyId: to };
    expect(await outcome(world.call(P, "ReEncrypt", { ...input, DryRun: true }))).toMatch(
      /^DryRunOperationException/,
    );
    await world.call(P, "DisableKey", { KeyId: to });
    expect(await outcome(world.call(P, "ReEncrypt", input))).toMatch(/^DisabledException/);
    expect(await lastUsage(from)).toEqual(before);
    expect(await lastOperation(to)).toBeUndefined();
  });

  test("a dry run of ReEncrypt from a key to itself", async () => {
    const { KeyId } = await world.createKey(P);
    const CiphertextBlob = await world.encrypt(P, KeyId);
    const input = { CiphertextBlob, DestinationKeyId: KeyId, DryRun: true };
    expect(await outcome(world.call(P, "ReEncrypt", input))).toMatch(/^DryRunOperationException/);
    expect(await lastOperation(KeyId)).toBe("Encrypt");
  });
});

test("ReEncrypt is a use of both keys", async () => {
  const { KeyId: from } = await world.createKey(P);
  const { KeyId: to } = await world.createKey(P);
  const CiphertextBlob = await world.encrypt(P, from);
  await world.call(P, "ReEncrypt", { CiphertextBlob, DestinationKeyId: to });
  const source = await lastUsage(from);
  expect(source.KeyLastUsage.Operation).toBe("ReEncrypt");
  expect((await lastUsage(to)).KeyLastUsage).toEqual(source.KeyLastUsage);
});

test("the keys of a multi-Region set are tracked each for itself", async () => {
  const KeyId = await world.createSet(P, R);
  const ciphertext = await world.encrypt(P, KeyId);
  world.pass(DAY);
  expect(await lastOperation(KeyId, R)).toBeUndefined();
  await world.decrypt(R, ciphertext);
  expect(await lastUsage(KeyId, R)).toMatchObject({
    KeyLastUsage: { Operation: "Decrypt", Timestamp: world.now / 1000 },
  });
  expect(await lastOperation(KeyId, P)).toBe("Encrypt");
});

test("a replica that comes after another one was never used", async () => {
  const KeyId = await world.createSet(P, R);
  await world.encrypt(R, KeyId);
  await world.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  world.pass(7 * DAY);
  await world.replicate(KeyId, P, R);
  expect(await lastUsage(KeyId, R)).toMatchObject({
    TrackingStartDate: (world.now - world.delays.creatingMs) / 1000,
    KeyLastUsage: {},
  });
});

test("keys that have to be there, and are named by ID or ARN", async () => {
  await world.createKey(P);
  expect(await outcome(lastUsage("alias/a"))).toBe(
    "InvalidArnException: Key Aliases are not supported for this operation.",
  );
  expect(await outcome(lastUsage("arn:aws:kms"))).toMatch(/^InvalidArnException/);
  const KeyId = "12345678-1234-1234-1234-123456789012";
  expect(await outcome(lastUsage(KeyId))).toBe(
    `NotFoundException: Key 'arn:aws:kms:us-east-1:111122223333:key/${KeyId}' does not exist`,
  );
});
