// What each key spec can do. Nothing outside this table compares key-spec names.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

/** One key spec: its usages with their algorithms, and the material behind it. */
export interface KeySpecRow {
  /** Bytes of random key material. */
  readonly materialBytes: number;
  readonly usages: {
    readonly ENCRYPT_DECRYPT: { readonly algorithms: readonly ["SYMMETRIC_DEFAULT"] };
  };
  /** Whether automatic and on-demand rotation exist for it. */
  readonly rotates: boolean;
}

export const keySpecs = {
  SYMMETRIC_DEFAULT: {
    materialBytes: 32,
    usages: { ENCRYPT_DECRYPT: { algorithms: ["SYMMETRIC_DEFAULT"] } },
    rotates: true,
  },
} as const satisfies Record<string, KeySpecRow>;

export type KeySpec = keyof typeof keySpecs;
export type KeyUsage = keyof KeySpecRow["usages"];

/** Whether the key spec is one of the table. */
export const isBuiltKeySpec = (name: string): name is KeySpec => Object.hasOwn(keySpecs, name);

/** The key specs that `CustomerMasterKeySpec`, the older name of KeySpec, may have. */
export const customerMasterKeySpecNames = [
  "RSA_2048",
  "ECC_NIST_P384",
  "ECC_NIST_P256",
  "ECC_NIST_P521",
  "HMAC_384",
  "RSA_3072",
  "ECC_SECG_P256K1",
  "RSA_4096",
  "SYMMETRIC_DEFAULT",
  "HMAC_256",
  "HMAC_224",
  "HMAC_512",
  "SM2",
] as const;

/** Every key spec of the API, in the order in which AWS's refusals list them. */
export const keySpecNames = [
  ...customerMasterKeySpecNames,
  "ML_DSA_44",
  "ML_DSA_65",
  "ML_DSA_87",
  "ECC_NIST_EDWARDS25519",
  "ML_KEM_512",
  "ML_KEM_768",
  "ML_KEM_1024",
] as const;

export const keyUsageNames = [
  "ENCRYPT_DECRYPT",
  "SIGN_VERIFY",
  "GENERATE_VERIFY_MAC",
  "KEY_AGREEMENT",
  "ENCAPSULATE_DECAPSULATE",
] as const;
