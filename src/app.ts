// The routes: KMS itself, health, and the control API.

import { Hono } from "hono";
import { accounts } from "./api/accounts.ts";
import { backing } from "./api/backing.ts";
import { clock } from "./api/clock.ts";
import { explain } from "./api/explain.ts";
import { failed, handle } from "./api/handle.ts";
import { isQuery } from "./api/sts.ts";
import { type WorkerSettings, workerSettingsFrom } from "./settings.ts";

export const app = new Hono<{ Bindings: Env }>();

app.post("/", (c) => handle(c.req.raw, { env: c.env, settings: settingsOf(c.env) }));
// A presigned request to STS, which may be a GET.
app.get("/", (c, next) =>
  isQuery(c.req.raw) ? handle(c.req.raw, { env: c.env, settings: settingsOf(c.env) }) : next(),
);
app.get("/health", (c) => c.json({ status: "ok" }));
app.route("/_edge-kms/clock", clock);
app.route("/_edge-kms/clusters", backing("cluster"));
app.route("/_edge-kms/vpc-endpoint-services", backing("endpointService"));
app.route("/_edge-kms/accounts", accounts);
app.route("/_edge-kms/explain", explain);
app.onError((error) => failed(error, crypto.randomUUID()));

let settings: WorkerSettings | undefined;

/** The variables of a Worker never change while it runs. */
function settingsOf(env: Env): WorkerSettings {
  settings ??= workerSettingsFrom(env);
  return settings;
}
