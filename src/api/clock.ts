// The control API's clock: reads the tenant's time and moves it forward. Served only with the
// setting `--movable-clock`.

import { type Context, Hono } from "hono";
import { limits } from "../domain/limits.ts";
import type { Clock } from "../objects/tenant-object.ts";
import { answer, bodyOf, type ControlEnv } from "./control.ts";
import { durationMs } from "./duration.ts";

const MAX_YEARS = limits.control.clock.standard;
const MAX_OFFSET_MS = MAX_YEARS * 366 * 86_400_000;

export const clock = new Hono<ControlEnv>();

clock.use(async (c, next) => {
  if (!c.get("settings").movableClock) return c.notFound();
  return next();
});

clock.get("/", async (c) => answer(c, shown(await tenantOf(c).clock())));

clock.post("/", async (c) => {
  const body: unknown = await bodyOf(c);
  const move = moveFrom(body);
  if (!move) return answer(c, { error: USAGE }, 400);
  const tenant = tenantOf(c);
  const { now, offsetMs } = await tenant.clock();
  const byMs = "byMs" in move ? move.byMs : move.toMs - now;
  if (byMs < 0) return answer(c, { error: "The clock can only be moved forward." }, 400);
  if (offsetMs + byMs > MAX_OFFSET_MS) {
    return answer(c, { error: TOO_FAR }, 400);
  }
  return answer(c, shown(await tenant.moveClock(move)));
});

const TOO_FAR = `The clock can be at most ${MAX_YEARS} years ahead of real time.`;
const USAGE = 'Send {"advance": "P8D"} or {"set": "2027-01-01T00:00:00Z"}.';

const tenantOf = (c: Context<ControlEnv>) => c.env.TENANTS.getByName(c.get("generation"));

const shown = ({ now, offsetMs }: Clock) => ({ now: new Date(now).toISOString(), offsetMs });

type Move = { readonly byMs: number } | { readonly toMs: number };

/** What a body asks for, or null where it asks for nothing that can be done. */
function moveFrom(body: unknown): Move | null {
  if (typeof body !== "object" || body === null) return null;
  const { advance, set } = body as { advance?: unknown; set?: unknown };
  if ((advance === undefined) === (set === undefined)) return null;
  if (advance !== undefined) {
    const byMs = typeof advance === "string" ? durationMs(advance) : null;
    return byMs === null ? null : { byMs };
  }
  const toMs = typeof set === "string" ? instantMs(set) : null;
  return toMs === null ? null : { toMs };
}

/** An instant needs its time zone. */
const ISO_INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Date.parse takes far more than ISO 8601, and 30 February for 2 March. */
function instantMs(text: string): number | null {
  const [, day] = ISO_INSTANT.exec(text) ?? [];
  const ms = Date.parse(text);
  if (day === undefined || Number.isNaN(ms)) return null;
  return new Date(day).toISOString().startsWith(day) ? ms : null;
}
