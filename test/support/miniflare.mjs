// Serves dist/worker.mjs with Miniflare's API, as a program that embeds it would. A process of its
// own, so that it can be watched and ended like the other servers.
// Usage: node miniflare.mjs '{"stateFolder": "…", "variables": {"NAME": "value"}}'

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const { stateFolder, variables } = JSON.parse(process.argv[2] ?? "{}");
const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const names = readdirSync(dist).filter((name) => /^worker(-.*)?\.mjs$/.test(name));
const modules = names
  .sort((a, b) => (b === "worker.mjs") - (a === "worker.mjs"))
  .map((path) => ({ type: "ESModule", path, contents: readFileSync(join(dist, path), "utf8") }));

const sqlite = (className) => ({ className, useSQLite: true });
const options = convertV4MiniflareOptions({
  name: "edge-kms",
  modules,
  compatibilityDate: "2026-10-23",
  compatibilityFlags: ["webcrypto_modern_algorithms"],
  durableObjects: {
    KEY_SETS: sqlite("KeySetObject"),
    DIRECTORIES: sqlite("DirectoryObject"),
    TENANTS: sqlite("TenantObject"),
    KEY_PAIR_POOLS: sqlite("KeyPairPoolObject"),
    TENANT_REGISTRY: sqlite("TenantRegistryObject"),
  },
  bindings: variables,
  cf: false,
  host: "127.0.0.1",
  port: 0,
});
options.resourcePersistencePath = stateFolder;

const miniflare = new Miniflare(options);
process.on("SIGTERM", () => miniflare.dispose().then(() => process.exit(0)));
console.log(`ready at ${(await miniflare.ready).origin}`);
