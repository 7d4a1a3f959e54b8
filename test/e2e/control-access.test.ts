// Who gets at the control API: hosted and on one's own machine, for all of it alike.

import { request as httpRequest } from "node:http";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Command } from "../cli/command.ts";
import {
  ACCOUNT,
  alice,
  configuration,
  eve,
  kmsCall,
  leavesOf,
  send,
  stsCall,
} from "../support/people.ts";
import { type Server, startMiniflare, startRaw } from "../support/servers.ts";
import { signed } from "../support/signer.ts";

const TOKEN = "an admin's token";
const admin = { authorization: `Bearer ${TOKEN}` };
const json = { "content-type": "application/json" };

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** By node:http, which sends any Host. Of methods without a body none is sent. */
function call(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = "{}",
): Promise<Answer> {
  return new Promise((done, failed) => {
    const sent = httpRequest(url + path, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", failed).end(method === "PUT" || method === "POST" ? body : "");
  });
}

/** Every route, with what it answers to who is let in. */
const routes = [
  ["GET", "/_edge-kms/clock", 200],
  ["POST", "/_edge-kms/clock", 400],
  ["GET", "/_edge-kms/clusters/cluster-abcdefghijk", 200],
  ["POST", "/_edge-kms/clusters/cluster-abcdefghijk", 200],
  ["GET", "/_edge-kms/vpc-endpoint-services/x", 400],
  ["POST", "/_edge-kms/vpc-endpoint-services/x", 400],
  ["GET", "/_edge-kms/accounts", 200],
  ["PUT", "/_edge-kms/accounts", 200],
  ["GET", "/_edge-kms/tenants", 200],
  ["GET", "/_edge-kms/tenants/nobody", 404],
  ["PUT", "/_edge-kms/tenants/made", 201],
  ["DELETE", "/_edge-kms/tenants/made", 200],
  ["GET", "/_edge-kms/nothing", 404],
  ["GET", "/_edge-kms", 404],
] as const;

const UNKNOWN =
  '{"error":"The token or the tenant is not known. Send a token: Authorization: Bearer …"}\n';
const TOO_MANY = '{"error":"Too many wrong attempts: wait a minute."}\n';

let addresses = 0;
/** Miniflare passes on what a client says of its address, as if Cloudflare had. */
const fromAnother = () => ({ "cf-connecting-ip": `192.0.2.${++addresses}` });

describe("hosted", () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = await startMiniflare({ adminToken: TOKEN, movableClock: true });
    url = server.url;
    await call(url, "PUT", "/_edge-kms/tenants/one", { ...admin, ...json }, '{"token":true}');
  });
  afterAll(async () => {
    await server?.stop();
    expect(server?.output()).not.toContain(TOKEN);
  });

  test.each(routes)("%s %s wants the token", async (method, path, status) => {
    const all = { ...admin, ...json };
    expect((await call(url, method, path, all)).status).toBe(status);
    for (const authorization of ["", "Bearer x", `Basic ${btoa(TOKEN)}`, `Bearer ${TOKEN}x`]) {
      const headers = { ...json, ...fromAnother(), ...(authorization && { authorization }) };
      expect(await call(url, method, path, headers)).toEqual({ status: 401, text: UNKNOWN });
    }
    const page = { ...all, origin: "https://example.com" };
    expect((await call(url, method, path, page)).status).toBe(403);
    if (method !== "POST" && method !== "PUT") return;
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json-seq",
    ]) {
      const form = { ...admin, "content-type": type };
      expect((await call(url, method, path, form)).status).toBe(415);
    }
    expect((await call(url, method, path, admin)).status).toBe(415);
  });

  test("a wrong token and an unknown tenant are told apart by nobody", async () => {
    for (const [path, headers] of [
      ["/t/one/_edge-kms/clock", { authorization: "Bearer x" }],
      ["/t/none/_edge-kms/clock", { authorization: "Bearer x" }],
      ["/t/none/_edge-kms/clock", {}],
      ["/t/none/_edge-kms/clock", admin],
      ["/t/NONE/_edge-kms/clock", admin],
      ["/t/none/_edge-kms/nothing", {}],
    ] as const) {
      const answer = await call(url, "GET", path, { ...headers, ...fromAnother() });
      expect({ path, ...answer }).toEqual({ path, status: 401, text: UNKNOWN });
    }
  });

  test("ten wrong tokens a minute, then 429, also with the right one; others are not held up", async () => {
    const from = fromAnother();
    const wrong = { ...from, authorization: "Bearer x" };
    for (let n = 1; n <= 10; n++) {
      const path = n % 2 ? "/_edge-kms/tenants" : "/t/none/_edge-kms/clock";
      expect(await call(url, "GET", path, wrong)).toEqual({ status: 401, text: UNKNOWN });
    }
    for (const headers of [wrong, { ...from, ...admin }]) {
      expect(await call(url, "GET", "/_edge-kms/tenants", headers)).toEqual({
        status: 429,
        text: TOO_MANY,
      });
    }
    expect((await call(url, "GET", "/_edge-kms/tenants", admin)).status).toBe(200);
  });

  test("tenants that are not there: ten a minute, then 429; those that are there go on", async () => {
    const from = fromAnother();
    const kms = (tenant: string) =>
      call(url, "POST", `/t/${tenant}/`, { ...from, "x-amz-target": "TrentService.ListKeys" });
    for (let n = 1; n <= 10; n++) {
      expect(await kms(`guess-${n}`)).toEqual({
        status: 401,
        text: '{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}',
      });
    }
    expect(await kms("guess")).toMatchObject({ status: 429 });
    expect((await kms("guess")).text).toContain("ThrottlingException");
    expect(await kms("one")).toMatchObject({ status: 400 });
    expect((await call(url, "GET", "/_edge-kms/tenants", { ...from, ...admin })).status).toBe(200);
  });

  test("a tenant's token drives its own control API and nothing else", async () => {
    const put = (name: string, body: object) =>
      call(url, "PUT", `/_edge-kms/tenants/${name}`, { ...admin, ...json }, JSON.stringify(body));
    const { token } = JSON.parse((await put("two", { token: true })).text);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    const own = () => ({ authorization: `Bearer ${token}`, ...fromAnother() });
    const status = async (path: string) => (await call(url, "GET", path, own())).status;
    expect(await status("/t/two/_edge-kms/clock")).toBe(200);
    expect(await status("/t/two/_edge-kms/accounts")).toBe(200);
    expect(await status("/t/one/_edge-kms/clock")).toBe(401);
    expect(await status("/_edge-kms/clock")).toBe(401);
    expect(await status("/_edge-kms/tenants")).toBe(401);
    expect(await status("/_edge-kms/tenants/two")).toBe(401);
    expect(await status("/t/two/_edge-kms/tenants")).toBe(404);
    // It is shown once, replaced by another on demand, and stays when only the limits change.
    expect((await call(url, "GET", "/_edge-kms/tenants/two", admin)).text).not.toContain("oken");
    expect(JSON.parse((await put("two", { limits: { keys: 5 } })).text)).not.toHaveProperty(
      "token",
    );
    expect(await status("/t/two/_edge-kms/clock")).toBe(200);
    await put("two", { token: true });
    expect(await status("/t/two/_edge-kms/clock")).toBe(401);
    await call(url, "DELETE", "/_edge-kms/tenants/two", admin);
    expect(await status("/t/two/_edge-kms/clock")).toBe(401);
  });

  test("one request makes a tenant that serves its users, and no other", async () => {
    const put = (body: object) =>
      call(url, "PUT", "/_edge-kms/tenants/four", { ...admin, ...json }, JSON.stringify(body));
    const listed = async (who: object) => {
      const plain = { ...kmsCall(url, "ListKeys"), path: "/t/four" };
      return (await send(url, signed(plain, who))).text;
    };
    const wrong = await put({
      accounts: { [ACCOUNT]: { users: { eve: { secret: eve.secret } } } },
    });
    expect(wrong).toMatchObject({ status: 400 });
    expect(wrong.text).toContain(`accounts.${ACCOUNT}.users.eve.secret is not known`);
    expect(wrong.text).not.toContain(eve.secret);
    expect((await call(url, "GET", "/_edge-kms/tenants/four", admin)).status).toBe(404);

    const made = await put({ ttl: "PT2H", ...configuration });
    expect(made.status).toBe(201);
    expect(made.text).not.toContain(alice.secret);
    expect(await listed(alice)).toContain("Keys");
    expect(await listed({ accessKeyId: ACCOUNT })).toContain("UnrecognizedClientException");
    // What is not said stays; what is said is there at once.
    expect((await put({ ttl: "PT1H" })).status).toBe(200);
    expect(await listed(alice)).toContain("Keys");
    expect((await put({ accounts: {} })).status).toBe(200);
    expect(await listed(alice)).toContain("UnrecognizedClientException");
  });

  test("the path is signed as it was sent, and a session of one tenant is nobody in another", async () => {
    const body = JSON.stringify(configuration);
    for (const tenant of ["one", "three"]) {
      await call(url, "PUT", `/_edge-kms/tenants/${tenant}`, { ...admin, ...json });
      const path = `/t/${tenant}/_edge-kms/accounts`;
      expect((await call(url, "PUT", path, { ...admin, ...json }, body)).status).toBe(200);
    }
    const listed = async (signedPath: string, sentPath = signedPath, who: object = alice) => {
      const plain = signed({ ...kmsCall(url, "ListKeys"), path: signedPath }, who);
      return (await send(url, { ...plain, path: sentPath })).text;
    };
    expect(await listed("/t/one")).toContain("Keys");
    expect(await listed("/t/one/")).toContain("Keys");
    for (const sent of ["/t/one", "/t/three/", "/"]) {
      expect(await listed("/t/one/", sent)).toMatch(/InvalidSignature|UnrecognizedClient/);
    }
    const asked = { RoleArn: "arn:aws:iam::111122223333:role/service/app", RoleSessionName: "me" };
    const plain = { ...stsCall(url, "AssumeRole", asked), path: "/t/one/" };
    const leaves = leavesOf(await send(url, signed(plain, { ...alice, service: "sts" })));
    const session = {
      accessKeyId: String(leaves.AccessKeyId),
      secret: String(leaves.SecretAccessKey),
      token: String(leaves.SessionToken),
    };
    expect(await listed("/t/one/", "/t/one/", session)).toContain("Keys");
    expect(await listed("/t/three/", "/t/three/", session)).toContain(
      "UnrecognizedClientException",
    );
  });
});

