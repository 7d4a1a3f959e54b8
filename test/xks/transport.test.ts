import { expect, test } from "vitest";
import {
  ConnectionFailure,
  type ProxyRequest,
  type Transport,
  workerTransport,
} from "../../src/xks/transport.ts";

const LISTED = "https://xks.example.com/kms/xks/v1/health";
const PUBLIC = "https://other.example.com/kms/xks/v1/health";

const request = (signal = new AbortController().signal): ProxyRequest => ({
  method: "POST",
  headers: {},
  body: "{}",
  redirect: "manual",
  signal,
});

const answering =
  (status: number): Transport =>
  async () =>
    new Response("{}", { status });
const failing =
  (error: unknown): Transport =>
  () =>
    Promise.reject(error);

/** A Worker with one listed host, both of whose ways out behave alike. */
const worker = (both: Transport) => workerTransport(new Map([["xks.example.com", both]]), both);

test("a listed host has its binding, all others the network", async () => {
  const transport = workerTransport(new Map([["xks.example.com", answering(200)]]), answering(400));
  expect((await transport(LISTED, request())).status).toBe(200);
  expect((await transport(PUBLIC, request())).status).toBe(400);
});

test.each([
  [521, "unreachable"],
  [522, "timedOut"],
  [523, "unreachable"],
  [524, "timedOut"],
  [525, "tls"],
  [526, "tls"],
  [530, "unreachable"],
])("status %i is the edge's, for %s", async (status, reason) => {
  await expect(worker(answering(status))(PUBLIC, request())).rejects.toMatchObject({ reason });
});

test.each([400, 500, 503, 520, 599])("status %i is the proxy's", async (status) => {
  expect((await worker(answering(status))(PUBLIC, request())).status).toBe(status);
});

test.each([
  [LISTED, "internal error; reference = 31j4h5grngpopuedqc3i73qq", "tls"],
  [PUBLIC, "internal error; reference = 31j4h5grngpopuedqc3i73qq", "unreachable"],
  [LISTED, "Network connection lost.", "unreachable"],
  [PUBLIC, "Network connection lost.", "unreachable"],
])("%s: %s", async (url, message, reason) => {
  const call = worker(failing(new Error(message)))(url, request());
  await expect(call).rejects.toMatchObject({ reason, message });
  await expect(call).rejects.toBeInstanceOf(ConnectionFailure);
});

test("what the signal cuts short stays as it is", async () => {
  const reason = new DOMException("too late", "TimeoutError");
  const call = worker(failing(reason))(LISTED, request(AbortSignal.abort(reason)));
  await expect(call).rejects.toBe(reason);
});
