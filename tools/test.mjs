// `npm test`: types, lint, then every test. Needs Node alone; tests whose outside program is
// missing are skipped by name, and fail instead where REQUIRE_CLIENTS=1. Arguments go to vitest.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a tool of the project and ends with its status where it fails. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

const bin = (name, file) => join(root, "node_modules", name, file);

run("tools/build.mjs");
run("tools/types.mjs");
const configs = ["tsconfig.json", "tsconfig.node.json", "test/workerd/tsconfig.json"];
for (const config of configs.filter((file) => existsSync(join(root, file)))) {
  run(bin("typescript", "bin/tsc"), "-p", config);
}
run(bin("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", ".");
run(bin("vitest", "vitest.mjs"), "run", ...process.argv.slice(2));
