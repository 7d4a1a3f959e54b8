// A lock file that two processes can never both hold, however they start and however they die.
// Holds no rule about what is locked.
//
// The file is created by link(2), so it appears at once with all its content and only if it was not
// there. One whose holder is dead is removed by whoever holds the lock of *that* lock, named after
// it: without this, a slow process could remove the lock a faster one has just put in its place.

import {
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { endProcess, identify, isRunning, type ProcessIdentity } from "./process-identity.ts";

interface Holder {
  /** Names this holding of the lock; never used twice. */
  readonly id: string;
  readonly launcher: ProcessIdentity | null;
  readonly workerd: ProcessIdentity | null;
}

export interface FolderLock {
  /** Writes down the process that works in the folder, for whoever finds this lock orphaned. */
  recordWorker(pid: number): void;
  release(): void;
}

/** The lock is held by a process that lives. */
export class LockedError extends Error {
  override readonly name = "LockedError";
  readonly pid: number;
  constructor(pid: number) {
    super(`locked by pid ${pid}`);
    this.pid = pid;
  }
}

/**
 * Takes the lock or throws a LockedError. When its last holder died and left its worker running,
 * that worker is ended first: when this returns, nobody else works in the folder.
 */
export async function acquireLock(path: string): Promise<FolderLock> {
  const holder: Holder = { id: uniqueId(), launcher: identify(process.pid), workerd: null };
  while (!create(path, holder)) {
    const other = read(path);
    if (!other) continue;
    if (other.launcher && isRunning(other.launcher)) throw new LockedError(other.launcher.pid);
    if (other.workerd) await endProcess(other.workerd);
    await removeOrphan(path, other);
  }
  sweep(path);
  return {
    recordWorker: (pid) => write(path, { ...holder, workerd: identify(pid) }),
    release: () => remove(path),
  };
}

/** Of this process and this instant. (Loading node:crypto for it would cost the start 2 ms.) */
const uniqueId = () => `${process.pid}-${process.hrtime.bigint()}`;

/**
 * Removes the lock of a dead holder unless someone else has. While we hold the lock named after
 * it nobody else removes it, so what we then read is what we remove.
 */
async function removeOrphan(path: string, orphan: Holder): Promise<void> {
  const turn = await acquireLock(`${path}.${orphan.id}`);
  try {
    if (read(path)?.id === orphan.id) unlinkSync(path);
  } finally {
    turn.release();
  }
}

/**
 * Removes what others left when they died on their way to this lock. Now that we hold it, nothing
 * depends on these files any more: the locks they were to remove are gone for good, and a process
 * that is still on its way makes its draft again.
 */
function sweep(path: string): void {
  const folder = dirname(path);
  const leftovers = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`));
  for (const name of leftovers) remove(join(folder, name));
}

/** Creates the lock; false when there is one, or when its holder swept our draft away. */
function create(path: string, holder: Holder): boolean {
  const draft = `${path}.${holder.id}.new`;
  writeFileSync(draft, JSON.stringify(holder));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOENT") return false;
    throw error;
  } finally {
    remove(draft);
  }
}

/** Removes a file that may be gone. (Loading what is behind rmSync would cost the start 2 ms.) */
function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Replaces the content of a lock we hold. */
function write(path: string, holder: Holder): void {
  const draft = `${path}.${holder.id}.new`;
  writeFileSync(draft, JSON.stringify(holder));
  renameSync(draft, path);
}

/**
 * Who holds the lock; null when it has just gone. A file that cannot be understood, as a power
 * failure may leave one, belongs to nobody.
 */
function read(path: string): Holder | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    const { id, launcher, workerd } = JSON.parse(text);
    return { id: String(id), launcher, workerd };
  } catch {
    return { id: "damaged", launcher: null, workerd: null };
  }
}
