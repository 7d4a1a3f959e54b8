// The tenants, as an isolate knows them: which generation a name means. As with principals, the
// registry is asked again at most every two seconds, by the request that finds its answer old, and
// what is older than four decides nothing. So a tenant that was deleted is served for four seconds
// at most, and by objects that refuse, or know of nothing, as soon as they are erased.

import { RequestRates } from "../domain/request-rate.ts";
import { heldLimits, parseTenantLimits, type TenantLimits } from "../domain/tenant-limits.ts";
import { KmsError } from "../errors.ts";
import { DEFAULT_GENERATION, TENANT_REGISTRY } from "../objects/names.ts";
import type { NamedTenant } from "../objects/tenant-registry-store.ts";
import type { WorkerSettings } from "../settings.ts";
import { forgetAccounts } from "./known-accounts.ts";

const FRESH_MS = 2000;
const STALE_MS = 4000;
/** More than these are asked for again. */
const MAX_KNOWN = 500;

/** A tenant as requests need to know it. */
export interface Tenant {
  readonly generation: string;
  /** SHA-256 in base64 of the token of its own control API; null where it has none. */
  readonly tokenDigest: string | null;
  /** Throws ThrottlingException for a request that is too many. */
  readonly requireRate: () => void;
}

/** The setting that holds for who has no limits of their own. */
type LimitsSetting = Pick<WorkerSettings, "tenantLimits">;

interface Known {
  readonly row: NamedTenant;
  readonly tenant: Tenant;
  readAt: number;
  askedAt: number;
}

const known = new Map<string, Known>();

/** What each tenant, by its generation, asks of this isolate in a second. */
const rates = new RequestRates(MAX_KNOWN);

let ofDefault: { readonly tenantLimits: string; readonly tenant: Tenant } | undefined;

/** The tenant that is always there: what it may do the setting says alone, so nobody is asked. */
export function defaultTenant({ tenantLimits }: LimitsSetting): Tenant {
  if (ofDefault?.tenantLimits !== tenantLimits) {
    const tenant = tenantOf(DEFAULT_GENERATION, null, parseTenantLimits(tenantLimits));
    ofDefault = { tenantLimits, tenant };
  }
  return ofDefault.tenant;
}

/** The tenant of a name, or null. */
export async function tenantNamed(
  env: Env,
  settings: LimitsSetting,
  name: string,
): Promise<Tenant | null> {
  if (!isTenantName(name)) return null;
  const now = Date.now();
  const entry = known.get(name);
  if (entry && isCurrent(entry, now)) {
    const { expiresAt } = entry.row;
    return expiresAt === null || now < expiresAt ? entry.tenant : null;
  }
  if (entry) entry.askedAt = now;
  const row = await registryOf(env).find(name);
  // Others may have asked meanwhile, and later.
  const held = known.get(name);
  if (held && held.readAt > now) return held.tenant;
  if (held && held.row.generation !== row?.generation) forgetTenant(name);
  if (!row) return null;
  return remembered(row, settings, now);
}

/** 1 to 63 small letters, digits and hyphens. */
export const isTenantName = (name: string): boolean => /^[a-z0-9-]{1,63}$/.test(name);

export const registryOf = (env: Env) => env.TENANT_REGISTRY.getByName(TENANT_REGISTRY);

/** Here at once; elsewhere within seconds. */
export function forgetTenant(name: string): void {
  const entry = known.get(name);
  if (entry) forgetAccounts(entry.row.generation);
  known.delete(name);
}

function isCurrent({ readAt, askedAt }: Known, now: number): boolean {
  const age = Math.abs(now - readAt);
  return age < FRESH_MS || (age < STALE_MS && Math.abs(now - askedAt) < FRESH_MS);
}

function tenantOf(
  generation: string,
  tokenDigest: string | null,
  { requestsPerSecond }: TenantLimits,
): Tenant {
  return {
    generation,
    tokenDigest,
    requireRate() {
      if (requestsPerSecond === null) return;
      if (rates.admits(generation, requestsPerSecond, Date.now())) return;
      throw new KmsError("ThrottlingException", "Rate exceeded");
    },
  };
}

function remembered(row: NamedTenant, { tenantLimits }: LimitsSetting, readAt: number): Tenant {
  const held = heldLimits(row, parseTenantLimits(tenantLimits));
  const tenant = tenantOf(row.generation, row.tokenDigest, held);
  known.delete(row.name);
  if (known.size >= MAX_KNOWN) {
    for (const [oldest] of known) {
      known.delete(oldest);
      break;
    }
  }
  known.set(row.name, { row, tenant, readAt, askedAt: readAt });
  return tenant;
}
