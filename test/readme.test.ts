// The README's tables are what the code has. `UPDATE_README=1 npm test -- test/readme` rewrites them.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { operations } from "../src/operations/index.ts";
import { launcherSettings, type Setting, workerSettings } from "../src/settings.ts";

const path = new URL("../README.md", import.meta.url);

const cell = (text: string) => text.replaceAll("|", "\\|");

function settingsTable(): string {
  const all: Setting[] = [...Object.values(launcherSettings), ...Object.values(workerSettings)];
  const rows = all.map(({ flag, variable, kind, standard, about }) => {
    const argument = kind.argument === null ? "" : ` ${kind.argument}`;
    return [
      flag === null ? "" : `\`--${cell(flag + argument)}\``,
      variable === null ? "" : `\`${variable}\``,
      kind.argument === null ? "off" : standard === "" ? "" : `\`${String(standard)}\``,
      cell(about),
    ];
  });
  return table(
    ["flag", "variable", "standard", "what"],
    [
      ...rows,
      ["`--help`", "", "", "Prints this table"],
      ["`--version`", "", "", "Prints the version"],
    ],
  );
}

const OPERATIONS_PER_ROW = 4;

function operationsTable(): string {
  const all = Object.keys(operations).sort();
  const rows: string[][] = [];
  while (all.length > 0) rows.push(all.splice(0, OPERATIONS_PER_ROW));
  const [head = [], ...rest] = rows;
  return table(head, rest);
}

const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

test.each([
  ["settings", settingsTable],
  ["operations", operationsTable],
])("the README's table of %s is the code's", (name, made) => {
  const readme = readFileSync(path, "utf8");
  const block = new RegExp(`<!-- ${name} -->\n([\\s\\S]*)<!-- /${name} -->`);
  const expected = `${made()}\n`;
  if (process.env.UPDATE_README) {
    const marked = `<!-- ${name} -->\n${expected}<!-- /${name} -->`;
    writeFileSync(
      path,
      readme.replace(block, () => marked),
    );
    return;
  }
  expect(block.exec(readme)?.[1]).toBe(expected);
});
