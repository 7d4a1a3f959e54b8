// The key specs that are key pairs, and what makes and reads the pairs of each. All come out as AWS
// gives them: PKCS #8 and SubjectPublicKeyInfo in DER, curves by name, points uncompressed.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import { assert } from "../assert.ts";
import { curves } from "./curves.ts";
import { ecKeys } from "./ec-keys.ts";
import { ed25519Keys } from "./ed25519.ts";
import type { KeyPair, KeyPairKind } from "./key.ts";
import type { Library } from "./libraries.ts";
import { mlDsa44Keys, mlDsa65Keys, mlDsa87Keys } from "./ml-dsa.ts";
import { mlKem512Keys, mlKem768Keys, mlKem1024Keys } from "./ml-kem.ts";
import { rsaKeys } from "./rsa-keys.ts";

const keyPairKinds = {
  RSA_2048: rsaKeys(2048),
  RSA_3072: rsaKeys(3072),
  RSA_4096: rsaKeys(4096),
  ECC_NIST_P256: ecKeys(curves["P-256"]),
  ECC_NIST_P384: ecKeys(curves["P-384"]),
  ECC_NIST_P521: ecKeys(curves["P-521"]),
  ECC_SECG_P256K1: ecKeys(curves.secp256k1),
  ECC_NIST_EDWARDS25519: ed25519Keys,
  ML_DSA_44: mlDsa44Keys,
  ML_DSA_65: mlDsa65Keys,
  ML_DSA_87: mlDsa87Keys,
  ML_KEM_512: mlKem512Keys,
  ML_KEM_768: mlKem768Keys,
  ML_KEM_1024: mlKem1024Keys,
  SM2: ecKeys(curves.SM2),
} as const satisfies Record<string, KeyPairKind>;

export type KeyPairSpec = keyof typeof keyPairKinds;

/** Whether keys of a spec are key pairs. */
export const isKeyPairSpec = (spec: string): spec is KeyPairSpec =>
  Object.hasOwn(keyPairKinds, spec);

/**
 * Bits of the modulus of an RSA spec, whose pairs take long to make; null for all others, of which
 * any machine makes hundreds a second.
 */
export const modulusLengthOf = (spec: KeyPairSpec): number | null =>
  (keyPairKinds[spec] as KeyPairKind).modulusLength ?? null;

/** A fresh pair, made here and now. */
export async function generateKeyPair(spec: KeyPairSpec): Promise<KeyPair> {
  const kind: KeyPairKind = keyPairKinds[spec];
  await kind.library?.load();
  return kind.generate();
}

/**
 * The pair of a private key that somebody else made, in PKCS #8 (DER), encoded as `generateKeyPair`
 * does; null for other bytes, another algorithm, curve or size, and numbers that do not fit.
 */
export async function readKeyPair(spec: KeyPairSpec, pkcs8: Uint8Array): Promise<KeyPair | null> {
  const kind: KeyPairKind = keyPairKinds[spec];
  await kind.library?.load();
  return kind.read(pkcs8);
}

/** The libraries that pairs are made and read with. */
export const keyPairLibraries: readonly Library<unknown>[] = Object.values(keyPairKinds).flatMap(
  ({ library }: KeyPairKind) => library ?? [],
);

/** The same for what AWS lets one import, with nothing to wait for once `keyPairLibraries` are loaded. */
export function readImportedKeyPair(spec: KeyPairSpec, pkcs8: Uint8Array): KeyPair | null {
  const kind: KeyPairKind = keyPairKinds[spec];
  const pair = kind.read(pkcs8);
  assert(!(pair instanceof Promise), `a private key of ${spec} is read at once`);
  return pair;
}

/** The public half of `readKeyPair` alone. */
export const publicKeyOf = async (
  spec: KeyPairSpec,
  pkcs8: Uint8Array,
): Promise<KeyPair["publicKey"] | null> => (await readKeyPair(spec, pkcs8))?.publicKey ?? null;
