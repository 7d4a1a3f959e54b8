// The Worker's way to external key store proxies: a binding for each host that whoever runs the
// server has listed, the network for all others. Knows no rule of KMS.

import type { WorkerSettings } from "../settings.ts";
import { parseResolveTable, proxyBinding } from "../xks/endpoint.ts";
import { type Proxies, proxiesBy } from "../xks/proxies.ts";
import { type Transport, workerTransport } from "../xks/transport.ts";

/** A host that is listed but has no binding here is one like any other. */
export function proxiesOf(env: Env, settings: WorkerSettings): Proxies {
  const bindings = new Map<string, Transport>();
  const listed = new Map<string, string>();
  for (const [index, [host, address]] of [...parseResolveTable(settings.xksResolve)].entries()) {
    const service = (env as unknown as Record<string, unknown>)[proxyBinding(index)];
    if (!isFetcher(service)) continue;
    bindings.set(host, (url, request) => service.fetch(url, request));
    listed.set(host, address);
  }
  return proxiesBy({
    transport: workerTransport(bindings, (url, request) => fetch(url, request)),
    listed,
    // A moved clock must not sign: a proxy takes what is within five minutes of its own time.
    now: Date.now,
    timeoutMs: settings.xksTimeoutMs,
    onFailure({ name }) {
      // The name alone: what a proxy says of its failure is its own, and may be anything.
      if (settings.log === "request") console.log(JSON.stringify({ externalKeyStoreProxy: name }));
    },
  });
}

const isFetcher = (service: unknown): service is { readonly fetch: Transport } =>
  typeof (service as { fetch?: unknown } | undefined)?.fetch === "function";
