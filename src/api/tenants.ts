// The control API's tenants: made, listed and deleted by whoever may do everything.

import { type Context, Hono } from "hono";
import { type Configuration, configurationFrom } from "../configuration/configuration.ts";
import type { NamedTenant } from "../objects/tenant-registry-store.ts";
import { answer, bodyOf, type ControlEnv } from "./control.ts";
import { tokenDigest } from "./control-access.ts";
import { durationMs } from "./duration.ts";
import { knownAccounts } from "./known-accounts.ts";
import { forgetTenant, isTenantName, registryOf } from "./known-tenants.ts";

/** What a body may ask for. */
interface Asked {
  readonly ttlMs: number | null;
  readonly keys: number | null;
  readonly requestsPerSecond: number | null;
  readonly storage: number | null;
  /** Whether to make a token for the tenant's own control API. */
  readonly token: boolean;
  /** Its principals; null leaves things as they are. */
  readonly configuration: Configuration | null;
}

/** No preview lives longer; a slip of the hand should not either. */
const MAX_TTL_MS = 10 * 366 * 86_400_000;
const MAX_LIMIT = 1_000_000_000_000;
const TOKEN_BYTES = 32;

export const tenants = new Hono<ControlEnv>();

tenants.get("/", async (c) => {
  const list = await registryOf(c.env).list();
  return answer(c, { tenants: list.map(shown) });
});

tenants.get("/:name", async (c) => {
  const tenant = await registryOf(c.env).find(c.req.param("name"));
  return tenant ? answer(c, shown(tenant)) : unknown(c);
});

tenants.put("/:name", async (c) => {
  const name = c.req.param("name");
  if (!isTenantName(name)) return answer(c, { error: NAMES }, 400);
  const asked = askedIn(await bodyOf(c));
  if ("error" in asked) return answer(c, asked, 400);
  const { token: wantsToken, configuration, ...limits } = asked;
  const token = wantsToken ? newToken() : null;
  const digest = token === null ? null : tokenDigest(token);
  const { tenant, isNew } = await registryOf(c.env).put({ name, ...limits, tokenDigest: digest });
  forgetTenant(name);
  // Who calls meanwhile is nobody yet.
  if (configuration) {
    await knownAccounts(c.env, c.get("settings"), tenant.generation).replace(configuration);
  }
  return answer(c, { ...shown(tenant), ...(token && { token }) }, isNew ? 201 : 200);
});

tenants.delete("/:name", async (c) => {
  const name = c.req.param("name");
  const removed = await registryOf(c.env).delete(name);
  forgetTenant(name);
  // Its name is free; what it held is gone, or goes as soon as what hindered it has passed.
  return removed === null ? unknown(c) : answer(c, { name, removed }, removed ? 200 : 202);
});

const NAMES = "A tenant's name is 1 to 63 small letters, digits and hyphens.";
const USAGE =
  'Send {}, or some of {"ttl": "PT2H", "limits": {"keys": 100, "requestsPerSecond": 50, "storage": 100000000}, ' +
  '"token": true, "accounts": {…}}, accounts as in edge-kms.yaml.';

const unknown = (c: Context) => answer(c, { error: "There is no tenant of this name." }, 404);

/** The digest of its token stays here, its generation too. */
const shown = ({ name, createdAt, expiresAt, ...rest }: NamedTenant) => ({
  name,
  path: `/t/${name}`,
  createdAt: new Date(createdAt).toISOString(),
  expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  limits: { keys: rest.keys, requestsPerSecond: rest.requestsPerSecond, storage: rest.storage },
});

function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function askedIn(body: unknown): Asked | { readonly error: string } {
  const members = membersOf(body, ["ttl", "limits", "token", "accounts"]);
  const limits =
    members && membersOf(members.limits ?? {}, ["keys", "requestsPerSecond", "storage"]);
  if (!members || !limits) return { error: USAGE };
  const { ttl, token = false } = members;
  const ttlMs = ttl === undefined ? null : typeof ttl === "string" ? durationMs(ttl) : Number.NaN;
  if (ttl !== undefined && !(ttlMs !== null && ttlMs >= 1000 && ttlMs <= MAX_TTL_MS)) {
    return { error: "ttl has to be an ISO 8601 duration from PT1S to P3660D." };
  }
  const { keys = null, requestsPerSecond = null, storage = null } = limits;
  if (!isLimit(keys) || !isLimit(requestsPerSecond) || !isLimit(storage)) {
    return { error: `A limit has to be a whole number from 1 to ${MAX_LIMIT}.` };
  }
  if (typeof token !== "boolean") return { error: "token has to be true or false." };
  const configuration = configurationIn(members);
  if (configuration && "error" in configuration) return configuration;
  return { ttlMs, keys, requestsPerSecond, storage, token, configuration };
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

const isLimit = (value: unknown): value is number | null =>
  value === null || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_LIMIT);
