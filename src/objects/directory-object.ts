// One account in one Region: its key IDs, aliases and custom key stores. Holds no rule: it reads, lets the operation
// decide, and writes.

import { DurableObject } from "cloudflare:workers";
import { type DirectoryEntry, takeIn } from "../domain/directory.ts";
import { parseQuotas } from "../domain/quota.ts";
import { RequestRates } from "../domain/request-rate.ts";
import type { GrantNews } from "../domain/retirable-grant.ts";
import { parseTenantLimits } from "../domain/tenant-limits.ts";
import { type Explanation, explainWithoutKey } from "../operations/explanation.ts";
import { directoryOperations, keyStoreOperations } from "../operations/index.ts";
import type { Caller } from "../operations/operation.ts";
import {
  type Admission,
  admitKey,
  type KeyStoresCall,
  keyStoreNow,
  performOnKeyStores,
} from "../operations/perform-on-key-stores.ts";
import type { AccountPermission } from "../operations/permission.ts";
import { type Reply, replyTo } from "../operations/reply.ts";
import type { RequestCount } from "../operations/request-counts.ts";
import { workerSettingsFrom } from "../settings.ts";
import { inChunks } from "./chunks.ts";
import { DirectoryStore } from "./directory-store.ts";
import { KeyRoom } from "./key-room.ts";
import { backingOf, type Said, sayOfBacking } from "./key-store-backing.ts";
import { keyStoresHost } from "./key-stores-host.ts";
import { DEFAULT_GENERATION, keySetName, objectName } from "./names.ts";
import { tenantGone } from "./tenant-gone.ts";
import type { KeysFull, TenantObject } from "./tenant-object.ts";

/** One request to a directory, as the edge sends it. */
export interface DirectoryCall {
  readonly operation: string;
  readonly input: object;
  readonly caller: Caller;
}

/** How many key sets are told of the clock at once. */
const TOLD_AT_ONCE = 32;
/** How many keys are erased by one call. */
const ERASED_BY_ONE_CALL = 200;
/** How many aliases are remembered. */
const MAX_RESOLVED = 1000;

export class DirectoryObject extends DurableObject<Env> {
  readonly #store = new DirectoryStore(this.ctx.storage);
  readonly #settings = workerSettingsFrom(this.env);
  readonly #quotas = parseQuotas(this.#settings.quotas);
  readonly #room = new KeyRoom(this.#quotas);
  /** The default tenant counts its keys only where the setting limits them. */
  readonly #isCounted =
    objectName(this.ctx.id).generation !== DEFAULT_GENERATION ||
    parseTenantLimits(this.#settings.tenantLimits).keys !== null;
  #offsetMs = this.#store.offset();
  /** Whether this is being erased with its tenant, or was. */
  #erased = false;
  readonly #keyStores = keyStoresHost(
    this.env,
    this.#settings,
    () => this.#store.keyStores(() => this.#now()),
    () => this.#now(),
  );
  /** Aliases that were looked up, until anything changes: every change comes by here. */
  readonly #resolved = new Map<string, DirectoryEntry>();
  readonly #rates = new RequestRates();

