// The resource quotas of AWS KMS: what the table of limits says of them, changed by a setting as AWS
// changes them on request, and held against what is wanted.
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html

import { limits } from "./limits.ts";

export type QuotaName = keyof typeof limits.resource;
export type Quotas = Readonly<Record<QuotaName, number>>;

const names = Object.keys(limits.resource) as QuotaName[];

export const awsQuotas = Object.fromEntries(
  names.map((name) => [name, limits.resource[name].standard]),
) as Quotas;

/** How a setting spells AWS's own values. */
export const AWS_QUOTAS = "aws";

/** Refuses what would make it `wanted` where the quota allows less; `subject` is what its row says. */
export function requireQuota(
  name: QuotaName,
  wanted: number,
  quotas: Quotas = awsQuotas,
  subject = "",
): void {
  const limit = quotas[name];
  if (wanted > limit) throw limits.resource[name].refusal(limit, subject);
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
