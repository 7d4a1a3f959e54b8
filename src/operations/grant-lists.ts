// What ListGrants and ListRetirableGrants show, and of whom.

import { rootArn } from "../domain/arn.ts";
import { type Grant, grantIndex } from "../domain/grant.ts";
import type { Key } from "../domain/key-set.ts";
import type { GrantPosition } from "../domain/retirable-grant.ts";
import { KmsError, validation } from "../errors.ts";
import { timestamp } from "./key-metadata.ts";
import { requireOneAtMost, requirePrincipalArn } from "./new-grant.ts";
import type { Caller } from "./operation.ts";

interface GrantFilter {
  readonly GrantId?: string | undefined;
  readonly GranteePrincipal?: string | undefined;
}

/** Some of a key's grants, in the order of their IDs, after `after`. */
export function grantsAfter(key: Key, after: string, limit: number, filter: GrantFilter): Grant[] {
  const found: Grant[] = [];
  const { GrantId, GranteePrincipal } = filter;
  for (let index = grantIndex(key.grants, after); found.length < limit; index += 1) {
    const grant = key.grants[index];
    if (!grant) break;
    if (grant.id === after || (GrantId !== undefined && grant.id !== GrantId)) continue;
    if (GranteePrincipal !== undefined && grant.granteePrincipal !== GranteePrincipal) continue;
    found.push(grant);
  }
  return found;
}

/** The one who may retire: AWS asks for a principal of the caller's own account. */
export function ownPrincipal(
  input: {
    readonly RetiringPrincipal?: string | undefined;
    readonly RetiringServicePrincipal?: string | undefined;
  },
  caller: Caller,
): string {
  requireOneAtMost(input, "RetiringPrincipal", "RetiringServicePrincipal");
  refuseToPeople(input, "RetiringServicePrincipal");
  const { RetiringPrincipal } = input;
  if (RetiringPrincipal === undefined) {
    throw validation(
      "1 validation error detected: Value null at 'retiringPrincipal' failed to satisfy " +
        "constraint: Member must not be null",
    );
  }
  if (requirePrincipalArn(RetiringPrincipal, caller.region) !== caller.accountId) {
    const callerArn = caller.principal?.arn ?? rootArn(caller.region, caller.accountId);
    throw new KmsError(
      "AccessDeniedException",
      `User: ${callerArn} is not authorized to perform: kms:ListRetirableGrants ` +
        `for the principal ${RetiringPrincipal} of another account`,
    );
  }
  return RetiringPrincipal;
}

/** Filters that AWS has for its services alone, which no caller here is. */
export function refuseToPeople<I extends object>(input: I, member: keyof I): void {
  if (input[member] === undefined) return;
  throw new KmsError(
    "AccessDeniedException",
    `Only callers in a service principal can use ${String(member)}.`,
  );
}

/** The place in the index that a marker stands for. Throws InvalidMarkerException. */
export function indexPosition(position: string): GrantPosition | null {
  if (position === "") return null;
  const [accountId, keyId, grantId] = position.split("/");
  if (accountId && keyId && grantId) return { accountId, keyId, grantId };
  throw new KmsError("InvalidMarkerException");
}

/** A grant as lists show it: the name is there in any case (examples of the guide). */
export function grantListEntry(grant: Grant, arn: string): object {
  return {
    KeyId: arn,
    GrantId: grant.id,
    Name: grant.name,
    CreationDate: timestamp(grant.createdAt),
    ...given("GranteePrincipal", grant.granteePrincipal),
    ...given("RetiringPrincipal", grant.retiringPrincipal),
    IssuingAccount: grant.issuingAccount,
    Operations: grant.operations,
    ...given("Constraints", grant.constraints),
    ...given("GranteeServicePrincipal", grant.granteeServicePrincipal),
    ...given("RetiringServicePrincipal", grant.retiringServicePrincipal),
  };
}

const given = (member: string, value: unknown) => (value === null ? {} : { [member]: value });
