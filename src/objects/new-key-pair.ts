// Where objects get fresh key pairs: those that are quickly made are made on the spot, all others
// come from the pool of their key spec.

import type { KeyPair } from "../crypto/key.ts";
import { generateKeyPair, modulusLengthOf } from "../crypto/key-pair.ts";
import type { NewKeyPair } from "../domain/moment.ts";
import { outputOf } from "../operations/reply.ts";
import { DEFAULT_GENERATION, keyPairPoolName } from "./names.ts";

/**
 * Pairs from the pools that all tenants share: each is given out once, so that nothing goes from one
 * to another, and a tenant that is made for a quarter of an hour need not wait for its own.
 */
export const newKeyPairFrom =
  ({ KEY_PAIR_POOLS }: Env): NewKeyPair =>
  async (spec) => {
    if (modulusLengthOf(spec) === null) return generateKeyPair(spec);
    const name = keyPairPoolName(DEFAULT_GENERATION, spec);
    return outputOf<KeyPair>(await KEY_PAIR_POOLS.getByName(name).take());
  };
