// Quotas on what `npm start` runs: set by its flag, and held where many keys are made at once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { refuses } from "../support/clients.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { created, described, newStage, type Stage, stageSettings } from "./suite/stage.ts";

const quotas = "KEYS=5,ALIASES_PER_KEY=1,CUSTOM_KEY_STORES=1";
let server: Server | undefined;

beforeAll(async () => {
  server = await startRaw({ ...stageSettings, quotas });
});

afterAll(() => server?.stop());

const stageOf = (): Stage => newStage(server?.url ?? "");
const [P, R] = ["us-east-1", "eu-west-1"] as const;

const full = (usage: number) =>
  `Key quota for this account in this region is 5 but the current usage is ${usage}.`;

test("of many keys made at once as many are made as the quota allows", async () => {
  const us = stageOf().in(P);
  const made = await Promise.allSettled(
    Array.from({ length: 12 }, (_, number) => us.createKey({ Description: String(number) })),
  );
  expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
  for (const each of made) {
    if (each.status === "fulfilled") continue;
    expect(each.reason).toMatchObject({ name: "LimitExceededException", message: full(5) });
  }
  expect((await us.listKeys({})).Keys).toHaveLength(5);
});

test("a creation that is refused for something else takes no place", async () => {
  const us = stageOf().in(P);
  for (let count = 0; count < 6; count += 1) {
    await refuses(us.createKey({ Policy: "{" }), "MalformedPolicyDocumentException");
    await refuses(us.createKey({ KeySpec: "RSA_2048" }), "ValidationException");
  }
  for (let count = 0; count < 5; count += 1) await us.createKey({});
  await refuses(us.createKey({}), "LimitExceededException", full(5));
});

test("replicas take places in their own Region, and leave them when they are gone", async () => {
  const stage = stageOf();
  const [us, eu] = [stage.in(P), stage.in(R)];
  const KeyId = created(await us.createKey({ MultiRegion: true }));
  const own: string[] = [];
  for (let count = 0; count < 5; count += 1) own.push(created(await eu.createKey({})));
  const replicate = () => us.replicateKey({ KeyId, ReplicaRegion: R });
  await refuses(replicate(), "LimitExceededException", full(5));
  await refuses(eu.describeKey({ KeyId }), "NotFoundException");
  await eu.scheduleKeyDeletion({ KeyId: own[0], PendingWindowInDays: 7 });
  await refuses(replicate(), "LimitExceededException", full(5));
  await stage.moveClock("P7D");
  await replicate();
  expect((await eu.listKeys({})).Keys).toHaveLength(5);
  await refuses(eu.createKey({}), "LimitExceededException", full(5));
});

test("AWS managed keys take none", async () => {
  const us = stageOf().in(P);
  for (const service of ["s3", "ebs", "rds", "ssm", "sqs", "sns"]) {
    expect(await described(us, `alias/aws/${service}`)).toMatchObject({ KeyManager: "AWS" });
  }
  for (let count = 0; count < 5; count += 1) await us.createKey({});
  await refuses(us.createKey({}), "LimitExceededException", full(5));
});

test("aliases of a key", async () => {
  const us = stageOf().in(P);
  const TargetKeyId = created(await us.createKey({}));
  await us.createAlias({ AliasName: "alias/a", TargetKeyId });
  await refuses(us.createAlias({ AliasName: "alias/b", TargetKeyId }), "LimitExceededException");
});

test("custom key stores of a Region", async () => {
  const us = stageOf().in(P);
  const create = (digit: number) =>
    us.createCustomKeyStore({
      CustomKeyStoreName: `store ${digit}`,
      CloudHsmClusterId: `cluster-${digit}34b5cdefgh`,
      TrustAnchorCertificate: "a certificate",
      KeyStorePassword: "kmsPswd",
    });
  await create(2);
  await refuses(
    create(3),
    "LimitExceededException",
    "The account has 1 custom key stores in this Region, the most it can have.",
  );
});
