// One key set. Holds no rule: it loads, lets the operation decide, saves, and tells directories.

import { DurableObject } from "cloudflare:workers";
import { announce } from "../domain/directory.ts";
import { assertKeySet, type KeySet, keyIn } from "../domain/key-set.ts";
import { LastUsages, type Usage } from "../domain/last-usage.ts";
import type { Moment } from "../domain/moment.ts";
import { parseQuotas } from "../domain/quota.ts";
import type { Region } from "../domain/region.ts";
import { countsByKey, parseRequestQuotas, type RequestQuotas } from "../domain/request-quota.ts";
import type { GrantNews } from "../domain/retirable-grant.ts";
import { nextDue } from "../domain/schedule.ts";
import { explainOnKey } from "../operations/explanation.ts";
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
  loading,
  newKeyRegion,
  perform,
  prepare,
  rehearse,
  requireMayStart,
  startsSet,
  useOf,
} from "../operations/perform.ts";
import { outputOf, type Reply, replyTo } from "../operations/reply.ts";
import { countsOnKey, requireAdmitted } from "../operations/request-counts.ts";
import { workerSettingsFrom } from "../settings.ts";
import { withinMs } from "./deadline.ts";
import type { DirectoryObject } from "./directory-object.ts";
import { byAddress, type NewsAddress } from "./grant-outbox.ts";
import { KeySetStore, type Untold } from "./key-set-store.ts";
import { type AtHand, forgetAtHand, keySetAtHand, putAtHand } from "./key-sets-at-hand.ts";
import { logFailure } from "./log-failure.ts";
import { directoryName, keySetName, objectName } from "./names.ts";
import { newKeyPairFrom } from "./new-key-pair.ts";
import { CLEARED_MS, makeNextReady } from "./next-key-ids.ts";
import { proxiesOf } from "./proxies.ts";
import { StorageShare } from "./storage-share.ts";
import { isTenantGone, tenantGone } from "./tenant-gone.ts";
import type { KeysFull } from "./tenant-object.ts";

/** When the last use of a key is saved: after the answer, and before an idle object is evicted. */
const SAVE_USAGE_MS = 5000;

/** When the alarm tells directories again what they may not have heard. */
const RETRY_MS = 2000;
/** How long an answer waits for a directory, which the alarm then tells. */
const PATIENCE_MS = 1000;

/** When the next key's object is made ready: once this one is made. */
const REST_MS = 100;

/** What directories have to learn of a change. */
interface News {
  readonly entries: readonly Untold[];
  readonly grants: readonly GrantNews[];
}

const nothing: News = { entries: [], grants: [] };

const random: Moment["random"] = (length) => crypto.getRandomValues(new Uint8Array(length));

export class KeySetObject extends DurableObject<Env> implements AtHand {
  readonly #store = new KeySetStore(this.ctx.storage);
  readonly #settings = workerSettingsFrom(this.env);
  readonly #newKeyPair = newKeyPairFrom(this.env);
  readonly #quotas = parseQuotas(this.#settings.quotas);
  readonly #requestQuotas = parseRequestQuotas(this.#settings.requestQuotas);
  readonly #proxies = proxiesOf(this.env, this.#settings);
  #offsetMs = this.#store.offset();
  #set = loadedFrom(this.#store);
  /** When the alarm goes off, or Infinity; what was armed before this object woke is armed anew. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** What directories have heard, and the store has not forgotten yet. */
  #told: Untold[] = [];
  #toldOfGrants: GrantNews[] = [];
  /** When the last uses are saved that have been noted since; 0 while there is nothing to save. */
  #savesUsageAt = 0;
  /** Changes that are not on disk yet. */
  #unsaved = 0;
  readonly #usages = this.#putAtHand();
  readonly #share = new StorageShare(this.ctx, this.env, this.#settings);
  /** Whether this was erased with its tenant. */
  #erased = false;

