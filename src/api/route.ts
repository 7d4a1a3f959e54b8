// From a request to the key set that holds its key.

import { fromBase64 } from "../crypto/base64.ts";
import { ciphertextOrigin } from "../crypto/ciphertext-blob.ts";
import { aliasArn } from "../domain/arn.ts";
import { isAwsAlias } from "../domain/directory.ts";
import { aliasNotFound, KmsError, notBuilt } from "../errors.ts";
import {
  type AliasAddress,
  type KeyAddress,
  type KeyIdForms,
  namedKey,
} from "../operations/key-address.ts";
import type { Caller } from "../operations/operation.ts";

/** Looks an alias up in the directory of an account, in the called Region. */
export type ResolveAlias = (accountId: string, aliasName: string) => Promise<string | null>;

/** The key set that `keyId` names for this caller; only an alias costs a look-up. */
export function addressOf(
  keyId: string,
  forms: KeyIdForms,
  caller: Caller,
  resolve: ResolveAlias,
): KeyAddress | Promise<KeyAddress> {
  const named = namedKey(keyId, forms, caller);
  return "keyId" in named ? named : resolved(named, caller, resolve);
}

/**
 * The key set that a ciphertext names. Whether it is genuine the key set finds out. Throws
 * InvalidCiphertextException for what no key of edge-kms wrote.
 */
export function addressOfCiphertext(ciphertext: string): KeyAddress {
  const origin = ciphertextOrigin(fromBase64(ciphertext));
  if (!origin) throw new KmsError("InvalidCiphertextException");
  return origin;
}

async function resolved(
  { accountId, aliasName }: AliasAddress,
  caller: Caller,
  resolve: ResolveAlias,
): Promise<KeyAddress> {
  const keyId = await resolve(accountId, aliasName);
  if (keyId !== null) return { accountId, keyId };
  if (isAwsAlias(aliasName)) throw notBuilt(`The AWS managed key ${aliasName}`);
  throw aliasNotFound(aliasArn(caller.region, accountId, aliasName));
}
