// From what a caller calls a key to the key set that holds it.
// https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html

import { fromBase64 } from "../crypto/base64.ts";
import { ciphertextOrigin } from "../crypto/ciphertext-blob.ts";
import { type ArnParts, aliasArn, isKeyId, parseKeyReference } from "../domain/arn.ts";
import { isAwsAlias } from "../domain/directory.ts";
import { partitionOf } from "../domain/region.ts";
import { aliasNotFound, invalidKeyId, KmsError, notBuilt } from "../errors.ts";
import type { Caller, KeyRecord } from "../operations/operation.ts";

/** Where a key set is: the account that owns it and the key ID its members share. */
export interface KeyAddress {
  readonly accountId: string;
  readonly keyId: string;
}

/** Looks an alias up in the directory of an account, in the called Region. */
export type ResolveAlias = (accountId: string, aliasName: string) => Promise<string | null>;

/**
 * The key set that `keyId` names for this caller. Throws NotFoundException with KMS's several
 * texts, and InvalidArnException where the operation has it. Only an alias costs a look-up.
 */
export function addressOf(
  keyId: string,
  record: Pick<KeyRecord, "aliases" | "invalidArn">,
  caller: Caller,
  resolve: ResolveAlias,
): KeyAddress | Promise<KeyAddress> {
  const reference = parseKeyReference(keyId);
  switch (reference.kind) {
    case "keyId":
      return { accountId: caller.accountId, keyId: reference.keyId };
    case "keyArn":
      requireCalledRegion(reference.arn, caller);
      if (!isKeyId(reference.keyId)) throw invalidKeyId(reference.keyId);
      return { accountId: reference.arn.accountId, keyId: reference.keyId };
    case "aliasName":
      if (!record.aliases) throw invalidKeyId(keyId);
      return resolved(reference.aliasName, caller.accountId, caller, resolve);
    case "aliasArn":
      if (!record.aliases) throw invalidKeyId(keyId);
      requireCalledRegion(reference.arn, caller);
      return resolved(reference.aliasName, reference.arn.accountId, caller, resolve);
    case "malformed":
      throw record.invalidArn
        ? new KmsError("InvalidArnException", `Invalid arn ${keyId}`)
        : invalidKeyId(keyId);
    case "unknown":
      throw invalidKeyId(keyId);
  }
}

/**
 * The key set that a ciphertext names. Of its header only the names are used here: the key set
 * finds out whether they are genuine. Throws InvalidCiphertextException.
 */
export function addressOfCiphertext(ciphertext: string): KeyAddress {
  const origin = ciphertextOrigin(fromBase64(ciphertext));
  if (!origin) throw new KmsError("InvalidCiphertextException");
  return origin;
}

/** An ARN of another Region is refused with that Region's name (recorded on AWS). */
function requireCalledRegion(arn: ArnParts, { region }: Caller): void {
  if (arn.region !== region || arn.partition !== partitionOf(region)) {
    throw new KmsError("NotFoundException", `Invalid arn ${arn.region}`);
  }
}

async function resolved(
  aliasName: string,
  accountId: string,
  caller: Caller,
  resolve: ResolveAlias,
): Promise<KeyAddress> {
  const keyId = await resolve(accountId, aliasName);
  if (keyId !== null) return { accountId, keyId };
  if (isAwsAlias(aliasName)) throw notBuilt(`The AWS managed key ${aliasName}`);
  throw aliasNotFound(aliasArn(caller.region, accountId, aliasName));
}
