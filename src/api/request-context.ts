// What is known of a connection, apart from who signs.

import type { RequestContext } from "../domain/principal.ts";

/** What conditions of a policy may ask of a request: read when they do, or when it travels. */
export const requestContext = (request: Request): RequestContext => ({
  get sourceIp() {
    return addressOf(request);
  },
  get userAgent() {
    return request.headers.get("user-agent");
  },
  get secure() {
    return request.url.startsWith("https:");
  },
});

/**
 * The client's address, or null where nobody says it. workerd says whose connection it is; on
 * Cloudflare, where it does not, the header is the network's own. Elsewhere it is the client's word.
 */
export function addressOf({ cf, headers }: Request): string | null {
  const { clientIp } = (cf ?? {}) as { readonly clientIp?: string };
  if (clientIp === undefined) return headers.get("cf-connecting-ip");
  const port = clientIp.lastIndexOf(":");
  return clientIp.slice(0, port).replace(/^\[(.*)\]$/, "$1");
}
