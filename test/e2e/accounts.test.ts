// The control API's principals: who may change them, what is refused, and that no secret comes out.

import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../cli/until.ts";
import { ACCOUNT, alice, callKms, callSts, configuration } from "../support/people.ts";
import { type Server, startMiniflare, startRaw } from "../support/servers.ts";

const TOKEN = "an admin's token";

let server: Server;
let url: string;

beforeAll(async () => {
  // A deployment: Miniflare sets no variable by itself, so AUTH has its standard value.
  server = await startMiniflare({ adminToken: TOKEN });
  url = server.url;
});

afterAll(async () => {
  await server?.stop();
  expect(server?.output()).not.toContain("secret");
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Sent {
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly at?: string;
}

/** By node:http, which sends any Host. */
function control(
  method: string,
  { body = "", headers = {}, at = url }: Sent = {},
): Promise<Answer> {
  return new Promise((done, failed) => {
    const sent = httpRequest(`${at}/_edge-kms/accounts`, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, text }));
    });
    // Of other methods node:http would send a body that is no part of the request.
    sent.on("error", failed).end(method === "PUT" || method === "POST" ? body : "");
  });
}

const admin = { authorization: `Bearer ${TOKEN}` };
const json = { "content-type": "application/json" };
const yaml = { "content-type": "application/yaml" };
const put = (body: string, type: Record<string, string> = json) =>
  control("PUT", { body, headers: { ...admin, ...type } });

test("who is put is served at once, who is taken away no more, and no secret comes out", async () => {
  expect(await callKms(url, alice, "ListKeys")).toMatchObject({
    __type: "UnrecognizedClientException",
    message: expect.stringContaining("no access key is configured"),
  });
  const answer = await put(JSON.stringify(configuration));
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text).accounts[ACCOUNT]).toEqual({
    users: {
      alice: { accessKeys: [{ id: alice.accessKeyId }] },
      "division/bob": { accessKeys: [{ id: "AKIABOB0000000000001" }] },
    },
    roles: ["service/app", "guarded", "partner"],
    policies: ["team/Encrypt"],
  });
  const read = await control("GET", { headers: admin });
  expect(read).toEqual(answer);
  expect(read.text).not.toContain("secret");
  expect(await callKms(url, alice, "ListKeys")).toMatchObject({ status: 200 });
  expect(await callSts(url, alice, "GetCallerIdentity")).toMatchObject({ status: 200 });

  expect((await control("DELETE", { headers: admin })).text).toBe('{"accounts":{}}\n');
  expect(await callKms(url, alice, "ListKeys")).toMatchObject({
    __type: "UnrecognizedClientException",
  });
});

test("YAML is taken as it is", async () => {
  const { accessKeyId: id, secret } = alice;
  const accessKeys = `accessKeys: [{id: ${id}, secret: "${secret}"}]`;
  const policies = `policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: "kms:*", Resource: "*"}}]`;
  const text = `accounts: {${ACCOUNT}: {users: {alice: {${accessKeys}, ${policies}}}}}`;
  expect((await put(text, { "content-type": "application/yaml; charset=utf-8" })).status).toBe(200);
  expect(await callSts(url, alice, "GetCallerIdentity")).toMatchObject({ status: 200 });
});

test("what is wrong is refused with its line, and changes nothing", async () => {
  await put(JSON.stringify(configuration));
  const wrong = `accounts:\n  "${ACCOUNT}":\n    users: {alice: {accessKeys: [{id: A1x, secret: 5secret, x: 1}]}}\n`;
  const answer = await put(wrong, yaml);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toEqual({
    error: `line 3: accounts.${ACCOUNT}.users.alice.accessKeys.0.x is not known`,
    line: 3,
  });
  expect(JSON.parse((await put("[", yaml)).text)).toMatchObject({ line: 1 });
  expect((await put(`"${"x".repeat(1_100_000)}"`)).status).toBe(413);
  expect(await callKms(url, alice, "ListKeys")).toMatchObject({ status: 200 });
});

test("nothing that a web page's form could send is taken", async () => {
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
  ]) {
    expect((await put("{}", { "content-type": type })).status).toBe(415);
  }
  expect((await control("POST", { body: "{}", headers: { ...admin, ...json } })).status).toBe(404);
});

test("nobody comes in without the token", async () => {
  let attempt = 0;
  for (const authorization of [
    "",
    "Bearer",
    "Bearer x",
    TOKEN,
    `Basic ${btoa(TOKEN)}`,
    `Bearer ${TOKEN}x`,
  ]) {
    for (const method of ["GET", "PUT", "DELETE"]) {
      // Each from an address of its own: ten from one are enough.
      const from = { "cf-connecting-ip": `192.0.2.${++attempt}` };
      const headers = { ...json, ...from, ...(authorization !== "" && { authorization }) };
      const answer = await control(method, { body: "{}", headers });
      expect({ authorization, method, status: answer.status }).toEqual({
        authorization,
        method,
        status: 401,
      });
      expect(answer.text).not.toContain(TOKEN);
    }
  }
});

test("a deployment without a token lets nobody change it", async () => {
  const closed = await startRaw({ auth: "required" });
  try {
    expect(await control("PUT", { body: "{}", headers: json, at: closed.url })).toEqual({
      status: 401,
      text: '{"error":"Start the server with the variable ADMIN_TOKEN, and send it."}\n',
    });
  } finally {
    await closed.stop();
  }
});

test("where everyone is served, this machine needs no token, but a page of another name gets nowhere", async () => {
  const local = await startRaw({ auth: "open" });
  const { port } = new URL(local.url);
  const putting = (headers: Record<string, string>) =>
    control("PUT", { body: "{}", headers: { ...json, ...headers }, at: local.url });
  try {
    expect((await putting({})).status).toBe(200);
    expect((await putting({ host: `localhost:${port}` })).status).toBe(200);
    expect((await putting({ origin: local.url })).status).toBe(200);
    for (const headers of [
      { host: "rebound.example.com" },
      { host: `localhost.example.com:${port}` },
      { origin: "https://example.com" },
      { origin: "null" },
      { host: "rebound.example.com", origin: "http://rebound.example.com" },
    ]) {
      expect({ headers, status: (await putting(headers)).status }).toEqual({
        headers,
        status: 403,
      });
    }
  } finally {
    await local.stop();
  }
});

test("accounts of a variable are not changed from here", async () => {
  const fixed = await startRaw({ auth: "required", accounts: "accounts: {}", adminToken: TOKEN });
  try {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const sent = { body: "{}", headers: { ...admin, ...json }, at: fixed.url };
      expect(await control(method, sent)).toEqual({
        status: 409,
        text: '{"error":"The accounts come from the variable ACCOUNTS: change them there."}\n',
      });
    }
  } finally {
    await fixed.stop();
  }
});

test("a variable that is wrong serves nobody, and the log names the line", async () => {
  const wrong = await startRaw({ auth: "required", accounts: "accounts: {}\nkeyz: hunter2" });
  try {
    expect(await callKms(wrong.url, alice, "ListKeys")).toMatchObject({
      status: 500,
      __type: "KMSInternalException",
    });
    await until("it is logged", () =>
      wrong.output().includes("ACCOUNTS, line 2: keyz is not known"),
    );
    expect(wrong.output()).not.toContain("hunter2");
  } finally {
    await wrong.stop();
  }
});
