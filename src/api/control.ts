// The control API: everything below `/_edge-kms/`, of the default tenant or of another, behind one
// guard.

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { isTenantGone } from "../objects/tenant-gone.ts";
import { type WorkerSettings, workerSettingsFrom } from "../settings.ts";
import {
  type ControlRefusal,
  type ControlRole,
  controlAccess,
  unknownTenant,
} from "./control-access.ts";
import { bodyText, parseBody } from "./json.ts";
import { defaultTenant, tenantNamed } from "./known-tenants.ts";

/** What the guard has found out. */
interface Found {
  readonly settings: WorkerSettings;
  readonly generation: string;
  readonly role: ControlRole;
}

/** The environment of the control API's routes. */
export interface ControlEnv {
  Bindings: Env;
  Variables: Found;
}

/** Routes behind the guard; `:tenant` in the path they are mounted at names the tenant. */
export function guarded(): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.use(async (c, next) => {
    const settings = workerSettingsFrom(c.env);
    const name = c.req.param("tenant");
    const tenant =
      name === undefined ? defaultTenant(settings) : await tenantNamed(c.env, settings, name);
    const access = controlAccess(c.req.raw, settings, tenant);
    if (typeof access !== "string") return refused(c, access);
    if (!tenant) throw new Error("a tenant that is not there was let in");
    c.set("settings", settings);
    c.set("generation", tenant.generation);
    c.set("role", access);
    await next();
    // It was deleted between the question and the answer.
    if (isTenantGone(c.error)) c.res = refused(c, unknownTenant(c.req.raw));
    return undefined;
  });
  return routes;
}

const refused = (c: Context, { status, text }: ControlRefusal) => {
  if (status === 401) c.header("www-authenticate", "Bearer");
  if (status === 429) c.header("retry-after", "60");
  return answer(c, { error: text }, status);
};

/** A body as JSON, `{}` for an empty one; null for what is none, or goes beyond the limits of KMS. */
export async function bodyOf(c: Context): Promise<unknown> {
  try {
    return parseBody(await bodyText(c.req.raw));
  } catch {
    return null;
  }
}

/** JSON with a line end, for those who read it in a terminal. */
export const answer = (c: Context, body: object, status: ContentfulStatusCode = 200) =>
  c.body(`${JSON.stringify(body)}\n`, status, { "content-type": "application/json" });