  /** Performs an operation. What time did to the set is saved even where the call is refused. */
  async perform(call: Call): Promise<Reply> {
    try {
      this.#requireTenant();
      const loaded = loading(call);
      if (loaded) await loaded;
      if (this.#requestQuotas) await this.#count(call, this.#requestQuotas);
      const question = keyStoreQuestion(this.#set, call);
      if (question) return await this.#performInKeyStore(call, question);
      return { output: await this.#performed(call) };
    } catch (error) {
      return replyTo(error);
    }
  }

  /**
   * Uses the key for a caller in this isolate, which makes no difference to coming by `perform`:
   * null while anything is due, or not on disk yet and so not to be seen, or to be asked of a custom
   * key store, or to be counted. Must not touch `ctx`, which may be gone: an object that was evicted
   * still knows what is on disk.
   */
  use(call: Call): { readonly output: Output | Promise<Output> } | null {
    if (!this.#set || this.#unsaved > 0 || this.#set.customKeyStore) return null;
    const use = useOf(call);
    if (!use) return null;
    if (this.#requestQuotas && countsByKey(call.operation)) return null;
    const at = this.#moment();
    if (nextDue(this.#set) <= at.now) return null;
    const { region } = call.caller;
    const key = keyIn(this.#set, region);
    const isSaveAhead = Date.now() < this.#savesUsageAt;
    if (use.counts && key && !isSaveAhead && this.#usages.wouldBeDue(key, at.now)) return null;
    const { output, usage } = perform(this.#set, call, at, this.#usages);
    return { output: usage ? this.#noted(output, region, usage) : output };
  }

  async #noted(output: Output | Promise<Output>, region: Region, usage: Usage): Promise<Output> {
    const answer = await output;
    this.#usages.note(region, usage);
    return answer;
  }

  /** From now on this is the object to ask; what was used meanwhile it takes over. */
  #putAtHand(): LastUsages {
    if (!this.#settings.oneIsolate) return new LastUsages();
    const { name = "" } = this.ctx.id;
    const before = keySetAtHand(name);
    this.#keepAtHand();
    return before instanceof KeySetObject ? before.#usages : new LastUsages();
  }

  /** Who merely asked for a key that is not there takes nobody's place. */
  #keepAtHand(): void {
    if (!this.#settings.oneIsolate) return;
    const { name = "" } = this.ctx.id;
    if (this.#set) putAtHand(name, this);
    else forgetAtHand(name);
  }

  /** Counts a use of the key where the request quotas are those of its type. */
  #count(call: Call, quotas: RequestQuotas): Promise<void> {
    const { generation } = objectName(this.ctx.id);
    return requireAdmitted(countsOnKey(call, this.#set, quotas), (accountId, region) =>
      this.env.DIRECTORIES.getByName(directoryName(generation, accountId, region)),
    );
  }

  async #performed(call: Call): Promise<Output> {
    const region = newKeyRegion(call);
    if (region !== null || this.#share.isFull) await this.#share.ask();
    const ready = startsSet(this.#set, call) ? await this.#prepared(call) : call;
    const stepped = region === null ? this.#step(ready) : this.#stepInRoom(ready, region);
    const { step, news } = await stepped;
    const output = await step.output;
    if (step.usage) this.#note(call.caller.region, step.usage);
    if (news !== nothing) await this.#tell(news);
    if (keyOperationKind(call.operation) === "create") this.#readyNext();
    return output;
  }

  /** Where it saves the next CreateKey time; of what fails here, only time is lost. */
  #readyNext(): void {
    if (!this.#settings.oneIsolate) return;
    const { generation, accountId } = objectName(this.ctx.id);
    const makeReady = (keyId: string) =>
      this.env.KEY_SETS.getByName(keySetName(generation, accountId, keyId)).makeReady();
    setTimeout(() => {
      if (this.#erased) return;
      makeNextReady(generation, accountId, crypto.randomUUID(), makeReady).catch(() => {});
    }, REST_MS);
  }

  /** Makes ready for a key that is to be made; clears it all away again if none is. */
  async makeReady(): Promise<void> {
    if (this.#set || this.#erased) return;
    this.#store.makeReady();
    this.#armedFor = Date.now() + CLEARED_MS;
    await this.ctx.storage.setAlarm(this.#armedFor);
  }

  /** The same for a key in a custom key store, which its account's directory in the Region has. */
  async #performInKeyStore(call: Call, question: KeyStoreQuestion): Promise<Reply> {
    const directory = this.#directory(this.#set?.primaryRegion ?? call.caller.region);
    const desk: KeyStoreDesk = {
      keyStore: async (id) => outputOf<KeyStoreOfKey>(await directory.keyStore(id)),
      admitKey: async (admission) => outputOf<KeyStoreOfKey>(await directory.admitKey(admission)),
    };
    if (question.kind === "into") requireMayStart(call, this.#moment());
    const informed = await withKeyStore(call, question, desk, this.#proxies);
    try {
      return { output: await this.#performed(informed) };
    } catch (error) {
      // What CreateKey was refused for otherwise leaves nothing in the store.
      if (question.kind === "into" && !this.#set) {
        // Where it cannot be told, a place that nobody takes is free again after a minute.
        await withinMs(PATIENCE_MS, directory.releaseKey(call.keyId)).catch(this.#logged("told"));
      }
      throw error;
    }
  }

  /** What a call would be allowed, and why. Changes nothing. */
  explain(call: Call): Reply {
    try {
      this.#requireTenant();
      const at = this.#moment();
      return { output: explainOnKey(atMoment(this.#set, at), call, at, this.#usages) };
    } catch (error) {
      return replyTo(error);
    }
  }

  /** Takes the clock's new offset and does what is due by it. */
  async moveClock(offsetMs: number): Promise<void> {
    if (!this.#set || offsetMs <= this.#offsetMs) return;
    this.#store.putOffset(offsetMs);
    this.#offsetMs = offsetMs;
    this.#awaitDisk();
    const news = this.#catchUp();
    this.#arm(); // What is still to come, comes sooner.
    await this.#tell(news);
  }

  /**
   * Removes everything kept here, for good: no other tenant has an object of this name. Its directory
   * calls this, and the set does itself where it learns that there is no tenant any more.
   */
  async erase(): Promise<void> {
    this.#erased = true;
    forgetAtHand(this.ctx.id.name ?? "");
    this.#set = null;
    this.#told = [];
    this.#toldOfGrants = [];
    await this.#store.deleteAll();
  }

  /** Nothing is done, and nothing saved, in a tenant that is gone. */
  #requireTenant(): void {
    if (this.#erased) throw tenantGone();
  }

  override async alarm(): Promise<void> {
    if (this.#erased) return;
    this.#armedFor = Number.POSITIVE_INFINITY;
    try {
      this.#catchUp();
      const entries = this.#store.untold().filter((item) => !this.#isTold(item));
      await this.#tell({ entries, grants: [] });
      if (this.#erased) return;
      this.#forget();
      await this.#tellGrants();
      if (this.#erased) return;
      if (!this.#set && !this.#store.hasUntold()) {
        await this.#share.leave();
        if (!this.#set) await this.#store.deleteAll();
      }
      this.#arm();
    } catch (cause) {
      if (this.#erased) return;
      // No directory knows of an object that was only made ready, so nobody else clears it away.
      if (isTenantGone(cause)) return this.erase();
      logFailure(this.env, "alarm failed", cause);
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS); // What is overdue would go off at once.
    }
  }

  /**
   * The call with what takes time to make, by an object that knows the clock. A call that is refused
   * makes nothing and joins nothing.
   */
  async #prepared(call: Call): Promise<Call> {
    rehearse(call, this.#moment());
    await this.#join(call.caller.region);
    return { ...call, prepared: await prepare(call, this.#newKeyPair) };
  }

  /** The step that makes a key, once the directory of its Region was asked for room. */
  async #stepInRoom(call: Call, region: string) {
    const directory = this.#directory(region);
    const { keyId } = call;
    // A directory that does not answer keeps no key from being made.
    const asked = directory.makeRoom(keyId);
    const full = await withinMs(PATIENCE_MS, asked).catch(unlessGone(this.#logged("asked")));
    try {
      return this.#step(call, full ?? null);
    } catch (error) {
      await withinMs(PATIENCE_MS, directory.giveUpRoom(keyId)).catch(this.#logged("told"));
      throw error;
    }
  }

  /** Check, change and save with nothing in between. */
  #step(call: Call, full: KeysFull | null = null) {
    this.#requireTenant();
    const at = this.#moment(full);
    const set = atMoment(this.#set, at);
    try {
      const step = perform(set, call, at, this.#usages);
      this.#share.requireRoom(set, step.set);
      return { step, news: this.#commit(step.set) };
    } catch (error) {
      this.#commit(set);
      throw error;
    }
  }

  /** A use writes nothing; of many in an hour one is saved, when it has been answered. */
  #note(region: Region, usage: Usage): void {
    this.#usages.note(region, usage);
    const key = this.#set && keyIn(this.#set, region);
    if (!key || this.#savesUsageAt > 0 || !this.#usages.isSaveDue(key)) return;
    this.#savesUsageAt = Date.now() + SAVE_USAGE_MS;
    setTimeout(() => this.#saveUsages(), SAVE_USAGE_MS);
  }

  #saveUsages(): void {
    this.#savesUsageAt = 0;
    try {
      this.#commit(this.#set && this.#usages.in(this.#set));
    } catch (cause) {
      logFailure(this.env, "a last use was not saved", cause);
    }
  }

  /** Saves what time did, for someone who arms the alarm. */
  #catchUp(): News {
    return this.#save(atMoment(this.#set, this.#moment()));
  }

  /** Saves the set if it changed, and arms the alarm; returns what directories have to learn. */
  #commit(after: KeySet | null): News {
    if (after === this.#set) return nothing;
    const news = this.#save(after);
    this.#arm();
    return news;
  }

  #save(after: KeySet | null): News {
    if (after === this.#set) return nothing;
    const announced = announce(this.#set, after && this.#usages.in(after));
    const { set, entries, grants } = announced;
    if (set) assertKeySet(set);
    if (this.#set === null) this.#store.putOffset(this.#offsetMs);
    this.#store.save(this.#set, announced);
    const other = (this.#set === null) !== (set === null);
    this.#set = set;
    if (other) this.#keepAtHand();
    this.#awaitDisk();
    this.#share.saved();
    if (entries.size === 0 && grants.length === 0) return nothing;
    return { entries: [...entries].map(([region, entry]) => ({ region, entry })), grants };
  }

  /** Whoever asks by `perform` waits at the output gate for what was saved; others have to be told. */
  #awaitDisk(): void {
    if (!this.#settings.oneIsolate) return;
    this.#unsaved++;
    const saved = () => {
      this.#unsaved--;
    };
    // What could not be saved breaks the object, and its successor is asked instead.
    this.ctx.storage.sync().then(saved, () => {});
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
    const of = (telling: Promise<unknown>) =>
      withinMs(PATIENCE_MS, telling).catch((cause) => this.#untold(cause));
    await Promise.all([
      ...entries.map((item) => of(this.#tellDirectory(item))),
      ...[...byAddress(grants)].map((news) => of(this.#tellOfGrants(news[0], news))),
    ]);
  }

  /** A directory that knows of no tenant is the end of the set. */
  async #untold(cause: unknown): Promise<void> {
    if (!isTenantGone(cause)) return this.#logged("told")(cause);
    await this.erase();
  }

  async #tellDirectory(item: Untold): Promise<void> {
    const offsetMs = await this.#directory(item.region).apply(item.entry);
    this.#told.push(item);
    await this.moveClock(offsetMs);
  }

  #directory(region: string): DurableObjectStub<DirectoryObject> {
    const { generation, accountId } = objectName(this.ctx.id);
    return this.env.DIRECTORIES.getByName(directoryName(generation, accountId, region));
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
      await this.#untold(cause);
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
    const offsetMs = await this.#directory(region).join();
    this.#offsetMs = Math.max(this.#offsetMs, offsetMs); // Saved with the set, should there be one.
  }

  /** What to do where a directory fails: nothing but to say so. */
  #logged(verb: "told" | "asked") {
    return (cause: unknown) => logFailure(this.env, `a directory was not ${verb}`, cause);
  }

  #moment(full: KeysFull | null = null): Moment {
    return {
      now: Date.now() + this.#offsetMs,
      random,
      delays: this.#settings,
      newKeyPair: this.#newKeyPair,
      quotas: full ? { ...this.#quotas, KEYS: full.limit } : this.#quotas,
      keysWithoutRoom: full?.usage ?? null,
    };
  }
}

/** A tenant that is gone is not a failure to get along with. */
const unlessGone = (log: (cause: unknown) => void) => (cause: unknown) => {
  if (isTenantGone(cause)) throw cause;
  log(cause);
};

function loadedFrom(store: KeySetStore): KeySet | null {
  const set = store.load();
  if (set) assertKeySet(set);
  return set;
}
