// Key sets that are in the memory of this very isolate. Where the Worker and all objects share one
// (the launcher's workerd), a key is used by asking its object directly: the same object, the same
// state, without the RPC that takes half of a request's time. docs/decisions/010-key-sets-at-hand.md

import type { Output } from "../operations/operation.ts";
import type { Call } from "../operations/perform.ts";

/** What a key set's object offers to a caller in its own isolate. */
export interface AtHand {
  /** What comes of a call that only uses the key, or null where it takes a call to the object. */
  use(call: Call): { readonly output: Output | Promise<Output> } | null;
}

/** More than this are not remembered; the others are called. */
const MAX_AT_HAND = 10_000;

const atHand = new Map<string, AtHand>();

/** The newest object of a name takes the place of any before it, which has been evicted. */
export function putAtHand(name: string, keySet: AtHand): void {
  if (atHand.size >= MAX_AT_HAND && !atHand.has(name)) {
    for (const [oldest] of atHand) {
      atHand.delete(oldest);
      break;
    }
  }
  atHand.set(name, keySet);
}

/** The object of a name is no longer to be asked. */
export const forgetAtHand = (name: string): void => void atHand.delete(name);

/** The object of a name, as far as this isolate has met it. */
export const keySetAtHand = (name: string): AtHand | undefined => atHand.get(name);
