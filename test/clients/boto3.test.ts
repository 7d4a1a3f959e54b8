// boto3, which has opinions of its own: a class for each exception, retries, pages, its own checks.
// The stories are in boto3_story.py.

import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { startRaw } from "../support/servers.ts";
import { python, run, temporaryFolder, testWith } from "./programs.ts";

const script = fileURLToPath(new URL("boto3_story.py", import.meta.url));
const python3 = python("boto3", "cryptography");

const stories = {
  MultiRegion: "a multi-Region set from its creation to its deletion",
  Envelope: "envelope encryption with data keys, across Regions",
  Errors: "every refusal is an exception of the client, and no request is sent twice",
  Validation: "the server's own validation says what AWS's says",
  Grants: "a grant from its creation to its end",
  Paginators: "the paginators find everything",
};

for (const [story, title] of Object.entries(stories)) {
  testWith(python3)(`boto3: ${title}`, async () => {
    const server = await startRaw({
      movableClock: true,
      creatingMs: 60_000,
      updatingMs: 60_000,
    });
    onTestFinished(server.stop);
    const cwd = temporaryFolder();
    const environment = { AWS_CONFIG_FILE: "none", AWS_SHARED_CREDENTIALS_FILE: "none" };
    const args = [script, server.url, story];
    const { code, stderr } = await run(python3.found ?? "", args, { cwd, environment });
    expect(stderr).toMatch(/^Ran \d+ tests? .*\n\nOK\n$/m);
    expect(code).toBe(0);
  });
}
