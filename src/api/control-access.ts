// Who may use the control API: whoever has the admin token, for one tenant also whoever has that
// one's token, and without an admin token, where everyone is served anyway, who calls from this
// machine and by its own name. So no web page can: one cannot send a token, the Host of a name that
// was bound to this machine behind its back is another, and a form's body is of no type taken here.

import { toBase64 } from "../crypto/base64.ts";
import { sameBytes } from "../crypto/bytes.ts";
import { hash } from "../crypto/hash.ts";
import { limits } from "../domain/limits.ts";
import type { WorkerSettings } from "../settings.ts";
import { Attempts } from "./attempts.ts";
import type { Tenant } from "./known-tenants.ts";
import { isLoopback } from "./loopback.ts";
import { addressOf } from "./request-context.ts";

/** Who is let in: to everything, or to one tenant's own control API. */
export type ControlRole = "admin" | "tenant";

export interface ControlRefusal {
  readonly status: 401 | 403 | 415 | 429;
  readonly text: string;
}

const TOO_MANY: ControlRefusal = { status: 429, text: "Too many wrong attempts: wait a minute." };
const UNKNOWN: ControlRefusal = {
  status: 401,
  text: "The token or the tenant is not known. Send a token: Authorization: Bearer …",
};

const wrongTokens = new Attempts(limits.control.wrongTokens.standard);
const unknownTenants = new Attempts(limits.control.unknownTenants.standard);

/**
 * Who a request to the control API comes from, or why it may not use it. `tenant` is null where
 * there is none of the name that was called: then nobody learns more than that of a wrong token.
 */
export function controlAccess(
  request: Request,
  settings: Pick<WorkerSettings, "adminToken" | "auth">,
  tenant: Tenant | null,
): ControlRole | ControlRefusal {
  const address = addressOf(request) ?? "";
  if (isForeign(request)) return { status: 403, text: "Pages of other sites may not call this." };
  if (wrongTokens.isSpent(address, Date.now())) return TOO_MANY;
  const role = roleOf(request, settings, tenant);
  if (typeof role !== "string") return role;
  if (role === "nobody") {
    return wrongTokens.wrong(address, Date.now()) ? TOO_MANY : UNKNOWN;
  }
  return tenant ? (typeRefusal(request) ?? role) : unknownTenant(request);
}

/** What is said, of KMS as well, where there is no tenant of a name, and to who asks too often. */
export function unknownTenant(request: Request): ControlRefusal {
  const address = addressOf(request) ?? "";
  return unknownTenants.wrong(address, Date.now()) ? TOO_MANY : UNKNOWN;
}

/** How a tenant's token is kept. */
export const tokenDigest = (token: string): string => toBase64(digest(token));

function roleOf(
  request: Request,
  { adminToken, auth }: Pick<WorkerSettings, "adminToken" | "auth">,
  tenant: Tenant | null,
): ControlRole | "nobody" | ControlRefusal {
  const [, token = ""] = /^Bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  // Both are looked at, so that the time it takes says nothing of the tenant.
  const isAdmin = sameText(token, adminToken) && adminToken !== "";
  const isTenants = sameText(tokenDigest(token), tenant?.tokenDigest ?? "");
  if (isAdmin) return "admin";
  if (isTenants) return "tenant";
  if (adminToken !== "" || token !== "") return "nobody";
  if (auth !== "open")
    return { status: 401, text: "Start the server with the variable ADMIN_TOKEN, and send it." };
  if (isOfThisMachine(request)) return "admin";
  return { status: 403, text: "Call localhost, or set the variable ADMIN_TOKEN and send it." };
}

/** A browser says so of every request that could change something. */
function isForeign({ headers, url }: Request): boolean {
  const origin = headers.get("origin");
  return origin !== null && origin !== new URL(url).origin;
}

function isOfThisMachine(request: Request): boolean {
  const address = addressOf(request);
  return isLoopback(new URL(request.url).hostname) && (address === null || isLoopback(address));
}

/** What a form of a web page can send is not among what is taken. */
function typeRefusal({ method, url, headers }: Request): ControlRefusal | null {
  if (method !== "POST" && method !== "PUT") return null;
  const type = headers.get("content-type") ?? "";
  if (JSON_TYPE.test(type)) return null;
  const isAccounts = new URL(url).pathname.endsWith("/_edge-kms/accounts");
  if (!isAccounts) return { status: 415, text: "Send application/json." };
  return YAML_TYPE.test(type)
    ? null
    : { status: 415, text: "Send application/json or application/yaml." };
}

const JSON_TYPE = /^application\/json\s*(;|$)/i;
const YAML_TYPE = /^application\/yaml\s*(;|$)/i;

/** Of whatever lengths, in the same time. */
const sameText = (a: string, b: string) => sameBytes(digest(a), digest(b));
const digest = (text: string) => hash("sha256", new TextEncoder().encode(text));
