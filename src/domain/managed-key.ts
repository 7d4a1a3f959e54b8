// AWS managed keys: which services have one, under which alias, and what its policy lets anyone do.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
// AWS has added none since 2021, so that the table is complete but for rarely used services.

import { createHash } from "node:crypto";
import { toHex } from "../crypto/base64.ts";
import {
  acmPolicy,
  described,
  type ManagedPolicy,
  managedPolicyText,
  metadataOf,
  through,
  uses,
} from "./managed-key-policy.ts";
import type { Region } from "./region.ts";

const AWS_PREFIX = "alias/aws/";
/** AWS's own, every year; nobody can change it. */
export const MANAGED_ROTATION_DAYS = 365;

interface ManagedService {
  /** As it stands in the key's description: what the key protects. */
  readonly protects: string;
  readonly policy: ManagedPolicy;
  /** Whether a fresh account lists its alias, which has no key yet. */
  readonly predefined: boolean;
}

type Statement = ManagedPolicy["statements"][number];

const service = (
  protects: string,
  id: string,
  statements: readonly Statement[],
  more: readonly Statement[] = [],
): ManagedService => ({
  protects,
  policy: { id, statements: [...statements, metadataOf(statements), ...more] },
  predefined: true,
});

const unlisted = (row: ManagedService): ManagedService => ({ ...row, predefined: false });

const describedKey = (name: string, title: string) =>
  described(
    name,
    `Allow ${title} Service with service principal name ${name}.amazonaws.com to describe the key directly`,
  );

/** By the name in the alias. Descriptions are AWS's where they were seen, and made like them else. */
const services: Readonly<Record<string, ManagedService>> = {
  acm: { protects: "ACM private keys", policy: acmPolicy, predefined: true },
  dynamodb: service(
    "DynamoDB data",
    "auto-dynamodb-3",
    [through("Amazon DynamoDB", ["dynamodb.*"], uses.withGrants)],
    [described("dynamodb", "Allow DynamoDB to directly describe the key")],
  ),
  ebs: service("EBS volumes", "auto-ebs-2", [through("EBS", ["ec2"], uses.withGrants)]),
  elasticfilesystem: service("EFS filesystems", "auto-elasticfilesystem-1", [
    through("EFS", ["elasticfilesystem"], uses.withGrants, "access to"),
  ]),
  es: service(
    "OpenSearch data",
    "auto-es-2",
    [through("OpenSearch Service", ["es"], uses.withGrants)],
    [described("es", "Allow OpenSearch service principals to describe the key directly")],
  ),
  glue: service("Glue data", "auto-glue-1", [through("Glue", ["glue"], uses.withGrants)]),
  kinesisvideo: service("Kinesis Video Streams data", "auto-kinesisvideo-1", [
    through("Kinesis Video Streams", ["kinesisvideo"], uses.withGrants),
  ]),
  lambda: service("Lambda functions", "auto-awslambda", [
    through("AWS Lambda", ["lambda"], uses.withGrants),
  ]),
  rds: service("RDS database volumes", "auto-rds-2", [
    through("RDS", ["rds"], uses.withListedGrants),
  ]),
  redshift: service("Redshift clusters", "auto-redshift-3", [
    through("RedShift", ["redshift"], uses.withGrants),
    through("RedShift-Serverless", ["redshift-serverless"], uses.withGrants),
  ]),
  s3: service("S3 objects", "auto-s3-2", [through("S3", ["s3"], uses.directly)]),
  secretsmanager: service("Secrets Manager data", "auto-secretsmanager-2", [
    through(
      "AWS Secrets Manager",
      ["secretsmanager"],
      ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant", "kms:DescribeKey"],
    ),
    {
      ...through("AWS Secrets Manager", ["secretsmanager.*"], []),
      actions: "kms:GenerateDataKey*",
    },
  ]),
  ssm: service("SSM parameters", "auto-ssm-1", [through("SSM", ["ssm"], uses.directly)]),
  xray: service(
    "X-Ray data",
    "auto-xray-1",
    [through("X-Ray", ["xray"], uses.withGrants)],
    [describedKey("xray", "X-Ray")],
  ),
  backup: unlisted(
    service("Backup data", "auto-backup-1", [
      {
        sid: "Allow access through Backup for all principals in the account that are authorized to use Backup Storage",
        actions: ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*"],
        via: ["backup"],
      },
    ]),
  ),
  cloud9: unlisted(
    service("Cloud9 data", "auto-cloud9-1", [through("Cloud9", ["cloud9"], uses.directly)]),
  ),
  codeartifact: unlisted(
    service(
      "CodeArtifact data",
      "auto-codeartifact-1",
      [through("Amazon CodeArtifact", ["codeartifact"], uses.withGrants)],
      [describedKey("codeartifact", "CodeArtifact")],
    ),
  ),
  codecommit: unlisted(
    service("CodeCommit data", "auto-codecommit-2", [
      through("CodeCommit", ["codecommit"], uses.directly),
    ]),
  ),
  dms: unlisted(
    service("DMS data", "auto-dms-1", [through("DMS", ["dms"], uses.withListedGrants)]),
  ),
  ecr: unlisted(
    service("ECR data", "auto-ecr-1", [
      through("Amazon ECR", ["ecr"], [...uses.withGrants, "kms:RetireGrant"]),
    ]),
  ),
  eks: unlisted(
    service(
      "EKS data",
      "auto-eks-1",
      [through("Amazon EKS", ["eks"], uses.withGrants)],
      [described("eks", "Allow the EKS Service to describe the key directly")],
    ),
  ),
  elasticache: unlisted(
    service(
      "ElastiCache data",
      "auto-elasticache-1",
      [through("ElastiCache Service", ["elasticache"], uses.withListedGrants)],
      [
        described(
          "elasticache",
          "Allow ElastiCache service principals to describe the key directly",
        ),
      ],
    ),
  ),
  fsx: unlisted(
    service("FSx data", "auto-fsx-1", [through("FSx", ["fsx"], uses.withListedGrants)]),
  ),
  kafka: unlisted(
    service("Kafka data", "auto-kafka-1", [through("Kafka", ["kafka"], uses.withListedGrants)]),
  ),
  kinesis: unlisted(
    service("Kinesis streams", "auto-kinesis-1", [
      through("Amazon Kinesis", ["kinesis"], uses.directly),
    ]),
  ),
  sns: unlisted(
    service("SNS data", "auto-sns-1", [
      through(
        "SNS",
        ["sns"],
        [
          "kms:Decrypt",
          "kms:GenerateDataKey*",
          "kms:CreateGrant",
          "kms:ListGrants",
          "kms:DescribeKey",
        ],
      ),
    ]),
  ),
  sqs: unlisted(
    service("SQS messages", "auto-sqs-1", [
      {
        ...through("SQS", ["sqs"], uses.withGrants),
        sid: "Allow access through Simple Queue Service (SQS) for all principals in the account that are authorized to use SQS",
      },
    ]),
  ),
  workspaces: unlisted(
    service("WorkSpaces volumes", "auto-workspaces-1", [
      through("Workspaces", ["workspaces"], uses.withListedGrants),
    ]),
  ),
};

