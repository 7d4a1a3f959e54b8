// What each key spec can do. Nothing outside this table compares key-spec names.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import type { RequestQuotaOfKeys } from "./limits.ts";
import type { Region } from "./region.ts";
import { partitionOf } from "./region.ts";

export type KeyUsage =
  | "ENCRYPT_DECRYPT"
  | "SIGN_VERIFY"
  | "GENERATE_VERIFY_MAC"
  | "KEY_AGREEMENT"
  | "ENCAPSULATE_DECAPSULATE";

export type Origin = "AWS_KMS" | "EXTERNAL" | "AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE";

/** Where a key spec is to be had: SM2 in China alone, ML-KEM everywhere else. */
type Offer = "everywhere" | "china" | "not china";

/** What one wraps of a key to import it: a secret, or a private key of this kind. */
export type WrappedMaterial = "secret" | "RSA" | "ECC" | "SM2";

/** One key spec: its usages with their algorithms, its origins, and the material behind it. */
export interface KeySpecRow {
  /** Each usage with its algorithms, in the order of KeyMetadata. */
  readonly usages: { readonly [Usage in KeyUsage]?: readonly string[] };
  /** Bytes of random key material, or null for a key pair. */
  readonly materialBytes: number | null;
  /** What its material is to one who imports it; null where nobody may. */
  readonly material: WrappedMaterial | null;
  readonly origins: readonly Origin[];
  readonly offer: Offer;
  /** Whether automatic and on-demand rotation exist for it. */
  readonly rotates: boolean;
  /** Whether GenerateDataKeyPair makes it. */
  readonly dataKeyPair: boolean;
  readonly requestQuota: RequestQuotaOfKeys;
  /** Whether `CustomerMasterKeySpec`, the older name of KeySpec, may name it. */
  readonly olderName: boolean;
}

const imported: readonly Origin[] = ["AWS_KMS", "EXTERNAL"];

const pair = (usages: KeySpecRow["usages"], more: Partial<KeySpecRow> = {}): KeySpecRow => ({
  usages,
  materialBytes: null,
  material: "ECC",
  origins: imported,
  offer: "everywhere",
  rotates: false,
  dataKeyPair: true,
  requestQuota: "ECC",
  olderName: true,
  ...more,
});

const rsa = pair(
  {
    ENCRYPT_DECRYPT: ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
    SIGN_VERIFY: [
      "RSASSA_PKCS1_V1_5_SHA_256",
      "RSASSA_PKCS1_V1_5_SHA_384",
      "RSASSA_PKCS1_V1_5_SHA_512",
      "RSASSA_PSS_SHA_256",
      "RSASSA_PSS_SHA_384",
      "RSASSA_PSS_SHA_512",
    ],
  },
  { material: "RSA", requestQuota: "RSA" },
);

const nistCurve = (algorithm: string) =>
  pair({ SIGN_VERIFY: [algorithm], KEY_AGREEMENT: ["ECDH"] });

const hmac = (materialBytes: number, algorithm: string): KeySpecRow => ({
  ...pair({ GENERATE_VERIFY_MAC: [algorithm] }),
  materialBytes,
  material: "secret",
  dataKeyPair: false,
  requestQuota: "Symmetric",
});

/** Newer than the sources of the older name; AWS makes its keys itself. */
const postQuantum = { material: null, origins: ["AWS_KMS"], olderName: false } as const;

const mlDsa = pair(
  { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  { ...postQuantum, dataKeyPair: false, requestQuota: "ML_DSA" },
);

const mlKem = pair(
  { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
  { ...postQuantum, offer: "not china", requestQuota: "ML_KEM" },
);

/** In the order in which AWS's refusals list the key specs (recorded in 2026); newer ones follow. */
export const keySpecs = {
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: nistCurve("ECDSA_SHA_256"),
  ECC_NIST_P384: nistCurve("ECDSA_SHA_384"),
  ECC_NIST_P521: nistCurve("ECDSA_SHA_512"),
  ECC_SECG_P256K1: pair({ SIGN_VERIFY: ["ECDSA_SHA_256"] }),
  ECC_NIST_EDWARDS25519: pair(
    { SIGN_VERIFY: ["ED25519_SHA_512", "ED25519_PH_SHA_512"] },
    { olderName: false },
  ),
  SYMMETRIC_DEFAULT: {
    ...pair({ ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT"] }),
    materialBytes: 32,
    material: "secret",
    origins: ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"],
    rotates: true,
    dataKeyPair: false,
    requestQuota: "Symmetric",
  },
  HMAC_224: hmac(28, "HMAC_SHA_224"),
  HMAC_256: hmac(32, "HMAC_SHA_256"),
  HMAC_384: hmac(48, "HMAC_SHA_384"),
  HMAC_512: hmac(64, "HMAC_SHA_512"),
  SM2: pair(
    { ENCRYPT_DECRYPT: ["SM2PKE"], SIGN_VERIFY: ["SM2DSA"], KEY_AGREEMENT: ["ECDH"] },
    { offer: "china", material: "SM2" },
  ),
  ML_DSA_44: mlDsa,
  ML_DSA_65: mlDsa,
  ML_DSA_87: mlDsa,
  ML_KEM_512: mlKem,
  ML_KEM_768: mlKem,
  ML_KEM_1024: mlKem,
} as const satisfies Record<string, KeySpecRow>;

export type KeySpec = keyof typeof keySpecs;

const namesWhere = (matches: (row: KeySpecRow) => boolean) =>
  (Object.keys(keySpecs) as KeySpec[]).filter((name) => matches(keySpecs[name]));

export const keySpecNames = namesWhere(() => true);
export const customerMasterKeySpecNames = namesWhere((row) => row.olderName);
export const dataKeyPairSpecNames = namesWhere((row) => row.dataKeyPair);

const all = Object.values<KeySpecRow>(keySpecs);

/** Every usage, and the algorithms of each, in the order of the table. */
export const keyUsageNames = [
  ...new Set(all.flatMap((row) => Object.keys(row.usages) as KeyUsage[])),
];

/** The row of a key spec. */
export const keySpecRow = (spec: KeySpec): KeySpecRow => keySpecs[spec];

/** Whether keys of this spec are to be had in this Region. */
export function isOffered(spec: KeySpec, region: Region): boolean {
  const china = partitionOf(region) === "aws-cn";
  const { offer } = keySpecRow(spec);
  return offer === "everywhere" || (offer === "china") === china;
}

/** Bytes of the material of a symmetric or HMAC key: in China SYMMETRIC_DEFAULT is a 128-bit SM4 key. */
export function materialBytesOf(spec: KeySpec, region: Region): number | null {
  const { materialBytes } = keySpecRow(spec);
  return spec === "SYMMETRIC_DEFAULT" && partitionOf(region) === "aws-cn" ? 16 : materialBytes;
}
