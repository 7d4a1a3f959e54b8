// One tenant: which accounts and Regions have a directory, the tenant's clock, and its principals.
// That of the default generation is always there; any other from when it is opened until it is erased.

import { DurableObject } from "cloudflare:workers";
import { type Configuration, EMPTY } from "../configuration/configuration.ts";
import { parseTenantLimits, type TenantLimits } from "../domain/tenant-limits.ts";
import { workerSettingsFrom } from "../settings.ts";
import { inChunks } from "./chunks.ts";
import type { DirectoryObject } from "./directory-object.ts";
import { KeyRoom } from "./key-room.ts";
import { logFailure } from "./log-failure.ts";
import { DEFAULT_GENERATION, directoryName } from "./names.ts";
import { tenantGone } from "./tenant-gone.ts";
import { type DirectoryRow, type LimitOfHolding, TenantStore } from "./tenant-store.ts";

/** A tenant's clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How far it is ahead of real time, in milliseconds. */
  readonly offsetMs: number;
}

/** The principals of a tenant as of a version. */
export interface VersionedConfiguration {
  readonly version: number;
  readonly configuration: Configuration;
}

/** Why there is no room for another key. */
export interface KeysFull {
  readonly limit: number;
  readonly usage: number;
}

const SESSION_KEY_BYTES = 32;

/** When the alarm tells everyone of the clock again, if a crash or a failure came between. */
const RETRY_MS = 2000;
/** How many directories are told at once. */
const TOLD_AT_ONCE = 16;

export class TenantObject extends DurableObject<Env> {
  readonly #store = new TenantStore(this.ctx.storage);
  readonly #ofSetting = parseTenantLimits(workerSettingsFrom(this.env).tenantLimits);
  /** A telling that is under way. */
  #telling: Promise<void> | null = null;
  /** Places for keys on their way, where their number is limited. */
  readonly #room = new KeyRoom();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // Nobody says any more what the default tenant's key sets hold, which would soon be wrong.
    if (this.#isDefault && this.#ofSetting.storage === null) this.#store.forgetSizes();
  }

  /** Begins the tenant, which until then, and once erased, serves nobody. */
  open(limits: TenantLimits): void {
    this.#store.open(limits);
  }

  limit(limits: TenantLimits): void {
    this.#requireOpen();
    this.#store.open(limits);
  }

  /**
   * Removes everything the tenant holds, as much as goes at a time; returns whether that was all.
   * From the first call on nothing joins it, and so nothing of it can come back.
   */
  async erase(): Promise<boolean> {
    this.#store.close();
    while (this.#telling) await this.#telling.catch(() => {});
    await inChunks(this.#store.directories(), TOLD_AT_ONCE, async (directory) => {
      if (await this.#directory(directory).erase()) this.#store.forgetDirectory(directory);
    });
    if (this.#store.directories().length > 0) return false;
    await this.#store.deleteAll();
    return true;
  }

  /** Takes in how large an object's database is, if it says so; returns whether no storage is left. */
  measure(object: string, bytes: number | null): boolean {
    this.#requireOpen();
    if (bytes !== null) this.#store.putSize(object, bytes);
    const limit = this.#limit("storage");
    return limit !== null && limit <= this.#store.size();
  }

  /**
   * Keeps a place for a key that a directory is about to take in; null, or how many keys there are
   * and may be where no more may be.
   */
  async makeRoom(where: DirectoryRow, keyId: string): Promise<KeysFull | null> {
    this.#requireOpen();
    const limit = this.#limit("keys");
    if (limit === null) return null;
    const now = Date.now();
    const place = placeOf(where, keyId);
    const kept = this.#room.kept(now).filter((other) => other !== place);
    const counts = await Promise.all(
      this.#store.directories().map((directory) => {
        const its = placeOf(directory, "");
        const without = kept.filter((other) => other.startsWith(its));
        return this.#directory(directory).keysBesides(without.map((key) => key.slice(its.length)));
      }),
    );
    const present = counts.reduce((sum, count) => sum + count, 0);
    // Who came meanwhile has a place that nobody was asked to leave out: one too many at the worst.
    const usage = this.#room.take(place, present, now, limit);
    return usage === null ? null : { limit, usage };
  }

