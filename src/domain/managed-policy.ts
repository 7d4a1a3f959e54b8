// Managed policies: IAM policies with ARNs of their own. An account's own are configured; AWS's own are
// the same in every account. Of those the ones are here that say little about KMS and STS, and of them
// what they say about these two.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html

/** The parts of a managed policy's ARN. */
export interface ManagedPolicyName {
  readonly partition: string;
  /** Null for AWS's own. */
  readonly accountId: string | null;
  /** With its path: `job-function/ViewOnlyAccess`. */
  readonly fullName: string;
}

const POLICY_ARN =
  /^arn:(aws(?:-[a-z]+)*):iam::(?:(\d{12})|aws):policy\/((?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,128})$/;

/** The parts of `arn:<partition>:iam::<account or aws>:policy/<path><name>`; null for other texts. */
export function managedPolicyName(arn: string): ManagedPolicyName | null {
  const [, partition, accountId = null, fullName] = POLICY_ARN.exec(arn) ?? [];
  return partition && fullName ? { partition, accountId, fullName } : null;
}

/** The text of a policy of AWS's own, by its name with its path; null for one that is not here. */
export const awsManagedPolicy = (fullName: string): string | null => texts.get(fullName) ?? null;

const allow = (Action: string | readonly string[], Sid?: string) => ({
  ...(Sid !== undefined && { Sid }),
  Effect: "Allow",
  Action,
  Resource: "*",
});

const read = ["kms:Describe*", "kms:Get*", "kms:List*"];
const makeAndRead = [
  "kms:CreateAlias",
  "kms:CreateKey",
  "kms:DeleteAlias",
  "kms:GenerateRandom",
  ...read,
];

/** By name with path, each with its one statement about KMS and STS. */
const statements: Readonly<Record<string, object>> = {
  AdministratorAccess: allow("*"),
  AWSDenyAll: { Sid: "DenyAll", Effect: "Deny", Action: "*", Resource: "*" },
  AWSKeyManagementServicePowerUser: allow([...makeAndRead, "kms:TagResource", "kms:UntagResource"]),
  "job-function/SystemAdministrator": allow([...makeAndRead, "kms:Encrypt", "kms:ReEncrypt*"]),
  "job-function/ViewOnlyAccess": allow(
    ["kms:ListKeys", "kms:ListResourceTags"],
    "GeneralViewOnlyAccessStatement",
  ),
  PowerUserAccess: {
    Effect: "Allow",
    NotAction: ["iam:*", "organizations:*", "account:*"],
    Resource: "*",
  },
  ReadOnlyAccess: allow([
    ...read,
    "sts:GetAccessKeyInfo",
    "sts:GetCallerIdentity",
    "sts:GetSessionToken",
  ]),
  SecurityAudit: allow([...read, "sts:GetAccessKeyInfo"], "BaseSecurityAuditStatement"),
};

const texts: ReadonlyMap<string, string> = new Map(
  Object.entries(statements).map(([fullName, statement]) => [
    fullName,
    JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
  ]),
);

/** The names of AWS's own that are here. */
export const awsManagedPolicyNames: readonly string[] = Object.keys(statements);
