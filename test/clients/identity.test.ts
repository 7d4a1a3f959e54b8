// AWS's own clients and who they are: profiles and assumed roles, sessions that end, refusals.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { KMS } from "@aws-sdk/client-kms";
import { expect, onTestFinished, test } from "vitest";
import { refuses } from "../support/clients.ts";
import {
  ACCOUNT,
  alice,
  bob,
  callSts,
  configuration,
  eve,
  policyArn,
  roleArn,
  signingWith,
} from "../support/people.ts";
import { type Server, type ServerOptions, startRaw } from "../support/servers.ts";
import { awsProviderMirror, program, python, run, temporaryFolder, testWith } from "./programs.ts";

const aws = program("aws");
const python3 = python("boto3");
const terraform = program("terraform");
const mirror = awsProviderMirror();
const testCli = testWith(aws);

async function newServer(options: ServerOptions): Promise<Server> {
  const server = await startRaw(options);
  onTestFinished(server.stop);
  return server;
}

const verifying = () => newServer({ auth: "required", accounts: JSON.stringify(configuration) });

const INVALID_SIGNATURE =
  "The request signature we calculated does not match the signature you provided. Check your " +
  "AWS Secret Access Key and signing method. Consult the service documentation for details.";

/** A CLI with profiles, and whose answer of `sts get-caller-identity` is the ARN alone. */
function newCli({ url }: Server, profiles: string) {
  const cwd = temporaryFolder();
  const [config, none] = [join(cwd, "aws-config"), join(cwd, "none")];
  writeFileSync(config, profiles);
  const environment = {
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: none,
    AWS_ENDPOINT_URL_KMS: url,
    AWS_ENDPOINT_URL_STS: url,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_PAGER: "",
    // Where the CLI keeps the sessions of roles.
    HOME: cwd,
  };
  const call = async (...args: readonly string[]) => {
    const { stdout, stderr } = await run(aws.found ?? "", args, { cwd, environment });
    return (stdout + stderr).trim();
  };
  return {
    call,
    whoIs: (profile: string) =>
      call("sts", "get-caller-identity", "--query=Arn", "--output=text", "--profile", profile),
  };
}

const profile = (name: string, lines: Record<string, string>) =>
  `[profile ${name}]\n${Object.entries(lines)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("")}`;

const keysOf = ({ accessKeyId, secret }: typeof alice) => ({
  aws_access_key_id: accessKeyId,
  aws_secret_access_key: secret,
});

testCli("the AWS CLI: users and roles of a configuration, by profile", async () => {
  const server = await verifying();
  const cli = newCli(
    server,
    [
      profile("alice", keysOf(alice)),
      profile("bob", keysOf(bob)),
      profile("eve", keysOf(eve)),
      profile("wrong", keysOf({ ...alice, secret: "wrong" })),
      profile("nobody", keysOf({ accessKeyId: ACCOUNT, secret: "x" })),
      profile("app", { role_arn: roleArn("service/app"), source_profile: "alice" }),
      // With a name of its own: the CLI keeps sessions by role and name, whoever began them.
      profile("bobs-app", {
        role_arn: roleArn("service/app"),
        source_profile: "bob",
        role_session_name: "bobs",
      }),
      profile("chained", {
        role_arn: roleArn("service/app"),
        source_profile: "app",
        role_session_name: "second",
      }),
      profile("guarded", {
        role_arn: roleArn("guarded"),
        source_profile: "alice",
        external_id: "the-id",
        role_session_name: "visit",
      }),
      profile("partner", { role_arn: roleArn("partner"), source_profile: "eve" }),
    ].join("\n"),
  );
  expect(await cli.whoIs("alice")).toBe(`arn:aws:iam::${ACCOUNT}:user/alice`);
  expect(await cli.whoIs("app")).toMatch(
    new RegExp(`^arn:aws:sts::${ACCOUNT}:assumed-role/app/botocore-session-\\d+$`),
  );
  expect(await cli.whoIs("chained")).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/app/second`);
  expect(await cli.whoIs("guarded")).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/guarded/visit`);
  expect(await cli.whoIs("partner")).toContain(`arn:aws:sts::${ACCOUNT}:assumed-role/partner/`);
  expect(await cli.whoIs("bobs-app")).toContain(
    `An error occurred (AccessDenied) when calling the AssumeRole operation: User: ` +
      `arn:aws:iam::${ACCOUNT}:user/division/bob is not authorized to perform: sts:AssumeRole on ` +
      `resource: ${roleArn("service/app")}`,
  );
  expect(await cli.whoIs("wrong")).toContain("An error occurred (SignatureDoesNotMatch)");
  expect(await cli.whoIs("nobody")).toContain(
    "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: " +
      "The security token included in the request is invalid.",
  );
  expect(await cli.call("kms", "list-keys", "--profile=wrong")).toContain(
    `An error occurred (InvalidSignatureException) when calling the ListKeys operation: ${INVALID_SIGNATURE}`,
  );
  expect(await cli.call("kms", "list-keys", "--profile=nobody")).toContain(
    "An error occurred (UnrecognizedClientException) when calling the ListKeys operation: ",
  );
  const made = ["kms", "create-key", "--query=KeyMetadata.AWSAccountId", "--output=text"] as const;
  expect(await cli.call(...made, "--profile=app")).toBe(ACCOUNT);
});

