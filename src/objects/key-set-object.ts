// One key set. Holds no rule: it loads, lets the operation decide, saves, and tells directories.

import { DurableObject } from "cloudflare:workers";
import { generateKeyPair } from "../crypto/key-pair.ts";
import { announce } from "../domain/directory.ts";
import { assertKeySet, type KeySet } from "../domain/key-set.ts";
import type { Moment } from "../domain/moment.ts";
import type { GrantNews } from "../domain/retirable-grant.ts";
import { nextDue } from "../domain/schedule.ts";
import {
  atMoment,
  type Call,
  keyOperationKind,
  perform,
  prepare,
  type Step,
} from "../operations/perform.ts";
import { type Reply, replyTo } from "../operations/reply.ts";
import { workerSettingsFrom } from "../settings.ts";
import { byAddress, type NewsAddress } from "./grant-outbox.ts";
import { KeySetStore, type Untold } from "./key-set-store.ts";
import { directoryName, objectName } from "./names.ts";

/** When the alarm tells directories again what they may not have heard. */
const RETRY_MS = 2000;

/** What directories have to learn of a change. */
interface News {
  readonly entries: readonly Untold[];
  readonly grants: readonly GrantNews[];
}

const nothing: News = { entries: [], grants: [] };

const random: Moment["random"] = (length) => crypto.getRandomValues(new Uint8Array(length));

export class KeySetObject extends DurableObject<Env> {
  readonly #store = new KeySetStore(this.ctx.storage);
  readonly #delays = workerSettingsFrom(this.env);
  #offsetMs = this.#store.offset();
  #set = loadedFrom(this.#store);
  /** When the alarm goes off, or Infinity; what was armed before this object woke is armed anew. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** What directories have heard, and the store has not forgotten yet. */
  #told: Untold[] = [];
  #toldOfGrants: GrantNews[] = [];

  /** Performs an operation. What time did to the set is saved even where the call is refused. */
  async perform(call: Call): Promise<Reply> {
    try {
      const creates = keyOperationKind(call.operation) === "create";
      const { step, news } = this.#step(creates ? await this.#prepared(call) : call);
      const output = await step.output;
      if (news !== nothing) await this.#tell(news);
      return { output };
    } catch (error) {
      return replyTo(error);
    }
  }

  /** Takes the clock's new offset and does what is due by it. */
  async moveClock(offsetMs: number): Promise<void> {
    if (!this.#set || offsetMs <= this.#offsetMs) return;
    this.#store.putOffset(offsetMs);
    this.#offsetMs = offsetMs;
    const news = this.#catchUp();
    this.#arm(); // What is still to come, comes sooner.
    await this.#tell(news);
  }

  override async alarm(): Promise<void> {
    this.#armedFor = Number.POSITIVE_INFINITY;
    try {
      this.#catchUp();
      await this.#tellEntries(this.#store.untold().filter((item) => !this.#isTold(item)));
      this.#forget();
      await this.#tellGrants();
      if (!this.#set && !this.#store.hasUntold()) await this.#store.deleteAll();
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
  #step(call: Call): { step: Step; news: News } {
    const at = this.#moment();
    const set = atMoment(this.#set, at);
    try {
      const step = perform(set, call, at);
      return { step, news: this.#commit(step.set) };
    } catch (error) {
      this.#commit(set);
      throw error;
    }
  }

  #catchUp(): News {
    return this.#commit(atMoment(this.#set, this.#moment()));
  }

  /** Saves the set if it changed, and arms the alarm; returns what directories have to learn. */
  #commit(after: KeySet | null): News {
    if (after === this.#set) return nothing;
    const announced = announce(this.#set, after);
    const { set, entries, grants } = announced;
    if (set) assertKeySet(set);
    if (this.#set === null) this.#store.putOffset(this.#offsetMs);
    this.#store.save(this.#set, announced);
    this.#set = set;
    this.#arm();
    if (entries.size === 0 && grants.length === 0) return nothing;
    return { entries: [...entries].map(([region, entry]) => ({ region, entry })), grants };
  }

  /** One alarm for whatever comes first: the set's next deadline, or telling directories again. */
  #arm(): void {
    const due = this.#set ? nextDue(this.#set) - this.#offsetMs : Number.POSITIVE_INFINITY;
    const retry = this.#store.hasUntold() ? Date.now() + RETRY_MS : due;
    const next = Math.min(due, retry);
    // An alarm that comes too early changes nothing; one that is overdue may have been lost.
    if (next >= this.#armedFor && this.#armedFor > Date.now()) return;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#armedFor = next;
    void this.ctx.storage.setAlarm(next);
  }

  /** Tells directories what they have to learn. Whatever fails here the alarm makes good. */
  async #tell({ entries, grants }: News): Promise<void> {
    await this.#tellEntries(entries);
    for (const news of byAddress(grants)) await this.#tellOfGrants(news[0], news);
  }

  async #tellEntries(untold: readonly Untold[]): Promise<void> {
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

  /** Tells each directory all it has not heard of grants, until one cannot be told. */
  async #tellGrants(): Promise<void> {
    if (!this.#store.hasUntold()) return;
    for (const address of this.#store.grantOutbox.addresses()) {
      for (;;) {
        const news = this.#store.grantOutbox.batch(address);
        if (news.length === 0 || !(await this.#tellOfGrants(address, news))) break;
        this.#forget();
      }
    }
  }

  /** Tells the directory of an account that may retire grants; returns whether it heard. */
  async #tellOfGrants(to: NewsAddress, news: readonly GrantNews[]): Promise<boolean> {
    const { generation } = objectName(this.ctx.id);
    const directory = this.env.DIRECTORIES.getByName(
      directoryName(generation, to.accountId, to.region),
    );
    try {
      const offsetMs = await directory.applyGrants(news.map(({ about }) => about));
      this.#toldOfGrants.push(...news);
      await this.moveClock(offsetMs);
      return true;
    } catch (cause) {
      console.error(JSON.stringify({ event: "a directory was not told", cause: String(cause) }));
      return false;
    }
  }

  #forget(): void {
    this.#store.forget(this.#told, this.#toldOfGrants);
    this.#told = [];
    this.#toldOfGrants = [];
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
