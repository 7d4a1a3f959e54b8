// Web pages of other origins (CORS). On AWS any page may call KMS: it has to sign. Where nobody has
// to (AUTH=open), the pages of this machine alone may.
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS

import type { WorkerSettings } from "../settings.ts";
import { answerHeaders } from "./answer-headers.ts";
import { isLoopback } from "./loopback.ts";

type Settings = Pick<WorkerSettings, "auth">;

/** Recorded on AWS, as are the names of the headers. */
const TWO_DAYS_S = "172800";
const EXPOSED = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date";

/** Answers a browser that asks what a page may send; null where no page that may call asks. */
export function preflight(request: Request, settings: Settings): Response | null {
  if (!mayCall(request, settings)) return null;
  const headers = new Headers(answerHeaders(crypto.randomUUID()));
  headers.set("access-control-allow-methods", "POST");
  headers.set("access-control-max-age", TWO_DAYS_S);
  const asked = request.headers.get("access-control-request-headers");
  if (asked !== null) headers.set("access-control-allow-headers", asked);
  return readable(new Response(null, { headers }));
}

/** The answer as the page that asked may read it, if it may. */
export function answerTo(request: Request, settings: Settings, answer: Response): Response {
  return mayCall(request, settings) ? readable(answer) : answer;
}

function mayCall({ headers }: Request, { auth }: Settings): boolean {
  const origin = headers.get("origin");
  if (origin === null) return false;
  return auth === "required" || (URL.canParse(origin) && isLoopback(new URL(origin).hostname));
}

function readable(answer: Response): Response {
  answer.headers.set("access-control-allow-origin", "*");
  answer.headers.set("access-control-expose-headers", EXPOSED);
  return answer;
}