testCli("the AWS CLI: any role, with nothing but a profile's role_arn", async () => {
  const server = await newServer({});
  const cli = newCli(
    server,
    [
      profile("me", { aws_access_key_id: ACCOUNT, aws_secret_access_key: "x" }),
      profile("any", { role_arn: roleArn("any/role"), source_profile: "me" }),
      profile("other", {
        role_arn: roleArn("deploy", "444455556666"),
        source_profile: "me",
        role_session_name: "ci",
      }),
    ].join("\n"),
  );
  expect(await cli.whoIs("me")).toBe(`arn:aws:iam::${ACCOUNT}:root`);
  expect(await cli.whoIs("any")).toContain(`arn:aws:sts::${ACCOUNT}:assumed-role/role/`);
  expect(await cli.whoIs("other")).toBe("arn:aws:sts::444455556666:assumed-role/deploy/ci");
  const made = ["kms", "create-key", "--query=KeyMetadata.AWSAccountId", "--output=text"] as const;
  expect(await cli.call(...made, "--profile=other")).toBe("444455556666");
});

testCli("the AWS CLI: a key whose policy lets one role alone use it", async () => {
  const server = await verifying();
  const cli = newCli(
    server,
    [
      profile("alice", keysOf(alice)),
      profile("app", { role_arn: roleArn("service/app"), source_profile: "alice" }),
    ].join("\n"),
  );
  const toRole = (role: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: role }, Action: "kms:Encrypt", Resource: "*" },
      ],
    });
  const create = (policy: string) =>
    cli.call(
      ...["kms", "create-key", "--profile=alice", "--bypass-policy-lockout-safety-check"],
      ...["--policy", policy, "--query=KeyMetadata.Arn", "--output=text"],
    );
  expect(await create(toRole(roleArn("nobody")))).toContain(
    "An error occurred (MalformedPolicyDocumentException) when calling the CreateKey operation: " +
      "Policy contains a statement with one or more invalid principals.",
  );
  const key = await create(toRole(roleArn("service/app")));
  const encrypt = (who: string) =>
    cli.call(
      ...["kms", "encrypt", "--key-id", key, "--plaintext=eA==", "--profile", who],
      ...["--query=KeyId", "--output=text"],
    );
  expect(await encrypt("app")).toBe(key);
  expect(await encrypt("alice")).toContain(
    "An error occurred (AccessDeniedException) when calling the Encrypt operation: User: " +
      `arn:aws:iam::${ACCOUNT}:user/alice is not authorized to perform: kms:Encrypt on resource: ` +
      `${key} because no resource-based policy allows the kms:Encrypt action`,
  );
});

