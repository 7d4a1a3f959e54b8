// The services that have an AWS managed key, with what AWS writes of it. AWS has added none since 2021;
// AppFlow, Connect and SES are left out, whose keys are rarely met and whose policies are like no other.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key

import {
  acmPolicy,
  described,
  type ManagedPolicy,
  metadataOf,
  through,
  uses,
} from "./managed-key-policy.ts";

/** A service with a key of its own in every account and Region. */
export interface ManagedService {
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
export const managedServices: Readonly<Record<string, ManagedService>> = {
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
  dax: unlisted(
    service("DAX data", "auto-dax-1", [through("DAX", ["dax"], uses.withListedGrants)]),
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
  imagebuilder: unlisted(
    service(
      "Image Builder data",
      "auto-imagebuilder-1",
      [through("Amazon EC2 Image Builder", ["imagebuilder"], uses.withGrants)],
      [
        described(
          "imagebuilder",
          "Allow the EC2 Image Builder Service to describe the key directly",
        ),
      ],
    ),
  ),
  kafka: unlisted(
    service("Kafka data", "auto-kafka-1", [through("Kafka", ["kafka"], uses.withListedGrants)]),
  ),
  kendra: unlisted(
    service(
      "Kendra data",
      "auto-kendra-1",
      [through("Amazon Kendra", ["kendra"], uses.withGrants)],
      [described("kendra", "Allow Kendra Service to describe the key directly")],
    ),
  ),
  kinesis: unlisted(
    service("Kinesis streams", "auto-kinesis-1", [
      through("Amazon Kinesis", ["kinesis"], uses.directly),
    ]),
  ),
  lex: unlisted(service("Lex data", "auto-lex-1", [through("lex", ["lex"], uses.withGrants)])),
  lightsail: unlisted(
    service(
      "Lightsail data",
      "auto-lightsail-1",
      [through("Lightsail", ["lightsail"], uses.directly)],
      [
        described(
          "lightsail",
          "Allow Lightsail with service principal name lightsail.amazonaws.com to describe the key directly",
        ),
      ],
    ),
  ),
  mq: unlisted(
    service("MQ data", "auto-mq-1", [
      through("Amazon MQ", ["mq", "elasticfilesystem"], uses.withGrants, "access to"),
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
  timestream: unlisted(
    service(
      "Timestream data",
      "auto-timestream-1",
      [through("Amazon Timestream", ["timestream"], uses.withGrants)],
      [described("timestream", "Allow the Timestream Service to describe the key directly")],
    ),
  ),
  translate: unlisted(
    service(
      "Translate data",
      "auto-translate-1",
      [through("Amazon Translate", ["translate"], uses.withGrants)],
      [describedKey("translate", "Translate")],
    ),
  ),
  workspaces: unlisted(
    service("WorkSpaces volumes", "auto-workspaces-1", [
      through("Workspaces", ["workspaces"], uses.withListedGrants),
    ]),
  ),
};
