// A Worker that calls an external key store proxy and tells how it went; bundled and run in workerd.

import {
  decrypt,
  encrypt,
  getHealthStatus,
  type ProxyResult,
  type XksProxy,
} from "../../../src/xks/proxy-client.ts";
import { type Transport, workerTransport } from "../../../src/xks/transport.ts";

/** What a test sends: a proxy without what only the Worker has, and which of two things to do. */
export interface Task extends Omit<XksProxy, "transport" | "now"> {
  readonly call: "health" | "roundTrip";
}

export interface Outcome {
  /** `ok`, or the name of the failure. */
  readonly result: string;
  readonly detail: string;
}

interface Env {
  /** JSON: of each listed host, the name of its binding. */
  readonly XKS_HOSTS: string;
  readonly [binding: string]: unknown;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { call, ...task } = (await request.json()) as Task;
    const bindings = new Map<string, Transport>();
    for (const [host, name] of Object.entries<string>(JSON.parse(env.XKS_HOSTS))) {
      const service = env[name] as { fetch: Transport };
      bindings.set(host, (url, init) => service.fetch(url, init));
    }
    const network: Transport = (url, init) => fetch(url, init);
    const proxy = { ...task, transport: workerTransport(bindings, network), now: Date.now };
    return Response.json(call === "health" ? await health(proxy) : await roundTrip(proxy));
  },
};

const outcome = (result: ProxyResult<unknown>): Outcome =>
  result.ok
    ? { result: "ok", detail: "" }
    : { result: result.failure.name, detail: result.failure.detail };

const health = async (proxy: XksProxy) =>
  outcome(await getHealthStatus(proxy, { kmsOperation: "KmsHealthCheck", kmsRequestId: "r" }));

async function roundTrip(proxy: XksProxy): Promise<Outcome> {
  const request = { awsPrincipalArn: "a", kmsKeyArn: "k", kmsOperation: "o", kmsRequestId: "r" };
  const plaintext = new Uint8Array(4124).fill(7);
  const data = new Uint8Array(100).fill(8);
  const sealed = await encrypt(proxy, "key-1", request, plaintext, data);
  if (!sealed.ok) return outcome(sealed);
  const opened = await decrypt(proxy, "key-1", request, sealed.value, data);
  if (!opened.ok) return outcome(opened);
  const same = opened.value.every((byte, index) => byte === plaintext[index]);
  return { result: same ? "ok" : "another plaintext", detail: "" };
}
