// Recipient: operations that answer an attested enclave, whose secret nobody else can read.
// https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html

import { createHash } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { operations } from "../../src/operations/index.ts";
import type { Call } from "../../src/operations/perform.ts";
import type { Members } from "../../src/operations/shape.ts";
import {
  attest,
  type Chain,
  makeChain,
  NOW,
  recipientKeys,
} from "../attestation/support/authority.ts";
import { openEnvelope } from "../attestation/support/enclave-sdk.ts";
import { asksOpenssl, certificatePem, decryptWithOpenssl } from "../attestation/support/openssl.ts";
import { base64, DAY, outcome, World } from "../support/core.ts";
import { allow, user } from "../support/principals.ts";

const P = "us-east-1";

let chain: Chain;
let keys: Awaited<ReturnType<typeof recipientKeys>>;
let document: string;
let world: World;

beforeAll(async () => {
  [chain, keys] = await Promise.all([makeChain(3), recipientKeys()]);
  document = Buffer.from(await attest(chain, keys.publicKey)).toString("base64");
});

beforeEach(() => {
  world = new World();
  world.realNow = NOW;
});

const recipient = (AttestationDocument = document) => ({
  Recipient: { KeyEncryptionAlgorithm: "RSAES_OAEP_SHA_256", AttestationDocument },
});

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

/** What only the enclave can read, as a client of AWS's and as OpenSSL reads it. */
async function opened({ CiphertextForRecipient }: { CiphertextForRecipient: string }) {
  const envelope = bytes(CiphertextForRecipient);
  const plaintext = Buffer.from(await openEnvelope(envelope, keys.privateKey));
  if (asksOpenssl) expect(await decryptWithOpenssl(envelope, keys.privateKey)).toEqual(plaintext);
  return plaintext;
}

type Answer = Readonly<Record<string, string>> & { readonly CiphertextForRecipient: string };

