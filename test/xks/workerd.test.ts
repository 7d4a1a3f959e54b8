// The client where it will run: in workerd, whose ways to the world are bindings and a network.

import { createServer, type Server } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { resolveTable } from "../../src/xks/endpoint.ts";
import { expired } from "./support/certificates.ts";
import { hangUp, silence, stall } from "./support/faults.ts";
import { startProxy, type TestProxy } from "./support/proxy.ts";
import type { Task } from "./support/worker.ts";
import { startWorkerd, type Workerd } from "./support/workerd.ts";

let proxy: TestProxy;
let others: TestProxy[];
let plain: Server;
let mute: Server;
let workerd: Workerd;

beforeAll(async () => {
  proxy = await startProxy();
  const wrongHost = await startProxy({
    host: "wrong.example.com",
    certificate: (authority) => authority.issue("xks.example.com"),
  });
  const old = await startProxy({
    host: "old.example.com",
    certificate: (authority) => authority.issue("old.example.com", expired),
  });
  const unknown = await startProxy({ host: "unknown.example.com" });
  const gone = await startProxy({ host: "gone.example.com" });
  await gone.close();
  others = [wrongHost, old, unknown];
  plain = await listening(createServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")));
  mute = await listening(createServer());
  const entry = (host: string, { port }: { port: number }) => `${host}=127.0.0.1:${port}`;
  const table = resolveTable([
    ...[proxy, ...others, gone].map((one) => entry(one.host, one)),
    `named.example.com=localhost:${proxy.port}`,
    entry("plain.example.com", plain.address() as { port: number }),
    entry("mute.example.com", mute.address() as { port: number }),
  ]);
  const known = [proxy, wrongHost, old].map(({ authority }) => authority.pem);
  workerd = await startWorkerd(table, known.join(""));
});

afterEach(() => {
  proxy.fault = null;
});

afterAll(async () => {
  await workerd.stop();
  for (const one of [proxy, ...others]) await one.close();
  plain.close();
  mute.close();
});

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

const run = async (host: string, task: Partial<Task> = {}) =>
  workerd.run({
    call: "health",
    uriEndpoint: `https://${host}`,
    uriPath: proxy.uriPath,
    credential: proxy.credential,
    region: proxy.region,
    timeoutMs: 30_000,
    ...task,
  });

/** The log comes through a pipe of its own, so maybe a little after the answer. */
const logged = (text: string, from = 0) =>
  expect.poll(() => workerd.log.slice(from), { timeout: 10_000 }).toContain(text);

describe("through the binding of a listed host", () => {
  test("a proxy is reached, under the host's name", async () => {
    expect(await run(proxy.host)).toEqual({ result: "ok", detail: "" });
    expect(proxy.requests.at(-1)?.headers.host).toBe(proxy.host);
  });

  test("a proxy encrypts and decrypts", async () => {
    expect(await run(proxy.host, { call: "roundTrip" })).toEqual({ result: "ok", detail: "" });
  });

  test("the proxy checks the signature", async () => {
    const credential = { ...proxy.credential, rawSecretAccessKey: "x".repeat(43) };
    expect(await run(proxy.host, { credential })).toMatchObject({
      result: "AuthenticationFailedException",
    });
  });

  test("an address may be a name", async () => {
    // The certificate is not one for named.example.com: found, and not trusted.
    expect(await run("named.example.com")).toMatchObject({ result: "TlsFailed" });
    await logged('certificate not valid for name "named.example.com"');
  });

  test.each([
    ["wrong.example.com", "certificate not valid for name"],
    ["old.example.com", "certificate expired"],
    ["unknown.example.com", "invalid peer certificate"],
    ["plain.example.com", "TLS handshake failed"],
  ])("%s is not trusted", async (host, reason) => {
    const before = workerd.log.length;
    expect(await run(host)).toMatchObject({ result: "TlsFailed" });
    await logged(reason, before);
  });

  test("nothing listens", async () => {
    expect(await run("gone.example.com")).toMatchObject({ result: "Unreachable" });
  });

  test("the connection is cut", async () => {
    proxy.fault = hangUp;
    expect(await run(proxy.host)).toMatchObject({ result: "Unreachable" });
  });

  test.each([
    ["begins", silence],
    ["ends", stall],
  ])("an answer never %s", async (_, fault) => {
    proxy.fault = fault;
    expect(await run(proxy.host, { timeoutMs: 100 })).toMatchObject({ result: "TimedOut" });
  });

  test("a handshake never begins", async () => {
    expect(await run("mute.example.com", { timeoutMs: 100 })).toMatchObject({ result: "TimedOut" });
  });
});

describe("through the network", () => {
  test("a name that leads to this machine is refused", async () => {
    expect(await run("localhost")).toMatchObject({ result: "Unreachable" });
    await logged("connecting to localhost:443 is not allowed");
  });
});
