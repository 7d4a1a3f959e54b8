// A way to test proxies from Node: names are looked up in a table, certificates checked against the
// proxy's own authority, and failures told apart by Node's error codes.

import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { Readable } from "node:stream";
import {
  ConnectionFailure,
  type ProxyRequest,
  type Transport,
} from "../../../src/xks/transport.ts";

export interface Target {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** The authorities to be trusted, in PEM. */
  readonly ca: string;
}

/** Reaches the one host it is made for. */
export const nodeTransport =
  (target: Target): Transport =>
  async (url, init) => {
    const message = await exchange(target, new URL(url), init).catch((error: unknown) => {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (init.signal.aborted) throw error;
      throw new ConnectionFailure(/CERT|SIGNATURE|EPROTO/.test(code) ? "tls" : "unreachable", code);
    });
    const headers = Object.entries(message.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const body = Readable.toWeb(message) as ReadableStream<Uint8Array>;
    return new Response(body, { status: message.statusCode ?? 0, headers });
  };

function exchange(target: Target, url: URL, init: ProxyRequest): Promise<IncomingMessage> {
  if (url.hostname !== target.host) throw new Error(`${url.hostname} is not ${target.host}`);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: target.address,
      port: target.port,
      servername: target.host,
      path: url.pathname + url.search,
      method: init.method,
      headers: { ...init.headers, host: url.host },
      ca: target.ca,
      signal: init.signal,
    });
    outgoing.on("response", resolve).on("error", reject).end(init.body);
  });
}
