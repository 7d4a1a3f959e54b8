// The policies that a role's session is given, inline and by ARN, and how much of the room in a token
// they take together with its tags.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session

import { sessionPolicyFault } from "../configuration/configuration.ts";
import { managedPolicyName } from "../domain/managed-policy.ts";
import type { AttachedPolicy } from "../domain/principal.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import type { Accounts, SessionPolicies } from "./accounts.ts";
import type { RoleSession } from "./session.ts";
import { StsError } from "./sts-error.ts";

/** The documented bound of all plaintext; of a managed policy that is its ARN. */
const MAX_PLAINTEXT = 2048;

interface AskedPolicies {
  readonly Policy?: string;
  readonly PolicyArns?: readonly { readonly arn?: string }[];
}

/** What is asked for, well formed. Throws MalformedPolicyDocument and ValidationError. */
export function askedPolicies(
  { Policy, PolicyArns = [] }: AskedPolicies,
  region: Region,
): Pick<RoleSession, "policy" | "policyArns"> {
  const fault = Policy === undefined ? null : sessionPolicyFault(Policy);
  if (fault !== null) throw new StsError("MalformedPolicyDocument", fault);
  const policyArns = PolicyArns.map(({ arn = "" }) => arn);
  if (policyArns.some((arn) => managedPolicyName(arn)?.partition !== partitionOf(region))) {
    throw new StsError("ValidationError", "Request ARN is invalid");
  }
  if ((Policy ?? "").length + policyArns.join("").length > MAX_PLAINTEXT) {
    throw new StsError(
      "ValidationError",
      `The session policy and the ARNs of managed policies have more than ${MAX_PLAINTEXT} characters.`,
    );
  }
  return { policy: Policy ?? null, policyArns };
}

/** The policies of a session that may begin. Throws ValidationError for one that is not there. */
export function requiredPolicies(
  session: SessionPolicies,
  accounts: Accounts,
): readonly AttachedPolicy[] {
  const policies = accounts.sessionPolicies(session);
  if (policies) return policies;
  const { accountId, policyArns } = session;
  const missing = policyArns.find((arn) => !accounts.managedPolicy(arn, accountId));
  throw new StsError("ValidationError", `Policy ${missing} does not exist or is not attachable.`);
}

// AWS packs policies, ARNs and tags in a form that it does not document. These two are so that what was
// seen of AWS comes out: nine tags of 252 characters each take 498 per cent.
// https://github.com/aws-actions/configure-aws-credentials/issues/1898
const POLICY_BYTES = 4096;
const TAG_BYTES = 456;

/** How much of the room for policies and tags a session takes. Throws PackedPolicyTooLarge. */
export function packedPercent({
  policy,
  policyArns,
  tags,
}: Pick<RoleSession, "policy" | "policyArns" | "tags">): number {
  const policies = bytesOf([policy ?? "", ...policyArns]);
  const percent = Math.ceil(
    100 * (policies / POLICY_BYTES + bytesOf(Object.entries(tags).flat()) / TAG_BYTES),
  );
  if (percent <= 100) return percent;
  throw new StsError(
    "PackedPolicyTooLarge",
    policies === 0
      ? `Packed size of session tags consumes ${percent}% of allotted space.`
      : `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
  );
}

const bytesOf = (parts: readonly string[]) => new TextEncoder().encode(parts.join("")).length;