describe("on one's own machine", () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = await startRaw({ auth: "open", movableClock: true });
    url = server.url;
  });
  afterAll(() => server?.stop());

  test.each(routes)("%s %s wants no token, but its own name", async (method, path, status) => {
    const { port } = new URL(url);
    expect((await call(url, method, path, json)).status).toBe(status);
    for (const headers of [
      { host: "rebound.example.com" },
      { host: `localhost.example.com:${port}` },
      { origin: "https://example.com" },
      { origin: "null" },
      { host: "rebound.example.com", origin: "http://rebound.example.com" },
    ]) {
      const answer = await call(url, method, path, { ...json, ...headers });
      expect({ headers, status: answer.status }).toEqual({ headers, status: 403 });
    }
  });

  test("what a client says of its own address is ignored", async () => {
    const told = { "cf-connecting-ip": "203.0.113.9", "x-forwarded-for": "203.0.113.9" };
    expect((await call(url, "GET", "/_edge-kms/clock", told)).status).toBe(200);
    // Nor does saying another each time give anyone more than ten attempts.
    const statuses: number[] = [];
    for (let n = 1; n <= 11; n++) {
      const from = { "cf-connecting-ip": `203.0.113.${n}`, authorization: "Bearer x" };
      statuses.push((await call(url, "GET", "/_edge-kms/clock", from)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
  });
});

const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

test.skipIf(!outside)("who comes from elsewhere needs a token, whatever they say", async () => {
  const command = new Command(["--host", "0.0.0.0", "--port", "0", "--memory"]);
  const { url } = await command.ready();
  const there = `http://${outside}:${new URL(url).port}`;
  for (const headers of [
    {},
    { host: "localhost" },
    { host: "127.0.0.1", "cf-connecting-ip": "127.0.0.1", "x-forwarded-for": "127.0.0.1" },
  ]) {
    expect((await call(there, "GET", "/_edge-kms/tenants", headers)).status).toBe(403);
  }
  expect((await call(url, "GET", "/_edge-kms/tenants")).status).toBe(200);
});
