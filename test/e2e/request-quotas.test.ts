// Throttling on what `npm start` runs, as AWS's own SDK meets it. Quotas of one in some minutes let
// exactly one through, however slow the machine is; those of many, so many and hardly more.
// https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html

import { KMS } from "@aws-sdk/client-kms";
import { afterAll, describe, expect, test } from "vitest";
import { refuses } from "../support/clients.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { created, newStage, stageSettings } from "./suite/stage.ts";

const servers: Server[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const [P, R] = ["us-east-1", "eu-west-1"] as const;
const TEXT =
  "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
const throttled = (call: Promise<unknown>) => refuses(call, "ThrottlingException", TEXT);

/** The server that holds these quotas. */
async function serverWith(requestQuotas: string): Promise<Server> {
  const server = await startRaw({ ...stageSettings, creatingMs: 0, updatingMs: 0, requestQuotas });
  servers.push(server);
  return server;
}

const Plaintext = Buffer.from("x");
const Message = Buffer.from("x");

/** How many of calls made at once get through; the others have to be throttled. */
async function passed(count: number, call: () => Promise<unknown>): Promise<number> {
  const made = await Promise.allSettled(Array.from({ length: count }, call));
  const refused = made.filter((each) => each.status === "rejected");
  for (const { reason } of refused) {
    expect(reason).toMatchObject({ name: "ThrottlingException", message: TEXT });
    expect(reason.$metadata.httpStatusCode).toBe(400);
  }
  return count - refused.length;
}

describe("quotas of one request in a thousand seconds", async () => {
  const rare = "0.001";
  const names = ["Symmetric", "RSA", "ECC", "CreateAlias", "ReplicateKey", "UpdatePrimaryRegion"];
  const pairs = "GenerateDataKeyPair:ECC_NIST_P256";
  const { url } = await serverWith([...names, pairs].map((name) => `${name}=${rare}`).join());

  test("let one of many simultaneous calls through", async () => {
    const us = newStage(url).in(P);
    const TargetKeyId = created(await us.createKey({}));
    let number = 0;
    const alias = () => us.createAlias({ AliasName: `alias/${number++}`, TargetKeyId });
    expect(await passed(20, alias)).toBe(1);
    expect((await us.listAliases({ KeyId: TargetKeyId })).Aliases).toHaveLength(1);
  });

  test("are shared by the cryptographic operations with keys of a type, and by no others", async () => {
    const us = newStage(url).in(P);
    const KeyId = created(await us.createKey({}));
    const mac = created(
      await us.createKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }),
    );
    const signer = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;
    const ecc = created(await us.createKey(signer));
    expect(await passed(20, () => us.encrypt({ KeyId, Plaintext }))).toBe(1);
    await throttled(us.generateDataKey({ KeyId, KeySpec: "AES_256" }));
    await throttled(us.generateMac({ KeyId: mac, Message, MacAlgorithm: "HMAC_SHA_256" }));
    await throttled(us.generateRandom({ NumberOfBytes: 1 }));
    const sign = () => us.sign({ KeyId: ecc, Message, SigningAlgorithm: "ECDSA_SHA_256" });
    expect(await passed(5, sign)).toBe(1);
    const pair = () => us.generateDataKeyPair({ KeyId, KeyPairSpec: "ECC_NIST_P256" });
    expect(await passed(5, pair)).toBe(1);
    await us.describeKey({ KeyId });
    await us.getPublicKey({ KeyId: ecc });
  });

  test("are an account's in a Region", async () => {
    const [one, other] = [newStage(url), newStage(url)];
    for (const kms of [one.in(P), one.in(R), other.in(P)]) {
      await kms.generateRandom({ NumberOfBytes: 1 });
      await throttled(kms.generateRandom({ NumberOfBytes: 1 }));
    }
  });

  test("are taken by requests that are refused, by dry runs, and for keys that are not there", async () => {
    const refusals: [string, Case][] = [
      ["DisabledException", { disabled: true }],
      ["DryRunOperationException", { DryRun: true }],
      ["NotFoundException", { KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab" }],
    ];
    for (const [name, { disabled, ...input }] of refusals) {
      const us = newStage(url).in(P);
      const KeyId = created(await us.createKey({}));
      if (disabled) await us.disableKey({ KeyId });
      await refuses(us.encrypt({ KeyId, Plaintext, ...input }), name);
      await throttled(us.encrypt({ KeyId, Plaintext }));
    }
  });

  test("are those of the account that calls, not of the key's", async () => {
    const [owner, guest] = [newStage(url), newStage(url)];
    const KeyId = owner.arn(P, created(await owner.in(P).createKey({})));
    await refuses(guest.in(P).encrypt({ KeyId, Plaintext }), "AccessDeniedException");
    await throttled(guest.in(P).encrypt({ KeyId, Plaintext }));
    await owner.in(P).encrypt({ KeyId, Plaintext });
  });

  test("count a change of the primary in both Regions", async () => {
    const stage = newStage(url);
    const KeyId = created(await stage.in(P).createKey({ MultiRegion: true }));
    await stage.in(P).replicateKey({ KeyId, ReplicaRegion: R });
    await stage.in(P).updatePrimaryRegion({ KeyId, PrimaryRegion: R });
    await throttled(stage.in(R).updatePrimaryRegion({ KeyId, PrimaryRegion: P }));
    await throttled(stage.in(P).replicateKey({ KeyId, ReplicaRegion: R }));
  });
});

interface Case {
  readonly disabled?: boolean;
  readonly DryRun?: boolean;
  readonly KeyId?: string;
}

test("ReEncrypt counts once where its keys are of one type", async () => {
  const { url } = await serverWith("Symmetric=0.001");
  const stage = newStage(url);
  const [a, b] = [await stage.in(P).createKey({}), await stage.in(P).createKey({})].map(created);
  const { CiphertextBlob } = await stage.in(P).encrypt({ KeyId: a, Plaintext });
  await throttled(stage.in(P).reEncrypt({ CiphertextBlob, DestinationKeyId: b }));
  // Another Region has a count of its own, for which this takes a multi-Region key.
  const m = created(await stage.in(R).createKey({ MultiRegion: true }));
  await stage.in(R).replicateKey({ KeyId: m, ReplicaRegion: "ap-south-1" });
  const text = await stage.in(R).encrypt({ KeyId: m, Plaintext });
  const there = stage.in("ap-south-1");
  const answer = await there.reEncrypt({
    CiphertextBlob: text.CiphertextBlob,
    DestinationKeyId: m,
  });
  expect(answer).toMatchObject({ SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT" });
  expect(answer).not.toHaveProperty("SourceKeySpec");
  await throttled(there.reEncrypt({ CiphertextBlob: text.CiphertextBlob, DestinationKeyId: m }));
});

test("ReEncrypt counts towards the quotas of both keys where they are of two types", async () => {
  const { url } = await serverWith("RSA=0.001");
  const us = newStage(url).in(P);
  const KeyId = created(await us.createKey({}));
  const rsa = created(await us.createKey({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }));
  const { CiphertextBlob } = await us.encrypt({ KeyId, Plaintext });
  const DestinationEncryptionAlgorithm = "RSAES_OAEP_SHA_256" as const;
  const input = { CiphertextBlob, DestinationKeyId: rsa, DestinationEncryptionAlgorithm };
  await us.reEncrypt(input);
  await throttled(us.reEncrypt(input));
  await us.encrypt({ KeyId, Plaintext });
});

test("ReplicateKey counts as two of CreateKey in the replica's Region", async () => {
  const { url } = await serverWith("CreateKey=0.001");
  const stage = newStage(url);
  const KeyId = created(await stage.in(P).createKey({ MultiRegion: true }));
  await stage.in(P).replicateKey({ KeyId, ReplicaRegion: R });
  await throttled(stage.in(R).createKey({}));
  await throttled(stage.in(P).replicateKey({ KeyId, ReplicaRegion: R }));
  const other = newStage(url);
  await other.in(R).createKey({});
  const primary = created(await other.in(P).createKey({ MultiRegion: true }));
  await throttled(other.in(P).replicateKey({ KeyId: primary, ReplicaRegion: R }));
});

test("at AWS's values five keys a second are made, and a client that repeats makes them all", async () => {
  const { url } = await serverWith("aws");
  const stage = newStage(url);
  const started = performance.now();
  const made = await passed(20, () => stage.in(P).createKey({}));
  const seconds = Math.ceil((performance.now() - started) / 1000);
  expect(made).toBeGreaterThanOrEqual(5);
  expect(made).toBeLessThanOrEqual(5 * (seconds + 1));
  expect((await stage.in(P).listKeys({})).Keys).toHaveLength(made);

  const patient = new KMS({
    endpoint: url,
    region: R,
    credentials: { accessKeyId: stage.account, secretAccessKey: "edge-kms" },
    maxAttempts: 10,
  });
  await Promise.all(Array.from({ length: 12 }, () => patient.createKey({})));
  expect((await stage.in(R).listKeys({})).Keys).toHaveLength(12);
});

test("a quota of 0 throttles on demand; without the setting nothing is throttled", async () => {
  const none = newStage((await serverWith("Symmetric=0,DescribeKey=0")).url).in(P);
  const KeyId = created(await none.createKey({}));
  await throttled(none.describeKey({ KeyId }));
  await throttled(none.encrypt({ KeyId, Plaintext }));
  const off = newStage((await serverWith("off")).url).in(P);
  expect(await passed(20, () => off.createKey({}))).toBe(20);
});

test("a custom key store has a quota of its own, beside the account's", async () => {
  const { url } = await serverWith("CustomKeyStore=0.001");
  const stage = newStage(url);
  const us = stage.in(P);
  const store = await us.createCustomKeyStore({
    CustomKeyStoreName: "store",
    CloudHsmClusterId: "cluster-2a34b5cdefg",
    KeyStorePassword: "password",
    TrustAnchorCertificate: "CA",
  });
  const CustomKeyStoreId = store.CustomKeyStoreId ?? "";
  await us.connectCustomKeyStore({ CustomKeyStoreId });
  await stage.settle();
  const KeyId = created(await us.createKey({ Origin: "AWS_CLOUDHSM", CustomKeyStoreId }));
  await us.encrypt({ KeyId, Plaintext });
  await throttled(us.encrypt({ KeyId, Plaintext }));
  await throttled(us.generateRandom({ NumberOfBytes: 1, CustomKeyStoreId }));
  await us.generateRandom({ NumberOfBytes: 1 });
  await us.encrypt({ KeyId: created(await us.createKey({})), Plaintext });
});
