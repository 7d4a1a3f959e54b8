// The last line of a test run, which CI reads.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const inRepository = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const files = {
  "some.test.js": `
    test("passes", () => {});
    test("fails", () => { throw new Error("what went wrong"); });
    test.skip("is skipped", () => {});
    test.todo("is to be written");
  `,
  "broken.test.js": `throw new Error("it cannot be loaded");`,
};

/** On a Node that lacks what Node 20 lacks. */
const asNode20 = ["--import", "data:text/javascript,delete Map.groupBy"];

test("failures are printed, and the last line counts them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-kms-summary-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const reporter = inRepository("tools/summary-reporter.ts");
  const vitest = [inRepository("node_modules/vitest/vitest.mjs"), "run", "--root", folder];
  const options = ["--globals", `--reporter=${reporter}`, "--reporter=default"];
  const printed = await new Promise<string>((done) => {
    execFile(process.execPath, [...asNode20, ...vitest, ...options], (_error, stdout, stderr) =>
      done(stderr + stdout),
    );
  });
  expect(printed).toContain("what went wrong");
  expect(printed).toContain("it cannot be loaded");
  expect(printed).toMatch(/\n1 passed, 2 failed, 2 skipped\n$/);
});
