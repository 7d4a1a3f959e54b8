// Identifiers in the form of IAM's: a prefix of four letters that says of what, then base32.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids

import { hash } from "../crypto/hash.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The ID of a user or role, 21 characters: always the same for one name. */
export const uniqueId = (prefix: "AIDA" | "AROA", name: string): string =>
  prefix + base32(hash("sha256", new TextEncoder().encode(name)), 17);

/** The access key ID of a session, 20 characters, from 16 random bytes. */
export const sessionAccessKeyId = (random: Uint8Array): string => `ASIA${base32(random, 16)}`;

/** One character for each byte, which need not give the bytes back. */
const base32 = (bytes: Uint8Array, length: number): string =>
  Array.from(bytes.subarray(0, length), (byte) => ALPHABET[byte % 32]).join("");
