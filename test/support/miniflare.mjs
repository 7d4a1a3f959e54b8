// Serves dist/worker.mjs with Miniflare's API, as a program that embeds it would. A process of its
// own, so that it can be watched and ended like the other servers.
// Usage: node miniflare.mjs '{"stateFolder": "…", "variables": {"NAME": "value"}}'

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const { stateFolder, variables } = JSON.parse(process.argv[2] ?? "{}");
const bundle = fileURLToPath(new URL("../../dist/worker.mjs", import.meta.url));

const sqlite = (className) => ({ className, useSQLite: true });
const options = convertV4MiniflareOptions({
  name: "edge-kms",
  modules: [{ type: "ESModule", path: "worker.mjs", contents: readFileSync(bundle, "utf8") }],
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
