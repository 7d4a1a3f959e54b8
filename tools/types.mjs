// Makes worker-configuration.d.ts, the types of the Worker's bindings, when it is missing or older
// than what it is made from. It is not committed: it depends on each developer's own .dev.vars.

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = "worker-configuration.d.ts";
/** The lockfile stands for wrangler itself. */
const inputs = ["wrangler.toml", ".dev.vars", "package-lock.json"];

/** When a file was last changed; long ago for one that is not there. */
const changed = (name) => statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Runs wrangler, which says a lot when all is well: that is shown only when it is not. */
function generate() {
  const wrangler = ["tools/node22.mjs", "wrangler", "types", "--include-runtime=false"];
  const { status, stdout, stderr } = spawnSync(process.execPath, wrangler, { cwd: root });
  if (status === 0) return;
  process.stderr.write(Buffer.concat([stdout, stderr]));
  process.exit(1);
}

if (inputs.some((name) => changed(name) > changed(output)) || changed(output) === 0) generate();
