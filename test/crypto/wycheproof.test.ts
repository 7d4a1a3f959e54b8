// Forged and mangled inputs above all. A selection of Wycheproof's files is in vectors/wycheproof;
// the whole files are read from a folder beside the project or from where VECTORS says. The long
// ones among them are sampled unless VECTORS_ALL=1.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { misjudged, trials, type VectorFile } from "./wycheproof.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const selection = join(here, "vectors/wycheproof");
const published = join(process.env.VECTORS ?? join(here, "../../../shared/vectors"), "wycheproof");
const all = process.env.VECTORS_ALL === "1";

const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as VectorFile;

const titled = trials.map((trial) => ({
  ...trial,
  title: [trial.file, trial.of].join(" ").trim(),
}));

describe.each(titled)("$title", (trial) => {
  it("has the selected vectors right", async () => {
    expect(await misjudged(trial, read(join(selection, trial.file)))).toEqual([]);
  });

  const whole = join(published, trial.file);
  it.skipIf(!existsSync(whole))("has the published vectors right", async () => {
    const sample = all ? undefined : trial.sample;
    expect(await misjudged(trial, read(whole), sample)).toEqual([]);
  });
});
