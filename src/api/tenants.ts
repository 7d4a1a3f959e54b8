// The control API's tenants: made, listed and deleted by whoever may do everything.

import { type Context, Hono } from "hono";
import { type Configuration, configurationFrom } from "../configuration/configuration.ts";
import { limits } from "../domain/limits.ts";
import {
  heldLimits,
  hostedTenantLimits,
  MAX_TENANT_LIMIT,
  parseTenantLimits,
  type TenantLimits,
  tenantLimitNames,
  tenantLimitsFrom,
} from "../domain/tenant-limits.ts";
import type { NamedTenant } from "../objects/tenant-registry-store.ts";
import { answer, bodyOf, type ControlEnv } from "./control.ts";
import { tokenDigest } from "./control-access.ts";
import { durationMs } from "./duration.ts";
import { knownAccounts } from "./known-accounts.ts";
import { forgetTenant, isTenantName, registryOf } from "./known-tenants.ts";

/** What a body may ask for. */
interface Asked extends TenantLimits {
  readonly ttlMs: number | null;
  /** Whether to make a token for the tenant's own control API. */
  readonly token: boolean;
  /** Its principals; null leaves things as they are. */
  readonly configuration: Configuration | null;
}

const MAX_TTL_DAYS = limits.control.ttl.standard;
const MAX_TTL_MS = MAX_TTL_DAYS * 86_400_000;
const TOKEN_BYTES = 32;

export const tenants = new Hono<ControlEnv>();

tenants.get("/", async (c) => {
  const list = await registryOf(c.env).list();
  return answer(c, { tenants: list.map((tenant) => shown(tenant, c)) });
});

tenants.get("/:name", async (c) => {
  const tenant = await registryOf(c.env).find(c.req.param("name"));
  return tenant ? answer(c, shown(tenant, c)) : unknown(c);
});

tenants.put("/:name", async (c) => {
  const name = c.req.param("name");
  if (!isTenantName(name)) return answer(c, { error: NAMES }, 400);
  const asked = askedIn(await bodyOf(c));
  if ("error" in asked) return answer(c, asked, 400);
  const { token: wantsToken, configuration, ...wanted } = asked;
  const token = wantsToken ? newToken() : null;
  const digest = token === null ? null : tokenDigest(token);
  const { tenant, isNew } = await registryOf(c.env).put({ name, ...wanted, tokenDigest: digest });
  forgetTenant(name);
  // Who calls meanwhile is nobody yet.
  if (configuration) {
    await knownAccounts(c.env, c.get("settings"), tenant.generation).replace(configuration);
  }
  return answer(c, { ...shown(tenant, c), ...(token && { token }) }, isNew ? 201 : 200);
});

tenants.delete("/:name", async (c) => {
  const name = c.req.param("name");
  const removed = await registryOf(c.env).delete(name);
  forgetTenant(name);
  // Its name is free; what it held is gone, or goes as soon as what hindered it has passed.
  return removed === null ? unknown(c) : answer(c, { name, removed }, removed ? 200 : 202);
});

const NAMES = "A tenant's name is 1 to 63 small letters, digits and hyphens.";
const EXAMPLE = { ttl: "PT2H", limits: hostedTenantLimits, token: true };
const USAGE = `Send {}, or some of ${JSON.stringify(EXAMPLE)} and "accounts" as in edge-kms.yaml.`;

const unknown = (c: Context) => answer(c, { error: "There is no tenant of this name." }, 404);

/** With the limits that hold for it. The digest of its token stays here, its generation too. */
const shown = ({ name, createdAt, expiresAt, ...rest }: NamedTenant, c: Context<ControlEnv>) => ({
  name,
  path: `/t/${name}`,
  createdAt: new Date(createdAt).toISOString(),
  expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  limits: heldLimits(rest, parseTenantLimits(c.get("settings").tenantLimits)),
});

function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function askedIn(body: unknown): Asked | { readonly error: string } {
  const members = membersOf(body, ["ttl", "limits", "token", "accounts"]);
  const given = members && membersOf(members.limits ?? {}, tenantLimitNames);
  if (!members || !given) return { error: USAGE };
  const { ttl, token = false } = members;
  const ttlMs = ttl === undefined ? null : typeof ttl === "string" ? durationMs(ttl) : Number.NaN;
  if (ttl !== undefined && !(ttlMs !== null && ttlMs >= 1000 && ttlMs <= MAX_TTL_MS)) {
    return { error: `ttl has to be an ISO 8601 duration from PT1S to P${MAX_TTL_DAYS}D.` };
  }
  const own = tenantLimitsFrom(given);
  if (!own) return { error: `A limit has to be a whole number from 1 to ${MAX_TENANT_LIMIT}.` };
  if (typeof token !== "boolean") return { error: "token has to be true or false." };
  const configuration = configurationIn(members);
  if (configuration && "error" in configuration) return configuration;
  return { ttlMs, ...own, token, configuration };
}

/** The accounts among the members; null where there are none. No text shows a value. */
function configurationIn({
  accounts,
}: Record<string, unknown>): Configuration | { readonly error: string } | null {
  if (accounts === undefined) return null;
  const configuration = configurationFrom({ accounts });
  if (!("fault" in configuration)) return configuration;
  const { path, text } = configuration.fault;
  return { error: `${path.join(".")} ${text}` };
}

/** The members of an object that has no others than these, or null. */
function membersOf(value: unknown, names: readonly string[]): Record<string, unknown> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return Object.keys(value).every((name) => names.includes(name))
    ? (value as Record<string, unknown>)
    : null;
}
