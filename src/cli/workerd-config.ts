// The configuration workerd is started with, in Cap'n Proto's text format. Pure: text out, no file.
// What differs from one start to the next is not in it, but on workerd's command line and in its
// environment: so what most are started with can be compiled beforehand (tools/build.mjs), as the text
// takes workerd 10 ms to read, and no secret is written to a file.
// https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp

import { proxyBinding, type ResolveTable } from "../xks/endpoint.ts";
import type { BuildFacts } from "./build-facts.ts";

export interface WorkerdSetup {
  /** The Worker's modules in the folder workerd is given as its import path, its entry first. */
  readonly modules: readonly string[];
  /** Whether there is a server of key pairs. */
  readonly hasKeyPairs: boolean;
  /** Whether there is a folder with a `--config` file. */
  readonly hasConfig: boolean;
  /** The names of the Worker's variables. */
  readonly variables: readonly string[];
  /** Where listed hosts of external key store proxies are. */
  readonly xksHosts: ResolveTable;
  /** Authorities to trust besides the public ones, in PEM; empty for none. */
  readonly xksAuthorities: string;
}

/** What a setup leaves open. */
export interface WorkerdAddresses {
  readonly host: string;
  readonly port: number;
  /** Absolute path of the folder where the Durable Objects are kept. */
  readonly stateFolder: string;
  /** The socket of the key pair server; null where there is none. */
  readonly keyPairSocket: string | null;
  /** Absolute path of the folder with the `--config` file as the Worker reads it; null for none. */
  readonly configFolder: string | null;
}

/** Workerd's options for them. */
export function workerdOptions({
  host,
  port,
  stateFolder,
  keyPairSocket,
  configFolder,
}: WorkerdAddresses): string[] {
  const keyPairs =
    keyPairSocket === null ? [] : [`--external-addr=key-pairs=unix:${keyPairSocket}`];
  const config = configFolder === null ? [] : [`--directory-path=config=${configFolder}`];
  return [
    `--socket-addr=http=${socketAddress(host, port)}`,
    `--directory-path=disk=${stateFolder}`,
    ...keyPairs,
    ...config,
  ];
}

/** The setup of a server that is told nothing but where it is and the values of its variables. */
export const standardSetup = (
  modules: readonly string[],
  variables: readonly string[],
): WorkerdSetup => ({
  modules,
  hasKeyPairs: true,
  hasConfig: false,
  variables,
  xksHosts: new Map(),
  xksAuthorities: "",
});

/** Whether a setup is the standard one, but for its modules and variables. */
export const isStandardSetup = (setup: WorkerdSetup): boolean =>
  setup.hasKeyPairs && !setup.hasConfig && setup.xksHosts.size === 0 && setup.xksAuthorities === "";

/** Classes whose objects stay in memory, where alone they have what they are for. */
const keptInMemory: ReadonlySet<string> = new Set(["KeyPairPoolObject"]);

/**
 * The whole configuration, but for `workerdOptions` and the values of the variables. A class's `uniqueKey` names its folder on disk: to change one is to
 * lose the state kept under the old name.
 */
export function workerdConfig(facts: BuildFacts, setup: WorkerdSetup): string {
  const namespaces = facts.durableObjects.map(
    ({ className }) =>
      `(className = ${quoted(className)}, uniqueKey = ${quoted(`edge-kms-${className}`)}, enableSql = true` +
      `${keptInMemory.has(className) ? ", preventEviction = true" : ""})`,
  );
  const tls = tlsOptions(setup.xksAuthorities);
  const proxies = [...setup.xksHosts].map(([host, address], index) => ({
    name: proxyBinding(index),
    // Whatever the URL, it leads to this one address, and holds the certificate to the host's name.
    service: `external = (address = ${quoted(address)}, https = (options = (), ${tls}, certificateHost = ${quoted(host)}))`,
  }));
  const services = [
    `(name = "main", worker = .worker)`,
    `(name = "disk", disk = (writable = true))`,
    `(name = "internet", network = (allow = ["public"], ${tls}))`,
    ...proxies.map(({ name, service }) => `(name = ${quoted(name)}, ${service})`),
  ];
  const bindings = [
    ...facts.durableObjects.map(
      ({ name, className }) =>
        `(name = ${quoted(name)}, durableObjectNamespace = ${quoted(className)})`,
    ),
    ...setup.variables.map((name) => `(name = ${quoted(name)}, fromEnvironment = ${quoted(name)})`),
    ...proxies.map(({ name }) => `(name = ${quoted(name)}, service = ${quoted(name)})`),
  ];
  if (setup.hasKeyPairs) {
    services.push(`(name = "key-pairs", external = (http = ()))`);
    bindings.push(`(name = "KEY_PAIR_SERVICE", service = "key-pairs")`);
  }
  if (setup.hasConfig) {
    services.push(`(name = "config", disk = ())`);
    bindings.push(`(name = "CONFIG", service = "config")`);
  }
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
  ],
  sockets = [
    (name = "http", http = (), service = "main"),
  ],
);

const worker :Workerd.Worker = (
  modules = [
    ${setup.modules.map((name) => `(name = ${quoted(name)}, esModule = embed ${quoted(`/${name}`)})`).join(",\n    ")},
  ],
  compatibilityDate = ${quoted(facts.compatibilityDate)},
  compatibilityFlags = [${facts.compatibilityFlags.map(quoted).join(", ")}],
  bindings = [
    ${bindings.join(",\n    ")},
  ],
  durableObjectNamespaces = [
    ${namespaces.join(",\n    ")},
  ],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}

/** Whom TLS trusts; one text may hold several certificates. */
function tlsOptions(authorities: string): string {
  const trusted = authorities === "" ? [] : [quoted(authorities)];
  return `tlsOptions = (trustBrowserCas = true, trustedCertificates = [${trusted.join(", ")}])`;
}

/** A text literal of Cap'n Proto: what is not printable ASCII or above goes in as an escape. */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be escaped
  const escaped = text.replace(/[\\"\x00-\x1f\x7f]/g, (character) =>
    character === "\\" || character === '"'
      ? `\\${character}`
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}

/** `host:port`; an IPv6 address in brackets, whether or not they were given. */
export function socketAddress(host: string, port: number): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** Where a server listening on an address is called: `0.0.0.0` can be listened on, not called. */
const callableHosts: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "*": "localhost",
  "::": "::1",
  "[::]": "::1",
};

/** The URL at which a server listening on `host` answers on this machine. */
export function serverUrl(host: string, port: number): string {
  return `http://${socketAddress(callableHosts[host] ?? host, port)}`;
}
