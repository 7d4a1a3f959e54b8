// `npm test`: types, lint, then every test. Needs Node alone; tests whose outside program is
// missing are skipped by name, and fail instead where REQUIRE_CLIENTS=1. Arguments go to vitest.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a tool of the project; returns its status. */
const run = (...args) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;

/** The same for what comes before the tests: where it fails, that is the one thing that was tried. */
function check(...args) {
  const status = run(...args);
  if (status === 0) return;
  console.log("0 passed, 1 failed, 0 skipped");
  process.exit(status);
}

const bin = (name, file) => join(root, "node_modules", name, file);

check("tools/build.mjs");
check("tools/types.mjs");
const configs = ["tsconfig.json", "tsconfig.node.json", "test/workerd/tsconfig.json"];
for (const config of configs.filter((file) => existsSync(join(root, file)))) {
  check(bin("typescript", "bin/tsc"), "-p", config);
}
check(bin("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", ".");
process.exitCode = run(bin("vitest", "vitest.mjs"), "run", ...process.argv.slice(2));
