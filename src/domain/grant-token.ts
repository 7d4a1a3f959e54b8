// Grant tokens: what makes a new grant known to whoever answers the next request. A token names its
// key and its grant, and carries a MAC by a secret of the key set.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#grant_token

import { createHmac, timingSafeEqual } from "node:crypto";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { isKeyId } from "./arn.ts";
import { isGrantId } from "./grant.ts";
import { isRegion, type Region } from "./region.ts";

/** What a grant token says: the key and the grant. */
export interface GrantTokenContent {
  readonly accountId: string;
  readonly region: Region;
  readonly keyId: string;
  readonly grantId: string;
  /** Told apart from the other tokens of the grant. */
  readonly nonce: string;
}

/** Bytes of a key set's secret, and of the MAC. */
export const GRANT_SECRET_BYTES = 32;
const MAC_BYTES = 32;

/** A token for a grant; `secret` is the key set's own, in base64. Not secret itself. */
export function grantToken(content: GrantTokenContent, secret: string): string {
  const json = new TextEncoder().encode(JSON.stringify(content));
  const token = new Uint8Array(MAC_BYTES + json.length);
  token.set(macOf(json, secret));
  token.set(json, MAC_BYTES);
  return toBase64(token).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** What a token says, genuine or not; null for what is no token. */
export function readGrantToken(token: string): GrantTokenContent | null {
  const content = jsonOf(token);
  if (typeof content !== "object" || content === null) return null;
  const { accountId, region, keyId, grantId, nonce } = content as Record<string, unknown>;
  if (typeof accountId !== "string" || !/^\d{12}$/.test(accountId)) return null;
  if (typeof region !== "string" || !isRegion(region)) return null;
  if (typeof keyId !== "string" || !isKeyId(keyId)) return null;
  if (typeof grantId !== "string" || !isGrantId(grantId)) return null;
  return typeof nonce === "string" ? { accountId, region, keyId, grantId, nonce } : null;
}

/** Whether a token is one that the key set of this secret gave out. */
export function isGenuine(token: string, secret: string): boolean {
  const bytes = tokenBytes(token);
  if (!bytes) return false;
  return timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(bytes.subarray(MAC_BYTES), secret));
}

/** Like AWS's, tokens are base64 as it is written in URLs, without padding. */
function tokenBytes(token: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]+$/.test(token) || token.length % 4 === 1) return null;
  const padded = token.padEnd(Math.ceil(token.length / 4) * 4, "=");
  const bytes = fromBase64(padded.replaceAll("-", "+").replaceAll("_", "/"));
  return bytes.length > MAC_BYTES ? bytes : null;
}

function jsonOf(token: string): unknown {
  const bytes = tokenBytes(token);
  if (!bytes) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(MAC_BYTES)));
  } catch {
    return null;
  }
}

const macOf = (bytes: Uint8Array, secret: string) =>
  createHmac("sha256", fromBase64(secret)).update(bytes).digest();
