// The IDs of keys that are made next. A new object's database takes most of the time of CreateKey:
// half a dozen waits for the disk before anything is in it. So where the Worker and all objects share
// an isolate (the launcher's workerd), one object of each account is made ready ahead, once a key has
// been made and nobody is waiting for it; the next key gets its ID. docs/decisions/013-ready-objects.md

/** More accounts than this have none; one makes way. */
const MAX_READY = 100;

/** An object that is ready clears itself away after this long, if no key was made. */
export const CLEARED_MS = 600_000;
/** And is offered for this long, so that no key is on its way when it does. */
const OFFERED_MS = CLEARED_MS / 2;

/** By account, with its tenant's generation; null where one is being made ready. */
const ready = new Map<string, { readonly keyId: string; readonly until: number } | null>();

const nameOf = (generation: string, accountId: string) => `${generation}/${accountId}`;

/** The ID of the object that is ready, which nobody else gets; null where there is none. */
export function takeNextKeyId(generation: string, accountId: string): string | null {
  const name = nameOf(generation, accountId);
  const next = ready.get(name);
  if (!next) return null;
  ready.delete(name);
  return Date.now() < next.until ? next.keyId : null;
}

/** Has an object made ready for an account's next key, unless there is one, or will be. */
export async function makeNextReady(
  generation: string,
  accountId: string,
  keyId: string,
  makeReady: (keyId: string) => Promise<void>,
): Promise<void> {
  const name = nameOf(generation, accountId);
  if (ready.has(name)) return;
  if (ready.size >= MAX_READY) {
    for (const [oldest] of ready) {
      ready.delete(oldest);
      break;
    }
  }
  ready.set(name, null);
  const until = Date.now() + OFFERED_MS;
  try {
    await makeReady(keyId);
    if (ready.has(name)) ready.set(name, { keyId, until });
  } catch (cause) {
    ready.delete(name);
    throw cause;
  }
}
