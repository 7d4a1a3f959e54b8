// Whether a grant allows a request.
// https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html

import type { Grant, GrantConstraints } from "../grant.ts";
import type { Principal } from "../principal.ts";
import { type Naming, namingOf } from "./caller-names.ts";

type EncryptionContext = Readonly<Record<string, string>>;

/** What of a request its grants are held against. */
export interface GrantedUse {
  /** The operation as grants name it, `ReEncryptFrom` of ReEncrypt. */
  readonly action: string;
  /** Null of an operation that has none. */
  readonly encryptionContext: EncryptionContext | null;
  /** Of CreateGrant, the grant that is to be made. */
  readonly child: Pick<Grant, "operations" | "constraints"> | null;
}

/** As what the grant that allows a request names its caller; null where it does not allow it. */
export function namingByGrant(grant: Grant, caller: Principal, use: GrantedUse): Naming | null {
  if (!grant.operations.some((operation) => operation === use.action)) return null;
  const naming = granteeNaming(grant, caller);
  return naming && isWithinConstraints(grant, use) ? naming : null;
}

function granteeNaming(grant: Grant, caller: Principal): Naming | null {
  const { granteePrincipal, granteeServicePrincipal } = grant;
  if (caller.type === "Service") return granteeServicePrincipal === caller.arn ? "user" : null;
  return granteePrincipal === null ? null : namingOf(granteePrincipal, caller);
}

/** A grant to make grants gives away no more than it has itself. */
function isWithinConstraints(grant: Grant, { encryptionContext, child }: GrantedUse): boolean {
  const constraints = grant.constraints ?? {};
  if (child) {
    const own: readonly string[] = grant.operations;
    return (
      child.operations.every((each) => own.includes(each)) &&
      isStricter(child.constraints ?? {}, constraints)
    );
  }
  // Only services say for which resource they call.
  if (constraints.SourceArn !== undefined) return false;
  if (!encryptionContext) return true;
  const { EncryptionContextEquals, EncryptionContextSubset } = constraints;
  return (
    (!EncryptionContextEquals || isSame(encryptionContext, EncryptionContextEquals)) &&
    (!EncryptionContextSubset || hasAll(encryptionContext, EncryptionContextSubset))
  );
}

/** Whether whatever the one set of constraints lets through, the other does, too. */
function isStricter(child: GrantConstraints, parent: GrantConstraints): boolean {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = parent;
  const certain = { ...child.EncryptionContextSubset, ...child.EncryptionContextEquals };
  if (parent.SourceArn !== undefined && child.SourceArn !== parent.SourceArn) return false;
  if (equals && !(child.EncryptionContextEquals && isSame(child.EncryptionContextEquals, equals))) {
    return false;
  }
  return !subset || hasAll(certain, subset);
}

/** Names are compared in any case, values as they are. */
const hasAll = (context: EncryptionContext, pairs: EncryptionContext) => {
  const has = new Set(Object.entries(context).map(pairText));
  return Object.entries(pairs).every((pair) => has.has(pairText(pair)));
};

const isSame = (context: EncryptionContext, pairs: EncryptionContext) =>
  Object.keys(context).length === Object.keys(pairs).length && hasAll(context, pairs);

const pairText = ([name, value]: [string, string]) => JSON.stringify([name.toLowerCase(), value]);
