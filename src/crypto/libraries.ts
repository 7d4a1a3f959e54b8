// The libraries behind what no runtime has of KMS's algorithms. Each is read by the first request that
// needs it: together they would be a third of what is read before the first answer.

import { assert } from "../assert.ts";

/** A library that is not there until it is loaded. */
export interface Library<Module> {
  /** Its module; read once. */
  load(): Promise<Module>;
  /** Its module, for what has nothing to wait for: somebody must have awaited `load` before. */
  readonly loaded: Module;
}

function library<Module>(read: () => Promise<Module>): Library<Module> {
  let module: Module | undefined;
  return {
    // Requests at the same time each read it: workerd does not let one wait for another's promise.
    async load() {
      module ??= await read();
      return module;
    },
    get loaded() {
      assert(module, "the library is loaded");
      return module;
    },
  };
}

/** AES key wrap. */
export const nobleAes = library(() => import("@noble/ciphers/aes.js"));
/** ECDSA of digests, and points of private numbers, on P-256, P-384 and P-521. */
export const nobleNistCurves = library(() => import("@noble/curves/nist.js"));
export const nobleSecp256k1 = library(() => import("@noble/curves/secp256k1.js"));
/** Ed25519ph. */
export const nobleEd25519 = library(() => import("@noble/curves/ed25519.js"));
/** ML-DSA of an external mu, and in runtimes without it. */
export const nobleMlDsa = library(() => import("@noble/post-quantum/ml-dsa.js"));
/** ML-KEM-512, and the others in runtimes without them. */
export const nobleMlKem = library(() => import("@noble/post-quantum/ml-kem.js"));
/** SM2, SM3 and SM4: of the China Regions alone. */
export const smCrypto = library(() => import("sm-crypto-v2"));

/** Loads libraries that are wanted at once. */
export async function loadAll(libraries: readonly Library<unknown>[]): Promise<void> {
  for (const each of libraries) await each.load();
}
