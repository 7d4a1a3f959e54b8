// One key set. Holds no rule: it loads, lets the operation decide, saves, and tells directories.

import { DurableObject } from "cloudflare:workers";
import { generateKeyPair } from "../crypto/key-pair.ts";
import { announce } from "../domain/directory.ts";
import { assertKeySet, type KeySet } from "../domain/key-set.ts";
import type { Moment } from "../domain/moment.ts";
import { nextDue } from "../domain/schedule.ts";
import type { KeyStoreOfKey } from "../operations/key-store-of-key.ts";
import {
  type KeyStoreDesk,
  type KeyStoreQuestion,
  keyStoreQuestion,
  withKeyStore,
} from "../operations/open-key-store.ts";
import type { Output } from "../operations/operation.ts";
import {
  atMoment,
  type Call,
  keyOperationKind,
  perform,
  prepare,
  type Step,
} from "../operations/perform.ts";
import { outputOf, type Reply, replyTo } from "../operations/reply.ts";
import { workerSettingsFrom } from "../settings.ts";
import { KeySetStore, type Untold } from "./key-set-store.ts";
import { directoryName, objectName } from "./names.ts";
import { proxiesOf } from "./proxies.ts";

/** When the alarm tells directories again what they may not have heard. */
const RETRY_MS = 2000;

const random: Moment["random"] = (length) => crypto.getRandomValues(new Uint8Array(length));

export class KeySetObject extends DurableObject<Env> {
  readonly #store = new KeySetStore(this.ctx.storage);
  readonly #delays = workerSettingsFrom(this.env);
  readonly #proxies = proxiesOf(this.env, this.#delays);
  #offsetMs = this.#store.offset();
  #set = loadedFrom(this.#store);
  /** When the alarm goes off, or Infinity; what was armed before this object woke is armed anew. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** What directories have heard, and the store has not forgotten yet. */
  #told: Untold[] = [];

