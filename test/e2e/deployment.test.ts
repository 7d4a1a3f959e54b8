// What `wrangler deploy` would send to Cloudflare.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("a deployment builds, with all its objects, and is not open", async () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-kms-deployment-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const command = ["tools/node22.mjs", "wrangler", "deploy", "--dry-run", "--outdir", folder];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
  expect(stdout).toContain("--dry-run: exiting now.");
  expect(existsSync(join(folder, "index.js"))).toBe(true);
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
  const bound = [...toml.matchAll(/^name = "(\w+)"\nclass_name = "(\w+)"/gm)];
  expect(bound.length).toBeGreaterThanOrEqual(5);
  for (const [, name, className] of bound) expect(stdout).toContain(`env.${name} (${className})`);
  // .dev.vars, which opens `wrangler dev`, stays here.
  expect(stdout).not.toContain("AUTH");
  expect(toml).not.toMatch(/^\s*AUTH\s*=/m);
});