  async perform({ operation, input, caller }: DirectoryCall): Promise<Reply> {
    try {
      const record = directoryOperations[operation];
      if (!record) throw new Error(`no directory operation ${operation}`);
      if (record.adds) await this.join();
      const now = this.#now();
      this.#resolved.clear();
      return this.#store.transaction(() => ({
        output: record.run(this.#store.at(now), input, caller, now, this.#quotas),
      }));
    } catch (error) {
      return replyTo(error);
    }
  }

  /** What IAM policies alone would allow, and why. Changes nothing. */
  explain(permission: Omit<AccountPermission, "now">): readonly Explanation[] {
    return explainWithoutKey({ ...permission, now: this.#now() });
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

  /** Performs an operation on the custom key stores kept here. */
  async performOnKeyStores(call: KeyStoresCall): Promise<Reply> {
    try {
      if (keyStoreOperations[call.operation]?.adds) await this.join();
      return { output: await performOnKeyStores(call, this.#keyStores) };
    } catch (error) {
      return replyTo(error);
    }
  }

  /** What a key has to know of its custom key store, a KeyStoreOfKey. */
  keyStore(id: string): Reply {
    try {
      return { output: keyStoreNow(id, this.#keyStores) };
    } catch (error) {
      return replyTo(error);
    }
  }

  /** Lets a new key into a custom key store; the same answer, or what CreateKey is refused with. */
  async admitKey(admission: Admission): Promise<Reply> {
    try {
      return { output: await admitKey(admission, this.#keyStores) };
    } catch (error) {
      return replyTo(error);
    }
  }

  /** Forgets a key that was let in and then not created. */
  releaseKey(keyId: string): void {
    this.#keyStores.keys.release(keyId);
  }

  /** Takes in what is said of a cluster or a VPC endpoint service; null for what cannot be. */
  async sayOfBacking(said: Said): Promise<object | null> {
    await this.join();
    return sayOfBacking(said, this.#keyStores);
  }

  /** What is known of a cluster or a VPC endpoint service. */
  backing(kind: Said["kind"], id: string): object {
    return backingOf(kind, id, this.#keyStores);
  }

  /** The names of a key's aliases. */
  aliasesOf(keyId: string): readonly string[] {
    const aliases = this.#store.at(this.#now()).aliases("", this.#quotas.ALIASES_PER_KEY, keyId);
    return aliases.map(({ name }) => name);
  }

  /** Counts requests towards a request quota; whether it has room for them. Writes nothing. */
  admits({ name, perSecond, requests }: RequestCount): boolean {
    return this.#rates.admits(name, perSecond, Date.now(), requests);
  }

  /** Takes in what a key set says of its key here; returns the clock's offset in milliseconds. */
  async apply(entry: DirectoryEntry): Promise<number> {
    const offsetMs = await this.join();
    this.#resolved.clear();
    this.#store.transaction(() => takeIn(this.#store.at(this.#now()), entry));
    this.#room.leave(entry.keyId);
    return offsetMs;
  }

  /**
   * Keeps a place for a key that is about to be made, until it is told of it or the place is given
   * up; returns null, or how many keys there are where no more may be. Writes nothing.
   */
  async makeRoom(keyId: string): Promise<KeysFull | null> {
    const present = this.#store.at(this.#now()).keyCount();
    const usage = this.#room.take(keyId, present, Date.now());
    if (usage !== null) return { limit: this.#quotas.KEYS, usage };
    if (!this.#isCounted) return null;
    const { tenant, where } = this.#tenant();
    const full = await tenant.makeRoom(where, keyId);
    if (full) this.#room.leave(keyId);
    return full;
  }

  /** The key was not made. */
  async giveUpRoom(keyId: string): Promise<void> {
    this.#room.leave(keyId);
    if (!this.#isCounted) return;
    const { tenant, where } = this.#tenant();
    await tenant.giveUpRoom(where, keyId);
  }

  /** How many customer managed keys are here besides those of these IDs. */
  keysBesides(keyIds: readonly string[]): number {
    return this.#store.keysBesides(keyIds, this.#now());
  }

  /**
   * Removes some of the key sets, and in the end all that is kept here; returns whether that was all.
   * The tenant, which lets nothing join it any more, calls until it is.
   */
  async erase(): Promise<boolean> {
    this.#erased = true;
    this.#resolved.clear();
    const { generation, accountId } = objectName(this.ctx.id);
    const keyIds = this.#store.someKeyIds(ERASED_BY_ONE_CALL);
    await inChunks(keyIds, TOLD_AT_ONCE, (keyId) =>
      this.env.KEY_SETS.getByName(keySetName(generation, accountId, keyId)).erase(),
    );
    this.#store.forgetKeys(keyIds);
    if (keyIds.length === ERASED_BY_ONE_CALL) return false;
    await this.#store.deleteAll();
    this.#offsetMs = null;
    return true;
  }

  /** Takes in what a key set says of grants that are this account's to retire; returns as `apply`. */
  async applyGrants(news: readonly GrantNews["about"][]): Promise<number> {
    const offsetMs = await this.join();
    this.#store.transaction(() => {
      const { retirable } = this.#store.at(this.#now());
      for (const about of news) retirable.put(about);
    });
    return offsetMs;
  }

  /** Makes the directory known to its tenant, once; returns the clock's offset in milliseconds. */
  async join(): Promise<number> {
    if (this.#erased) throw tenantGone();
    if (this.#offsetMs !== null) return this.#offsetMs;
    const { tenant, where } = this.#tenant();
    const offsetMs = await tenant.register(where.accountId, where.region);
    if (this.#erased) throw tenantGone();
    return this.#adopt(offsetMs);
  }

  #tenant() {
    const { generation, accountId, last: region } = objectName(this.ctx.id);
    const tenant: DurableObjectStub<TenantObject> = this.env.TENANTS.getByName(generation);
    return { tenant, where: { accountId, region } };
  }

  /** Takes the clock's new offset and tells every key set here, each of which catches up. */
  async moveClock(offsetMs: number): Promise<void> {
    // One that keeps nothing asks first, so that a late call leaves nothing in a tenant that is gone.
    await this.join();
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
