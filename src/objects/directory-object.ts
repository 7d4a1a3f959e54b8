// One account in one Region: its key IDs and aliases. Holds no rule: it reads, lets the operation
// decide, and writes.

import { DurableObject } from "cloudflare:workers";
import { type DirectoryEntry, MAX_ALIASES_PER_KEY } from "../domain/directory.ts";
import { directoryOperations } from "../operations/index.ts";
import type { Caller } from "../operations/operation.ts";
import { type Reply, replyTo } from "../operations/reply.ts";
import { inChunks } from "./chunks.ts";
import { DirectoryStore } from "./directory-store.ts";
import { keySetName, objectName } from "./names.ts";

/** One request to a directory, as the edge sends it. */
export interface DirectoryCall {
  readonly operation: string;
  readonly input: object;
  readonly caller: Caller;
}

/** How many key sets are told of the clock at once. */
const TOLD_AT_ONCE = 32;
/** How many aliases are remembered. */
const MAX_RESOLVED = 1000;

export class DirectoryObject extends DurableObject<Env> {
  readonly #store = new DirectoryStore(this.ctx.storage);
  #offsetMs = this.#store.offset();
  /** Aliases that were looked up, until anything changes: every change comes by here. */
  readonly #resolved = new Map<string, DirectoryEntry>();

  async perform({ operation, input, caller }: DirectoryCall): Promise<Reply> {
    try {
      const record = directoryOperations[operation];
      if (!record) throw new Error(`no directory operation ${operation}`);
      if (record.adds) await this.join();
      const now = this.#now();
      this.#resolved.clear();
      return this.#store.transaction(() => ({
        output: record.run(this.#store.at(now), input, caller, now),
      }));
    } catch (error) {
      return replyTo(error);
    }
  }

  /** The ID of the key an alias names, or null. */
  resolveAlias(name: string): string | null {
    const now = this.#now();
    const known = this.#resolved.get(name);
    if (known && (known.goneAt === null || known.goneAt > now)) return known.keyId;
    const directory = this.#store.at(now);
    const alias = directory.alias(name);
    const key = alias && directory.key(alias.keyId);
    if (!key) return null;
    if (this.#resolved.size >= MAX_RESOLVED) this.#resolved.clear();
    this.#resolved.set(name, key);
    return key.keyId;
  }

  /** The names of a key's aliases. */
  aliasesOf(keyId: string): readonly string[] {
    const aliases = this.#store.at(this.#now()).aliases("", MAX_ALIASES_PER_KEY, keyId);
    return aliases.map(({ name }) => name);
  }

  /** Takes in what a key set says of its key here; returns the clock's offset in milliseconds. */
  async apply(entry: DirectoryEntry): Promise<number> {
    const offsetMs = await this.join();
    this.#resolved.clear();
    this.#store.transaction(() => this.#store.at(this.#now()).putKey(entry));
    return offsetMs;
  }

  /** Makes the directory known to its tenant, once; returns the clock's offset in milliseconds. */
  async join(): Promise<number> {
    if (this.#offsetMs !== null) return this.#offsetMs;
    const { generation, accountId, last } = objectName(this.ctx.id);
    const tenant = this.env.TENANTS.getByName(generation);
    return this.#adopt(await tenant.register(accountId, last));
  }

  /** Takes the clock's new offset and tells every key set here, each of which catches up. */
  async moveClock(offsetMs: number): Promise<void> {
    this.#adopt(offsetMs);
    const { generation, accountId } = objectName(this.ctx.id);
    await inChunks(this.#store.keyIds(), TOLD_AT_ONCE, (keyId) =>
      this.env.KEY_SETS.getByName(keySetName(generation, accountId, keyId)).moveClock(offsetMs),
    );
  }

  /** The clock only goes forward, in whatever order its offsets arrive. */
  #adopt(offsetMs: number): number {
    const known = this.#offsetMs;
    if (known !== null && offsetMs <= known) return known;
    this.#store.putOffset(offsetMs);
    this.#offsetMs = offsetMs;
    return offsetMs;
  }

  #now(): number {
    return Date.now() + (this.#offsetMs ?? 0);
  }
}
