// The resource quotas of AWS KMS: AWS's value of each, and what KMS says of one more. The values can
// be changed, as AWS changes them on request.
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html

import { KmsError, validation } from "../errors.ts";

/** One quota; `refusal` answers for `subject`, which is what the row says it is. */
interface QuotaRow {
  readonly standard: number;
  readonly refusal: (limit: number, subject: string) => KmsError;
}

const limitExceeded = (text: string) => new KmsError("LimitExceededException", text);

export const quotaTable = {
  /** Customer managed keys of an account in a Region, in whatever state; `subject` is their number. */
  KEYS: {
    standard: 100_000,
    // Seen in a public issue.
    refusal: (limit, usage) =>
      limitExceeded(
        `Key quota for this account in this region is ${limit} but the current usage is ${usage}.`,
      ),
  },
  /** Of the key that is `subject`, by its ARN; as in the rows below that name no other. */
  ALIASES_PER_KEY: {
    standard: 50,
    refusal: (limit, arn) => limitExceeded(`The key ${arn} already has ${limit} aliases.`),
  },
  GRANTS_PER_KEY: {
    standard: 50_000,
    refusal: (limit, arn) => limitExceeded(`The key ${arn} already has ${limit} grants.`),
  },
  /** Pairs of an encryption context in a grant's constraint. */
  GRANT_CONSTRAINT_PAIRS: {
    standard: 8,
    refusal: (limit) =>
      validation(`A grant constraint can have at most ${limit} encryption context pairs.`),
  },
  KEY_POLICY_BYTES: {
    standard: 32_768,
    refusal: (limit) => limitExceeded(`The key policy is longer than the limit of ${limit} bytes.`),
  },
  TAGS_PER_KEY: {
    standard: 50,
    // Recorded on AWS.
    refusal: () => new KmsError("TagException", "Too many tags"),
  },
  /** Automatic rotations do not count. */
  ON_DEMAND_ROTATIONS: {
    standard: 25,
    // Recorded on AWS, without a final dot.
    refusal: (_limit, arn) =>
      limitExceeded(
        "The on-demand rotations limit has been reached for the given keyId. " +
          `No more on-demand rotations can be performed for this key: ${arn}`,
      ),
  },
  /** Of an account in a Region. */
  CUSTOM_KEY_STORES: {
    standard: 10,
    refusal: (limit) =>
      limitExceeded(`This account already has ${limit} custom key stores in this Region.`),
  },
} as const satisfies Record<string, QuotaRow>;

export type QuotaName = keyof typeof quotaTable;
export type Quotas = Readonly<Record<QuotaName, number>>;

const names = Object.keys(quotaTable) as QuotaName[];

export const awsQuotas = Object.fromEntries(
  names.map((name) => [name, quotaTable[name].standard]),
) as Quotas;

/** How a setting spells AWS's own values. */
export const AWS_QUOTAS = "aws";

/** Refuses what would make it `wanted` where the quota allows less. */
export function requireQuota(
  name: QuotaName,
  wanted: number,
  quotas: Quotas = awsQuotas,
  subject = "",
): void {
  const limit = quotas[name];
  if (wanted > limit) throw quotaTable[name].refusal(limit, subject);
}

/** Holds the text of a key policy to its quota. */
export const requirePolicySize = (text: string, quotas?: Quotas) =>
  requireQuota("KEY_POLICY_BYTES", new TextEncoder().encode(text).length, quotas);

/** AWS's quotas with those replaced that the text names, as `KEYS=3,TAGS_PER_KEY=60`. Throws an Error. */
export function parseQuotas(text: string): Quotas {
  if (text === AWS_QUOTAS) return awsQuotas;
  const given = text.split(",").map((pair): readonly [QuotaName, number] => {
    const [, word, digits] = /^([A-Z_]+)=(\d{1,9})$/.exec(pair.trim()) ?? [];
    const name = names.find((candidate) => candidate === word);
    if (!name) {
      throw new Error(
        `expects ${AWS_QUOTAS} or NAME=NUMBER,… with the names ${names.join(", ")}, ` +
          `not ${JSON.stringify(pair)}`,
      );
    }
    return [name, Number(digits)];
  });
  return { ...awsQuotas, ...Object.fromEntries(given) };
}
