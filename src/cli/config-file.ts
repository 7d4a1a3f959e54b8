// The file that --config names: read, checked, and laid out for the Worker as JSON, again whenever it
// changes. A change that is wrong is told and changes nothing.

import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unwatchFile,
  watchFile,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Configuration } from "../configuration/configuration.ts";
import { ConfigurationError, readConfiguration } from "../configuration/document.ts";
import { LaunchError } from "./launch-error.ts";

/** How often the file is looked at: a second and a half, with the Worker's two, is within five. */
const WATCH_MS = 500;

export interface ConfigFile {
  /** The folder that the Worker reads. */
  readonly folder: string;
  /** Stops watching and removes the folder, in which there are secrets. */
  close(): void;
}

/**
 * Opens the file, or throws a LaunchError that names the line. `tell` is told of every change that
 * comes later, in one line.
 */
export async function openConfigFile(
  shown: string,
  folder: string,
  tell: (line: string) => void,
): Promise<ConfigFile> {
  lay(await read(shown), folder);
  const again = async () => {
    try {
      lay(await read(shown), folder);
      tell(`${shown} was read again`);
    } catch (error) {
      tell(`${(error as Error).message}; what it said before is still in force`);
    }
  };
  // Looked at and not listened to: editors put another file in its place.
  const watcher = watchFile(shown, { interval: WATCH_MS }, () => void again());
  watcher.unref();
  return {
    folder,
    close() {
      unwatchFile(shown);
      removeLaidOut(folder);
    },
  };
}

/** Removes what a launcher that was killed has left. */
export function removeLaidOut(folder: string): void {
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
}

async function read(shown: string): Promise<Configuration> {
  let text: string;
  try {
    text = readFileSync(shown, "utf8");
  } catch (cause) {
    throw new LaunchError(`${shown} cannot be read: ${reason(cause as NodeJS.ErrnoException)}`, {
      cause,
    });
  }
  try {
    return await readConfiguration(text);
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new LaunchError(`${shown}:${cause.line}: ${cause.message}`, { cause });
  }
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ENOENT":
      return "it is not there";
    case "EACCES":
      return "no permission";
    case "EISDIR":
      return "it is a folder";
    default:
      return message;
  }
}

/** Put in place at once, so that no reader meets half of it. */
function lay(configuration: Configuration, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, "draft.json");
  writeFileSync(draft, JSON.stringify(configuration), { mode: 0o600 });
  renameSync(draft, join(folder, "accounts.json"));
}
