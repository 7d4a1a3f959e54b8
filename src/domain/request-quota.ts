// The request quotas of AWS KMS, in requests a second of an account in a Region: AWS's value of each,
// and which requests count towards it.
// https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html

import { type KeySpec, keySpecRow, type RequestQuotaOfKeys } from "./key-spec.ts";
import { isRegion, type Region } from "./region.ts";

/** So many a second, or 0.1 for one in ten seconds. */
type Rate = number | Readonly<Partial<Record<Region, number>> & { elsewhere: number }>;

const inChina = (rate: number, elsewhere: number): Rate => ({
  "cn-north-1": rate,
  "cn-northwest-1": rate,
  elsewhere,
});

const symmetric: Rate = {
  "us-east-1": 100_000,
  "us-west-2": 100_000,
  "eu-west-1": 100_000,
  "us-east-2": 20_000,
  "ap-southeast-1": 20_000,
  "ap-southeast-2": 20_000,
  "ap-northeast-1": 20_000,
  "eu-central-1": 20_000,
  "eu-west-2": 20_000,
  elsewhere: 10_000,
};

/** Cryptographic operations share the quota of their key's type; everything else has its own. */
export const requestQuotaTable = {
  /** HMAC keys too, and GenerateRandom. */
  Symmetric: symmetric,
  RSA: 1000,
  /** SM2 too. */
  ECC: 1000,
  ML_DSA: 1000,
  /** The guide names none: as ML_DSA. */
  ML_KEM: 1000,
  /** Of each custom key store; its keys count towards `Symmetric`, too. */
  CustomKeyStore: 1800,

  CancelKeyDeletion: 5,
  ConnectCustomKeyStore: 5,
  CreateAlias: 5,
  CreateCustomKeyStore: 5,
  CreateGrant: 50,
  CreateKey: 5,
  DeleteAlias: 15,
  DeleteCustomKeyStore: 5,
  DeleteImportedKeyMaterial: 15,
  DescribeCustomKeyStores: 5,
  DescribeKey: 2000,
  DisableKey: 5,
  DisableKeyRotation: 5,
  DisconnectCustomKeyStore: 5,
  EnableKey: 5,
  EnableKeyRotation: 15,
  "GenerateDataKeyPair:ECC_NIST_P256": 100,
  "GenerateDataKeyPair:ECC_NIST_P384": 100,
  "GenerateDataKeyPair:ECC_NIST_P521": 100,
  "GenerateDataKeyPair:ECC_SECG_P256K1": 100,
  "GenerateDataKeyPair:ECC_NIST_EDWARDS25519": 100,
  "GenerateDataKeyPair:RSA_2048": inChina(1, 20),
  "GenerateDataKeyPair:RSA_3072": inChina(0.5, 4),
  "GenerateDataKeyPair:RSA_4096": inChina(0.1, 1),
  "GenerateDataKeyPair:SM2": 25,
  /** The guide names none: as for the pairs of curves. */
  "GenerateDataKeyPair:ML_KEM_512": 100,
  "GenerateDataKeyPair:ML_KEM_768": 100,
  "GenerateDataKeyPair:ML_KEM_1024": 100,
  GetKeyLastUsage: 5,
  GetKeyPolicy: 1000,
  GetKeyRotationStatus: 1000,
  GetParametersForImport: 1,
  GetPublicKey: 2000,
  ImportKeyMaterial: 15,
  ListAliases: 500,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListKeyRotations: 100,
  ListKeys: 500,
  ListResourceTags: 2000,
  ListRetirableGrants: 100,
  PutKeyPolicy: 15,
  ReplicateKey: 5,
  RetireGrant: 50,
  RevokeGrant: 50,
  RotateKeyOnDemand: 5,
  ScheduleKeyDeletion: 15,
  TagResource: 10,
  UntagResource: 5,
  UpdateAlias: 5,
  UpdateCustomKeyStore: 5,
  UpdateKeyDescription: 5,
  UpdatePrimaryRegion: 5,
} as const satisfies Record<string, Rate> & Record<RequestQuotaOfKeys, Rate>;

export type RequestQuotaName = keyof typeof requestQuotaTable;
/** The quotas that are held, each in requests a second of a Region. */
export type RequestQuotas = ReadonlyMap<RequestQuotaName, Rate>;

/** Requests towards a quota in a Region. */
export interface Towards {
  readonly quota: RequestQuotaName;
  readonly region: Region;
  readonly requests: number;
}

const names = Object.keys(requestQuotaTable) as RequestQuotaName[];

const isQuota = (name: string): name is RequestQuotaName => Object.hasOwn(requestQuotaTable, name);

export const awsRequestQuotas: RequestQuotas = new Map(
  names.map((name) => [name, requestQuotaTable[name] as Rate]),
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

/** Operations whose quota is that of their key's type, by the names of their steps. */
const cryptographic: ReadonlySet<string> = new Set([
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "ReEncryptFrom",
  "ReEncryptTo",
  "Sign",
  "Verify",
  "VerifyMac",
]);

/** Whether a key set's step counts towards the quota of the type of its key. */
export const countsByKey = (step: string) => cryptographic.has(step);

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
