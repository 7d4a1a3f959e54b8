// Which tenants there are. A name leads to a generation, which all names of a tenant's objects begin
// with; a name that is used again leads to another. What a tenant held is removed by its generation,
// if need be by the alarm, which also ends tenants whose time is up. docs/decisions/011-tenants.md

import { DurableObject } from "cloudflare:workers";
import { type TenantLimits, tenantLimitsIn } from "../domain/tenant-limits.ts";
import { logFailure } from "./log-failure.ts";
import type { TenantObject } from "./tenant-object.ts";
import { type NamedTenant, TenantRegistryStore } from "./tenant-registry-store.ts";

/** What is asked for of a tenant. */
export interface TenantWanted extends TenantLimits {
  readonly name: string;
  /** How long from now it is there, in milliseconds; null is for ever. */
  readonly ttlMs: number | null;
  /** Of a token that takes the place of any before it; null leaves things as they are. */
  readonly tokenDigest: string | null;
}

/** When the alarm tries again to remove what could not be removed. */
const RETRY_MS = 2000;
/** How often a tenant is asked at a time to go on removing. */
const STEPS_AT_ONCE = 100;

export class TenantRegistryObject extends DurableObject<Env> {
  readonly #store = new TenantRegistryStore(this.ctx.storage);
  /** Generations that are being made: no leftovers, though nobody has their name yet. */
  readonly #making = new Set<string>();

  find(name: string): NamedTenant | null {
    return this.#store.find(name, Date.now());
  }

  list(): readonly NamedTenant[] {
    return this.#store.list(Date.now());
  }

  /** Makes a tenant, or changes the time and the limits of the one of this name. */
  async put(
    wanted: TenantWanted,
  ): Promise<{ readonly tenant: NamedTenant; readonly isNew: boolean }> {
    this.#endExpired();
    const known = this.find(wanted.name);
    if (known) return { tenant: await this.#changed(known, wanted), isNew: false };
    const generation = crypto.randomUUID();
    this.#making.add(generation);
    try {
      // A crash from here on leaves a tenant without a name, for the alarm to remove.
      this.#store.putLeftover(generation);
      await this.#arm();
      await this.#tenant(generation).open(tenantLimitsIn(wanted));
      const other = this.find(wanted.name);
      if (other) return { tenant: await this.#changed(other, wanted), isNew: false };
      const now = Date.now();
      const made = { generation, createdAt: now, tokenDigest: null };
      const tenant = tenantFrom(wanted, made, now);
      this.#store.put(tenant);
      await this.#arm();
      return { tenant, isNew: true };
    } finally {
      this.#making.delete(generation);
    }
  }

  /**
   * Takes a tenant's name and removes all it holds; null where there is no such tenant, false where
   * the alarm has yet to finish. The name is free at once.
   */
  async delete(name: string): Promise<boolean | null> {
    const tenant = this.find(name);
    if (!tenant) return null;
    this.#store.remove(tenant);
    await this.#arm();
    return this.#removeLogged(tenant.generation);
  }

  override async alarm(): Promise<void> {
    this.#endExpired();
    for (const generation of this.#store.leftovers()) {
      if (!this.#making.has(generation)) await this.#removeLogged(generation);
    }
    await this.#arm();
  }

  async #changed(known: NamedTenant, wanted: TenantWanted): Promise<NamedTenant> {
    await this.#tenant(known.generation).limit(tenantLimitsIn(wanted));
    // It may have been deleted meanwhile, and its name be another's.
    if (this.find(known.name)?.generation !== known.generation) return known;
    const tenant = tenantFrom(wanted, known, Date.now());
    this.#store.put(tenant);
    await this.#arm();
    return tenant;
  }

  #endExpired(): void {
    for (const tenant of this.#store.expired(Date.now())) this.#store.remove(tenant);
  }

  async #removeLogged(generation: string): Promise<boolean> {
    try {
      return await this.#remove(generation);
    } catch (cause) {
      logFailure(this.env, "a tenant was not removed", cause);
      return false;
    }
  }

  /** Whether nothing is left of a generation. */
  async #remove(generation: string): Promise<boolean> {
    for (let step = 0; step < STEPS_AT_ONCE; step++) {
      if (!(await this.#tenant(generation).erase())) continue;
      this.#store.forgetLeftover(generation);
      return true;
    }
    return false;
  }

  #tenant(generation: string): DurableObjectStub<TenantObject> {
    return this.env.TENANTS.getByName(generation);
  }

  /** One alarm for whatever comes first: the next tenant's end, or removing what is left. */
  async #arm(): Promise<void> {
    const expiry = this.#store.nextExpiry() ?? Number.POSITIVE_INFINITY;
    const retry =
      this.#store.leftovers().length > 0 ? Date.now() + RETRY_MS : Number.POSITIVE_INFINITY;
    const next = Math.min(expiry, retry);
    if (next === Number.POSITIVE_INFINITY) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(next);
  }
}

const tenantFrom = (
  { name, ttlMs, tokenDigest, ...limits }: TenantWanted,
  of: Pick<NamedTenant, "generation" | "createdAt" | "tokenDigest">,
  now: number,
): NamedTenant => ({
  name,
  ...tenantLimitsIn(limits),
  generation: of.generation,
  createdAt: of.createdAt,
  expiresAt: ttlMs === null ? null : now + ttlMs,
  tokenDigest: tokenDigest ?? of.tokenDigest,
});
