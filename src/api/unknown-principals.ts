// The principals that a request names and nobody has configured. AWS asks IAM; here the edge knows who
// is there, and tells the object that decides.

import { principalArnsIn } from "../domain/key-policy.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import type { Accounts } from "../identity/accounts.ts";
import type { Caller } from "../operations/operation.ts";

/** What an operation names principals in. */
const named: Readonly<Record<string, (input: Naming, partition: string) => readonly string[]>> = {
  CreateKey: inPolicy,
  PutKeyPolicy: inPolicy,
  ReplicateKey: inPolicy,
  CreateGrant: ({ GranteePrincipal, RetiringPrincipal }) =>
    [GranteePrincipal, RetiringPrincipal].filter((arn) => arn !== undefined),
};

interface Naming {
  readonly Policy?: string;
  readonly GranteePrincipal?: string;
  readonly RetiringPrincipal?: string;
}

/** The principals that a request names; none of most operations, which cost nothing here. */
export function principalsNamed(operation: string, input: object, region: Region) {
  const read = Object.hasOwn(named, operation) ? named[operation] : undefined;
  return read?.(input, partitionOf(region)) ?? [];
}

/** The caller, with those of these principals that are known not to be. */
export function informed(caller: Caller, arns: readonly string[], accounts: Accounts): Caller {
  const unknownPrincipals = [...new Set(arns)].filter((arn) => !accounts.mayBe(arn));
  return unknownPrincipals.length === 0 ? caller : { ...caller, unknownPrincipals };
}

function inPolicy({ Policy }: Naming, partition: string): readonly string[] {
  return Policy === undefined ? [] : principalArnsIn(Policy, partition);
}
