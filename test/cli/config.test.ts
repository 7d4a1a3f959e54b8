// The --config file: read at the start, read again when it changes, and gone with the server.

import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ACCOUNT, alice, bob, callSts } from "../support/people.ts";
import { Command, cleanEnvironment, outcome, refusal, temporaryFolder } from "./command.ts";
import { until } from "./until.ts";

const user = (name: string, { accessKeyId, secret }: typeof alice) =>
  `accounts:
  ${ACCOUNT}:
    users:
      ${name}:
        accessKeys: [{id: ${accessKeyId}, secret: "${secret}"}]
        policies:
          - Version: "2012-10-17"
            Statement: {Effect: Allow, Action: kms:ListKeys, Resource: "*"}
`;

/** A server that verifies signatures, with a configuration of its own to be changed. */
async function started(text: string) {
  const folder = temporaryFolder();
  const file = join(folder, "edge-kms.yaml");
  writeFileSync(file, text);
  const data = join(folder, "data");
  const server = new Command(["--port", "0", "--data", data, "--config", file], {
    env: cleanEnvironment({ AUTH: "required" }),
  });
  const { url } = await server.ready();
  return { file, data, server, url };
}

const isServed = async (url: string, who: typeof alice) =>
  (await callSts(url, who, "GetCallerIdentity")).status === 200;

test("its users are served, and no others; a change counts without a restart", async () => {
  const { file, data, server, url } = await started(user("alice", alice));
  expect(await isServed(url, alice)).toBe(true);
  expect(await isServed(url, bob)).toBe(false);
  // As editors save: another file in its place.
  writeFileSync(`${file}.new`, user("bob", bob));
  const changedAt = Date.now();
  renameSync(`${file}.new`, file);
  await until("bob is served", () => isServed(url, bob));
  await until("alice is no more", async () => !(await isServed(url, alice)));
  expect(Date.now() - changedAt).toBeLessThan(5000);
  expect(server.stderr).toBe(`edge-kms: ${file} was read again\n`);

  writeFileSync(file, "accounts: {}\nkeyz: hunter2\n");
  await until("it is told", () => server.stderr.includes("keyz"));
  expect(server.stderr).toContain(
    `edge-kms: ${file}:2: keyz is not known; what it said before is still in force\n`,
  );
  expect(server.stderr + server.stdout).not.toMatch(/hunter2|secret/);
  expect(await isServed(url, bob)).toBe(true);

  server.child.kill("SIGTERM");
  await server.exit;
  expect(readdirSync(data)).toEqual(["state"]);
});

test("what a killed server has left is removed at the next start, and counts no more", async () => {
  const { data, server } = await started(user("alice", alice));
  server.child.kill("SIGKILL");
  await server.exit;
  expect(readdirSync(data)).toContain("accounts");
  const again = new Command(["--port", "0", "--data", data], {
    env: cleanEnvironment({ AUTH: "required" }),
  });
  const { url } = await again.ready();
  expect(readdirSync(data)).not.toContain("accounts");
  expect(await isServed(url, alice)).toBe(false);
});

test("one that cannot be read or is wrong stops the start, in one line", async () => {
  const folder = temporaryFolder();
  const [file, missing] = [join(folder, "edge-kms.yaml"), join(folder, "none.yaml")];
  const startWith = (config: string) =>
    outcome(["--port", "0", "--data", join(folder, "data"), "--config", config]);
  expect(await startWith(missing)).toEqual(refusal(`${missing} cannot be read: it is not there`));
  mkdirSync(missing);
  expect(await startWith(missing)).toEqual(refusal(`${missing} cannot be read: it is a folder`));
  writeFileSync(file, `${user("alice", alice)}      carol: {accessKeys: [{id: AKIA1}]}\n`);
  expect(await startWith(file)).toEqual(
    refusal(`${file}:9: accounts.${ACCOUNT}.users.carol.accessKeys.0 lacks secret`),
  );
  expect(readdirSync(join(folder, "data"))).toEqual(["state"]);
});
