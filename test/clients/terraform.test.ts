// Terraform with HashiCorp's AWS provider: what a configuration says is what is there, and stays so.
// Most of the time passes inside the provider, which waits until each change was seen several times
// in a row: 4 seconds for a policy, tags or rotation, 8 for a description, 28 for a disabled key.

import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { kms, moveClock, refuses } from "../support/clients.ts";
import { startRaw } from "../support/servers.ts";
import { awsProviderMirror, program, run, temporaryFolder, testWith } from "./programs.ts";

const configuration = fileURLToPath(new URL("terraform", import.meta.url));
const terraform = program("terraform");
const mirror = awsProviderMirror();

testWith(terraform, mirror)(
  "Terraform makes, changes and destroys related keys, and finds no difference in between",
  async () => {
    const server = await startRaw({ movableClock: true, creatingMs: 500 });
    onTestFinished(server.stop);
    await story(server.url);
  },
  600_000,
);

async function story(url: string): Promise<void> {
  const tf = newWorkspace(url);
  const [us, eu] = [kms(url, "us-east-1"), kms(url, "eu-west-1")];
  await tf("init");

  await tf("apply", "-auto-approve");
  const made = JSON.parse(await tf("output", "-json")) as Outputs;
  const KeyId = made.key_id.value;
  const single = { KeyId: made.single_key_id.value };
  expect(made.regions.value).toMatchObject({
    multi_region_key_type: "REPLICA",
    primary_key: [{ region: "us-east-1" }],
    replica_keys: [{ region: "eu-west-1" }],
  });
  expect(await us.describeKey({ KeyId: "alias/orders" })).toMatchObject({
    KeyMetadata: { KeyId, Description: "Orders", KeyState: "Enabled", MultiRegion: true },
  });
  expect(await eu.describeKey({ KeyId: "alias/orders" })).toMatchObject({
    KeyMetadata: { KeyId, Description: "Orders in Ireland", KeyState: "Enabled" },
  });
  expect(await eu.getKeyRotationStatus({ KeyId })).toMatchObject({ RotationPeriodInDays: 180 });
  expect(await tagsOf(us, KeyId)).toEqual({ Name: "orders", Stage: "test" });
  expect((await us.listGrants({ KeyId })).Grants).toMatchObject([
    {
      Name: "app",
      GranteePrincipal: "arn:aws:iam::111122223333:role/app",
      Operations: expect.arrayContaining(["Encrypt", "Decrypt"]),
      Constraints: { EncryptionContextSubset: { Department: "IT" } },
    },
  ]);
  expect((await eu.listGrants({ KeyId })).Grants).toMatchObject([
    { GranteePrincipal: "dynamodb.eu-west-1.amazonaws.com" },
  ]);

  // What is planned is the change and nothing else: all the rest is there as it was written.
  const changed = "-var-file=changed.tfvars";
  const events = eventsIn(await tf("apply", "-auto-approve", "-json", changed));
  expect(plannedIn(events)).toEqual([
    "replace aws_kms_grant.app",
    "update aws_kms_alias.moving",
    "update aws_kms_key.primary",
    "update aws_kms_key.single",
    "update aws_kms_replica_key.replica",
  ]);
  expect(await us.describeKey({ KeyId: "alias/moving" })).toMatchObject({
    KeyMetadata: { KeyId, Description: "Paid orders" },
  });
  expect(await us.describeKey(single)).toMatchObject({ KeyMetadata: { KeyState: "Disabled" } });
  expect(await eu.getKeyRotationStatus({ KeyId })).toMatchObject({ RotationPeriodInDays: 200 });
  expect(await tagsOf(us, KeyId)).toEqual({ Name: "orders", Stage: "production" });
  expect(await tagsOf(eu, KeyId)).toEqual({ Stage: "production" });
  expect(statementsOf((await us.getKeyPolicy({ KeyId })).Policy)).toMatchObject([
    { Sid: "Root" },
    {
      Sid: "Use",
      Principal: { AWS: ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:role/app"] },
    },
  ]);
  // A plan with a difference would end with 2, which is a failure.
  await tf("plan", "-detailed-exitcode", changed);

  await tf("destroy", "-auto-approve", "-refresh=false", changed);
  expect((await us.listAliases({ KeyId })).Aliases).toEqual([]);
  expect((await us.listGrants({ KeyId })).Grants).toEqual([]);
  expect((await eu.listGrants({ KeyId })).Grants).toEqual([]);
  expect(await us.describeKey({ KeyId })).toMatchObject({
    KeyMetadata: { KeyState: "PendingReplicaDeletion", PendingDeletionWindowInDays: 7 },
  });
  expect(await us.describeKey(single)).toMatchObject({
    KeyMetadata: { KeyState: "PendingDeletion" },
  });
  await moveClock(url, "P7D");
  await refuses(eu.describeKey({ KeyId }), "NotFoundException");
  await moveClock(url, "P7D");
  expect((await us.listKeys({})).Keys).toEqual([]);
}

interface Outputs {
  readonly key_id: { readonly value: string };
  readonly single_key_id: { readonly value: string };
  readonly regions: { readonly value: unknown };
}

/** Runs a command of Terraform in one working folder and returns what it prints. */
type Terraform = (...args: readonly string[]) => Promise<string>;

/** A copy of the configuration, and a Terraform that installs providers from the mirror alone. */
function newWorkspace(url: string): Terraform {
  const cwd = temporaryFolder();
  cpSync(configuration, cwd, { recursive: true });
  const cliConfiguration = join(cwd, "terraform.rc");
  const path = JSON.stringify(mirror.found);
  writeFileSync(
    cliConfiguration,
    `provider_installation {\n  filesystem_mirror {\n    path = ${path}\n  }\n}\n`,
  );
  const environment = {
    TF_CLI_CONFIG_FILE: cliConfiguration,
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    TF_VAR_endpoint: url,
    CHECKPOINT_DISABLE: "1",
    // No profile of whoever runs the test.
    AWS_CONFIG_FILE: join(cwd, "none"),
    AWS_SHARED_CREDENTIALS_FILE: join(cwd, "none"),
    // The provider is started anew for every command, and would spend half of that on garbage.
    GOGC: "400",
  };
  return async (...args) => {
    const { code, stdout, stderr } = await run(terraform.found ?? "", args, { cwd, environment });
    if (code !== 0) throw new Error(`terraform ${args[0]} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  };
}

interface Event {
  readonly type: string;
  readonly change?: { readonly action: string; readonly resource: { readonly addr: string } };
}

const eventsIn = (stream: string) =>
  stream
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);

const plannedIn = (events: readonly Event[]) =>
  events
    .filter(({ type }) => type === "planned_change")
    .map(({ change }) => `${change?.action} ${change?.resource.addr}`)
    .sort();

type Kms = ReturnType<typeof kms>;

async function tagsOf(client: Kms, KeyId: string): Promise<Record<string, string | undefined>> {
  const { Tags = [] } = await client.listResourceTags({ KeyId });
  return Object.fromEntries(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
}

const statementsOf = (policy = "{}") => (JSON.parse(policy) as { Statement: unknown }).Statement;
