// The request quotas of AWS KMS, in requests a second of an account in a Region: those of the table of
// limits as a setting changes them, and which requests count towards each.
// https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html

import { type KeySpec, keySpecRow } from "./key-spec.ts";
import { isTracked } from "./last-usage.ts";
import { limits, type Rate, type RequestQuotaOfKeys } from "./limits.ts";
import { isRegion, type Region } from "./region.ts";

export type RequestQuotaName = keyof typeof limits.request;
/** The quotas that are held, each in requests a second of a Region. */
export type RequestQuotas = ReadonlyMap<RequestQuotaName, Rate>;

/** Requests towards a quota in a Region. */
export interface Towards {
  readonly quota: RequestQuotaName;
  readonly region: Region;
  readonly requests: number;
}

const names = Object.keys(limits.request) as RequestQuotaName[];

const isQuota = (name: string): name is RequestQuotaName => Object.hasOwn(limits.request, name);

export const awsRequestQuotas: RequestQuotas = new Map(
  names.map((name) => [name, limits.request[name].standard]),
);

/** How a setting says that requests are not counted, and how that AWS's quotas are held. */
export const NO_REQUEST_QUOTAS = "off";
export const AWS_REQUEST_QUOTAS = "aws";

/**
 * The quotas of a setting: `aws` for all of AWS's, and names with values of their own, as
 * `CreateKey=2,RSA=0.1`; what is not named has no quota. Null for `off`. Throws an Error.
 */
export function parseRequestQuotas(text: string): RequestQuotas | null {
  if (text === NO_REQUEST_QUOTAS) return null;
  const [first, ...rest] = text.split(",").map((pair) => pair.trim());
  const isOnAws = first === AWS_REQUEST_QUOTAS;
  const pairs = isOnAws || first === undefined ? rest : [first, ...rest];
  return new Map([...(isOnAws ? awsRequestQuotas : []), ...pairs.map(parsePair)]);
}

function parsePair(pair: string): readonly [RequestQuotaName, number] {
  const [, name = "", digits] = /^([\w:]+)=(\d{1,9}|0\.\d{1,3})$/.exec(pair) ?? [];
  if (isQuota(name)) return [name, Number(digits)];
  throw new Error(
    `expects ${NO_REQUEST_QUOTAS}, ${AWS_REQUEST_QUOTAS} or NAME=NUMBER,… (requests a second: a whole ` +
      `number, or less than one as 0.1) with the names ${names.join(", ")}, not ${JSON.stringify(pair)}`,
  );
}

/** What a quota allows in a Region; null where none is held. */
export function perSecondOf(
  quotas: RequestQuotas,
  quota: RequestQuotaName,
  region: Region,
): number | null {
  const rate = quotas.get(quota);
  if (rate === undefined) return null;
  return typeof rate === "number" ? rate : (rate[region] ?? rate.elsewhere);
}

/**
 * Whether a key set's step counts towards the quota of the type of its key: the cryptographic
 * operations, but for those on data key pairs, which have quotas of their own.
 */
export const countsByKey = (step: string) =>
  isTracked(step.replace(/^ReEncrypt(From|To)$/, "ReEncrypt")) &&
  !step.startsWith("GenerateDataKeyPair");

/** The quota of the keys of a spec; of a key that is not there that of most keys. */
export const requestQuotaOf = (spec: KeySpec | null): RequestQuotaOfKeys =>
  spec === null ? "Symmetric" : keySpecRow(spec).requestQuota;

interface TellingMembers {
  readonly KeyPairSpec?: string;
  readonly ReplicaRegion?: string;
  readonly PrimaryRegion?: string;
}

/**
 * What a request counts towards as far as its name and its input say, in every Region that it counts
 * in: everything but what `countsByKey`.
 */
export function towardsByRequest(
  operation: string,
  input: object,
  region: Region,
): readonly Towards[] {
  const { KeyPairSpec, ReplicaRegion = "", PrimaryRegion = "" } = input as TellingMembers;
  const own = (quota: string): Towards[] =>
    isQuota(quota) ? [{ quota, region, requests: 1 }] : [];
  switch (operation) {
    case "GenerateRandom":
      return own("Symmetric");
    case "GenerateDataKeyPair":
    case "GenerateDataKeyPairWithoutPlaintext":
      return own(`GenerateDataKeyPair:${KeyPairSpec}`);
    case "ReplicateKey":
      // One of the two is AWS's own dry run.
      return [...own(operation), ...towards("CreateKey", ReplicaRegion, 2)];
    case "UpdatePrimaryRegion":
      return [
        ...own(operation),
        ...(PrimaryRegion === region ? [] : towards(operation, PrimaryRegion, 1)),
      ];
    default:
      return own(operation);
  }
}

const towards = (quota: RequestQuotaName, region: string, requests: number): Towards[] =>
  isRegion(region) ? [{ quota, region, requests }] : [];
