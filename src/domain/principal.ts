// Who calls, as policies see them. Plain data, fit to travel with a call.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable

import { rootArn } from "./arn.ts";
import type { Region } from "./region.ts";

/** An IAM policy where it counts: its JSON text, and its ARN if it is a managed one. */
export interface AttachedPolicy {
  readonly arn: string | null;
  readonly text: string;
}

/** A caller that a configuration or a session names, or a service of AWS, whose `arn` is its name. */
export interface Principal {
  readonly type: "Account" | "User" | "AssumedRole" | "Service";
  readonly accountId: string;
  /**
   * What refusals and the CloudTrail name: `arn:aws:iam::<account>:root`, `…:user/<path><name>`, or
   * of a role's session `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
   */
  readonly arn: string;
  /** aws:PrincipalArn: as `arn`, but of a session the ARN of its role. */
  readonly principalArn: string;
  /** aws:userid: the account, `AIDA…`, or `AROA…:<session>`. */
  readonly userId: string;
  /** aws:username; null for anyone but a user. */
  readonly userName: string | null;
  /** aws:PrincipalTag: those of the user or role, and a session's own. */
  readonly tags: Readonly<Record<string, string>>;
  /** aws:SourceIdentity: what the first session of a chain was given; null where none was. */
  readonly sourceIdentity: string | null;
  /**
   * The identity-based policies; null for a principal that no configuration names, which its own
   * account lets do everything.
   */
  readonly policies: readonly AttachedPolicy[] | null;
  readonly boundary: AttachedPolicy | null;
  /** A session's policies, inline and managed, of which one has to allow; null where it has none. */
  readonly sessionPolicies: readonly AttachedPolicy[] | null;
}

/** The root of an account, whom its account lets do everything. */
export function rootPrincipal(region: Region, accountId: string): Principal {
  const arn = rootArn(region, accountId);
  return {
    type: "Account",
    accountId,
    arn,
    principalArn: arn,
    userId: accountId,
    userName: null,
    tags: {},
    sourceIdentity: null,
    policies: null,
    boundary: null,
    sessionPolicies: null,
  };
}

/** What the conditions of a policy may ask of the request itself. */
export interface RequestContext {
  /** aws:SourceIp; null where the connection's address is not known. */
  readonly sourceIp: string | null;
  /** aws:UserAgent. */
  readonly userAgent: string | null;
  /** aws:SecureTransport. */
  readonly secure: boolean;
}
