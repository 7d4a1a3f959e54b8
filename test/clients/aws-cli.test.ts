// The AWS CLI, version 1 or 2: the README's story as it stands there, and what scripts rely on.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { kms, moveClock, testAccount } from "../support/clients.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { type Outcome, program, run, temporaryFolder, testWith } from "./programs.ts";

const aws = program("aws");
const bash = program("bash");
const curl = program("curl");
const base64 = program("base64");

const testCli = testWith(aws);
const testShell = testWith(aws, bash, curl, base64);

testShell(
  "the README's five minutes print what the README says",
  async () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    expect(readme).toContain(
      "npm start -- --movable-clock --creating-ms 60000 --updating-ms 60000\n",
    );
    const story = storyOf(readme);
    expect(story.length).toBeGreaterThan(20);
    const script = story.map(({ command }) => `echo '${PROMPT}'\n${command}\n`).join("");
    const args = ["-c", `exec 2>&1\n${script}`];
    const { stdout } = await run(bash.found ?? "", args, cliOptions(await newServer()));
    const printed = stdout.split(`${PROMPT}\n`).slice(1);
    const [names, namesSaid] = [new Names(), new Names()];
    for (const [index, { command, output }] of story.entries()) {
      const said = namesSaid.in(comparable(output));
      expect(names.in(comparable(printed[index] ?? "")), command).toBe(said);
    }
  },
  120_000,
);

testCli("lists come whole, in pages of any size, and from where the last one ended", async () => {
  const server = await newServer();
  const cli = newCli(server);
  const client = kms(server.url, "us-east-1");
  const ids: string[] = [];
  const Tags = [..."abcde"].map((TagKey) => ({ TagKey, TagValue: "" }));
  for (const name of ["alias/zebra", "alias/Zebra", "alias/zoo"]) {
    const { KeyMetadata } = await client.createKey({ Tags });
    ids.push(KeyMetadata?.KeyId ?? "");
    await client.createAlias({ AliasName: name, TargetKeyId: KeyMetadata?.KeyId });
  }
  ids.sort();
  const keyIds = "--query=Keys[].KeyId";

  expect(await cli.json("list-keys", keyIds, "--page-size=1")).toEqual(ids);
  const first = await cli.json("list-keys", "--max-items=2");
  expect(first).toMatchObject({ Keys: [{ KeyId: ids[0] }, { KeyId: ids[1] }] });
  const { NextToken } = first as { NextToken: string };
  expect(await cli.json("list-keys", keyIds, "--starting-token", NextToken)).toEqual([ids[2]]);

  const named = "Aliases[?starts_with(AliasName,'alias/z') || starts_with(AliasName,'alias/Z')]";
  expect(await cli.json("list-aliases", "--page-size=4", `--query=${named}.AliasName`)).toEqual([
    "alias/Zebra",
    "alias/zebra",
    "alias/zoo",
  ]);

  const listTags = ["list-resource-tags", `--key-id=${ids[0]}`] as const;
  expect(await cli.json(...listTags, "--page-size=2", "--query=Tags[].TagKey")).toEqual([
    ..."abcde",
  ]);
  expect(await cli.json(...listTags, "--max-items=1")).toMatchObject({ Tags: [Tags[0]] });
  // Without the paginator: one page, by the API's own parameters.
  expect(await cli.json("list-keys", "--no-paginate", "--limit=2")).toMatchObject({
    Keys: [{ KeyId: ids[0] }, { KeyId: ids[1] }],
    Truncated: true,
    NextMarker: expect.any(String),
  });
});

