// The README's workflow of a preview environment: its steps as a runner would run them, against a server
// as it is deployed.

import { readFileSync } from "node:fs";
import { KMS } from "@aws-sdk/client-kms";
import { expect, onTestFinished } from "vitest";
import { parse } from "yaml";
import { refuses } from "../support/clients.ts";
import { startRaw } from "../support/servers.ts";
import { program, run, temporaryFolder, testWith } from "./programs.ts";

const bash = program("bash");

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: {
    readonly test: {
      readonly env: Readonly<Record<string, string>>;
      readonly steps: readonly Step[];
    };
  };
}

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const [, text = ""] = /```yaml\n(env:\n {2}KMS:[\s\S]*?)```/.exec(readme) ?? [];

/** A text with what a runner puts in for its expressions. */
const filledIn = (template: string, values: Readonly<Record<string, string>>) =>
  template.replaceAll(/\$\{\{ ([\w.]+) \}\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the workflow asks for ${name}`);
    return value;
  });

testWith(bash, program("curl"))("one request at the start, one at the end", async () => {
  const server = await startRaw({ auth: "required", adminToken: "the admin's token" });
  onTestFinished(server.stop);
  const workflow = parse(text) as Workflow;
  const job = workflow.jobs.test;
  const known: Record<string, string> = {
    "github.event.number": "7",
    "github.run_id": "42",
    "secrets.EDGE_KMS_ADMIN_TOKEN": "the admin's token",
    "env.KMS": server.url,
  };
  const environment: Record<string, string> = { KMS: server.url };
  for (const [name, value] of Object.entries(job.env)) {
    environment[name] = filledIn(value, known);
    known[`env.${name}`] = environment[name] ?? "";
  }
  const cwd = temporaryFolder();
  const runStep = (name: string) => {
    const script = job.steps.find((step) => step.name === name)?.run ?? "";
    return run(bash.found ?? "", ["-ec", filledIn(script, known)], { cwd, environment });
  };

  expect(await runStep("Make a KMS")).toMatchObject({ code: 0 });
  const tests = job.steps.find(({ run: script }) => script?.includes("npm test"))?.env ?? {};
  const variable = (name: string) => environment[name] ?? filledIn(tests[name] ?? "", known);
  const kms = new KMS({
    endpoint: variable("AWS_ENDPOINT_URL_KMS"),
    region: variable("AWS_REGION"),
    maxAttempts: 1,
    credentials: {
      accessKeyId: variable("AWS_ACCESS_KEY_ID"),
      secretAccessKey: variable("AWS_SECRET_ACCESS_KEY"),
    },
  });
  const { KeyMetadata } = await kms.createKey({});
  expect(KeyMetadata).toMatchObject({ AWSAccountId: "111122223333", KeyState: "Enabled" });

  expect(await runStep("Remove it")).toMatchObject({ code: 0 });
  await refuses(kms.listKeys({}), "UnrecognizedClientException");
});
