// Which hosts an external key store may name. A server that others share must not become their way
// into the network around it, so a name has to be a public one, unless whoever runs the server has
// listed it with its address.

/** Where listed hosts are: `host` to `address:port`. */
export type ResolveTable = ReadonlyMap<string, string>;

/** How a host is reached, or why it is not. */
export type Reach =
  | { readonly kind: "listed"; readonly host: string; readonly address: string }
  | { readonly kind: "public"; readonly host: string }
  | { readonly kind: "refused"; readonly reason: string };

/** AWS's own pattern: no port, no path, no bracket. */
const URI_ENDPOINT = /^https:\/\/([a-zA-Z0-9.-]+)$/;

const LABEL = "(?!-)[a-z0-9-]{1,63}(?<!-)";
/** No address ends in a label that begins with a letter, in whatever base it is written. */
const DOMAIN_NAME = new RegExp(`^(?:${LABEL}\\.)*(?=[a-z])${LABEL}$`);

/** Names that mean something else on every network, or nothing outside one. */
const PRIVATE_SUFFIX = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home\.arpa)$/;

/**
 * What `XksProxyUriEndpoint` leads to. A public name may still resolve to a private address; that is
 * for the network to refuse, where the name is looked up, and workerd's does.
 */
export function reachOf(uriEndpoint: string, table: ResolveTable): Reach {
  const host = URI_ENDPOINT.exec(uriEndpoint)?.[1]?.toLowerCase();
  if (host === undefined) return refused("the endpoint is not https:// and a host");
  const address = table.get(host);
  if (address !== undefined) return { kind: "listed", host, address };
  if (!isDomainName(host)) return refused(`${host} is not a domain name`);
  if (!host.includes(".")) return refused(`${host} is not a fully qualified domain name`);
  if (PRIVATE_SUFFIX.test(host)) return refused(`${host} is not a public name`);
  return { kind: "public", host };
}

const refused = (reason: string): Reach => ({ kind: "refused", reason });

const isDomainName = (host: string) => host.length <= 253 && DOMAIN_NAME.test(host);

/** Entries `HOST=ADDRESS:PORT`. Throws an Error that says what is wrong with which of them. */
export function resolveTable(entries: readonly string[]): ResolveTable {
  const table = new Map<string, string>();
  for (const entry of entries) {
    const [host, address] = resolveEntry(entry);
    if (table.has(host)) throw new Error(`names ${host} twice`);
    table.set(host, address);
  }
  return table;
}

/** The name of the binding that leads a Worker to a listed host, by the host's place in the table. */
export const proxyBinding = (index: number) => `XKS_${index}`;

/** Entries as one text, with commas between them; none in an empty one. Throws an Error likewise. */
export const parseResolveTable = (text: string): ResolveTable =>
  resolveTable(text === "" ? [] : text.split(","));

/** An IPv4 address, an IPv6 address in brackets, or a name; then a port. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]|([a-z0-9.-]+)):(\d{1,5})$/;

function resolveEntry(entry: string): readonly [host: string, address: string] {
  const [, host = "", address = ""] = /^([^=]*)=(.*)$/.exec(entry.toLowerCase()) ?? [];
  const match = ADDRESS.exec(address);
  const [, name, port] = match ?? [];
  const addressFits = match && (name === undefined || isDomainName(name));
  if (!isDomainName(host) || !addressFits || !(Number(port) > 0 && Number(port) < 65_536)) {
    throw new Error(`expects HOST=ADDRESS:PORT, not ${JSON.stringify(entry)}`);
  }
  return [host, address];
}
