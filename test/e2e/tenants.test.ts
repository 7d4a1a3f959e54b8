// Tenants from outside, with AWS's own SDK: each is a KMS of its own, and nothing of one is taken by
// another.

import { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../cli/until.ts";
import { moveClock, refuses, serverTime } from "../support/clients.ts";
import { alice, callKms, callSts, configuration, signingWith } from "../support/people.ts";
import {
  type Server,
  type StartServer,
  startMiniflare,
  startRaw,
  startWrangler,
} from "../support/servers.ts";

const ACCOUNT = "111122223333";
const REGION = "us-east-1";
const json = { "content-type": "application/json" };
const text = new TextEncoder();

let names = 0;
const newName = () => `preview-${++names}`;

/** A request of the control API; the answer's JSON with its status. */
async function control(
  url: string,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${url}/_edge-kms/${path}`, {
    method,
    headers: { ...(body && json), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, ...JSON.parse(await response.text()) };
}

/** A client of one tenant that keeps nothing of another's. */
const client = (endpoint: string, accessKeyId = ACCOUNT) =>
  new KMS({
    endpoint,
    region: REGION,
    credentials: { accessKeyId, secretAccessKey: "edge-kms" },
    maxAttempts: 1,
  });

const servers: readonly (readonly [string, StartServer])[] = [
  ["npm start (workerd)", startRaw],
  ["Miniflare", startMiniflare],
  ["wrangler dev", startWrangler],
];

describe.each(servers)("%s", (_name, start) => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = await start({
      ...{ auth: "open", movableClock: true, creatingMs: 0, tenantLimits: "off" },
    });
    url = server.url;
  });
  afterAll(() => server?.stop());

  /** A new tenant's URL. */
  async function tenant(more: object = {}): Promise<string> {
    const name = newName();
    const answer = await control(url, "PUT", `tenants/${name}`, more);
    expect(answer).toMatchObject({ status: 201, name, path: `/t/${name}` });
    return `${url}/t/${name}`;
  }

  const createKey = async (kms: KMS, input = {}) =>
    (await kms.createKey(input)).KeyMetadata?.KeyId ?? "";

  test("one request makes it, clients call it with and without a slash, one removes it", async () => {
    const name = newName();
    const made = await control(url, "PUT", `tenants/${name}`, { ttl: "PT2H", limits: { keys: 9 } });
    expect(made).toEqual({
      status: 201,
      name,
      path: `/t/${name}`,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      expiresAt: new Date(Date.parse(made.createdAt) + 7_200_000).toISOString(),
      limits: { keys: 9, requestsPerSecond: null, storage: null },
    });
    const { status, ...shown } = made;
    expect(await control(url, "GET", `tenants/${name}`)).toEqual({ status: 200, ...shown });
    expect((await control(url, "GET", "tenants")).tenants).toContainEqual(shown);

    const [plain, slashed] = [client(`${url}/t/${name}`), client(`${url}/t/${name}/`)];
    const KeyId = await createKey(plain);
    const { CiphertextBlob } = await slashed.encrypt({ KeyId, Plaintext: text.encode("text") });
    const { Plaintext } = await plain.decrypt({ CiphertextBlob });
    expect(new TextDecoder().decode(Plaintext)).toBe("text");
    expect(
      await callSts(`${url}/t/${name}`, { accessKeyId: ACCOUNT }, "GetCallerIdentity"),
    ).toMatchObject({ status: 200, Account: ACCOUNT });

    expect(await control(url, "DELETE", `tenants/${name}`)).toEqual({
      status: 200,
      name,
      removed: true,
    });
    await refuses(plain.describeKey({ KeyId }), "UnrecognizedClientException");
    expect(await control(url, "GET", `tenants/${name}`)).toMatchObject({ status: 404 });
    expect(await control(url, "DELETE", `tenants/${name}`)).toMatchObject({ status: 404 });

    // The name is free at once, and means something else.
    expect(await control(url, "PUT", `tenants/${name}`, {})).toMatchObject({ status: 201 });
    expect((await plain.listKeys({})).Keys).toEqual([]);
    await refuses(plain.describeKey({ KeyId }), "NotFoundException");
    await refuses(plain.decrypt({ CiphertextBlob }), "AccessDeniedException");
  });

  test("keys, aliases and ciphertexts of one are not those of another, nor of the default tenant", async () => {
    const mine = client(await tenant());
    const KeyId = await createKey(mine, { Description: "mine" });
    await mine.createAlias({ AliasName: "alias/app", TargetKeyId: KeyId });
    const Arn = (await mine.describeKey({ KeyId })).KeyMetadata?.Arn ?? "";
    const { CiphertextBlob } = await mine.encrypt({ KeyId, Plaintext: text.encode("secret") });
    for (const other of [client(await tenant()), client(url)]) {
      for (const id of [KeyId, Arn, "alias/app", Arn.replace(/key\/.*/, "alias/app")]) {
        await refuses(other.describeKey({ KeyId: id }), "NotFoundException");
      }
      await refuses(
        other.decrypt({ CiphertextBlob }),
        "AccessDeniedException",
        /kms:Decrypt on the resource associated with this ciphertext because the resource does not exist/,
      );
      const { Keys = [] } = await other.listKeys({});
      expect(Keys.map((key) => key.KeyId)).not.toContain(KeyId);
    }
  });

  test("an AWS managed key has one ID in all tenants, and a material of its own in each", async () => {
    const [mine, other] = [client(await tenant()), client(await tenant())];
    const KeyId = "alias/aws/s3";
    const Plaintext = text.encode("secret");
    const one = await mine.encrypt({ KeyId, Plaintext });
    await refuses(other.decrypt({ CiphertextBlob: one.CiphertextBlob }), "AccessDeniedException");
    const two = await other.encrypt({ KeyId, Plaintext });
    expect(two.KeyId).toBe(one.KeyId);
    await refuses(
      other.decrypt({ CiphertextBlob: one.CiphertextBlob }),
      "InvalidCiphertextException",
    );
    await refuses(
      mine.decrypt({ CiphertextBlob: two.CiphertextBlob }),
      "InvalidCiphertextException",
    );
  });

  test("grant tokens, import tokens and markers are of no use in another tenant", async () => {
    const [mine, other] = [client(await tenant()), client(await tenant())];
    const KeyId = await createKey(mine);
    const { GrantToken = "" } = await mine.createGrant({
      KeyId,
      GranteePrincipal: "arn:aws:iam::444455556666:root",
      Operations: ["DescribeKey"],
    });
    await refuses(other.describeKey({ KeyId, GrantTokens: [GrantToken] }), "NotFoundException");
    // A managed key has the same ID in both: its key set has never given out this token.
    const managed = (await mine.describeKey({ KeyId: "alias/aws/s3" })).KeyMetadata?.Arn ?? "";
    await other.describeKey({ KeyId: "alias/aws/s3" });
    const forged = GrantToken.slice(0, 43) + toUrl(managed, KeyId, GrantToken);
    await refuses(
      other.describeKey({ KeyId: managed, GrantTokens: [forged] }),
      "InvalidGrantTokenException",
    );

    const external = await createKey(mine, { Origin: "EXTERNAL" });
    const asked = { WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" } as const;
    const { ImportToken } = await mine.getParametersForImport({ KeyId: external, ...asked });
    const theirs = await createKey(other, { Origin: "EXTERNAL" });
    const material = { ImportToken, EncryptedKeyMaterial: new Uint8Array(256) };
    await refuses(other.importKeyMaterial({ KeyId: external, ...material }), "NotFoundException");
    await refuses(
      other.importKeyMaterial({
        KeyId: theirs,
        ...material,
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
      }),
      "InvalidImportTokenException",
    );

    await createKey(mine);
    const { NextMarker } = await mine.listKeys({ Limit: 1 });
    expect((await mine.listKeys({ Limit: 1, Marker: NextMarker })).Keys).toHaveLength(1);
    await refuses(other.listKeys({ Marker: NextMarker }), "InvalidMarkerException");
    await refuses(client(url).listKeys({ Marker: NextMarker }), "InvalidMarkerException");
    await Promise.all([createKey(client(url)), createKey(client(url))]);
    const theDefault = (await client(url).listKeys({ Limit: 1 })).NextMarker;
    await refuses(mine.listKeys({ Marker: theDefault }), "InvalidMarkerException");
  });

  test("a session of one tenant is nobody in another", async () => {
    const [mine, other] = [await tenant(), await tenant()];
    const asked = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/any`, RoleSessionName: "me" };
    const session = signingWith(await callSts(mine, { accessKeyId: ACCOUNT }, "AssumeRole", asked));
    expect(await callSts(mine, session, "GetCallerIdentity")).toMatchObject({
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/any/me`,
    });
    const unrecognized = { __type: "UnrecognizedClientException" };
    expect(await callKms(other, session, "ListKeys")).toMatchObject(unrecognized);
    const nobody = { Code: "InvalidClientTokenId" };
    expect(await callSts(other, session, "GetCallerIdentity")).toMatchObject(nobody);
    expect(await callSts(`${url}/t/not-there`, session, "GetCallerIdentity")).toMatchObject(nobody);
  });

  test("clocks, principals and clusters are each tenant's own", async () => {
    const [mine, other] = [await tenant(), await tenant()];
    await moveClock(mine, "P8D");
    expect((await serverTime(mine)).offsetMs).toBe(8 * 86_400_000);
    expect((await serverTime(other)).offsetMs).toBe(0);
    expect((await serverTime(url)).offsetMs).toBe(0);

    await control(mine, "PUT", "accounts", configuration);
    const who = (at: string) => callSts(at, alice, "GetCallerIdentity");
    expect(await who(mine)).toMatchObject({ Arn: `arn:aws:iam::${ACCOUNT}:user/alice` });
    expect(await who(other)).toMatchObject({ Arn: "arn:aws:iam::000000000000:root" });
    expect(await who(url)).toMatchObject({ Arn: "arn:aws:iam::000000000000:root" });
    expect(await control(other, "GET", "accounts")).toEqual({ status: 200, accounts: {} });

    const cluster = "clusters/cluster-abcdefghijk";
    await control(mine, "POST", cluster, { hsms: 0 });
    expect(await control(mine, "GET", cluster)).toMatchObject({ hsms: 0 });
    expect(await control(other, "GET", cluster)).toMatchObject({ hsms: 2 });
  });

  test("what cannot be a tenant is said", async () => {
    const put = (name: string, body: object) => control(url, "PUT", `tenants/${name}`, body);
    for (const name of ["A", "a_b", "a.b", "x".repeat(64), "a%2fb", "%20"]) {
      expect({ name, status: (await put(name, {})).status }).toEqual({ name, status: 400 });
    }
    for (const body of [
      [],
      { ttl: "2 hours" },
      { ttl: "PT0S" },
      { ttl: "P1Y" },
      { ttl: "P9999D" },
      { ttl: 5 },
      { limits: { keys: 0 } },
      { limits: { keys: "5" } },
      { limits: { requestsPerSecond: 1.5 } },
      { limits: { cats: 1 } },
      { limits: null, token: "yes" },
      { accounts: null },
      { accounts: { "1": {} } },
      { accounts: { [ACCOUNT]: { users: { ci: { policies: ["{}"] } } } } },
      { color: "red" },
      { __proto__: null, constructor: 1 },
    ]) {
      const { status, error } = await put("wrong", body);
      expect({ body, status, error }).toEqual({ body, status: 400, error: expect.any(String) });
    }
    expect(await put("x".repeat(63), {})).toMatchObject({ status: 201 });
  });

  test("a tenant whose time is up goes by itself", async () => {
    const endpoint = await tenant({ ttl: "PT1S" });
    const name = endpoint.split("/").at(-1);
    await createKey(client(endpoint));
    await until("it is gone", async () => {
      const { status } = await control(url, "GET", `tenants/${name}`);
      return status === 404;
    });
    await refuses(client(endpoint).listKeys({}), "UnrecognizedClientException");
  });
});

/** The content of a grant token for another key, as a forger would write it. */
function toUrl(arn: string, keyId: string, token: string): string {
  const content = Buffer.from(token, "base64url").subarray(32).toString();
  const forged = content.replace(keyId, arn.split("/").at(-1) ?? "");
  // 43 characters hold the 32 bytes of the MAC and 2 bits of what follows, which are those of `{`.
  return Buffer.concat([Buffer.from(token, "base64url").subarray(0, 32), Buffer.from(forged)])
    .toString("base64url")
    .slice(43);
}
