// What a key set is to its callers, as plainly as it can be said: a few fields per key, and one
// instant per key at which something happens to it. The system is held to this after every step.

import type { Region } from "../../src/domain/region.ts";

const DAY_MS = 86_400_000;

export interface ModelKey {
  state:
    | "Enabled"
    | "Disabled"
    | "Creating"
    | "Updating"
    | "PendingDeletion"
    | "PendingReplicaDeletion";
  /** When the state ends by itself; Infinity when it does not. */
  until: number;
  waitingPeriodDays: number;
  /** When its material has arrived. */
  readonly readyAt: number;
  readonly createdAt: number;
  description: string;
  readonly tags: Map<string, string>;
  /** The names of its grants. */
  readonly grants: Set<string>;
}

/** How long the system was told that things take. */
export const delays = { creatingMs: 2000, updatingMs: 2000, rotatingMs: 1000 };

export class ModelSet {
  primary: Region;
  readonly multiRegion: boolean;
  readonly keys = new Map<Region, ModelKey>();
  rotationPeriodDays: number | null = null;
  /** Rotations on demand that were acknowledged. */
  rotations = 0;

  constructor(primary: Region, multiRegion: boolean, now: number) {
    this.primary = primary;
    this.multiRegion = multiRegion;
    this.add(primary, "Enabled", now, Infinity);
  }

  get isGone(): boolean {
    return this.keys.size === 0;
  }

  get isUpdating(): boolean {
    return [...this.keys.values()].some(({ state }) => state === "Updating");
  }

  get replicas(): readonly Region[] {
    return [...this.keys.keys()].filter((region) => region !== this.primary).sort();
  }

  key(region: Region): ModelKey {
    const key = this.keys.get(region);
    if (!key) throw new Error(`the model has no key in ${region}`);
    return key;
  }

  is(region: Region, ...states: readonly ModelKey["state"][]): boolean {
    const key = this.keys.get(region);
    return key !== undefined && states.includes(key.state);
  }

  canEncrypt = (region: Region) => this.is(region, "Enabled", "Updating");

  canBeEdited = (region: Region) => this.is(region, "Enabled", "Disabled", "Creating", "Updating");

  canSetRotation = (region: Region) => region === this.primary && this.canEncrypt(region);

  canSchedule = (region: Region) => this.is(region, "Enabled", "Disabled", "Creating");

  canCancel = (region: Region) => this.is(region, "PendingDeletion", "PendingReplicaDeletion");

  canReplicate = (from: Region, to: Region) =>
    this.multiRegion &&
    from === this.primary &&
    this.is(from, "Enabled") &&
    !this.keys.has(to) &&
    !to.startsWith("cn-");

  canUpdatePrimary = (from: Region, to: Region) =>
    this.multiRegion &&
    from === this.primary &&
    from !== to &&
    this.is(from, "Enabled") &&
    this.is(to, "Enabled");

  add(region: Region, state: ModelKey["state"], now: number, until: number): void {
    const waitingPeriodDays = 0;
    this.keys.set(region, {
      state,
      until,
      waitingPeriodDays,
      readyAt: Number.isFinite(until) ? until : now,
      createdAt: now,
      description: "",
      tags: new Map(),
      grants: new Set(),
    });
  }

  replicate(to: Region, now: number): void {
    this.add(to, "Creating", now, now + delays.creatingMs);
  }

  updatePrimary(to: Region, now: number): void {
    for (const key of [this.key(this.primary), this.key(to)]) {
      key.state = "Updating";
      key.until = now + delays.updatingMs;
    }
    this.primary = to;
  }

  schedule(region: Region, days: number, now: number): void {
    const key = this.key(region);
    const waits = region === this.primary && this.keys.size > 1;
    key.state = waits ? "PendingReplicaDeletion" : "PendingDeletion";
    key.waitingPeriodDays = days;
    key.until = waits ? Infinity : now + days * DAY_MS;
  }

  cancel(region: Region): void {
    const key = this.key(region);
    key.state = "Disabled";
    key.until = Infinity;
  }

  /** A replica that was to be deleted before its material arrived goes on waiting for it. */
  enable(region: Region, now: number): void {
    const key = this.key(region);
    if (key.readyAt <= now) {
      key.state = "Enabled";
      return;
    }
    key.state = "Creating";
    key.until = key.readyAt;
  }

  /** Lets everything happen that happens until `now`, in the order of its instants. */
  tick(now: number): void {
    for (;;) {
      const [region, key] = [...this.keys].sort(([, a], [, b]) => a.until - b.until)[0] ?? [];
      if (!region || !key || key.until > now) return;
      this.#end(region, key);
    }
  }

  #end(region: Region, key: ModelKey): void {
    const at = key.until;
    key.until = Infinity;
    if (key.state !== "PendingDeletion") {
      key.state = "Enabled";
      return;
    }
    this.keys.delete(region);
    if (region === this.primary) {
      this.keys.clear();
      return;
    }
    const primary = this.key(this.primary);
    if (this.keys.size > 1 || primary.state !== "PendingReplicaDeletion") return;
    primary.state = "PendingDeletion";
    primary.until = at + primary.waitingPeriodDays * DAY_MS;
  }
}
