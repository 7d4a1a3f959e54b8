// Grants: what one lets its grantee do, and the list of them that a key has.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html

import type { KeyUsage } from "./key-spec.ts";

/** A grant on one Region's key. Instants are ms since the epoch. */
export interface Grant {
  /** 64 lower-case hex digits. */
  readonly id: string;
  /** Empty where the request named none. */
  readonly name: string;
  readonly createdAt: number;
  /** An ARN, or of a service that was named here its principal; null with the member below. */
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

/** Characters of a value in a constraint's encryption context. */
export const MAX_CONSTRAINT_VALUE_LENGTH = 384;

const GRANT_ID = /^[0-9a-f]{64}$/;

/** Whether the text has the form of a grant ID. */
export const isGrantId = (text: string) => GRANT_ID.test(text);

// A key's grants are in the order of their IDs, so that one is found, and a page goes on after a
// grant that is gone by then, without a look at all of them.

/** The index of the first grant whose ID is not before `id`. */
export function grantIndex(grants: readonly Grant[], id: string): number {
  let [low, high] = [0, grants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((grants[middle] as Grant).id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function grantById(grants: readonly Grant[], id: string): Grant | null {
  const grant = grants[grantIndex(grants, id)];
  return grant?.id === id ? grant : null;
}

export const withGrant = (grants: readonly Grant[], grant: Grant) =>
  grants.toSpliced(grantIndex(grants, grant.id), 0, grant);

export const withoutGrant = (grants: readonly Grant[], id: string) =>
  grantById(grants, id) ? grants.toSpliced(grantIndex(grants, id), 1) : grants;

/** Which grants came and which went. Grants are immutable: what is the same object is unchanged. */
export function grantChanges(
  before: readonly Grant[],
  after: readonly Grant[],
): { readonly added: readonly Grant[]; readonly removed: readonly Grant[] } {
  if (before === after) return { added: [], removed: [] };
  // One change in a long list is between what its ends have in common.
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let [endBefore, endAfter] = [before.length, after.length];
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore -= 1;
    endAfter -= 1;
  }
  const [were, are] = [before.slice(start, endBefore), after.slice(start, endAfter)];
  const [known, kept] = [new Set(were), new Set(are)];
  return {
    added: are.filter((grant) => !known.has(grant)),
    removed: were.filter((grant) => !kept.has(grant)),
  };
}

/** Everything of a grant that its request says; of two requests alike under one name one is a retry. */
export type GrantTerms = Omit<Grant, "id" | "createdAt">;

/** Whether a grant has these terms; the order of operations and of pairs says nothing. */
export function hasTerms(grant: Grant, terms: GrantTerms): boolean {
  if (grant.name !== terms.name) return false;
  return JSON.stringify(canonical(grant)) === JSON.stringify(canonical(terms));
}

const canonical = (terms: GrantTerms) => [
  terms.granteePrincipal,
  terms.granteeServicePrincipal,
  terms.retiringPrincipal,
  terms.retiringServicePrincipal,
  terms.issuingAccount,
  terms.operations.toSorted(),
  inOrder(terms.constraints?.EncryptionContextSubset),
  inOrder(terms.constraints?.EncryptionContextEquals),
  terms.constraints?.SourceArn,
];

const inOrder = (context: Readonly<Record<string, string>> | undefined) =>
  context && Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