testCli("files, tags, policies and every form of a key's name go through", async () => {
  const cli = newCli(await newServer());
  const statement = { Effect: "Allow", Principal: { AWS: "111122223333" }, Action: "kms:*" };
  const policy = { Version: "2012-10-17", Statement: [{ ...statement, Resource: "*" }] };
  cli.write("policy.json", JSON.stringify(policy));
  cli.write("plain.bin", Buffer.from([0, 255, 10, 13, 195, 40]));

  const created = await cli.json(
    ...["create-key", "--description", "two words", "--policy", "file://policy.json"],
    ...["--tags", "TagKey=Team,TagValue=Orders", "TagKey=Empty,TagValue="],
  );
  const { KeyMetadata: key } = created as { KeyMetadata: { KeyId: string; Arn: string } };
  expect(created).toMatchObject({
    KeyMetadata: {
      AWSAccountId: "111122223333",
      Arn: `arn:aws:kms:us-east-1:111122223333:key/${key.KeyId}`,
      CreationDate: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/),
      Description: "two words",
      KeyState: "Enabled",
    },
  });
  expect(
    await cli.text("get-key-policy", "--key-id", key.KeyId, "--query=Policy", "--output=text"),
  ).toBe(`{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}
`);
  expect(await cli.text("create-alias", "--alias-name=alias/a", "--target-key-id", key.Arn)).toBe(
    "",
  );
  const alias = `${key.Arn.split(":key/")[0]}:alias/a`;
  for (const name of [key.KeyId, key.Arn, "alias/a", alias]) {
    const described = ["describe-key", "--key-id", name, "--query=KeyMetadata.Arn"] as const;
    expect(await cli.json(...described)).toBe(key.Arn);
  }
  const encrypted = await cli.json(
    ...["encrypt", "--key-id=alias/a", "--plaintext=fileb://plain.bin"],
    ...["--encryption-context", "Customer=7,Order=é"],
  );
  const { CiphertextBlob } = encrypted as { CiphertextBlob: string };
  cli.write("cipher.bin", Buffer.from(CiphertextBlob, "base64"));
  const decrypted = await cli.json(
    ...["decrypt", "--ciphertext-blob=fileb://cipher.bin"],
    ...["--encryption-context", '{"Order":"é","Customer":"7"}'],
  );
  expect(decrypted).toMatchObject({ KeyId: key.Arn, Plaintext: "AP8KDcMo" });
});

testCli("refusals are printed as AWS words them, with an exit code of their own", async () => {
  const server = await newServer();
  const cli = newCli(server);
  const url = server?.url ?? "";
  const client = kms(url, "us-east-1", { account: "111122223333" });
  const { KeyMetadata } = await client.createKey({});
  const [id, arn] = [KeyMetadata?.KeyId ?? "", KeyMetadata?.Arn ?? ""];
  await client.createAlias({ AliasName: "alias/taken", TargetKeyId: id });
  await client.scheduleKeyDeletion({ KeyId: id, PendingWindowInDays: 7 });
  cli.write("noise.bin", "noise");

  const taken = ["create-alias", "--alias-name=alias/taken", "--target-key-id"] as const;
  const refusals: [command: readonly string[], error: string][] = [
    [
      ["describe-key", "--key-id=alias/none"],
      "(NotFoundException) when calling the DescribeKey operation: " +
        "Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found.",
    ],
    [
      ["describe-key", "--key-id", arn, "--region=eu-west-1"],
      "(NotFoundException) when calling the DescribeKey operation: Invalid arn us-east-1",
    ],
    [
      ["encrypt", "--key-id", id, "--plaintext=fileb://noise.bin"],
      `(KMSInvalidStateException) when calling the Encrypt operation: ${arn} is pending deletion.`,
    ],
    [
      // AWS has no text for it.
      ["decrypt", "--ciphertext-blob=fileb://noise.bin"],
      "(InvalidCiphertextException) when calling the Decrypt operation: ",
    ],
    [
      ["schedule-key-deletion", "--key-id", id, "--pending-window-in-days=6"],
      "(ValidationException) when calling the ScheduleKeyDeletion operation: " +
        "PendingWindowInDays must be between 7 and 30.",
    ],
  ];
  for (const [command, error] of refusals) {
    const outcome = await cli.run(...command);
    expect(outcome.stderr).toContain(`An error occurred ${error}`);
    expect(outcome.stdout).toBe("");
    expect([254, 255]).toContain(outcome.code);
  }

  expect((await cli.run(...taken, id)).stderr).toContain("(KMSInvalidStateException)");
  await moveClock(server.url, "P7D");
  expect((await cli.run(...taken, id)).stderr).toContain(
    `(NotFoundException) when calling the CreateAlias operation: Key '${arn}' does not exist`,
  );
  expect(await cli.json("list-aliases", "--query=Aliases[?TargetKeyId]")).toEqual([]);
});

