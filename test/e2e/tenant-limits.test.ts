// The limits that a setting gives to every tenant, from outside: the default tenant has them as any
// other that was made without its own, and is refused in the same words.
// docs/decisions/011-tenants.md

import { KMS } from "@aws-sdk/client-kms";
import { afterAll, describe, expect, test } from "vitest";
import { hostedTenantLimits, noTenantLimits } from "../../src/domain/tenant-limits.ts";
import { refuses } from "../support/clients.ts";
import { callSts } from "../support/people.ts";
import {
  type Server,
  type ServerOptions,
  startMiniflare,
  startRaw,
  startWrangler,
} from "../support/servers.ts";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const [P, R] = ["us-east-1", "eu-west-1"] as const;
const TOKEN = "an admin's token";
const Plaintext = new TextEncoder().encode("text");

const servers: Server[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

async function serverWith(options: ServerOptions, start = startRaw): Promise<string> {
  const server = await start(options);
  servers.push(server);
  return server.url;
}

const client = (endpoint: string, accessKeyId = ACCOUNT, region: string = P) =>
  new KMS({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey: "edge-kms" },
    maxAttempts: 1,
  });

let names = 0;

/** Makes a tenant; its URL, and the limits that it is said to have. */
async function made(url: string, body: object = {}) {
  const name = `preview-${++names}`;
  const response = await fetch(`${url}/_edge-kms/tenants/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
  const { limits } = (await response.json()) as { limits: object };
  return { url: `${url}/t/${name}`, limits };
}

const createKey = async (kms: KMS, input = {}) =>
  (await kms.createKey(input)).KeyMetadata?.KeyId ?? "";

describe("what tenants have that nobody has given limits", () => {
  test("a deployment: limits", async () => {
    const url = await serverWith({ adminToken: TOKEN }, startMiniflare);
    expect((await made(url)).limits).toEqual(hostedTenantLimits);
    const own = { ...hostedTenantLimits, keys: 20_000 };
    expect((await made(url, { limits: { keys: 20_000, storage: null } })).limits).toEqual(own);
  });

  test.each([
    ["npm start", startRaw],
    ["npm run dev", startWrangler],
  ])("%s: none", async (_name, start) => {
    const url = await serverWith({ adminToken: TOKEN }, start);
    expect((await made(url)).limits).toEqual(noTenantLimits);
    const kms = client(url);
    expect(await passed(300, () => kms.listKeys({}))).toBe(300);
  });
});

/** How many of so many requests at once are let through; every other is throttled. */
async function passed(requests: number, call: () => Promise<unknown>): Promise<number> {
  const outcomes = await Promise.allSettled(Array.from({ length: requests }, call));
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    expect(outcome.reason).toMatchObject({
      name: "ThrottlingException",
      message: "Rate exceeded",
      $metadata: { httpStatusCode: 400 },
    });
  }
  return outcomes.filter(({ status }) => status === "fulfilled").length;
}

test("requests: the default tenant's and others' beyond the limit are refused, no one else's", async () => {
  const url = await serverWith({ adminToken: TOKEN, tenantLimits: "requestsPerSecond=1" });
  const [mine, other, free] = [
    await made(url),
    await made(url),
    await made(url, { limits: { requestsPerSecond: 1000 } }),
  ];
  for (const endpoint of [url, mine.url]) {
    const kms = client(endpoint);
    const started = performance.now();
    const count = await passed(30, () => kms.listKeys({}));
    const seconds = Math.floor((performance.now() - started) / 1000);
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(seconds + 2);
  }
  const kms = client(free.url);
  expect(await passed(30, () => kms.listKeys({}))).toBe(30);
  await client(other.url).listKeys({});

  const answers = await Promise.all(
    Array.from({ length: 30 }, () => callSts(url, { accessKeyId: ACCOUNT }, "GetCallerIdentity")),
  );
  expect(answers).toContainEqual(
    expect.objectContaining({ Code: "Throttling", Message: "Rate exceeded" }),
  );
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test("keys: all accounts and Regions of the default tenant share the limit, those of AWS do not count", async () => {
  const url = await serverWith({ adminToken: TOKEN, tenantLimits: "keys=3", creatingMs: 0 });
  const full = [
    "LimitExceededException",
    "Key quota for this account in this region is 3 but the current usage is 3.",
  ] as const;
  for (const endpoint of [url, (await made(url)).url]) {
    const KeyId = await createKey(client(endpoint), { MultiRegion: true });
    await createKey(client(endpoint, OTHER));
    await client(endpoint).encrypt({ KeyId: "alias/aws/s3", Plaintext });
    await client(endpoint).replicateKey({ KeyId, ReplicaRegion: R });
    await refuses(client(endpoint).createKey({}), ...full);
    await refuses(client(endpoint, OTHER, R).createKey({}), ...full);
    await client(endpoint).encrypt({ KeyId, Plaintext });
  }
  const more = client((await made(url, { limits: { keys: 4 } })).url);
  for (let n = 0; n < 4; n++) await createKey(more);
  await refuses(more.createKey({}), "LimitExceededException");
});

test("storage: where none is left, nothing of the default tenant becomes larger, and all else goes on", async () => {
  const url = await serverWith({ tenantLimits: "storage=150000" });
  const us = client(url);
  const KeyId = await createKey(us);
  const grant = {
    KeyId,
    GranteePrincipal: `arn:aws:iam::${OTHER}:root`,
    Operations: ["Encrypt" as const],
  };
  const [name, message] = [
    "LimitExceededException",
    "The tenant holds as much as its limit of storage allows.",
  ];
  const GrantIds: string[] = [];
  let refusal: unknown = null;
  while (refusal === null && GrantIds.length < 2000) {
    await us.createGrant(grant).then(
      ({ GrantId = "" }) => GrantIds.push(GrantId),
      (error: unknown) => {
        refusal = error;
      },
    );
  }
  expect(refusal).toMatchObject({ name, message });
  expect(GrantIds.length).toBeGreaterThan(50);
  await refuses(us.createKey({}), name, message);
  await refuses(client(url, OTHER, R).createKey({}), name, message);
  await us.encrypt({ KeyId, Plaintext });
  await us.revokeGrant({ KeyId, GrantId: GrantIds[0] });
});

test("a setting that cannot be read keeps the server from starting", async () => {
  await expect(startRaw({ tenantLimits: "keys=none" })).rejects.toThrow(
    /TENANT_LIMITS expects off, hosted or NAME=NUMBER,… .* not "keys=none"/,
  );
});
