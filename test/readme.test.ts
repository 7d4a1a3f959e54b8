// The tables of the documentation are what the code has. `UPDATE_README=1 npm test -- test/readme`
// rewrites them.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Limit, limits, type Rate } from "../src/domain/limits.ts";
import { operations } from "../src/operations/index.ts";
import { launcherSettings, type Setting, workerSettings } from "../src/settings.ts";

const pathOf = (file: string) => new URL(`../${file}`, import.meta.url);

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

/** What sets the limits of a section; nothing, of those that are left out. */
const settingsOfLimits: Readonly<Record<string, Setting>> = {
  resource: workerSettings.quotas,
  request: workerSettings.requestQuotas,
  tenant: workerSettings.tenantLimits,
};

/** Names of a section whose limits are the same share a row. */
function limitsTable(): string {
  const rows = Object.entries(limits).flatMap(([section, ofSection]) => {
    const variable = settingsOfLimits[section]?.variable;
    const names = new Map<string, string[]>();
    for (const [name, limit] of Object.entries<Limit<Rate>>(ofSection)) {
      const { standard, unit, counts } = limit;
      const rest = [numbers(standard), unit, cell(counts), variable ? `\`${variable}\`` : ""];
      const key = JSON.stringify(rest);
      names.set(key, [...(names.get(key) ?? []), `\`${name}\``]);
    }
    return [...names].map(([rest, those]) => [those.join(", "), ...JSON.parse(rest)]);
  });
  return table(["limit", "standard", "unit", "what is counted", "set by"], rows);
}

/** A number, or those of Regions: `2 in us-east-1, us-west-2; 1 elsewhere`. */
function numbers(rate: Rate): string {
  if (typeof rate === "number") return rate.toLocaleString("en-US");
  const { elsewhere, ...regions } = rate;
  const those = Object.keys(regions) as (keyof typeof regions)[];
  const named = [...new Set(Object.values(regions))].map((number) => {
    const where = those.filter((region) => regions[region] === number);
    return `${number.toLocaleString("en-US")} in ${where.join(", ")}`;
  });
  return [...named, `${elsewhere.toLocaleString("en-US")} elsewhere`].join("; ");
}

const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

test.each([
  ["README.md", "settings", settingsTable],
  ["README.md", "operations", operationsTable],
  ["docs/hosting.md", "limits", limitsTable],
])("in %s the table of %s is the code's", (file, name, made) => {
  const path = pathOf(file);
  const text = readFileSync(path, "utf8");
  const block = new RegExp(`<!-- ${name} -->\n([\\s\\S]*)<!-- /${name} -->`);
  const expected = `${made()}\n`;
  if (process.env.UPDATE_README) {
    const marked = `<!-- ${name} -->\n${expected}<!-- /${name} -->`;
    writeFileSync(
      path,
      text.replace(block, () => marked),
    );
    return;
  }
  expect(block.exec(text)?.[1]).toBe(expected);
});
