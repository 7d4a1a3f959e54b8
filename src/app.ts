// The routes: KMS itself, health, and the control API; for the default tenant and, below `/t/<name>`,
// for all others.

import { type Context, Hono } from "hono";
import { accounts } from "./api/accounts.ts";
import { backing } from "./api/backing.ts";
import { clock } from "./api/clock.ts";
import { guarded } from "./api/control.ts";
import { unknownTenant } from "./api/control-access.ts";
import { answerTo, preflight } from "./api/cross-origin.ts";
import { explain } from "./api/explain.ts";
import { failed, handle, noTenant } from "./api/handle.ts";
import { defaultTenant, tenantNamed } from "./api/known-tenants.ts";
import { isQuery } from "./api/sts.ts";
import { tenants } from "./api/tenants.ts";
import { type WorkerSettings, workerSettingsFrom } from "./settings.ts";

export const app = new Hono<{ Bindings: Env }>();

app.get("/health", (c) => c.json({ status: "ok" }));
for (const path of ["/", "/t/:tenant", "/t/:tenant/"]) {
  app.post(path, serve);
  // A presigned request to STS, which may be a GET.
  app.get(path, (c, next) => (isQuery(c.req.raw) ? serve(c) : next()));
  app.options(path, async (c, next) => preflight(c.req.raw, settingsOf(c.env)) ?? next());
}
for (const path of ["/_edge-kms", "/t/:tenant/_edge-kms"]) {
  const control = guarded();
  control.route("/clock", clock);
  control.route("/clusters", backing("cluster"));
  control.route("/vpc-endpoint-services", backing("endpointService"));
  control.route("/accounts", accounts);
  control.route("/explain", explain);
  if (path === "/_edge-kms") control.route("/tenants", tenants);
  app.route(path, control);
}
app.onError((error, c) => failed(error, crypto.randomUUID(), c.env));

async function serve(c: Context<{ Bindings: Env }>): Promise<Response> {
  return answerTo(c.req.raw, settingsOf(c.env), await served(c));
}

async function served(c: Context<{ Bindings: Env }>): Promise<Response> {
  const name = c.req.param("tenant");
  const settings = settingsOf(c.env);
  const tenant =
    name === undefined ? defaultTenant(settings) : await tenantNamed(c.env, settings, name);
  if (!tenant) return noTenant(c.req.raw, unknownTenant(c.req.raw).status);
  return handle(c.req.raw, { env: c.env, settings, ...tenant });
}

let known: WorkerSettings | undefined;

/** The variables of a Worker never change while it runs. */
function settingsOf(env: Env): WorkerSettings {
  known ??= workerSettingsFrom(env);
  return known;
}
