// A process that tries for a lock when told to, says whether it got it, and then waits to be killed.

import { acquireLock, LockedError } from "../../src/cli/folder-lock.ts";

const [, , path = ""] = process.argv;

process.stdout.write("waiting\n");
process.stdin.once("data", async () => {
  try {
    await acquireLock(path);
    process.stdout.write("held\n");
  } catch (error) {
    process.stdout.write(error instanceof LockedError ? `refused ${error.pid}\n` : `${error}\n`);
  }
});
