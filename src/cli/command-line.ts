// The launcher's arguments and environment, read by the settings table. Knows no setting by name
// but the two that exclude each other.

import { type ParseArgsConfig, parseArgs } from "node:util";
import type { Setting } from "../settings.ts";
import { type ExplainCommand, explainHelp, readExplain } from "./explain.ts";
import { LaunchError } from "./launch-error.ts";
import { type Options, optionRows } from "./options.ts";

export type Command =
  | { readonly name: "help"; readonly text: string }
  | ExplainCommand
  | { readonly name: "version" }
  | { readonly name: "start"; readonly options: Options };

type Environment = Readonly<Record<string, string | undefined>>;
/** Flags as they were given; a switch counts as `true`. */
type Flags = ReadonlyMap<string, string>;

const rows: readonly Setting[] = Object.values(optionRows);
const isSwitch = (row: Setting) => row.kind.argument === null;

/** The flags that are not settings. */
const commands = { help: "Print this help", version: "Print the version" } as const;

/** What a command line asks for; throws a LaunchError naming the flag or variable that is wrong. */
export function readCommandLine(args: readonly string[], environment: Environment): Command {
  const [first, ...rest] = args;
  if (first === "explain") {
    return readExplain(rest, environment) ?? { name: "help", text: explainHelp() };
  }
  const flags = readFlags(args);
  if (flags.has("help")) return { name: "help", text: helpText() };
  if (flags.has("version")) return { name: "version" };
  if (flags.has("memory") && flags.has("data")) {
    throw new LaunchError("--memory keeps no state, so it cannot go with --data");
  }
  const values = Object.entries(optionRows).map(([name, row]) => [
    name,
    settingValue(row, flags, environment),
  ]);
  return { name: "start", options: Object.fromEntries(values) as Options };
}

/** Not strict, because its own messages run over several lines and know no setting. */
function readFlags(args: readonly string[]): Flags {
  const { tokens } = parseArgs({
    args: [...args],
    options: flagTypes(),
    strict: false,
    tokens: true,
  });
  const flags = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw new LaunchError(`unexpected argument ${JSON.stringify(token.value)}`);
    }
    if (token.kind === "option") flags.set(token.name, joined(flags.get(token.name), token));
  }
  return flags;
}

/** The last one counts, save where a setting takes several. */
function joined(before: string | undefined, token: Parameters<typeof flagText>[0]): string {
  const text = flagText(token);
  const repeats = rows.some(({ flag, kind }) => flag === token.name && kind.repeats);
  return repeats && before !== undefined ? `${before},${text}` : text;
}

function flagTypes(): NonNullable<ParseArgsConfig["options"]> {
  const types = new Map(Object.keys(commands).map((name) => [name, "boolean" as const]));
  const entries: [string, { type: "boolean" | "string" }][] = [...types].map(([n, type]) => [
    n,
    { type },
  ]);
  for (const row of rows) {
    if (row.flag !== null) entries.push([row.flag, { type: isSwitch(row) ? "boolean" : "string" }]);
  }
  return Object.fromEntries(entries);
}

function flagText(token: { name: string; rawName: string; value: string | undefined }): string {
  const row = rows.find(({ flag }) => flag === token.name);
  if (!token.rawName.startsWith("--") || (!row && !Object.hasOwn(commands, token.name))) {
    throw new LaunchError(`unknown option ${token.rawName}; see edge-kms --help`);
  }
  if (row && !isSwitch(row)) return token.value ?? "";
  if (token.value !== undefined) throw new LaunchError(`${token.rawName} takes no value`);
  return row?.kind.switchedTo ?? "true";
}

/** A flag wins over the variable of the same row, and that over the standard value. */
function settingValue(row: Setting, flags: Flags, environment: Environment): unknown {
  const flag = row.flag === null ? undefined : flags.get(row.flag);
  if (flag !== undefined) return parsed(`--${row.flag}`, row, flag);
  const variable = row.variable === null ? undefined : environment[row.variable];
  if (variable !== undefined) return parsed(String(row.variable), row, variable);
  return row.standard;
}

function parsed(name: string, row: Setting, text: string): unknown {
  try {
    return row.kind.parse(text);
  } catch (cause) {
    throw new LaunchError(`${name} ${(cause as Error).message}`, { cause });
  }
}

/** The text of `--help`: one line per setting, made from the table. */
export function helpText(): string {
  const lines = [
    ...rows.map((row) => [synopsis(row), describe(row)] as const),
    ...Object.entries(commands).map(([name, about]) => [`--${name}`, about] as const),
  ];
  const width = Math.max(...lines.map(([left]) => left.length));
  const table = lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  const usage = ["Usage: edge-kms [options]", "       edge-kms explain --help"];
  return [...usage, "", ...table, ""].join("\n");
}

/** A setting without a flag is listed by its variable. */
function synopsis({ flag, variable, kind }: Setting): string {
  if (flag === null) return `${variable}=${kind.argument ?? "on|off"}`;
  return kind.argument === null ? `--${flag}` : `--${flag} ${kind.argument}`;
}

function describe({ flag, variable, kind, standard, about }: Setting): string {
  const notes = [
    ...(kind.argument === null || standard === "" ? [] : [`standard: ${standard}`]),
    ...(flag !== null && variable !== null ? [`or ${variable}`] : []),
  ];
  const text = about.replaceAll("`", "");
  return notes.length === 0 ? text : `${text} (${notes.join("; ")})`;
}
