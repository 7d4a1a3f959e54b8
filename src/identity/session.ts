// Sessions: temporary credentials that carry all there is to know of them in their token, so that
// nobody has to be asked when one is used. The token is signed, not encrypted: it says nothing that
// its holder has not asked for. Its secret access key is derived from it.
//
//   token  = base64(HMAC-SHA256(key, "token" ‖ JSON) ‖ JSON)
//   secret = base64(HMAC-SHA256(key, "secret" ‖ JSON)), its first 40 characters
//
// The key is the tenant's. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html

import { createHmac } from "node:crypto";
import { check, type Fault } from "../configuration/check.ts";
import { sessionPolicyFault } from "../configuration/configuration.ts";
import type { Schema } from "../configuration/schema.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { concat, sameBytes } from "../crypto/bytes.ts";

interface AnySession {
  readonly accessKeyId: string;
  readonly accountId: string;
  /** Real time, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Whether it was given to someone whose signature was verified. */
  readonly verified: boolean;
}

/** What AssumeRole gives. */
export interface RoleSession extends AnySession {
  readonly kind: "role";
  /** With the role's path. */
  readonly roleName: string;
  readonly sessionName: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Those of the tags that go on to the sessions this one begins. */
  readonly transitive: readonly string[];
  /** The inline session policy. */
  readonly policy: string | null;
  /** The managed session policies: what they say is what they say when the session is used. */
  readonly policyArns: readonly string[];
  /** Its own, or that of the session it was begun by. */
  readonly sourceIdentity: string | null;
}

/** What GetSessionToken gives a user, by way of one of the user's access keys. */
export interface UserSession extends AnySession {
  readonly kind: "user";
  readonly byAccessKeyId: string;
}

/** What GetSessionToken gives an account itself. */
export interface AccountSession extends AnySession {
  readonly kind: "account";
}

export type Session = RoleSession | UserSession | AccountSession;

/** A token taken apart; whether it is genuine is asked with `isGenuine`. */
export interface SessionToken {
  readonly session: Session;
  readonly mac: Uint8Array;
  readonly json: Uint8Array;
}

const MAC_BYTES = 32;
const utf8 = new TextEncoder();

/** The token of a session and the secret to sign with. */
export function sealed(session: Session, key: Uint8Array): { token: string; secret: string } {
  const json = utf8.encode(JSON.stringify(session));
  return { token: toBase64(concat(hmac(key, "token", json), json)), secret: secretOf(json, key) };
}

/** What a token says; null where it is none of ours. */
export function readToken(token: string): SessionToken | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token) || token.length % 4 !== 0) return null;
  const bytes = fromBase64(token);
  const json = bytes.subarray(MAC_BYTES);
  try {
    const session: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json),
    );
    return faultOf(session)
      ? null
      : { session: session as Session, mac: bytes.subarray(0, MAC_BYTES), json };
  } catch {
    return null;
  }
}

/** Whether a token was made with this key. */
export const isGenuine = ({ mac, json }: SessionToken, key: Uint8Array): boolean =>
  sameBytes(hmac(key, "token", json), mac);

/** The secret access key that belongs to a token. */
export const secretOf = (json: Uint8Array, key: Uint8Array): string =>
  toBase64(hmac(key, "secret", json)).slice(0, 40);

const hmac = (key: Uint8Array, purpose: "token" | "secret", json: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(utf8.encode(purpose)).update(json).digest();

// In open mode nobody's word is checked, so a token may say anything that has the right form.

const text: Schema = { type: "string" };
const common = {
  accessKeyId: { type: "string", pattern: "^ASIA\\w{3,124}$" },
  accountId: { type: "string", pattern: "^\\d{12}$" },
  expiresAt: { type: "number" },
  verified: { type: "boolean" },
} satisfies Record<string, Schema>;

const session = (kind: Session["kind"], own: Record<string, Schema>): Schema => {
  const properties: Record<string, Schema> = {
    ...common,
    kind: { type: "string", enum: [kind] },
    ...own,
  };
  return {
    type: "object",
    additionalProperties: false,
    properties,
    required: Object.keys(properties),
  };
};

const schemas: Readonly<Record<Session["kind"], Schema>> = {
  role: session("role", {
    roleName: { type: "string", pattern: "^([\\w+=,.@-]+/)*[\\w+=,.@-]{1,64}$" },
    sessionName: { type: "string", pattern: "^[\\w+=,.@-]{2,64}$" },
    tags: { type: "object", additionalProperties: text },
    transitive: { type: "array", items: text },
    policy: { type: ["string", "null"] },
    policyArns: { type: "array", items: text },
    sourceIdentity: { type: ["string", "null"], pattern: "^[\\w+=,.@-]{2,64}$" },
  }),
  user: session("user", { byAccessKeyId: text }),
  account: session("account", {}),
};

function faultOf(value: unknown): Fault | null {
  const { kind } = (value ?? {}) as { kind?: unknown };
  const schema = kind === "user" || kind === "account" ? schemas[kind] : schemas.role;
  return check(value, schema, schema) ?? policyFault(value as Session);
}

function policyFault(session: Session): Fault | null {
  const policy = session.kind === "role" ? session.policy : null;
  const text = policy === null ? null : sessionPolicyFault(policy);
  return text === null ? null : { path: ["policy"], text };
}
