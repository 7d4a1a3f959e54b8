// The built command `edge-kms` as a test runs it: started, watched, and gone when the test ends.

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { identify } from "../../src/cli/process-identity.ts";
import { workerSettings } from "../../src/settings.ts";
import { until } from "./until.ts";

export const repository = fileURLToPath(new URL("../..", import.meta.url));
export const cli = join(repository, "dist/edge-kms.cjs");

/** What no test wants to inherit from the machine it runs on. */
const foreign: readonly (string | null)[] = Object.values(workerSettings).map(
  ({ variable }) => variable,
);

export function cleanEnvironment(added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !foreign.includes(name));
  return { ...Object.fromEntries(own), ...added };
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "edge-kms-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const isAlive = (pid: number) => identify(pid) !== null;

/** The processes a process has started. */
export const childrenOf = (pid: number): number[] =>
  processes()
    .filter(({ parent }) => parent === pid)
    .map((child) => child.pid);

/** Freezes a process, so that it reacts to nothing but a kill. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const isFrozen = () => processes().some((each) => each.pid === pid && each.state === "T");
  await until("it is frozen", isFrozen);
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** As ps has it, in one letter. */
  readonly state: string;
}

/** All processes; on Linux without ps, which small images do not have. */
function processes(): Process[] {
  if (process.platform === "linux") {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap(processOnLinux);
  }
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" });
  return table
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, state = ""] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state: state.charAt(0) };
    });
}

function processOnLinux(pid: string): Process[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command comes before, in brackets, and may hold anything.
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ pid: Number(pid), parent: Number(parent), state }];
  } catch {
    return []; // It has ended meanwhile.
  }
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Command {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(process.execPath, [cli, ...args], {
      env: cleanEnvironment(),
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.exit = new Promise((done) => {
      this.child.once("close", (code, signal) => done({ code, signal }));
    });
    onTestFinished(async () => {
      this.child.kill("SIGKILL");
      await this.exit;
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Waits for the ready block; fails at once when the command ends instead. */
  async ready(): Promise<{ url: string; workerd: number }> {
    const url = await until("the server is ready", () => {
      if (this.child.exitCode !== null) throw new Error(`edge-kms ended: ${this.stderr}`);
      return /AWS_REGION=.*\n$/.test(this.stdout) && /ready at (\S+) /.exec(this.stdout)?.[1];
    });
    const [workerd] = childrenOf(this.pid);
    return { url, workerd: workerd as number };
  }
}

/** Runs the command to its end. */
export async function outcome(args: readonly string[], options?: SpawnOptions) {
  const command = new Command(args, options);
  const { code } = await command.exit;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** A failed start: nothing on stdout, one line on stderr, exit code 1. */
export const refusal = (line: string) => ({ code: 1, stdout: "", stderr: `edge-kms: ${line}\n` });

/** Whether a server answers at its health address. */
export async function health(url: string): Promise<unknown> {
  return (await fetch(`${url}/health`)).json();
}
