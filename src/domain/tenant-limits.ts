// What a tenant may have and do: as the table of limits names it, as a setting says it for all of
// them, and as it is said of one.

import { limits } from "./limits.ts";

export type TenantLimitName = keyof typeof limits.tenant;
/** null is as much as it likes; of what is said of one tenant, as much as the setting says. */
export type TenantLimits = Readonly<Record<TenantLimitName, number | null>>;

export const tenantLimitNames = Object.keys(limits.tenant) as TenantLimitName[];

const limitsBy = (limitOf: (name: TenantLimitName) => number | null) =>
  Object.fromEntries(tenantLimitNames.map((name) => [name, limitOf(name)])) as TenantLimits;

export const noTenantLimits = limitsBy(() => null);
export const hostedTenantLimits = limitsBy((name) => limits.tenant[name].standard);

/** How a setting says that tenants have no limits, and how that they have those of a deployment. */
export const NO_TENANT_LIMITS = "off";
export const HOSTED_TENANT_LIMITS = "hosted";

/** More than any tenant can have; a slip of the hand should not ask for more either. */
export const MAX_TENANT_LIMIT = 1_000_000_000_000;

const isTenantLimit = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_TENANT_LIMIT;

/** The limits that are said of one tenant; null where one of them is no limit. */
export function tenantLimitsFrom(given: Readonly<Record<string, unknown>>): TenantLimits | null {
  const said = limitsBy((name) => (given[name] ?? null) as number | null);
  const isGood = Object.values(said).every((limit) => limit === null || isTenantLimit(limit));
  return isGood ? said : null;
}

/** The limits among the properties of something that has others, too. */
export const tenantLimitsIn = (of: TenantLimits): TenantLimits => limitsBy((name) => of[name]);

/** What holds for a tenant: its own limits, and the setting's where it has none. */
export const heldLimits = (own: TenantLimits, ofSetting: TenantLimits): TenantLimits =>
  limitsBy((name) => own[name] ?? ofSetting[name]);

/**
 * The limits of a setting: `off` for none, `hosted` for those of a deployment, and names with values
 * of their own, as `keys=100` or `hosted,keys=100`; what is not named is not limited. Throws an Error.
 */
export function parseTenantLimits(text: string): TenantLimits {
  if (text === NO_TENANT_LIMITS) return noTenantLimits;
  if (text === HOSTED_TENANT_LIMITS) return hostedTenantLimits;
  const [first = "", ...rest] = text.split(",").map((pair) => pair.trim());
  const isOnHosted = first === HOSTED_TENANT_LIMITS;
  const pairs = isOnHosted ? rest : [first, ...rest];
  return {
    ...(isOnHosted ? hostedTenantLimits : noTenantLimits),
    ...Object.fromEntries(pairs.map(parsePair)),
  };
}

function parsePair(pair: string): readonly [TenantLimitName, number] {
  const [, word, digits] = /^(\w+)=(\d{1,13})$/.exec(pair) ?? [];
  const name = tenantLimitNames.find((candidate) => candidate === word);
  if (name && isTenantLimit(Number(digits))) return [name, Number(digits)];
  throw new Error(
    `expects ${NO_TENANT_LIMITS}, ${HOSTED_TENANT_LIMITS} or NAME=NUMBER,… (from 1 to ` +
      `${MAX_TENANT_LIMIT}) with the names ${tenantLimitNames.join(", ")}, not ${JSON.stringify(pair)}`,
  );
}