// The README.

/** Printed before each command's output. Not `$`, which an output may hold. */
const PROMPT = "--- edge-kms prompt ---";

interface Step {
  readonly command: string;
  readonly output: string;
}

/** Every line after a `$ ` in the console blocks of the five minutes, with the lines that follow it. */
function storyOf(readme: string): Step[] {
  const [, section = ""] = /^## Five minutes\n([\s\S]*?)^## /m.exec(readme) ?? [];
  const blocks = [...section.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, block]) => block);
  return blocks
    .join("")
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf("\n");
      return { command: step.slice(0, end), output: step.slice(end + 1) };
    });
}

/** What the versions of the CLI print alike: no empty lines, and no `aws: [ERROR]:`. */
const comparable = (output: string) =>
  output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^aws: \[ERROR\]: /, ""))
    .join("\n");

/** Gives key IDs and instants, which differ from run to run, the same name wherever they appear. */
class Names {
  readonly #known = new Map<string, string>();

  in(text: string): string {
    return text
      .replace(/20\d\d-\d\d-\d\dT[\d:.]+Z/g, "INSTANT")
      .replace(/mrk-[0-9a-f]{32}/g, (id) => {
        const name = this.#known.get(id) ?? `KEY ${this.#known.size + 1}`;
        this.#known.set(id, name);
        return name;
      });
  }
}

// The CLI.

interface Cli {
  /** Runs `aws kms` in a folder of its own. */
  readonly run: (...args: readonly string[]) => Promise<Outcome>;
  /** What a command that succeeds prints. */
  readonly text: (...args: readonly string[]) => Promise<string>;
  readonly json: (...args: readonly string[]) => Promise<unknown>;
  /** Puts a file into the folder. */
  readonly write: (name: string, content: string | Buffer) => void;
}

/** A CLI of the tests' account, in us-east-1. */
function newCli(server: Server): Cli {
  const options = cliOptions(server, { AWS_ACCESS_KEY_ID: testAccount });
  const runKms = (...args: readonly string[]) => run(aws.found ?? "", ["kms", ...args], options);
  const text = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runKms(...args);
    if (code !== 0) throw new Error(`aws kms ${args.join(" ")} ended with ${code}:${stderr}`);
    return stdout;
  };
  return {
    run: runKms,
    text,
    json: async (...args) => JSON.parse(await text(...args)),
    write: (name, content) => writeFileSync(join(options.cwd, name), content),
  };
}

/** The server the README tells to start, for one test. */
async function newServer(): Promise<Server> {
  const server = await startRaw({ movableClock: true, creatingMs: 60_000, updatingMs: 60_000 });
  onTestFinished(server.stop);
  return server;
}

/** What the server says to export, and nothing of whoever runs the test. */
function cliOptions(server: Server, changed: Readonly<Record<string, string>> = {}) {
  const cwd = temporaryFolder();
  const config = join(cwd, "aws-config");
  // Version 1 would print the numbers of the wire.
  writeFileSync(config, "[default]\ncli_timestamp_format = iso8601\n");
  const exported = server.output().matchAll(/^export (\w+)=(.*)$/gm);
  const said = Object.fromEntries([...exported].map(([, name, value]) => [name, value]));
  const environment: Record<string, string> = {
    ...said,
    ...changed,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: join(cwd, "none"),
    AWS_PAGER: "",
  };
  return { cwd, environment };
}
