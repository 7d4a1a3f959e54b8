// Which process a pid means. A pid is used again after its process has ended, so it is kept
// together with something that a later process of the same number cannot have.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: equal for two looks at one process, different for two processes of one pid. */
  readonly started: string;
}

const pollMs = 10;

/** The process that has this pid now; null when there is none, or only its unreaped remains. */
export function identify(pid: number): ProcessIdentity | null {
  const started = process.platform === "linux" ? startedOnLinux(pid) : startedElsewhere(pid);
  return started === null ? null : { pid, started };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.started === identity.started;
}

/** Ends a process that is not our child, by force when it takes too long; waits until it is gone. */
export async function endProcess(identity: ProcessIdentity, patienceMs = 5000): Promise<void> {
  const killAt = Date.now() + patienceMs;
  let sent: NodeJS.Signals | null = null;
  while (isRunning(identity)) {
    const wanted = Date.now() < killAt ? "SIGTERM" : "SIGKILL";
    if (sent !== wanted) signal(identity.pid, wanted);
    sent = wanted;
    await sleep(pollMs);
  }
}

/** A process that ended on its own just before is no failure. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * The start time is counted from the boot, and a machine that boots the same way twice may give
 * the same pid the same start: hence the boot's own id, where the system tells it.
 */
function startedOnLinux(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // Field 2, the command, may hold spaces and brackets; field 3 follows the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields[0], fields[22 - 3]];
  if (state === "Z" || state === "X") return null;
  const boot = readIfThere("/proc/sys/kernel/random/boot_id") ?? "";
  return `${boot.trim()} ${started}`;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function startedElsewhere(pid: number): string | null {
  try {
    // Windows has no ps: a pid that answers has to do.
    if (process.platform === "win32") return process.kill(pid, 0) ? "running" : null;
    const output = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.trim() || null;
  } catch {
    return null;
  }
}
