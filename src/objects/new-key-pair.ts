// Where objects get fresh key pairs: those that are quickly made are made on the spot, all others
// come from the pool of their key spec.

import type { KeyPair } from "../crypto/key.ts";
import { generateKeyPair, modulusLengthOf } from "../crypto/key-pair.ts";
import type { NewKeyPair } from "../domain/moment.ts";
import { outputOf } from "../operations/reply.ts";
import { keyPairPoolName, objectName } from "./names.ts";

/** The pairs for the object of this ID, from its own tenant's pools. */
export const newKeyPairFrom =
  ({ KEY_PAIR_POOLS }: Env, id: DurableObjectId): NewKeyPair =>
  async (spec) => {
    if (modulusLengthOf(spec) === null) return generateKeyPair(spec);
    const name = keyPairPoolName(objectName(id).generation, spec);
    return outputOf<KeyPair>(await KEY_PAIR_POOLS.getByName(name).take());
  };
