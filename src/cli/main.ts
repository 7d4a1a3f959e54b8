#!/usr/bin/env node
// The command `edge-kms`: reads the command line, says when the server is ready, ends it on a
// signal. Imported instead of run, it only offers `startEdgeKms`.

import { existsSync, realpathSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { buildFacts } from "./build-facts.ts";
import { readCommandLine } from "./command-line.ts";
import { type ExplainCommand, explain } from "./explain.ts";
import { type EdgeKms, startEdgeKms } from "./launcher.ts";
import type { Options } from "./options.ts";

export { startEdgeKms };

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Ctrl-C reaches us twice under npm, from the terminal and from npm: that is one wish to end. */
const oneWishMs = 500;

async function main(args: readonly string[]): Promise<void> {
  const command = readCommandLine(args, process.env);
  switch (command.name) {
    case "help":
      process.stdout.write(command.text);
      return;
    case "explain":
      return said(command);
    case "version":
      process.stdout.write(`edge-kms ${buildFacts().version}\n`);
      return;
    case "start":
      await run(command.options);
  }
}

/** As `grep` ends: 0 for yes, 1 for no, 2 where it cannot be known. */
async function said(command: ExplainCommand): Promise<void> {
  const { text, allowed } = await explain(command);
  process.stdout.write(text);
  process.exitCode = allowed ? 0 : 1;
}

/** From the start to the end of a server; a signal that comes while it starts is kept until then. */
async function run(options: Options): Promise<void> {
  let server: EdgeKms | null = null;
  let endingSince: number | null = null;
  const end = () => {
    endingSince ??= Date.now();
    void server?.stop();
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (endingSince === null) return end();
    if (Date.now() - endingSince < oneWishMs) return;
    server?.kill();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, onSignal);
  endWithNpm(end);

  const tell = (line: string) => process.stderr.write(`edge-kms: ${line}\n`);
  server = await startEdgeKms({ ...options, tell });
  giveWay();
  if (endingSince !== null) end();
  else process.stdout.write(readyBlock(server, options));
  const how = await server.ended;
  if (endingSince === null) throw new Error(`workerd ended unexpectedly (${how})`);
  process.exit(0);
}

/** How much less this process is to have than others where there is not enough for all. */
const niceness = Number(process.env.EDGE_NICE ?? 5);

/**
 * Lets workerd, which runs already, go before what is yet to run here: mostly the threads that make RSA
 * key pairs, which take over their priority from this one.
 */
function giveWay(): void {
  try {
    setPriority(niceness);
  } catch {
    // Not where it is not ours to say.
  }
}

/**
 * npm does not pass every signal on, and where it keeps a shell between itself and us none gets
 * through: all we see of npm's end is that we have another parent. Elsewhere that is no reason to
 * end: a script may well leave its server running.
 */
function endWithNpm(end: () => void): void {
  if (process.env.npm_lifecycle_event !== "start" || process.env.npm_package_name !== "edge-kms")
    return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end();
  }, 100);
  watch.unref();
}

/** What a user sees: where the server is, and what makes the AWS tools of a shell call it. */
function readyBlock({ url, folder }: EdgeKms, options: Options): string {
  const state = options.memory ? `${folder}, removed at the end` : folder;
  return `edge-kms ${buildFacts().version} is ready at ${url} (state in ${state})

export AWS_ENDPOINT_URL_KMS=${url}
export AWS_ENDPOINT_URL_STS=${url}
${options.auth === "open" ? anyCredentials(options) : ""}export AWS_DEFAULT_REGION=${options.region}
export AWS_REGION=${options.region}
`;
}

/** Where everyone is served; elsewhere they are the reader's own, and no business of a terminal. */
const anyCredentials = ({ account }: Options) => `export AWS_ACCESS_KEY_ID=${account}
export AWS_SECRET_ACCESS_KEY=edge-kms
`;

/** Whether this file is what Node was told to run; npm runs it through a link. */
function isRun(): boolean {
  const [, script] = process.argv;
  if (script === undefined || !existsSync(script)) return false;
  return realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isRun()) {
  // A reader that has seen enough, such as `head`, is no reason to fail.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`edge-kms: ${error.message}\n`);
    process.exit(process.argv[2] === "explain" ? 2 : 1);
  });
}
