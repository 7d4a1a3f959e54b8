// Session tokens that an isolate has met lately, so that each is read and checked once.

import { isGenuine, readToken, type SessionToken } from "./session.ts";

const MAX_TOKENS = 500;

/** Tokens that were read lately, and which of them were found genuine. */
export class KnownTokens {
  readonly #read = new Map<string, SessionToken>();
  readonly #genuine = new WeakSet<SessionToken>();

  read(token: string): SessionToken | null {
    const known = this.#read.get(token);
    if (known) return known;
    const read = readToken(token);
    if (!read) return null;
    if (this.#read.size >= MAX_TOKENS) this.#read.clear();
    this.#read.set(token, read);
    return read;
  }

  isGenuine(token: SessionToken, key: Uint8Array): boolean {
    if (this.#genuine.has(token)) return true;
    if (!isGenuine(token, key)) return false;
    this.#genuine.add(token);
    return true;
  }
}
