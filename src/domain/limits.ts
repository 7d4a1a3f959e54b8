// Every limit of edge-kms, once: what KMS's quotas are, what a tenant may have, and what no setting
// changes. Names, types, defaults and the table of docs/hosting.md are made from here; how something
// is counted is beside what counts it. Sizes of caches are none, as nobody is refused for them; what
// one member of an input may be is said with the member, and what a format allows where it is read.

import { KmsError, validation } from "../errors.ts";
import type { Region } from "./region.ts";

/** One limit. */
export interface Limit<Value = number> {
  readonly standard: Value;
  readonly unit: string;
  /** What is counted, and of whom. */
  readonly counts: string;
}

/** So many, in some Regions others. A second: 0.1 is one in ten seconds. */
export type Rate = number | Readonly<Partial<Record<Region, number>> & { elsewhere: number }>;

/** One resource quota; `refusal` answers for `subject`, which is what the row says it is. */
interface ResourceQuota extends Limit {
  readonly refusal: (limit: number, subject: string) => KmsError;
}

const limitExceeded = (text: string) => new KmsError("LimitExceededException", text);

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

const perSecond = (standard: Rate, counts: string): Limit<Rate> => ({
  standard,
  unit: "requests a second",
  counts: `${counts}, of an account in a Region`,
});

const operation = (standard: number) => perSecond(standard, "requests of this name");

const keyPair = (standard: Rate) =>
  perSecond(standard, "GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext of this spec");

/** Cryptographic operations share the quota of their key's type; everything else has its own. */
const ofKeys = {
  Symmetric: perSecond(
    symmetric,
    "cryptographic operations with symmetric and HMAC keys, and GenerateRandom",
  ),
  RSA: perSecond(1000, "cryptographic operations with RSA keys"),
  ECC: perSecond(1000, "cryptographic operations with keys on curves, SM2 included"),
  ML_DSA: perSecond(1000, "cryptographic operations with ML-DSA keys"),
  // The guide names none: as ML_DSA.
  ML_KEM: perSecond(1000, "cryptographic operations with ML-KEM keys"),
};

/** The request quota that cryptographic operations with keys of a type share. */
export type RequestQuotaOfKeys = keyof typeof ofKeys;

