// Starts and stops an edge-kms server on this machine. Prints nothing and handles no signal: that
// is for the command line (main.ts); a test or a program uses it as it is.

import { existsSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseResolveTable } from "../xks/endpoint.ts";
import { buildFacts } from "./build-facts.ts";
import { type ConfigFile, openConfigFile, removeLaidOut } from "./config-file.ts";
import { type DataFolder, openDataFolder, openTemporaryFolder } from "./data-folder.ts";
import { type KeyPairServer, startKeyPairServer } from "./key-pair-server.ts";
import { LaunchError } from "./launch-error.ts";
import { nitroRootText } from "./nitro-root.ts";
import { type Options, withStandards, workerVariables } from "./options.ts";
import { bundleModules, compiledConfig } from "./worker-bundle.ts";
import { isStandardSetup, serverUrl, workerdConfig, workerdOptions } from "./workerd-config.ts";
import { WorkerdProcess } from "./workerd-process.ts";

export interface EdgeKmsOptions extends Partial<Options> {
  /** The Worker's bundle; without it, the one that was built together with this file. */
  readonly bundle?: string;
  /** Told in one line of each change of the `--config` file. */
  readonly tell?: (line: string) => void;
}

export interface EdgeKms {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** The process that serves. */
  readonly pid: number;
  /** Where the state is, as it was given. */
  readonly folder: string;
  /** Fulfilled when the server has ended, by `stop` or by itself; says how. */
  readonly ended: Promise<string>;
  /** Lets it finish what it is answering; fulfilled when it is gone and its folder free. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/**
 * Starts a server; fulfilled when it answers. Throws a LaunchError, whose message is one line for
 * its user, when it cannot start. The server ends with this process, however that ends.
 */
export async function startEdgeKms(given: EdgeKmsOptions = {}): Promise<EdgeKms> {
  const options = withStandards(given);
  const bundle = given.bundle ?? fileURLToPath(new URL("worker.mjs", import.meta.url));
  const folder = await (options.memory ? openTemporaryFolder() : openDataFolder(options.data));
  const keyPairs = await startKeyPairServer(folder.temporary);
  const accounts = join(dirname(folder.configFile), "accounts");
  let config: ConfigFile | null = null;
  const close = () => {
    config?.close();
    keyPairs?.close();
    folder.close();
  };
  try {
    removeLaidOut(accounts);
    if (options.config)
      config = await openConfigFile(options.config, accounts, given.tell ?? noOne);
    return await serve(options, bundle, { folder, keyPairs, config, close });
  } catch (error) {
    close();
    throw error;
  }
}

/** What a server has on this machine besides workerd. */
interface Surroundings {
  readonly folder: DataFolder;
  readonly keyPairs: KeyPairServer | null;
  readonly config: ConfigFile | null;
  close(): void;
}

const noOne = () => {};

async function serve(
  options: Options,
  bundle: string,
  { folder, keyPairs, config, close }: Surroundings,
): Promise<EdgeKms> {
  const { host, port } = options;
  const { configFile, stateFolder } = folder;
  const temporary = folder.temporary ?? keyPairs?.folder ?? null;
  const nitroRoot = await nitroRootText(options.nitroRoot);
  const environment = workerVariables({ ...options, nitroRoot });
  const setup = {
    modules: bundleModules(bundle),
    hasKeyPairs: keyPairs !== null,
    hasConfig: config !== null,
    variables: Object.keys(environment),
    xksHosts: parseResolveTable(options.xksResolve),
    xksAuthorities: options.xksCa === "" ? "" : authoritiesIn(options.xksCa),
  };
  const addresses = {
    host,
    port,
    stateFolder,
    configFolder: config?.folder ?? null,
    keyPairSocket: keyPairs?.socket ?? null,
  };
  const compiled = compiledConfig(bundle);
  const isCompiled = isStandardSetup(setup) && existsSync(compiled);
  if (!isCompiled) writeFileSync(configFile, workerdConfig(buildFacts(), setup));
  const workerd = new WorkerdProcess({
    options: [
      ...workerdOptions(addresses),
      ...(isCompiled ? ["--binary", compiled] : ["--import-path", dirname(bundle), configFile]),
    ],
    environment,
    temporary,
    host,
    port,
  });
  const url = serverUrl(host, await answering(workerd, folder));
  const ended = workerd.ended.finally(close);
  return {
    url,
    pid: workerd.pid,
    folder: folder.shown,
    ended,
    stop: async () => {
      await workerd.stop();
      await ended;
    },
    kill: () => workerd.kill(),
  };
}

/** The certificates of a PEM file; throws a LaunchError for one that has none. */
function authoritiesIn(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch (cause) {
    throw new LaunchError(`--xks-ca ${(cause as Error).message}`, { cause });
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new LaunchError(`--xks-ca expects a file with certificates in PEM, not ${file}`);
}

/** The port, once workerd accepts connections on it; a workerd that does not is gone afterwards. */
async function answering(workerd: WorkerdProcess, folder: DataFolder): Promise<number> {
  try {
    folder.recordWorker(workerd.pid);
    workerd.begin();
    return await workerd.listening;
  } catch (error) {
    workerd.kill();
    await workerd.ended;
    throw error;
  } finally {
    // It has been read, and a folder that is looked into should hold state and nothing else.
    if (existsSync(folder.configFile)) unlinkSync(folder.configFile);
  }
}
