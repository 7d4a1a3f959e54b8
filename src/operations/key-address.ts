// From what a caller calls a key to the account and key ID that it names.
// https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html

import { type ArnParts, isNamedKeyId, parseKeyReference } from "../domain/arn.ts";
import { partitionOf } from "../domain/region.ts";
import { invalidKeyId, invalidKeyIdOfArn, KmsError, noAliases } from "../errors.ts";
import type { Caller } from "./operation.ts";

/** Where a key set is: the account that owns it and the key ID its members share. */
export interface KeyAddress {
  readonly accountId: string;
  readonly keyId: string;
  /** The alias of an AWS managed key of the caller's own, which its first use makes. */
  readonly awsAlias?: string;
}

/** An alias has to be looked up before it is an address. */
export interface AliasAddress {
  readonly accountId: string;
  readonly aliasName: string;
}

/** What an operation takes for a key. */
export interface KeyIdForms {
  /** Whether an alias will do. */
  readonly aliases?: boolean;
  /** Whether InvalidArnException is among its errors; a malformed ARN gets it. */
  readonly invalidArn?: boolean;
}

/**
 * What `keyId` names for this caller. Throws NotFoundException with KMS's several texts, and
 * InvalidArnException.
 */
export function namedKey(
  keyId: string,
  forms: KeyIdForms,
  caller: Caller,
): KeyAddress | AliasAddress {
  const reference = parseKeyReference(keyId);
  switch (reference.kind) {
    case "keyId":
      return { accountId: caller.accountId, keyId: reference.keyId };
    case "keyArn":
      requireCalledRegion(reference.arn, caller);
      if (!isNamedKeyId(reference.keyId)) throw invalidKeyIdOfArn(reference.keyId);
      return { accountId: reference.arn.accountId, keyId: reference.keyId };
    case "aliasName":
      if (!forms.aliases) throw noAliases();
      return { accountId: caller.accountId, aliasName: reference.aliasName };
    case "aliasArn":
      if (!forms.aliases) throw noAliases();
      requireCalledRegion(reference.arn, caller);
      return { accountId: reference.arn.accountId, aliasName: reference.aliasName };
    case "malformed":
      throw forms.invalidArn
        ? new KmsError("InvalidArnException", `Invalid arn ${keyId}`)
        : invalidKeyId(keyId);
    case "unknown":
      throw invalidKeyId(keyId);
  }
}

/** An ARN of another Region is refused with that Region's name (recorded on AWS). */
function requireCalledRegion(arn: ArnParts, { region }: Caller): void {
  if (arn.region !== region || arn.partition !== partitionOf(region)) {
    throw new KmsError("NotFoundException", `Invalid arn ${arn.region}`);
  }
}