testCli("the AWS CLI: managed session policies and a source identity", async () => {
  const server = await verifying();
  const cli = newCli(server, profile("alice", keysOf(alice)));
  const assume = (...more: readonly string[]) =>
    cli.call(
      ...["sts", "assume-role", "--profile=alice", "--role-session-name=cli"],
      ...["--role-arn", roleArn("service/app"), "--output=json", ...more],
    );
  const answer = JSON.parse(
    await assume(
      ...["--policy-arns", `arn=${policyArn("team/Encrypt")}`],
      ...["arn=arn:aws:iam::aws:policy/SecurityAudit", "--source-identity=ann@example.com"],
    ),
  );
  expect(answer).toMatchObject({
    SourceIdentity: "ann@example.com",
    PackedPolicySize: 3,
    AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/app/cli` },
  });
  const arn = policyArn("Encrypt");
  expect(await assume("--policy-arns", `arn=${arn}`)).toContain(
    "An error occurred (ValidationError) when calling the AssumeRole operation: " +
      `Policy ${arn} does not exist or is not attachable.`,
  );
});

test("the JavaScript SDK: users, sessions, refusals", async () => {
  const { url } = await verifying();
  const client = (credentials: { accessKeyId: string; secret: string; token?: string }) =>
    new KMS({
      endpoint: url,
      region: "us-east-1",
      maxAttempts: 1,
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secret,
        ...(credentials.token !== undefined && { sessionToken: credentials.token }),
      },
    });
  const { KeyMetadata } = await client(alice).createKey({ Description: "alice's" });
  expect(KeyMetadata?.AWSAccountId).toBe(ACCOUNT);
  const session = signingWith(
    await callSts(url, alice, "AssumeRole", {
      RoleArn: roleArn("service/app"),
      RoleSessionName: "sdk",
    }),
  );
  expect(await client(session).listKeys({})).toMatchObject({
    Keys: [{ KeyId: KeyMetadata?.KeyId }],
  });
  await refuses(
    client({ ...alice, secret: "wrong" }).listKeys({}),
    "InvalidSignatureException",
    INVALID_SIGNATURE,
  );
  const { token: _token, ...bare } = session;
  await refuses(client(bare).listKeys({}), "UnrecognizedClientException");
});

const BOTO3 = `
import sys, boto3
from botocore.exceptions import ClientError
url, key, secret, role = sys.argv[1:5]
session = boto3.Session(key, secret, region_name="eu-west-1")
sts = session.client("sts", endpoint_url=url)
kms = lambda c: boto3.client("kms", "eu-west-1", endpoint_url=url,
    aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"],
    aws_session_token=c.get("SessionToken"))
print(sts.get_caller_identity()["Arn"])
answer = sts.assume_role(RoleArn=role, RoleSessionName="boto", DurationSeconds=900,
    Tags=[{"Key": "Team", "Value": "orders + co"}], TransitiveTagKeys=["Team"])
print(answer["AssumedRoleUser"]["Arn"], answer["PackedPolicySize"] > 0, "SourceIdentity" in answer)
chained = boto3.client("sts", "eu-west-1", endpoint_url=url,
    aws_access_key_id=answer["Credentials"]["AccessKeyId"],
    aws_secret_access_key=answer["Credentials"]["SecretAccessKey"],
    aws_session_token=answer["Credentials"]["SessionToken"])
limited = chained.assume_role(RoleArn=role, RoleSessionName="limited", SourceIdentity="ann",
    PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, {"arn": sys.argv[5]}])
print(limited["SourceIdentity"], limited["PackedPolicySize"])
try:
    kms(limited["Credentials"]).create_key()
except ClientError as error:
    print(error.response["Error"]["Message"].split("because ")[1])
try:
    chained.assume_role(RoleArn=role, RoleSessionName="limited",
        PolicyArns=[{"arn": sys.argv[5]}] * 11)
except ClientError as error:
    print(error.response["Error"]["Code"], error.response["Error"]["Message"][-48:])
print(kms(answer["Credentials"]).create_key()["KeyMetadata"]["Arn"].rsplit("/", 1)[0])
own = sts.get_session_token(DurationSeconds=900)["Credentials"]
print(len(kms(own).list_keys()["Keys"]), own["Expiration"].tzinfo is not None)
from urllib.request import Request, urlopen
for method in ("GET", "POST"):
    request = Request(sts.generate_presigned_url("get_caller_identity", HttpMethod=method), method=method)
    print("user/alice" in urlopen(request).read().decode())
for bad in ({**own, "SessionToken": "x"}, {**own, "SecretAccessKey": "x"}, {"AccessKeyId": key, "SecretAccessKey": "x"}):
    try:
        kms(bad).list_keys()
    except ClientError as error:
        print(error.response["Error"]["Code"])
`;

testWith(python3)("boto3: roles with tags, session tokens, presigned URLs", async () => {
  const { url } = await verifying();
  const cwd = temporaryFolder();
  const environment = { AWS_CONFIG_FILE: "none", AWS_SHARED_CREDENTIALS_FILE: "none" };
  const role = roleArn("service/app");
  const own = policyArn("team/Encrypt");
  const args = ["-c", BOTO3, url, alice.accessKeyId, alice.secret, role, own];
  const { stdout, stderr } = await run(python3.found ?? "", args, { cwd, environment });
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n")).toEqual([
    `arn:aws:iam::${ACCOUNT}:user/alice`,
    `arn:aws:sts::${ACCOUNT}:assumed-role/app/boto True False`,
    "ann 6",
    "no session policy allows the kms:CreateKey action",
    "ValidationError Member must have length less than or equal to 10",
    `arn:aws:kms:eu-west-1:${ACCOUNT}:key`,
    "1 True",
    "True",
    "True",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "InvalidSignatureException",
  ]);
});

const TERRAFORM = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "endpoint" { type = string }
variable "access_key" { type = string }
variable "secret_key" { type = string }
variable "role_arn" { type = string }
provider "aws" {
  region     = "us-east-1"
  access_key = var.access_key
  secret_key = var.secret_key
  assume_role {
    role_arn            = var.role_arn
    session_name        = "terraform"
    duration            = "15m"
    tags                = { Team = "orders" }
    transitive_tag_keys = ["Team"]
    policy_arns         = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    source_identity     = "terraform"
  }
  endpoints {
    kms = var.endpoint
    sts = var.endpoint
  }
}
data "aws_caller_identity" "me" {}
resource "aws_kms_key" "made" { deletion_window_in_days = 7 }
output "arn" { value = data.aws_caller_identity.me.arn }
`;

testWith(terraform, mirror)(
  "Terraform: a provider that assumes a role",
  async () => {
    const { url } = await verifying();
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "main.tf"), TERRAFORM);
    const path = JSON.stringify(mirror.found);
    writeFileSync(
      join(cwd, "terraform.rc"),
      `provider_installation {\n  filesystem_mirror {\n    path = ${path}\n  }\n}\n`,
    );
    const environment = {
      TF_CLI_CONFIG_FILE: join(cwd, "terraform.rc"),
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      TF_VAR_endpoint: url,
      TF_VAR_access_key: alice.accessKeyId,
      TF_VAR_secret_key: alice.secret,
      TF_VAR_role_arn: roleArn("service/app"),
      CHECKPOINT_DISABLE: "1",
      AWS_CONFIG_FILE: join(cwd, "none"),
      AWS_SHARED_CREDENTIALS_FILE: join(cwd, "none"),
      GOGC: "400",
    };
    const tf = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await run(terraform.found ?? "", args, { cwd, environment });
      if (code !== 0)
        throw new Error(`terraform ${args[0]} ended with ${code}:\n${stdout}${stderr}`);
      return stdout;
    };
    await tf("init");
    await tf("apply", "-auto-approve");
    expect((await tf("output", "-raw", "arn")).trim()).toBe(
      `arn:aws:sts::${ACCOUNT}:assumed-role/app/terraform`,
    );
    await tf("plan", "-detailed-exitcode");
  },
  300_000,
);
