// Who may use the control API: whoever has the admin token, and without one, where everyone is served
// anyway, who calls from this machine and by its own name. So no web page can: one cannot send the
// token, and the Host of a name that was bound to this machine behind its back is another.

import { sameBytes } from "../crypto/bytes.ts";
import { hash } from "../crypto/hash.ts";
import type { WorkerSettings } from "../settings.ts";
import { addressOf } from "./request-context.ts";

export interface ControlRefusal {
  readonly status: 401 | 403;
  readonly text: string;
}

/** Why a request may not use the control API, or null where it may. */
export function controlRefusal(
  request: Request,
  { adminToken, auth }: WorkerSettings,
): ControlRefusal | null {
  const { headers, url } = request;
  if (adminToken !== "") {
    const [, token = ""] = /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    if (sameText(token, adminToken)) return null;
    return { status: 401, text: "Send the admin token: Authorization: Bearer …" };
  }
  if (auth !== "open") return { status: 401, text: "Set the variable ADMIN_TOKEN to use this." };
  const { hostname, host } = new URL(url);
  const origin = headers.get("origin");
  const isOwnPage = origin === null || origin === `http://${host}`;
  const address = addressOf(request);
  const isHere = address === null || LOOPBACK.test(address);
  if (LOOPBACK.test(hostname) && isHere && isOwnPage) return null;
  return { status: 403, text: "Call localhost, or set the variable ADMIN_TOKEN and send it." };
}

const LOOPBACK = /^(localhost|(::ffff:)?127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Of whatever lengths, in the same time. */
const sameText = (a: string, b: string) => sameBytes(digest(a), digest(b));
const digest = (text: string) => hash("sha256", new TextEncoder().encode(text));