describe("is answered with CiphertextForRecipient in the place of the secret", () => {
  test("Decrypt", async () => {
    const { KeyId, Arn } = await world.createKey(P);
    const CiphertextBlob = await world.encrypt(P, KeyId, "for the enclave");
    const answer = await world.call<Answer>(P, "Decrypt", { CiphertextBlob, ...recipient() });
    expect(answer).toEqual({
      KeyId: Arn,
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      CiphertextForRecipient: expect.any(String),
    });
    expect((await opened(answer)).toString()).toBe("for the enclave");
  });

  test("Decrypt with RSA", async () => {
    const { KeyId } = await world.createKey(P, {
      KeySpec: "RSA_2048",
      KeyUsage: "ENCRYPT_DECRYPT",
    });
    const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
    const CiphertextBlob = await world.encrypt(P, KeyId, "rsa", { EncryptionAlgorithm });
    const input = { KeyId, CiphertextBlob, EncryptionAlgorithm, ...recipient() };
    const answer = await world.call<Answer>(P, "Decrypt", input);
    expect(answer.Plaintext).toBeUndefined();
    expect((await opened(answer)).toString()).toBe("rsa");
  });

  test.each([
    [{ KeySpec: "AES_256" }, 32],
    [{ NumberOfBytes: 1024 }, 1024],
  ])("GenerateDataKey of %o", async (size, length) => {
    const { KeyId, Arn } = await world.createKey(P);
    const input = { KeyId, ...size, ...recipient() };
    const answer = await world.call<Answer>(P, "GenerateDataKey", input);
    expect(answer).toEqual({
      KeyId: Arn,
      CiphertextBlob: expect.any(String),
      CiphertextForRecipient: expect.any(String),
    });
    const key = await opened(answer);
    expect(key).toHaveLength(length);
    const { Plaintext } = await world.decrypt(P, answer.CiphertextBlob ?? "");
    expect(key.toString("base64")).toBe(Plaintext);
  });

  test("GenerateDataKeyPair", async () => {
    const { KeyId, Arn } = await world.createKey(P);
    const input = { KeyId, KeyPairSpec: "ECC_NIST_P256", ...recipient() };
    const answer = await world.call<Answer>(P, "GenerateDataKeyPair", input);
    expect(answer).toEqual({
      KeyId: Arn,
      KeyPairSpec: "ECC_NIST_P256",
      PublicKey: expect.any(String),
      PrivateKeyCiphertextBlob: expect.any(String),
      CiphertextForRecipient: expect.any(String),
    });
    const { Plaintext } = await world.decrypt(P, answer.PrivateKeyCiphertextBlob ?? "");
    expect((await opened(answer)).toString("base64")).toBe(Plaintext);
  });

  test("DeriveSharedSecret", async () => {
    const spec = { KeySpec: "ECC_NIST_P521", KeyUsage: "KEY_AGREEMENT" };
    const { KeyId, Arn } = await world.createKey(P, spec);
    const { PublicKey } = await world.call<Answer>(P, "GetPublicKey", { KeyId });
    const input = { KeyId, PublicKey, KeyAgreementAlgorithm: "ECDH" };
    const { SharedSecret } = await world.call<Answer>(P, "DeriveSharedSecret", input);
    const answer = await world.call<Answer>(P, "DeriveSharedSecret", { ...input, ...recipient() });
    expect(answer).toEqual({
      KeyId: Arn,
      KeyAgreementAlgorithm: "ECDH",
      KeyOrigin: "AWS_KMS",
      CiphertextForRecipient: expect.any(String),
    });
    expect((await opened(answer)).toString("base64")).toBe(SharedSecret);
  });

  test("GenerateRandom", async () => {
    const input = { NumberOfBytes: 66, ...recipient() };
    const answer = await world.call<Answer>(P, "GenerateRandom", input);
    expect(answer).toEqual({ CiphertextForRecipient: expect.any(String) });
    expect(await opened(answer)).toHaveLength(66);
  });

  test("every operation whose input has it", () => {
    const withRecipient = Object.entries(operations)
      .filter(([, record]) => "Recipient" in (record.input as Members))
      .map(([name]) => name);
    expect(withRecipient.sort()).toEqual([
      "Decrypt",
      "DeriveSharedSecret",
      "GenerateDataKey",
      "GenerateDataKeyPair",
      "GenerateRandom",
    ]);
    const sealing = Object.entries(operations)
      .filter(([, record]) => (record as { forRecipient?: string }).forRecipient)
      .map(([name]) => name);
    expect([...sealing, "GenerateRandom"].sort()).toEqual(withRecipient);
  });
});

test("what the document says decides about GenerateRandom, too", async () => {
  world.requestContext = { sourceIp: null, userAgent: null, secure: true };
  const attested = (value: string) =>
    user("alice", {
      policies: [
        allow("kms:GenerateRandom", {
          Condition: { StringEquals: { "kms:RecipientAttestation:PCR31": value } },
        }),
      ],
    });
  const random = (pcr: string, more: object) =>
    outcome(world.call(P, "GenerateRandom", { NumberOfBytes: 8, ...more }, attested(pcr)));
  expect(await random("1f".repeat(48), recipient())).toBe("ok");
  expect(await random("1e".repeat(48), recipient())).toMatch(/kms:GenerateRandom action$/);
  expect(await random("1f".repeat(48), {})).toMatch(/kms:GenerateRandom action$/);
});

test("two answers to one enclave have nothing in common", async () => {
  const input = { NumberOfBytes: 32, ...recipient() };
  const [one, two] = [
    await world.call<Answer>(P, "GenerateRandom", input),
    await world.call<Answer>(P, "GenerateRandom", input),
  ];
  const digest = (answer: Answer) =>
    createHash("sha256").update(answer.CiphertextForRecipient).digest("hex");
  expect(digest(one)).not.toBe(digest(two));
  expect(await opened(one)).not.toEqual(await opened(two));
});