  /** The key was not made. */
  giveUpRoom(where: DirectoryRow, keyId: string): void {
    this.#room.leave(placeOf(where, keyId));
  }

  /** Records a directory, before it has its first entry; returns the clock's offset in ms. */
  register(accountId: string, region: string): number {
    this.#requireOpen();
    this.#store.putDirectory(accountId, region);
    return this.#store.clock().offsetMs;
  }

  clock(): Clock {
    this.#requireOpen();
    const { offsetMs } = this.#store.clock();
    return { now: Date.now() + offsetMs, offsetMs };
  }

  /**
   * Moves the clock forward by `byMs`, or to the instant `toMs` where that is later than now, and
   * returns when everything that is then due has happened. The offset is saved before anyone is
   * told, so that the alarm makes good a crash in between.
   */
  async moveClock(move: { readonly byMs: number } | { readonly toMs: number }): Promise<Clock> {
    this.#requireOpen();
    const { offsetMs } = this.#store.clock();
    const moved =
      "byMs" in move ? offsetMs + move.byMs : Math.max(offsetMs, move.toMs - Date.now());
    this.#store.putOffset(moved);
    void this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    await this.#tell();
    return this.clock();
  }

  /** The principals; null where the version is the one the asker knows. */
  configuration(known: number | null): VersionedConfiguration | null {
    this.#requireOpen();
    const { version, json } = this.#store.configuration() ?? { version: 0, json: null };
    if (version === known) return null;
    return { version, configuration: json === null ? EMPTY : (JSON.parse(json) as Configuration) };
  }

  putConfiguration(configuration: Configuration): void {
    this.#requireOpen();
    this.#store.putConfiguration(JSON.stringify(configuration));
  }

  /** The key that the tokens of sessions are made with; made when it is first asked for. */
  sessionKey(): Uint8Array {
    this.#requireOpen();
    return this.#store.sessionKey(crypto.getRandomValues(new Uint8Array(SESSION_KEY_BYTES)));
  }

  override async alarm(): Promise<void> {
    if (!this.#isOpen()) return;
    try {
      await this.#tell();
    } catch (cause) {
      logFailure(this.env, "the clock could not be told", cause);
      if (this.#isOpen()) await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
  }

  /** The tenant's own limit, or the setting's where it has none. */
  #limit(name: LimitOfHolding): number | null {
    return this.#store.limit(name) ?? this.#ofSetting[name];
  }

  get #isDefault(): boolean {
    return this.ctx.id.name === DEFAULT_GENERATION;
  }

  #isOpen(): boolean {
    return this.#isDefault || this.#store.isOpen();
  }

  #requireOpen(): void {
    if (!this.#isOpen()) throw tenantGone();
  }

  #directory({ accountId, region }: DirectoryRow): DurableObjectStub<DirectoryObject> {
    const generation = this.ctx.id.name ?? "";
    return this.env.DIRECTORIES.getByName(directoryName(generation, accountId, region));
  }

  /** One telling at a time: who comes meanwhile waits, and tells what is newer or what failed. */
  async #tell(): Promise<void> {
    while (this.#telling) await this.#telling.catch(() => {});
    this.#telling = this.#tellDirectories();
    try {
      await this.#telling;
    } finally {
      this.#telling = null;
    }
  }

  /** Tells every directory of the offset, each of which tells its key sets. */
  async #tellDirectories(): Promise<void> {
    const { offsetMs, pushedOffsetMs } = this.#store.clock();
    if (pushedOffsetMs >= offsetMs) return;
    await inChunks(this.#store.directories(), TOLD_AT_ONCE, (directory) =>
      this.#directory(directory).moveClock(offsetMs),
    );
    if (this.#isOpen()) this.#store.putPushedOffset(offsetMs);
  }
}

/** The place of a key in one directory. */
const placeOf = ({ accountId, region }: DirectoryRow, keyId: string) =>
  `${accountId}/${region}/${keyId}`;
