// The programs of other people that the tests in this folder drive. A test whose program is missing
// is skipped under a name that says so; with REQUIRE_CLIENTS=1 it fails instead.

import { execFile, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { onTestFinished, test } from "vitest";

/** A program that was found, or what to say of one that was not. */
export type Program<Found = string> =
  | { readonly found: Found; readonly missing?: undefined }
  | { readonly found?: undefined; readonly missing: string };

/** A program by its name, found in PATH. */
export function program(name: string): Program {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && isExecutable(path)) return { found: path };
  }
  return { missing: `${name} is not installed` };
}

/** A Python 3 that can import these modules. */
export function python(...modules: readonly string[]): Program {
  const python3 = program("python3");
  if (python3.found === undefined) return python3;
  const { status } = spawnSync(python3.found, ["-c", `import ${modules.join(", ")}`]);
  return status === 0 ? python3 : { missing: `python3 has no ${modules.join(" and ")}` };
}

/**
 * A folder from which Terraform can install the AWS provider without a network: one of those it
 * looks into by itself, or TF_PLUGIN_DIR.
 * https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
 */
export function awsProviderMirror(): Program {
  const mirror = mirrorFolders().find((folder) => {
    const provider = join(folder, "registry.terraform.io/hashicorp/aws");
    return existsSync(provider) && readdirSync(provider).length > 0;
  });
  return mirror === undefined
    ? { missing: "no folder has Terraform's AWS provider (TF_PLUGIN_DIR names one)" }
    : { found: mirror };
}

const mirrorFolders = (): string[] =>
  [
    process.env.TF_PLUGIN_DIR ?? "",
    process.env.TF_PLUGIN_CACHE_DIR ?? "",
    join(homedir(), ".terraform.d/plugins"),
    join(homedir(), ".terraform.d/plugin-cache"),
    join(homedir(), ".local/share/terraform/plugins"),
    join(homedir(), "Library/Application Support/io.terraform/plugins"),
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/terraform/plugins",
    "/opt/tf-plugins",
  ].filter((folder) => folder !== "");

/** `test` for those that need all of these programs. */
export function testWith(...programs: readonly Program<unknown>[]) {
  const missing = programs.map((each) => each.missing).filter((text) => text !== undefined);
  const isSkipped = missing.length > 0 && process.env.REQUIRE_CLIENTS !== "1";
  return (title: string, run: () => Promise<void>, timeoutMs?: number) => {
    const name = isSkipped ? `${title} (skipped: ${missing.join(", ")})` : title;
    const body = async () => {
      if (missing.length > 0) throw new Error(missing.join(", "));
      await run();
    };
    test.skipIf(isSkipped)(name, body, timeoutMs);
  };
}

/** How a program ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd: string;
  /** Added to our own environment without what would lead an AWS client elsewhere. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs a program to its end. */
export function run(path: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const env = { ...ownEnvironment(), ...options.environment };
  const maxBuffer = 64 * 1024 * 1024;
  return new Promise((done) => {
    execFile(path, args, { cwd: options.cwd, env, maxBuffer }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      done({ code, stdout, stderr });
    });
  });
}

const ownEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS|TF)_|_PROXY$/i.test(name)),
  );

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "edge-kms-client-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