test("what the document says is with the call, and the document is not", async () => {
  const calls: Call[] = [];
  world.onCall = (call) => calls.push(call);
  const { KeyId } = await world.createKey(P);
  await world.call(P, "GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  await world.call(P, "GenerateDataKey", { KeyId, KeySpec: "AES_256", ...recipient() });
  const [, plain, attested] = calls;
  expect(plain?.recipient).toBeUndefined();
  expect(attested?.recipient).toMatchObject({
    imageSha384: "a0".repeat(48),
    nitroTpm: false,
    moduleId: "i-1234567890abcdef0-enc0123456789abcdef",
  });
  expect(attested?.recipient?.pcrs.get(31)).toBe("1f".repeat(48));
  expect(attested?.input).not.toHaveProperty("Recipient");
});

describe("is refused", () => {
  const random = (Recipient: object) =>
    outcome(world.call(P, "GenerateRandom", { NumberOfBytes: 1, Recipient }));

  test("without an algorithm or a document", async () => {
    const { Recipient } = recipient();
    const { AttestationDocument, KeyEncryptionAlgorithm } = Recipient;
    const missing = (member: string) =>
      `ValidationException: 1 validation error detected: Value null at 'recipient.${member}' ` +
      "failed to satisfy constraint: Member must not be null";
    expect(await random({})).toBe(missing("keyEncryptionAlgorithm"));
    expect(await random({ AttestationDocument })).toBe(missing("keyEncryptionAlgorithm"));
    expect(await random({ KeyEncryptionAlgorithm })).toBe(missing("attestationDocument"));
  });

  test("with a document of another form, before any key is looked for", async () => {
    const KeyId = "12345678-1234-1234-1234-123456789012";
    const input = { KeyId, KeySpec: "AES_256", ...recipient(base64("no document")) };
    expect(await outcome(world.call(P, "GenerateDataKey", input))).toBe(
      "ValidationException: Invalid attestation document: it is not a COSE_Sign1 structure.",
    );
  });

  test("with certificates that are not of the real time, whatever the clock says", async () => {
    const refused = (when: string) =>
      `ValidationException: Invalid attestation document: a certificate ${when}.`;
    world.pass(300 * DAY);
    expect(await random(recipient().Recipient)).toBe("ok");
    world.realNow = NOW + DAY;
    expect(await random(recipient().Recipient)).toBe(refused("has expired"));
    world.realNow = NOW - DAY;
    expect(await random(recipient().Recipient)).toBe(refused("is not valid yet"));
  });

  test("with a root that is not the one configured", async () => {
    const untrusted =
      "ValidationException: Invalid attestation document: its root certificate is not trusted.";
    world.nitroRoot = "aws";
    expect(await random(recipient().Recipient)).toBe(untrusted);
    const [root] = chain.certificates as [Uint8Array<ArrayBuffer>];
    world.nitroRoot = certificatePem(root);
    expect(await random(recipient().Recipient)).toBe("ok");
    world.nitroRoot = certificatePem((await makeChain()).certificates[0] as typeof root);
    expect(await random(recipient().Recipient)).toBe(untrusted);
  });

  test("where no root is configured, which is what a deployment begins with", async () => {
    world.nitroRoot = "none";
    expect(await random(recipient().Recipient)).toMatch(
      /^UnsupportedOperationException: Recipient is not supported by this edge-kms.*NITRO_ROOT/,
    );
    expect(await outcome(world.call(P, "GenerateRandom", { NumberOfBytes: 1 }))).toBe("ok");
  });

  test("like everyone else where the key refuses", async () => {
    const { KeyId, Arn } = await world.createKey(P);
    await world.call(P, "DisableKey", { KeyId });
    const input = { KeyId, KeySpec: "AES_256", ...recipient() };
    expect(await outcome(world.call(P, "GenerateDataKey", input))).toBe(
      `DisabledException: ${Arn} is disabled.`,
    );
    await world.call(P, "EnableKey", { KeyId });
    expect(await outcome(world.call(P, "GenerateDataKey", { ...input, DryRun: true }))).toBe(
      "DryRunOperationException: The request would have succeeded, but the DryRun option is set.",
    );
  });
});
