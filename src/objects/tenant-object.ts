// One tenant: which accounts and Regions have a directory, the tenant's clock, and its principals.

import { DurableObject } from "cloudflare:workers";
import { type Configuration, EMPTY } from "../configuration/configuration.ts";
import { inChunks } from "./chunks.ts";
import { directoryName } from "./names.ts";
import { TenantStore } from "./tenant-store.ts";

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

const SESSION_KEY_BYTES = 32;

/** When the alarm tells everyone of the clock again, if a crash or a failure came between. */
const RETRY_MS = 2000;
/** How many directories are told at once. */
const TOLD_AT_ONCE = 16;

export class TenantObject extends DurableObject<Env> {
  readonly #store = new TenantStore(this.ctx.storage);
  /** A telling that is under way. */
  #telling: Promise<void> | null = null;

  /** Records a directory, before it has its first entry; returns the clock's offset in ms. */
  register(accountId: string, region: string): number {
    this.#store.putDirectory(accountId, region);
    return this.#store.clock().offsetMs;
  }

  clock(): Clock {
    const { offsetMs } = this.#store.clock();
    return { now: Date.now() + offsetMs, offsetMs };
  }

  /**
   * Moves the clock forward by `byMs`, or to the instant `toMs` where that is later than now, and
   * returns when everything that is then due has happened. The offset is saved before anyone is
   * told, so that the alarm makes good a crash in between.
   */
  async moveClock(move: { readonly byMs: number } | { readonly toMs: number }): Promise<Clock> {
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
    const { version, json } = this.#store.configuration() ?? { version: 0, json: null };
    if (version === known) return null;
    return { version, configuration: json === null ? EMPTY : (JSON.parse(json) as Configuration) };
  }

  putConfiguration(configuration: Configuration): void {
    this.#store.putConfiguration(JSON.stringify(configuration));
  }

  /** The key that the tokens of sessions are made with; made when it is first asked for. */
  sessionKey(): Uint8Array {
    return this.#store.sessionKey(crypto.getRandomValues(new Uint8Array(SESSION_KEY_BYTES)));
  }

  override async alarm(): Promise<void> {
    try {
      await this.#tell();
    } catch (cause) {
      console.error(JSON.stringify({ event: "the clock could not be told", cause: String(cause) }));
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
    }
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
    const generation = this.ctx.id.name ?? "";
    await inChunks(this.#store.directories(), TOLD_AT_ONCE, ({ accountId, region }) => {
      const name = directoryName(generation, accountId, region);
      return this.env.DIRECTORIES.getByName(name).moveClock(offsetMs);
    });
    this.#store.putPushedOffset(offsetMs);
  }
}
