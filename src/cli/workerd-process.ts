// One workerd process: started, watched and ended. Knows nothing of what it serves.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import type { Readable, Writable } from "node:stream";
import { LaunchError } from "./launch-error.ts";

export interface WorkerdStart {
  /** Of `workerd serve`, the file of its configuration last. */
  readonly options: readonly string[];
  /** Added to this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder to be removed should this process be killed; null for none. */
  readonly temporary: string | null;
  /** What to call the address in a failure. */
  readonly host: string;
  readonly port: number;
}

/**
 * Starts workerd under a guard, on whatever has a POSIX shell. The shell waits for a line on
 * descriptor 4, so that workerd runs only once its pid has been written down; it leaves a copy of
 * itself reading there and becomes workerd. The copy reads either a second line, and all is well,
 * or the end that comes however the launcher died: then it ends workerd and removes the folder
 * given as $1.
 */
const guardScript = `
read -r line <&4 || exit 1
(
  read -r line <&4 && exit
  kill -TERM $$
  rounds=0
  while [ $rounds -lt 50 ] && kill -0 $$; do
    rounds=$((rounds + 1))
    if [ $rounds -eq 30 ]; then kill -KILL $$; fi
    sleep 0.1 || sleep 1
  done
  if [ -n "$1" ]; then rm -rf -- "$1"; fi
) >/dev/null 2>&1 3>&- &
shift
exec "$@" 4<&-
`;
const shell = "/bin/sh";

/** How long workerd may go on answering what it has begun before it is killed. */
const patienceMs = 5000;

export class WorkerdProcess {
  readonly pid: number;
  /** Fulfilled when the process has ended and all it wrote has been read; says how it ended. */
  readonly ended: Promise<string>;
  /** Fulfilled with the port once workerd accepts connections; a LaunchError if it never does. */
  readonly listening: Promise<number>;
  readonly #child: ChildProcess;
  /** What workerd wrote to stderr before it listened, held back to become one clear line. */
  #early: string | null = "";

  /** Spawned, but it does nothing before `begin`. */
  constructor(start: WorkerdStart) {
    this.#child = spawnGuarded(start);
    if (this.#child.pid === undefined) throw new LaunchError("workerd could not be started");
    this.pid = this.#child.pid;
    this.#passErrors(this.#child.stdio[2] as Readable);
    this.ended = this.#end();
    this.listening = this.#listen(start);
    // Whoever stops us before we listen does not wait for it.
    this.listening.catch(() => {});
  }

  begin(): void {
    this.#guard.write("begin\n");
  }

  /** Lets workerd finish what it is answering, and kills it when that takes too long. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.kill(), patienceMs);
    await this.ended;
    clearTimeout(killer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  get #guard(): Writable {
    return this.#child.stdio[4] as Writable;
  }

  async #end(): Promise<string> {
    const errorsRead = new Promise((done) => this.#child.stdio[2]?.once("close", done));
    const how = await new Promise<string>((done) => {
      this.#child.once("exit", (code, signal) => done(signal ?? `code ${code}`));
    });
    this.#guard.end("ended\n");
    await errorsRead;
    return how;
  }

  async #listen(start: WorkerdStart): Promise<number> {
    const port = await Promise.race([listenedPort(this.#child.stdio[3] as Readable), this.ended]);
    if (typeof port === "string") throw new LaunchError(whyNotStarted(this.#early ?? "", start));
    const early = this.#early;
    this.#early = null;
    if (early) process.stderr.write(early);
    return port;
  }

  #passErrors(stderr: Readable): void {
    stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#early === null) process.stderr.write(text);
      else this.#early += text;
    });
  }
}

/** In a session of its own, so that Ctrl-C in a terminal reaches it only through the launcher. */
function spawnGuarded({ options, environment, temporary }: WorkerdStart): ChildProcess {
  const command = [workerdBinary(), "serve", "--control-fd=3", ...options];
  const guarded = existsSync(shell)
    ? [shell, "-c", guardScript, "edge-kms-guard", temporary ?? "", ...command]
    : command;
  const child = spawn(guarded[0] as string, guarded.slice(1), {
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "inherit", "pipe", "pipe", "pipe"],
  });
  child.on("error", () => {});
  child.stdio[4]?.on("error", () => {});
  return child;
}

function workerdBinary(): string {
  try {
    return createRequire(import.meta.url)("workerd").default;
  } catch (cause) {
    throw new LaunchError(`workerd is not installed for ${process.platform} ${process.arch}`, {
      cause,
    });
  }
}

/** The port of workerd's listen event; never fulfilled when it sends none. */
function listenedPort(control: Readable): Promise<number> {
  return new Promise((found) => {
    let text = "";
    control.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const message = JSON.parse(line);
        if (message.event === "listen") found(message.port);
      }
    });
  });
}

/** One line for what workerd says in its own words, which name neither flag nor remedy. */
function whyNotStarted(errors: string, { host, port }: WorkerdStart): string {
  if (/address already in use/i.test(errors)) return `port ${port} on ${host} is already in use`;
  if (/assign requested address|getaddrinfo|parseAddress/i.test(errors)) {
    return `${host} is not an address of this machine`;
  }
  if (/bind\(\).*permission denied/i.test(errors)) return `no permission to listen on port ${port}`;
  const [first = "it gave no reason"] = errors.trim().split("\n").filter(Boolean);
  return `workerd did not start: ${first}`;
}
