// From a request to the key set that holds its key.

import { fromBase64 } from "../crypto/base64.ts";
import { ciphertextOrigin } from "../crypto/ciphertext-blob.ts";
import { aliasArn, keyArn } from "../domain/arn.ts";
import { isManagedAlias, managedKeyId } from "../domain/managed-key.ts";
import { aliasNotFound, KmsError, keyOutOfReach } from "../errors.ts";
import { keyOperations } from "../operations/index.ts";
import {
  type AliasAddress,
  type KeyAddress,
  type KeyIdForms,
  namedKey,
} from "../operations/key-address.ts";
import type { Caller, KeyRecord } from "../operations/operation.ts";
import { callerArn } from "../operations/permission.ts";

/** Looks an alias up in the directory of an account, in the called Region. */
export type ResolveAlias = (accountId: string, aliasName: string) => Promise<string | null>;

/** The key set that `keyId` names for this caller; only an alias that is not AWS's costs a look-up. */
export function addressOf(
  keyId: string,
  forms: KeyIdForms,
  caller: Caller,
  resolve: ResolveAlias,
): KeyAddress | Promise<KeyAddress> {
  const named = namedKey(keyId, forms, caller);
  if ("keyId" in named) return named;
  return managedKey(named, caller) ?? resolved(named, caller, resolve);
}

/** The same for a step of a request: of another account nobody learns which aliases there are. */
export function addressForStep(
  step: string,
  keyId: string,
  caller: Caller,
  resolve: ResolveAlias,
): KeyAddress | Promise<KeyAddress> {
  const record = keyOperations[step] as KeyRecord;
  return addressOf(keyId, record, caller, async (accountId, aliasName) => {
    const named = await resolve(accountId, aliasName);
    if (named !== null || accountId === caller.accountId) return named;
    throw keyOutOfReach(callerArn(caller), record.action ?? step, "named");
  });
}

/** The ARN of the key that `keyId` names in any form; null where it names none. */
export async function arnOfKey(
  keyId: string,
  caller: Caller,
  resolve: ResolveAlias,
): Promise<string | null> {
  try {
    const address = await addressOf(keyId, { aliases: true }, caller, resolve);
    return keyArn(caller.region, address.accountId, address.keyId);
  } catch (error) {
    // Whoever is about to use the key is told.
    if (error instanceof KmsError) return null;
    throw error;
  }
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

/** Where the caller's own AWS managed key of this alias is, or will be. */
function managedKey({ accountId, aliasName }: AliasAddress, caller: Caller): KeyAddress | null {
  if (accountId !== caller.accountId || !isManagedAlias(aliasName)) return null;
  const keyId = managedKeyId(accountId, caller.region, aliasName);
  return { accountId, keyId, awsAlias: aliasName };
}

async function resolved(
  { accountId, aliasName }: AliasAddress,
  caller: Caller,
  resolve: ResolveAlias,
): Promise<KeyAddress> {
  const keyId = await resolve(accountId, aliasName);
  if (keyId !== null) return { accountId, keyId };
  throw aliasNotFound(aliasArn(caller.region, accountId, aliasName));
}