  /** Performs an operation. What time did to the set is saved even where the call is refused. */
  async perform(call: Call): Promise<Reply> {
    try {
      const question = keyStoreQuestion(this.#set, call);
      if (question) return await this.#performInKeyStore(call, question);
      return { output: await this.#performed(call) };
    } catch (error) {
      return replyTo(error);
    }
  }

  async #performed(call: Call): Promise<Output> {
    const creates = keyOperationKind(call.operation) === "create";
    const { step, untold } = this.#step(creates ? await this.#prepared(call) : call);
    const output = await step.output;
    if (untold.length > 0) await this.#tell(untold);
    return output;
  }

  /** The same for a key in a custom key store, which its account's directory in the Region has. */
  async #performInKeyStore(call: Call, question: KeyStoreQuestion): Promise<Reply> {
    const { generation, accountId } = objectName(this.ctx.id);
    const region = this.#set?.primaryRegion ?? call.caller.region;
    const directory = this.env.DIRECTORIES.getByName(directoryName(generation, accountId, region));
    const desk: KeyStoreDesk = {
      keyStore: async (id) => outputOf<KeyStoreOfKey>(await directory.keyStore(id)),
      admitKey: async (admission) => outputOf<KeyStoreOfKey>(await directory.admitKey(admission)),
    };
    const informed = await withKeyStore(call, question, desk, this.#proxies);
    try {
      return { output: await this.#performed(informed) };
    } catch (error) {
      // What CreateKey was refused for otherwise leaves nothing in the store.
      if (question.kind === "into" && !this.#set) await directory.releaseKey(call.keyId);
      throw error;
    }
  }

  /** Takes the clock's new offset and does what is due by it. */
  async moveClock(offsetMs: number): Promise<void> {
    if (!this.#set || offsetMs <= this.#offsetMs) return;
    this.#store.putOffset(offsetMs);
    this.#offsetMs = offsetMs;
    const untold = this.#catchUp();
    this.#arm(); // What is still to come, comes sooner.
    await this.#tell(untold);
  }

  override async alarm(): Promise<void> {
    this.#armedFor = Number.POSITIVE_INFINITY;
    try {
      this.#catchUp();
      await this.#tell(this.#store.untold().filter((item) => !this.#isTold(item)));
      this.#store.forget(this.#told);
      this.#told = [];
      if (!this.#set && this.#store.untold().length === 0) await this.#store.deleteAll();
      this.#arm();
    } catch (cause) {
      console.error(JSON.stringify({ event: "alarm failed", cause: String(cause) }));
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS); // What is overdue would go off at once.
    }
  }

  /** The call with what takes time to make, by an object that knows the clock. */
  async #prepared(call: Call): Promise<Call> {
    await this.#join(call.caller.region);
    return { ...call, prepared: await prepare(call, generateKeyPair) };
  }

  /** Check, change and save with nothing in between. */
  #step(call: Call): { step: Step; untold: readonly Untold[] } {
    const at = this.#moment();
    const set = atMoment(this.#set, at);
    try {
      const step = perform(set, call, at);
      return { step, untold: this.#commit(step.set) };
    } catch (error) {
      this.#commit(set);
      throw error;
    }
  }

  #catchUp(): readonly Untold[] {
    return this.#commit(atMoment(this.#set, this.#moment()));
  }

  /** Saves the set if it changed, and arms the alarm; returns what directories have to learn. */
  #commit(after: KeySet | null): readonly Untold[] {
    if (after === this.#set) return [];
    const { set, entries } = announce(this.#set, after);
    if (set) assertKeySet(set);
    if (this.#set === null) this.#store.putOffset(this.#offsetMs);
    this.#store.save(this.#set, set, entries);
    this.#set = set;
    this.#arm();
    return [...entries].map(([region, entry]) => ({ region, entry }));
  }

  /** One alarm for whatever comes first: the set's next deadline, or telling directories again. */
  #arm(): void {
    const due = this.#set ? nextDue(this.#set) - this.#offsetMs : Number.POSITIVE_INFINITY;
    const retry = this.#store.untold().length > 0 ? Date.now() + RETRY_MS : due;
    const next = Math.min(due, retry);
    // An alarm that comes too early changes nothing; one that is overdue may have been lost.
    if (next >= this.#armedFor && this.#armedFor > Date.now()) return;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#armedFor = next;
    void this.ctx.storage.setAlarm(next);
  }

  /** Tells directories what they have to learn. Whatever fails here the alarm makes good. */
  async #tell(untold: readonly Untold[]): Promise<void> {
    const { generation, accountId } = objectName(this.ctx.id);
    for (const item of untold) {
      const name = directoryName(generation, accountId, item.region);
      try {
        const offsetMs = await this.env.DIRECTORIES.getByName(name).apply(item.entry);
        this.#told.push(item);
        await this.moveClock(offsetMs);
      } catch (cause) {
        console.error(JSON.stringify({ event: "a directory was not told", cause: String(cause) }));
      }
    }
  }

  #isTold({ region, entry }: Untold): boolean {
    return this.#told.some(
      (told) => told.region === region && told.entry.version === entry.version,
    );
  }

  /** A new set learns the clock from its directory, which its tenant then knows of. */
  async #join(region: string): Promise<void> {
    const { generation, accountId } = objectName(this.ctx.id);
    const directory = this.env.DIRECTORIES.getByName(directoryName(generation, accountId, region));
    const offsetMs = await directory.join();
    this.#offsetMs = Math.max(this.#offsetMs, offsetMs); // Saved with the set, should there be one.
  }

  #moment(): Moment {
    return {
      now: Date.now() + this.#offsetMs,
      random,
      delays: this.#delays,
      newKeyPair: generateKeyPair,
    };
  }
}

function loadedFrom(store: KeySetStore): KeySet | null {
  const set = store.load();
  if (set) assertKeySet(set);
  return set;
}
