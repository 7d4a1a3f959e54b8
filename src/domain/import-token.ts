// Import tokens: what GetParametersForImport gives out and ImportKeyMaterial takes back. A token holds
// the private half of its wrapping key, sealed, so that nothing is kept of any number of open ones.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html

import { attempt } from "../crypto/attempt.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { SEAL_IV_BYTES, SEAL_SECRET_BYTES, seal, unseal } from "../crypto/seal.ts";
import { DAY_MS, type Moment } from "./moment.ts";
import type { WrappingAlgorithm } from "./wrapping.ts";

/** How long a token and its wrapping key are good for. */
export const IMPORT_TOKEN_MS = DAY_MS;

/** What a token says to those who can open it. */
export interface ImportToken {
  readonly algorithm: WrappingAlgorithm;
  /** The wrapping key's private half: PKCS #8 (DER), in base64. */
  readonly privateKey: string;
  /** The instant from which it is expired. Ms since the epoch. */
  readonly validTo: number;
}

/** What seals the import tokens of one key set, in base64. */
export const newImportSecret = (random: Moment["random"]): string =>
  toBase64(random(SEAL_SECRET_BYTES));

/** A token for the key of this ARN, in base64. */
export function sealImportToken(
  token: ImportToken,
  secret: string,
  arn: string,
  random: Moment["random"],
): string {
  const content = utf8.encode(JSON.stringify(token));
  return toBase64(seal(fromBase64(secret), purposeOf(arn), random(SEAL_IV_BYTES), content));
}

/** What a token says, or null where it is none, was altered, or is another key's or Region's. */
export function openImportToken(base64: string, secret: string, arn: string): ImportToken | null {
  const content = unseal(fromBase64(secret), purposeOf(arn), fromBase64(base64));
  return content && attempt(() => JSON.parse(new TextDecoder().decode(content)) as ImportToken);
}

const utf8 = new TextEncoder();

const purposeOf = (arn: string) => utf8.encode(`edge-kms import token ${arn}`);