export const limits = {
  /**
   * Resource quotas, at AWS's values; what is said of one more is AWS's where it is known.
   * https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
   */
  resource: {
    KEYS: {
      standard: 100_000,
      unit: "keys",
      counts: "customer managed keys of an account in a Region, in whatever state",
      // `subject` is their number. Seen in a public issue.
      refusal: (limit, usage) =>
        limitExceeded(
          `Key quota for this account in this region is ${limit} but the current usage is ${usage}.`,
        ),
    },
    // Of the key that is `subject`, by its ARN; as in the rows below that use it.
    ALIASES_PER_KEY: {
      standard: 50,
      unit: "aliases",
      counts: "aliases of a key",
      refusal: (limit, arn) => limitExceeded(`The key ${arn} already has ${limit} aliases.`),
    },
    GRANTS_PER_KEY: {
      standard: 50_000,
      unit: "grants",
      counts: "grants on a key",
      refusal: (limit, arn) => limitExceeded(`The key ${arn} already has ${limit} grants.`),
    },
    GRANT_CONSTRAINT_PAIRS: {
      standard: 8,
      unit: "pairs",
      counts: "pairs of an encryption context in a grant's constraint",
      refusal: (limit) =>
        validation(`A grant constraint can have at most ${limit} encryption context pairs.`),
    },
    KEY_POLICY_BYTES: {
      standard: 32_768,
      unit: "bytes",
      counts: "the text of a key policy in UTF-8",
      refusal: (limit) =>
        limitExceeded(`The key policy is longer than the limit of ${limit} bytes.`),
    },
    TAGS_PER_KEY: {
      standard: 50,
      unit: "tags",
      counts: "tags of a key",
      // Recorded on AWS.
      refusal: () => new KmsError("TagException", "Too many tags"),
    },
    ON_DEMAND_ROTATIONS: {
      standard: 25,
      unit: "rotations",
      counts: "rotations of a key on demand; automatic ones do not count",
      // Recorded on AWS, without a final dot.
      refusal: (_limit, arn) =>
        limitExceeded(
          "The on-demand rotations limit has been reached for the given keyId. " +
            `No more on-demand rotations can be performed for this key: ${arn}`,
        ),
    },
    CUSTOM_KEY_STORES: {
      standard: 10,
      unit: "key stores",
      counts: "custom key stores of an account in a Region",
      refusal: (limit) =>
        limitExceeded(
          `The account has ${limit} custom key stores in this Region, the most it can have.`,
        ),
    },
  },

  /**
   * Request quotas, at AWS's values; more is ThrottlingException.
   * https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
   */
  request: {
    ...ofKeys,
    CustomKeyStore: {
      standard: 1800,
      unit: "requests a second",
      counts: "requests of each custom key store; its keys count towards `Symmetric`, too",
    },
    CancelKeyDeletion: operation(5),
    ConnectCustomKeyStore: operation(5),
    CreateAlias: operation(5),
    CreateCustomKeyStore: operation(5),
    CreateGrant: operation(50),
    CreateKey: operation(5),
    DeleteAlias: operation(15),
    DeleteCustomKeyStore: operation(5),
    DeleteImportedKeyMaterial: operation(15),
    DescribeCustomKeyStores: operation(5),
    DescribeKey: operation(2000),
    DisableKey: operation(5),
    DisableKeyRotation: operation(5),
    DisconnectCustomKeyStore: operation(5),
    EnableKey: operation(5),
    EnableKeyRotation: operation(15),
    "GenerateDataKeyPair:ECC_NIST_P256": keyPair(100),
    "GenerateDataKeyPair:ECC_NIST_P384": keyPair(100),
    "GenerateDataKeyPair:ECC_NIST_P521": keyPair(100),
    "GenerateDataKeyPair:ECC_SECG_P256K1": keyPair(100),
    "GenerateDataKeyPair:ECC_NIST_EDWARDS25519": keyPair(100),
    "GenerateDataKeyPair:RSA_2048": keyPair(inChina(1, 20)),
    "GenerateDataKeyPair:RSA_3072": keyPair(inChina(0.5, 4)),
    "GenerateDataKeyPair:RSA_4096": keyPair(inChina(0.1, 1)),
    "GenerateDataKeyPair:SM2": keyPair(25),
    // The guide names none: as for the pairs of curves.
    "GenerateDataKeyPair:ML_KEM_512": keyPair(100),
    "GenerateDataKeyPair:ML_KEM_768": keyPair(100),
    "GenerateDataKeyPair:ML_KEM_1024": keyPair(100),
    GetKeyLastUsage: operation(5),
    GetKeyPolicy: operation(1000),
    GetKeyRotationStatus: operation(1000),
    GetParametersForImport: operation(1),
    GetPublicKey: operation(2000),
    ImportKeyMaterial: operation(15),
    ListAliases: operation(500),
    ListGrants: operation(100),
    ListKeyPolicies: operation(100),
    ListKeyRotations: operation(100),
    ListKeys: operation(500),
    ListResourceTags: operation(2000),
    ListRetirableGrants: operation(100),
    PutKeyPolicy: operation(15),
    ReplicateKey: operation(5),
    RetireGrant: operation(50),
    RevokeGrant: operation(50),
    RotateKeyOnDemand: operation(5),
    ScheduleKeyDeletion: operation(15),
    TagResource: operation(10),
    UntagResource: operation(5),
    UpdateAlias: operation(5),
    UpdateCustomKeyStore: operation(5),
    UpdateKeyDescription: operation(5),
    UpdatePrimaryRegion: operation(5),
  },

  /** What a tenant may have and do, where nobody has said otherwise: hosted, these; else any number. */
  tenant: {
    keys: {
      standard: 10_000,
      unit: "keys",
      counts: "customer managed keys in all accounts and Regions of the tenant",
    },
    requestsPerSecond: {
      standard: 200,
      unit: "requests a second",
      counts: "requests to KMS and STS, by each isolate for itself",
    },
    storage: {
      standard: 1_000_000_000,
      unit: "bytes",
      counts: "the databases of the tenant's key sets",
    },
  },

  /** Of the control API. */
  control: {
    wrongTokens: {
      standard: 10,
      unit: "a minute",
      counts: "requests with a wrong token, of an address, by each isolate for itself; then 429",
    },
    unknownTenants: {
      standard: 10,
      unit: "a minute",
      counts:
        "requests to tenants that are not there, to KMS as well, of an address, by each isolate; then 429",
    },
    // No preview lives longer; a slip of the hand should not either.
    ttl: { standard: 3660, unit: "days", counts: "a tenant's time to live" },
    // No certificate, token or date in KMS reaches further; a slip of the hand should not either.
    clock: {
      standard: 100,
      unit: "years",
      counts: "how far the movable clock is ahead of real time",
    },
  },

  /** What keeps one request, or many that wait, from taking the server with them. */
  server: {
    // KMS's largest input is an attestation document of 256 KiB.
    body: { standard: 1_048_576, unit: "bytes", counts: "the body of a request" },
    json: { standard: 64, unit: "levels", counts: "how deep a body's JSON is nested" },
    // About a tenth of a second. Policies and what they are held against are written by callers, so
    // that together they may ask for hours.
    policies: {
      standard: 20_000_000,
      unit: "comparisons",
      counts: "of a character with a character, about, in evaluating a request's policies",
    },
    // Who has hung up is still served: a longer line would be one of those.
    keyPairs: {
      standard: 500,
      unit: "requests",
      counts: "who waits for an RSA key pair of a spec; then ThrottlingException",
    },
    renewals: {
      standard: 20,
      unit: "a second",
      counts: "how often an isolate reads a tenant's principals anew before it refuses someone",
    },
  },
} as const satisfies {
  readonly resource: Readonly<Record<string, ResourceQuota>>;
  readonly request: Readonly<Record<string, Limit<Rate>>>;
  readonly tenant: Readonly<Record<string, Limit>>;
  readonly control: Readonly<Record<string, Limit>>;
  readonly server: Readonly<Record<string, Limit>>;
};
