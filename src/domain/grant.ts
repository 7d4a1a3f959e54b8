// Grants: what one lets its grantee do, and the tokens that make it known.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html

import { createHmac } from "node:crypto";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import type { KeyUsage } from "./key-spec.ts";

/** A grant on one Region's key. Instants are ms since the epoch. */
export interface Grant {
  /** 64 lower-case hex digits. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** An ARN, or null where the grantee is a service. */
  readonly granteePrincipal: string | null;
  readonly granteeServicePrincipal: string | null;
  readonly retiringPrincipal: string | null;
  readonly retiringServicePrincipal: string | null;
  /** The root of the account that made it. */
  readonly issuingAccount: string;
  readonly operations: readonly GrantOperation[];
  readonly constraints: GrantConstraints | null;
}

export interface GrantConstraints {
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>;
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>;
  readonly SourceArn?: string;
}

/** Operations of every grant, whatever its key. */
const general = ["CreateGrant", "RetireGrant", "DescribeKey"] as const;

/** What a grant on a key may name besides, by the usage of the key; the public key only of pairs. */
const byUsage = {
  ENCRYPT_DECRYPT: ["Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"],
  SIGN_VERIFY: ["Sign", "Verify"],
  GENERATE_VERIFY_MAC: ["GenerateMac", "VerifyMac"],
  KEY_AGREEMENT: ["DeriveSharedSecret"],
  ENCAPSULATE_DECAPSULATE: ["Encapsulate", "Decapsulate"],
} as const satisfies Record<KeyUsage, readonly string[]>;

const ofSymmetric = [
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
] as const;

const ofPairs = ["GetPublicKey"] as const;

export type GrantOperation =
  | (typeof general)[number]
  | (typeof byUsage)[KeyUsage][number]
  | (typeof ofSymmetric)[number]
  | (typeof ofPairs)[number];

export const grantOperations: readonly GrantOperation[] = [
  ...Object.values(byUsage).flat(),
  ...ofSymmetric,
  ...ofPairs,
  ...general,
];

/** The operations that a grant on a key may name. */
export function grantOperationsOf(
  usage: KeyUsage,
  material: "symmetric" | "hmac" | "pair",
): readonly GrantOperation[] {
  return [
    ...byUsage[usage],
    ...(material === "symmetric" ? ofSymmetric : []),
    ...(material === "pair" ? ofPairs : []),
    ...general,
  ];
}

/** Grants a key may have. */
export const MAX_GRANTS_PER_KEY = 50_000;
/** Pairs in a constraint's encryption context, and characters of a value. */
export const MAX_CONSTRAINT_PAIRS = 8;
export const MAX_CONSTRAINT_VALUE_LENGTH = 384;

/** What a grant token says: the key and the grant. */
export interface GrantTokenContent {
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
  readonly grantId: string;
  /** Told apart from the other tokens of the grant. */
  readonly nonce: string;
}

const MAC_BYTES = 32;

/** A token for a grant; `secret` is the key set's own, in base64. Not secret itself. */
export function grantToken(content: GrantTokenContent, secret: string): string {
  const json = new TextEncoder().encode(JSON.stringify(content));
  const token = new Uint8Array(MAC_BYTES + json.length);
  token.set(macOf(json, secret));
  token.set(json, MAC_BYTES);
  return toBase64(token);
}

/** What a token says, genuine or not; null for what is no token. */
export function readGrantToken(token: string): GrantTokenContent | null {
  const content = jsonOf(token);
  if (typeof content !== "object" || content === null) return null;
  const { accountId, region, keyId, grantId, nonce } = content as Record<string, unknown>;
  const members = { accountId, region, keyId, grantId, nonce };
  const whole = Object.values(members).every((member) => typeof member === "string");
  return whole ? (members as GrantTokenContent) : null;
}

/** Whether a token is one that this key set gave out. */
export function isGenuine(token: string, secret: string): boolean {
  const bytes = tokenBytes(token);
  if (!bytes) return false;
  const stated = bytes.subarray(0, MAC_BYTES);
  const mac = macOf(bytes.subarray(MAC_BYTES), secret);
  return (
    mac.reduce((difference, byte, index) => difference | (byte ^ (stated[index] ?? 0)), 0) === 0
  );
}

function tokenBytes(token: string): Uint8Array | null {
  if (token.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(token)) return null;
  const bytes = fromBase64(token);
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