/** Whether a name is among those that AWS keeps for itself. */
export const isAwsAlias = (name: string) => name.startsWith(AWS_PREFIX);

const serviceOf = (awsAlias: string): ManagedService | undefined => {
  const name = awsAlias.slice(AWS_PREFIX.length);
  return isAwsAlias(awsAlias) && Object.hasOwn(services, name) ? services[name] : undefined;
};

/** Whether some service has its key under this alias, which its first use makes. */
export const isManagedAlias = (name: string) => serviceOf(name) !== undefined;

/** The aliases of a fresh account, in the order of their names; none has a key yet. */
export const predefinedAliases = Object.keys(services)
  .filter((name) => services[name]?.predefined)
  .sort()
  .map((name) => AWS_PREFIX + name);

/**
 * The ID of the key under an AWS alias: always the same, so that it is decided before there is a
 * key, and whoever uses it first meets the one object that makes it.
 */
export function managedKeyId(accountId: string, region: Region, awsAlias: string): string {
  const name = `edge-kms AWS managed key ${accountId} ${region} ${awsAlias}`;
  const digest = createHash("sha256").update(new TextEncoder().encode(name)).digest();
  const bytes = Uint8Array.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What AWS writes of the key itself; null where no service has one under this alias. */
export function managedKeyText(
  accountId: string,
  region: Region,
  awsAlias: string,
): { readonly description: string; readonly policy: string } | null {
  const row = serviceOf(awsAlias);
  return row
    ? {
        description: `Default key that protects my ${row.protects} when no other key is defined`,
        policy: managedPolicyText(row.policy, accountId, region),
      }
    : null;
}

/**
 * Whether the policy of an AWS managed key lets anyone of its account do something, itself or by way
 * of the service. `action` is without its `kms:`.
 */
export function managedKeyAllows(awsAlias: string, action: string): boolean {
  const statements = serviceOf(awsAlias)?.policy.statements ?? [];
  return statements
    .filter(({ effect, principal }) => !effect && (!principal || principal === "root"))
    .flatMap(({ actions }) => actions)
    .some((pattern) => matches(pattern, `kms:${action}`));
}

const matches = (pattern: string, action: string) =>
  pattern.endsWith("*") ? action.startsWith(pattern.slice(0, -1)) : action === pattern;
