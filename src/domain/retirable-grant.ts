// The index behind ListRetirableGrants: what the directory of a retiring account and Region knows of
// grants, on keys of whatever account, and what key sets tell it. Like everything that directories
// know it is a state, not an event: a newer version replaces an older one, whichever comes first.

import type { Grant } from "./grant.ts";
import { grantChanges } from "./grant.ts";
import { retiringAccountOf } from "./grant-principal.ts";
import { type Key, type KeySet, keyIn } from "./key-set.ts";
import type { Region } from "./region.ts";
import { goneAt } from "./schedule.ts";

/** A key that has such grants. Its grants are gone when it is. */
export interface GrantedKey {
  readonly accountId: string;
  readonly keyId: string;
  readonly version: number;
  /** False once the Region's key is gone. */
  readonly present: boolean;
  /** Tells a key from an earlier one of the same ID in this Region. Ms since the epoch. */
  readonly createdAt: number;
  /** The instant from which the key is gone, or null where that is not known. */
  readonly goneAt: number | null;
}

/** One grant on such a key. */
export interface RetirableGrant {
  readonly accountId: string;
  readonly keyId: string;
  readonly keyCreatedAt: number;
  readonly grantId: string;
  readonly version: number;
  /** Null once it was retired or revoked. */
  readonly grant: Grant | null;
}

/** Something to tell the directory of `accountId` in `region`. */
export interface GrantNews {
  readonly accountId: string;
  readonly region: Region;
  readonly about: GrantedKey | RetirableGrant;
}

/** A grant as the index lists it, with the key that it is on. */
export interface ListedGrant {
  readonly accountId: string;
  readonly keyId: string;
  readonly grant: Grant;
}

/** The index at one moment: grants on gone keys are not in it. */
export interface RetirableGrants {
  /** What a principal may retire, in the order of `positionOf`, after `after`. */
  ofPrincipal(
    principal: string,
    after: GrantPosition | null,
    limit: number,
  ): readonly ListedGrant[];
  /** Takes in what a key set says; an older version changes nothing. */
  put(about: GrantedKey | RetirableGrant): void;
}

/** The place of a grant in the index. */
export interface GrantPosition {
  readonly accountId: string;
  readonly keyId: string;
  readonly grantId: string;
}

/**
 * Whether a grant went with its key: what is known of the key is newer than what is told of the grant,
 * and the key is gone, or another one under its ID.
 */
export const wentWithKey = (
  told: Pick<RetirableGrant, "version" | "keyCreatedAt">,
  { version, present, createdAt }: GrantedKey,
) => version > told.version && (!present || createdAt !== told.keyCreatedAt);

/** Whether any grant came or went that some account may list. */
export const changesRetirable = (before: KeySet | null, after: KeySet | null): boolean =>
  regionsOf(before, after).some((region) => {
    const { added, removed } = changesIn(before, after, region);
    return [...added, ...removed].some(retiringAccountOf);
  });

/**
 * What directories of retiring accounts have to be told of a change: of each grant that came or went,
 * and of its key where that is news to them. `told` has its new version; `changed` are the Regions
 * whose key came, went, or has another instant from which it is gone.
 */
export function grantNews(
  before: KeySet | null,
  told: KeySet,
  changed: readonly Region[],
): readonly GrantNews[] {
  return regionsOf(before, told).flatMap((region) => {
    const { added, removed } = changesIn(before, told, region);
    const ofGrants = [
      ...added.map((grant) => newsOfGrant(told, region, grant, grant)),
      ...removed.map((grant) => newsOfGrant(told, region, grant, null)),
    ].filter((news) => news !== null);
    const known = (before && keyIn(before, region)?.grants) ?? [];
    const accounts = changed.includes(region)
      ? accountsOf([...known, ...added])
      : accountsOf(added).filter(
          (accountId) => !known.some((grant) => retiringAccountOf(grant) === accountId),
        );
    const about = grantedKey(told, region);
    return [...accounts.map((accountId) => ({ accountId, region, about })), ...ofGrants];
  });
}

/** Of a key that is gone, or another one now, its own absence says it all. */
function changesIn(before: KeySet | null, after: KeySet | null, region: Region) {
  const [was, is] = [before && keyIn(before, region), after && keyIn(after, region)];
  if (!is) return { added: [], removed: [] };
  return grantChanges(was?.createdAt === is.createdAt ? was.grants : [], is.grants);
}

function newsOfGrant(
  set: KeySet,
  region: Region,
  of: Grant,
  grant: Grant | null,
): GrantNews | null {
  const accountId = retiringAccountOf(of);
  if (accountId === null) return null;
  const { createdAt } = keyIn(set, region) as Key;
  const about = {
    accountId: set.accountId,
    keyId: set.keyId,
    keyCreatedAt: createdAt,
    grantId: of.id,
    version: set.version,
    grant,
  };
  return { accountId, region, about };
}

function grantedKey(set: KeySet, region: Region): GrantedKey {
  const key = keyIn(set, region);
  return {
    accountId: set.accountId,
    keyId: set.keyId,
    version: set.version,
    present: key !== null,
    createdAt: key?.createdAt ?? 0,
    goneAt: goneAt(set, region),
  };
}

const accountsOf = (grants: readonly Grant[]): readonly string[] => [
  ...new Set(grants.map(retiringAccountOf).filter((accountId) => accountId !== null)),
];

const regionsOf = (...sets: readonly (KeySet | null)[]): readonly Region[] =>
  [...new Set(sets.flatMap((set) => Object.keys(set?.keys ?? {})))] as Region[];
