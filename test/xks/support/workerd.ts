// workerd with a way to listed hosts: each is a service of its own, bound to the Worker, that leads
// to one address, whatever the URL, and checks the certificate against the host's name.
// https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp (ExternalServer)

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { quoted } from "../../../src/cli/workerd-config.ts";
import type { ResolveTable } from "../../../src/xks/endpoint.ts";
import type { Outcome, Task } from "./worker.ts";

export interface Workerd {
  run(task: Task): Promise<Outcome>;
  /** What it has written to its log so far. */
  readonly log: string;
  stop(): Promise<void>;
}

/** Starts `worker.ts` in workerd; `authorities` are trusted besides those of browsers. */
export async function startWorkerd(table: ResolveTable, authorities: string): Promise<Workerd> {
  const folder = mkdtempSync(join(tmpdir(), "edge-kms-xks-"));
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    external: ["node:*"],
    outfile: join(folder, "worker.mjs"),
    logLevel: "warning",
  });
  if (bundle.errors.length > 0) throw new Error("the Worker cannot be built");
  writeFileSync(join(folder, "config.capnp"), config(table, authorities));
  const workerd = spawn(
    createRequire(import.meta.url)("workerd").default,
    ["serve", "--control-fd=3", "--import-path", folder, join(folder, "config.capnp")],
    { stdio: ["ignore", "ignore", "pipe", "pipe"] },
  );
  const ended = new Promise<void>((done) => workerd.once("exit", () => done()));
  let log = "";
  workerd.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const port = await Promise.race([
    listenedPort(workerd.stdio[3] as Readable),
    ended.then(() => Promise.reject(new Error(`workerd did not start: ${log}`))),
  ]);
  return {
    async run(task) {
      const body = JSON.stringify(task);
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
      return (await response.json()) as Outcome;
    },
    get log() {
      return log;
    },
    async stop() {
      workerd.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function config(table: ResolveTable, authorities: string): string {
  const tls = `tlsOptions = (trustBrowserCas = true, trustedCertificates = [${quoted(authorities)}])`;
  const hosts = [...table].map(([host, address], index) => ({
    host,
    address,
    name: `XKS_${index}`,
  }));
  const services = hosts.map(
    ({ host, address, name }) =>
      `(name = ${quoted(name)}, external = (address = ${quoted(address)}, ` +
      `https = (options = (), ${tls}, certificateHost = ${quoted(host)})))`,
  );
  const bindings = hosts.map(({ name }) => `(name = ${quoted(name)}, service = ${quoted(name)})`);
  const names = JSON.stringify(Object.fromEntries(hosts.map(({ host, name }) => [host, name])));
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public"], ${tls})),
    ${services.join(",\n    ")},
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "/worker.mjs")],
  compatibilityDate = "2026-10-23",
  bindings = [
    (name = "XKS_HOSTS", text = ${quoted(names)}),
    ${bindings.join(",\n    ")},
  ],
);
`;
}

function listenedPort(control: Readable): Promise<number> {
  return new Promise((found) => {
    let text = "";
    control.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const port = /"port":(\d+)\D/.exec(text)?.[1];
      if (port !== undefined) found(Number(port));
    });
  });
}
