// How key material may come wrapped: which algorithm under which wrapping key takes the material of
// which key spec.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html#select-wrapping-algorithm

import type { wrappingAlgorithms } from "../crypto/algorithms.ts";
import { isOffered, type KeySpec, keySpecRow, type WrappedMaterial } from "./key-spec.ts";
import { partitionOf, type Region } from "./region.ts";

/** What a token can name: every wrapping algorithm that works. */
export type WrappingAlgorithm = keyof typeof wrappingAlgorithms;

interface WrappingRow {
  readonly wrappingKeySpecs: readonly string[];
  readonly material: readonly WrappedMaterial[];
  /** Key specs whose material is longer than what the algorithm takes under these wrapping keys. */
  readonly tooLong?: { readonly [Spec in KeySpec]?: readonly string[] };
  /** AWS's China Regions do not have it. */
  readonly notInChina?: true;
}

const rsa = ["RSA_2048", "RSA_3072", "RSA_4096"] as const;

const oaep: WrappingRow = {
  wrappingKeySpecs: rsa,
  material: ["secret", "ECC", "SM2"],
  tooLong: { ECC_NIST_P521: ["RSA_2048"] },
};
const keyWrap: WrappingRow = { wrappingKeySpecs: rsa, material: ["RSA", "ECC"], notInChina: true };

const wrappings: Readonly<Record<WrappingAlgorithm, WrappingRow>> = {
  RSAES_OAEP_SHA_1: oaep,
  RSAES_OAEP_SHA_256: oaep,
  RSA_AES_KEY_WRAP_SHA_1: keyWrap,
  RSA_AES_KEY_WRAP_SHA_256: keyWrap,
  SM2PKE: { wrappingKeySpecs: ["SM2"], material: ["RSA", "ECC", "SM2"] },
};

/** A name of the API that AWS has not served since October 2023. */
const NO_LONGER_SERVED = "RSAES_PKCS1_V1_5";

/** In the order of the service model. */
export const wrappingAlgorithmNames: readonly (WrappingAlgorithm | typeof NO_LONGER_SERVED)[] = [
  NO_LONGER_SERVED,
  ...(Object.keys(wrappings) as WrappingAlgorithm[]),
];

export const wrappingKeySpecs = [...rsa, "SM2"] as const;
export type WrappingKeySpec = (typeof wrappingKeySpecs)[number];

/** Why this does not go, as the end of a sentence; null where it does. */
export function wrappingRefusal(
  algorithm: (typeof wrappingAlgorithmNames)[number],
  wrappingKeySpec: WrappingKeySpec,
  keySpec: KeySpec,
  region: Region,
): string | null {
  const row = algorithm === NO_LONGER_SERVED ? null : wrappings[algorithm];
  if (!row) return "is not supported any more";
  if (row.notInChina && partitionOf(region) === "aws-cn") return `is not supported in ${region}`;
  if (!isOffered(wrappingKeySpec, region)) {
    return `is not supported with WrappingKeySpec ${wrappingKeySpec} in ${region}`;
  }
  if (!row.wrappingKeySpecs.includes(wrappingKeySpec)) {
    return `is not supported with WrappingKeySpec ${wrappingKeySpec}`;
  }
  const { material } = keySpecRow(keySpec);
  if (material === null || !row.material.includes(material)) {
    return `is not supported for KeySpec ${keySpec}`;
  }
  if (row.tooLong?.[keySpec]?.includes(wrappingKeySpec)) {
    return `is not supported with WrappingKeySpec ${wrappingKeySpec} for KeySpec ${keySpec}`;
  }
  return null;
}
