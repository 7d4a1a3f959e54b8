// A configuration as its author writes it, in YAML or JSON: read, and refused with the line that is
// wrong. The YAML library is loaded for what is not JSON, and to find a line; nothing else needs it.

import type { Document, LineCounter, Node } from "yaml";
import type { Path } from "./check.ts";
import { type Configuration, configurationFrom } from "./configuration.ts";

/** What is wrong with a configuration; the message shows no value of it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** The configuration in a text. Throws a ConfigurationError. */
export async function readConfiguration(text: string): Promise<Configuration> {
  const json = parsedJson(text);
  if (json !== undefined) {
    const configuration = configurationFrom(json);
    if (!("fault" in configuration)) return configuration;
  }
  try {
    return await readYaml(text);
  } catch (error) {
    // The library's limit of aliases, and a nesting that exhausts the stack.
    if (error instanceof ReferenceError || error instanceof RangeError) {
      throw new ConfigurationError(1, "is too deep, or has too many aliases");
    }
    throw error;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readYaml(text: string): Promise<Configuration> {
  const { LineCounter, parseDocument, visit } = await import("yaml");
  const lines = new LineCounter();
  // Pretty errors quote the text, in which there are secrets.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const what = error.code.toLowerCase().replaceAll("_", " ");
    throw new ConfigurationError(lines.linePos(error.pos[0]).line, `is not valid YAML: ${what}`);
  }
  // Names are text, however they look. So are accounts: they are no numbers, and their zeros count.
  visit(document, {
    Scalar(key, node) {
      if (typeof node.value === "string") return;
      const { source = "" } = node;
      if (key === "key" || ACCOUNT.test(source)) node.value = source;
    },
  });
  const value: unknown = document.contents === null ? {} : document.toJS({ maxAliasCount: 100 });
  const configuration = configurationFrom(value);
  if (!("fault" in configuration)) return configuration;
  const { path, text: what } = configuration.fault;
  const line = await lineOf(document, path, lines);
  throw new ConfigurationError(line, `${path.join(".") || "it"} ${what}`);
}

const ACCOUNT = /^\d{12}$/;

/** Where a value begins, or whatever on the way to it is there. */
async function lineOf(document: Document, path: Path, lines: LineCounter): Promise<number> {
  const { isAlias, isMap, isNode, isScalar, isSeq } = await import("yaml");
  let node: unknown = document.contents;
  let offset = 0;
  for (const name of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === String(name));
      offset = startOf(pair?.key) ?? offset;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(name)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return lines.linePos(offset).line;

  function startOf(item: unknown): number | undefined {
    return isNode(item) ? (item as Node).range?.[0] : undefined;
  }
}
