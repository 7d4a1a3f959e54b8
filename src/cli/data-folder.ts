// The folder a server keeps its state in: made, locked and given back. Turns what the file system
// refuses into a line that says which folder and why.

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { acquireLock, LockedError } from "./folder-lock.ts";
import { LaunchError } from "./launch-error.ts";

export interface DataFolder {
  /** The folder as its user wrote it. */
  readonly shown: string;
  /** Absolute paths: of workerd's configuration, and of the folder with the Durable Objects. */
  readonly configFile: string;
  readonly stateFolder: string;
  /** What is to be removed should the launcher be killed; null for a folder that stays. */
  readonly temporary: string | null;
  /** Writes down which process works in the folder. */
  recordWorker(pid: number): void;
  /** Gives the folder back: unlocked, or removed when it was temporary. */
  close(): void;
}

/** Made for the user alone: the state holds key material. */
const ownerOnly = 0o700;

const pathsIn = (folder: string) => ({
  configFile: join(folder, "workerd.capnp"),
  stateFolder: join(folder, "state"),
});

/** Opens the folder for this process alone, or throws a LaunchError. */
export async function openDataFolder(shown: string): Promise<DataFolder> {
  const folder = resolve(shown);
  const paths = pathsIn(folder);
  try {
    makeFolder(folder);
    const lock = await acquireLock(join(folder, "lock"));
    try {
      makeState(paths.stateFolder);
    } catch (error) {
      lock.release();
      throw error;
    }
    return {
      shown,
      ...paths,
      temporary: null,
      recordWorker: lock.recordWorker,
      close: lock.release,
    };
  } catch (error) {
    throw new LaunchError(whyUnusable(shown, error as NodeJS.ErrnoException), { cause: error });
  }
}

/** A folder that lives as long as the server; in memory where the system has room for it there. */
export async function openTemporaryFolder(): Promise<DataFolder> {
  const folder = mkdtempSync(join(await temporaryRoot(), "edge-kms-"));
  const paths = pathsIn(folder);
  makeState(paths.stateFolder);
  return {
    shown: folder,
    ...paths,
    temporary: folder,
    recordWorker: () => {},
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The state may have been made by another user, in a folder that is ours. */
function makeState(folder: string): void {
  makeFolder(folder);
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
}

/**
 * As `mkdir -p`. (Node's own goes on for ever where a parent is there and takes no folders, as /proc
 * or the end of a dead link.)
 */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: ownerOnly });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !existsSync(dirname(folder))) {
      makeFolder(dirname(folder));
      makeFolder(folder);
      return;
    }
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found?.isDirectory()) return;
    if (code !== "EEXIST" || found) throw error;
    throw new Error(`${folder} is a link to nowhere`, { cause: error });
  }
}

/** Containers often have a /dev/shm of 64 MB, and a key takes some 60 KB: too few keys. */
const roomyBytes = 256 * 1024 * 1024;

async function temporaryRoot(): Promise<string> {
  const memory = "/dev/shm";
  try {
    accessSync(memory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize >= roomyBytes) return memory;
  } catch {
    // Not there, as on macOS, or not for us.
  }
  const { tmpdir } = await import("node:os");
  return tmpdir();
}

function whyUnusable(shown: string, error: NodeJS.ErrnoException): string {
  if (error instanceof LockedError) return `${shown} is in use by pid ${error.pid}`;
  switch (error.code) {
    case "EEXIST":
      return `${shown} is a file, not a folder`;
    case "ENOTDIR":
      return `${shown} cannot be a folder: a part of its path is a file`;
    case "EACCES":
    case "EPERM":
      return `no permission to read and write in ${shown}`;
    case "EROFS":
      return `${shown} is on a read-only file system`;
    default:
      return `${shown} cannot be used: ${error.message}`;
  }
}
