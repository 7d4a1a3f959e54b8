// What the cryptographic operations ask of a key before they use it: its usage, and an algorithm
// that its spec has.

import { assert } from "../assert.ts";
import { bytesIn, currentMaterial, type MaterialBytes } from "../domain/key-set.ts";
import { type KeyUsage, keySpecRow } from "../domain/key-spec.ts";
import { KmsError, stateError } from "../errors.ts";
import type { Target } from "./operation.ts";

/**
 * Throws InvalidKeyUsageException for a key of another usage. It is held before the key's state, what
 * `requireAlgorithm` holds after it (both recorded on AWS).
 */
export function requireUsage({ set, arn }: Target, usage: KeyUsage, operation: string): void {
  if (set.keyUsage === usage) return;
  throw new KmsError(
    "InvalidKeyUsageException",
    `${arn} key usage is ${set.keyUsage} which is not valid for ${operation}.`,
  );
}

/** The precondition of an operation that wants keys of one usage. */
export const ofUsage = (usage: KeyUsage, operation: string) => (target: Target) =>
  requireUsage(target, usage, operation);

/** Throws InvalidKeyUsageException for an algorithm that the key does not have (recorded on AWS). */
export function requireAlgorithm({ set }: Target, algorithm: string): void {
  if (keySpecRow(set.keySpec).usages[set.keyUsage]?.includes(algorithm)) return;
  throw new KmsError(
    "InvalidKeyUsageException",
    `Algorithm ${algorithm} is incompatible with key spec ${set.keySpec}.`,
  );
}

/** A material with its ID. The bytes are the very object the key set holds: what the platform makes of it is kept with it. */
export interface IdentifiedMaterial {
  readonly id: string;
  readonly bytes: MaterialBytes;
}

/** The current material of a key that its state says it has. */
export function requireMaterial({ set, key, arn }: Target): IdentifiedMaterial {
  const current = currentMaterial(set);
  const bytes = current && bytesIn(set, key, current.id);
  // Imported material may expire while the primary changes, where the state has to wait.
  if (!bytes) throw stateError(arn, "pending import");
  return { id: current.id, bytes };
}

/** A key pair's material. */
export function requireKeyPair(target: Target): Required<MaterialBytes> {
  const { bytes } = requireMaterial(target);
  assert(bytes.publicKey, "a key pair has a public key");
  return bytes as Required<MaterialBytes>;
}
