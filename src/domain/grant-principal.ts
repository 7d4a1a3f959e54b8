// Who a grant may name: principals of an account, and services.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns

import type { Grant } from "./grant.ts";

/** An account's root, a user, a role, a federated user, a role's session; no group, no pattern. */
const PRINCIPAL_ARN =
  /^arn:(aws[a-z-]*):(?:iam::(\d{12}):(?:root|(?:user|role)\/[\w+=,.@/-]+)|sts::(\d{12}):(?:federated-user\/[\w+=,.@-]+|assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+))$/;

/** `dynamodb.amazonaws.com`, `dynamodb.us-west-1.amazonaws.com`, in China `….amazonaws.com.cn`. */
const SERVICE_PRINCIPAL = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/;

/** A principal's partition and account. */
export interface PrincipalAccount {
  readonly partition: string;
  readonly accountId: string;
}

/** The account that a principal's ARN is of; null for whatever is no such ARN. */
export function accountOfPrincipal(arn: string): PrincipalAccount | null {
  const [, partition, ofIam, ofSts] = PRINCIPAL_ARN.exec(arn) ?? [];
  const accountId = ofIam ?? ofSts;
  return partition && accountId ? { partition, accountId } : null;
}

export const isServicePrincipal = (text: string) => SERVICE_PRINCIPAL.test(text);

/** The account whose ListRetirableGrants shows a grant; null where it is nobody's. */
export const retiringAccountOf = ({ retiringPrincipal }: Grant): string | null =>
  retiringPrincipal === null ? null : (accountOfPrincipal(retiringPrincipal)?.accountId ?? null);
