// The directory of one account in one Region: which keys it has, and its aliases. What a key set
// tells it, and the rules of aliases. https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html

import { KmsError, validation } from "../errors.ts";
import { isKeyId } from "./arn.ts";
import { type KeySet, keyIn } from "./key-set.ts";
import type { KeySpec, KeyUsage } from "./key-spec.ts";
import { isAwsAlias } from "./managed-key.ts";
import type { Region } from "./region.ts";
import {
  changesRetirable,
  type GrantNews,
  grantNews,
  type RetirableGrants,
} from "./retirable-grant.ts";
import { goneAt } from "./schedule.ts";

/** What a directory knows of one key. It is a state, not an event: a newer one replaces it. */
export interface DirectoryEntry {
  readonly keyId: string;
  /** Grows with every change of the key set, so that late deliveries are recognised. */
  readonly version: number;
  /** False once the Region's key is gone. */
  readonly present: boolean;
  /** Tells a key from an earlier one of the same ID in this Region. Ms since the epoch. */
  readonly createdAt: number;
  /** The instant from which the key is gone, or null where that is not known. */
  readonly goneAt: number | null;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  /** Of an AWS managed key: its alias, which comes with it. */
  readonly awsAlias?: string;
}

export interface Alias {
  /** The whole name, `alias/…`. */
  readonly name: string;
  readonly keyId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A directory at one moment: gone keys, and the aliases of gone keys, are not in it. */
export interface Directory {
  /** Live keys in the order of their IDs, after `after`. */
  keys(after: string, limit: number): readonly DirectoryEntry[];
  /** Live aliases in the order of their names, after `after`, of one key where `keyId` is given. */
  aliases(after: string, limit: number, keyId: string | null): readonly Alias[];
  alias(name: string): Alias | null;
  key(keyId: string): DirectoryEntry | null;
  aliasCount(keyId: string): number;
  /** Live customer managed keys. */
  keyCount(): number;
  /** Takes in what a key set says of its key; an older version changes nothing. */
  putKey(entry: DirectoryEntry): void;
  putAlias(alias: Alias): void;
  deleteAlias(name: string): void;
  /** What principals of this account may retire, on keys of whatever account. */
  readonly retirable: RetirableGrants;
}

/** What the directory of `region` has to know of this set's key there. */
export function directoryEntry(set: KeySet, region: Region): DirectoryEntry {
  const key = keyIn(set, region);
  return {
    keyId: set.keyId,
    version: set.version,
    present: key !== null,
    createdAt: key?.createdAt ?? 0,
    goneAt: goneAt(set, region),
    keySpec: set.keySpec,
    keyUsage: set.keyUsage,
    ...(set.awsAlias !== undefined && { awsAlias: set.awsAlias }),
  };
}

/** Takes in what a key set says of its key; the alias of an AWS managed key comes with it. */
export function takeIn(directory: Directory, entry: DirectoryEntry): void {
  directory.putKey(entry);
  const { awsAlias, keyId, createdAt } = entry;
  if (awsAlias === undefined || directory.alias(awsAlias) || !directory.key(keyId)) return;
  directory.putAlias({ name: awsAlias, keyId, createdAt, updatedAt: createdAt });
}

/** A change of a set as it is saved: with its version, and what to tell which directories. */
export interface Announced {
  readonly set: KeySet | null;
  readonly entries: ReadonlyMap<Region, DirectoryEntry>;
  /** What to tell which directories of retiring accounts. */
  readonly grants: readonly GrantNews[];
}

/** Gives a change that directories have to learn of the next version, and says what they learn. */
export function announce(before: KeySet | null, after: KeySet | null): Announced {
  const regions = changedRegions(before, after);
  if (regions.length === 0 && !changesRetirable(before, after)) {
    return { set: after, entries: new Map(), grants: [] };
  }
  const version = (before?.version ?? 0) + 1;
  const set = after && { ...after, version };
  // Of a set that is gone altogether only the absence of its keys is left to tell.
  const told = set ?? { ...(before as KeySet), version, keys: {} };
  return {
    set,
    entries: new Map(regions.map((region) => [region, directoryEntry(told, region)])),
    grants: grantNews(before, told, regions),
  };
}

/** The Regions whose key came, went, or has another instant from which it is gone. */
function changedRegions(before: KeySet | null, after: KeySet | null): readonly Region[] {
  if (before === after) return [];
  const seen = (set: KeySet | null, region: Region) => {
    const key = set && keyIn(set, region);
    return key ? `${key.createdAt} ${goneAt(set, region)}` : "";
  };
  const regions = new Set([...Object.keys(before?.keys ?? {}), ...Object.keys(after?.keys ?? {})]);
  return ([...regions] as Region[]).filter(
    (region) => seen(before, region) !== seen(after, region),
  );
}

const ALIAS_PREFIX = "alias/";

/** Holds a name that a caller wants to create, move or delete to the rules for alias names. */
export function requireAliasName(name: string): void {
  if (!name.startsWith(ALIAS_PREFIX)) {
    // Recorded on AWS.
    throw new KmsError(
      "ValidationException",
      'Alias must start with the prefix "alias/". Please see ' +
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
  }
  if (isAwsAlias(name)) throw new KmsError("NotAuthorizedException");
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) {
    const text = `${name} contains invalid characters for an alias`;
    // The model's pattern has the colon; moto's authors saw it refused like this.
    throw name.includes(":") ? validation(text) : new KmsError("InvalidAliasNameException", text);
  }
}

/** Refuses a target that is itself an alias. */
export function requireKeyTarget(keyId: string): void {
  if (!isKeyId(keyId) && /^(alias\/|arn:[^:]*:kms:[^:]*:[^:]*:alias\/)/.test(keyId)) {
    throw new KmsError("ValidationException", "Aliases must refer to keys. Not aliases");
  }
}
