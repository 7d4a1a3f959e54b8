// Policies that were read, by their texts: a document is parsed once and held against many requests.

import type { PolicyKind } from "../domain/policy/grammar.ts";
import { type Policy, policyIn } from "../domain/policy/policy.ts";
import { type Partition, partitionOf, type Region } from "../domain/region.ts";

/** How many policies of a kind are remembered; the longest text has 32 KiB. */
const MAX_KNOWN = 500;

/** The same as `read`, which is called once for each text as long as that is remembered. */
function remembering(read: (text: string) => Policy): (text: string) => Policy {
  const known = new Map<string, Policy>();
  return (text) => {
    const kept = known.get(text);
    if (kept) return kept;
    const policy = read(text);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, policy);
    return policy;
  };
}

const reader = (kind: PolicyKind, partition: Partition | null = null) =>
  remembering((text) => policyIn(text, kind, partition));

const keyPolicies = new Map<Partition, (text: string) => Policy>();

/** The policy of a key in a Region. */
export function keyPolicy(text: string, region: Region): Policy {
  const partition = partitionOf(region);
  let read = keyPolicies.get(partition);
  if (!read) {
    read = reader("key", partition);
    keyPolicies.set(partition, read);
  }
  return read(text);
}

/** An identity-based policy, a permissions boundary or a session policy. */
export const identityPolicy = reader("identity");

/** Who may assume a role. */
export const trustPolicy = reader("trust");
