// `edge-kms explain`: asks a running server who may do what, and why. Its answer is for people; with
// --json it is the server's own.

import { type ParseArgsConfig, parseArgs } from "node:util";
import { type Answered, explanationText } from "./explanation-text.ts";
import { LaunchError } from "./launch-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How an option's texts become a member of the question. */
interface Row {
  readonly argument: string | null;
  readonly about: string;
  /** The member, and its value of the texts that were given. */
  readonly member?: readonly [name: string, read: (texts: readonly string[]) => unknown];
  readonly multiple?: true;
}

const last = (texts: readonly string[]) => texts.at(-1);

function json(texts: readonly string[]): unknown {
  try {
    return JSON.parse(texts.at(-1) ?? "");
  } catch {
    throw new LaunchError("--input and --session-policy expect JSON");
  }
}

function pairOf(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new LaunchError(`expects NAME=VALUE, not ${JSON.stringify(text)}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

const pairs = (texts: readonly string[]) => Object.fromEntries(texts.map(pairOf));

/** A name that is given several times has several values. */
function lists(texts: readonly string[]) {
  const values = new Map<string, string[]>();
  for (const [name, value] of texts.map(pairOf)) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return Object.fromEntries(
    [...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]),
  );
}

const rows = {
  principal: {
    argument: "ARN|ID",
    about: "Who: the ARN of a user, role, session or account; an access key ID; 12 digits",
    member: ["principal", last],
  },
  action: { argument: "ACTION", about: "What, such as kms:Encrypt", member: ["action", last] },
  key: { argument: "KEY", about: "On which key: its ID, ARN or alias", member: ["key", last] },
  region: {
    argument: "REGION",
    about: "Where (standard: the Region of the key's ARN, or the server's own)",
    member: ["region", last],
  },
  context: {
    argument: "NAME=VALUE",
    about: "A pair of the encryption context; can be given several times",
    member: ["encryptionContext", pairs],
    multiple: true,
  },
  condition: {
    argument: "KEY=VALUE",
    about: "The value of a condition key, such as aws:SourceIp; can be given several times",
    member: ["conditions", lists],
    multiple: true,
  },
  "source-ip": { argument: "ADDRESS", about: "aws:SourceIp", member: ["sourceIp", last] },
  input: {
    argument: "JSON",
    about: "The request's other parameters, as the API names them",
    member: ["input", json],
  },
  "session-policy": {
    argument: "JSON",
    about: "The policy of a role's session",
    member: ["sessionPolicy", json],
  },
  "session-policy-arn": {
    argument: "ARN",
    about: "A managed policy of a role's session; can be given several times",
    member: ["sessionPolicyArns", (texts) => texts],
    multiple: true,
  },
  "session-tag": {
    argument: "NAME=VALUE",
    about: "A tag of a role's session; can be given several times",
    member: ["sessionTags", pairs],
    multiple: true,
  },
  "source-identity": {
    argument: "NAME",
    about: "The source identity of a role's session",
    member: ["sourceIdentity", last],
  },
  url: {
    argument: "URL",
    about: "The server (or AWS_ENDPOINT_URL_KMS; standard: http://127.0.0.1:8787)",
  },
  token: { argument: "TOKEN", about: "The admin token (rather as ADMIN_TOKEN)" },
  json: { argument: null, about: "Print the server's answer as it is" },
  help: { argument: null, about: "Print this help" },
} satisfies Record<string, Row>;

const table: Readonly<Record<string, Row>> = rows;

export const explainHelp = (): string => {
  const lines = Object.entries(table).map(
    ([name, { argument, about }]) => [`--${name}${argument ? ` ${argument}` : ""}`, about] as const,
  );
  const width = Math.max(...lines.map(([left]) => left.length));
  return [
    "Usage: edge-kms explain --principal ARN --action ACTION [--key KEY] [options]",
    "",
    "Says whether it is allowed, and by which statement or grant. Ends with 0 if it is, 1 if not, 2 if there is no answer.",
    "",
    ...lines.map(([left, about]) => `  ${left.padEnd(width)}  ${about}`),
    "",
  ].join("\n");
};

/** A question, and where it is to be asked. */
export interface ExplainCommand {
  readonly name: "explain";
  readonly question: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly token: string | null;
  readonly json: boolean;
}

/** What the arguments after `explain` ask for, or null for help; throws a LaunchError. */
export function readExplain(
  args: readonly string[],
  environment: Environment,
): ExplainCommand | null {
  const given = readOptions(args);
  if (given.has("help")) return null;
  const missing = ["principal", "action"].find((name) => !given.has(name));
  if (missing !== undefined)
    throw new LaunchError(`explain needs --${missing}; see explain --help`);
  const members = Object.entries(table).flatMap(([name, { member }]) => {
    const texts = given.get(name);
    return member && texts ? [[member[0], member[1](texts)] as const] : [];
  });
  const url = given.get("url")?.at(-1) ?? environment.AWS_ENDPOINT_URL_KMS;
  return {
    name: "explain",
    question: Object.fromEntries(members),
    url: (url || "http://127.0.0.1:8787").replace(/\/+$/, ""),
    token: given.get("token")?.at(-1) ?? (environment.ADMIN_TOKEN || null),
    json: given.has("json"),
  };
}

function readOptions(args: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const options: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
    Object.entries(table).map(([name, { argument }]) => [
      name,
      { type: argument === null ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const given = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw new LaunchError(`unexpected argument ${JSON.stringify(token.value)}`);
    }
    if (token.kind !== "option") continue;
    if (!token.rawName.startsWith("--") || !Object.hasOwn(table, token.name)) {
      throw new LaunchError(`unknown option ${token.rawName}; see edge-kms explain --help`);
    }
    const isSwitch = table[token.name]?.argument === null;
    if (isSwitch !== (token.value === undefined)) {
      throw new LaunchError(`${token.rawName} takes ${isSwitch ? "no" : "a"} value`);
    }
    const before = table[token.name]?.multiple ? (given.get(token.name) ?? []) : [];
    given.set(token.name, [...before, token.value ?? ""]);
  }
  return given;
}

/** Asks the server; the text to print, and whether it is allowed. Throws a LaunchError. */
export async function explain({ question, url, token, json: asJson }: ExplainCommand) {
  const answer = await fetch(`${url}/_edge-kms/explain`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(question),
  }).catch((cause: unknown) => {
    throw new LaunchError(`nobody answers at ${url}`, { cause });
  });
  const body = await answer.text();
  if (!answer.ok) throw new LaunchError(refusalIn(body) ?? `${url} answers ${answer.status}`);
  const answered = JSON.parse(body) as Answered;
  return { allowed: answered.allowed, text: asJson ? body : explanationText(answered) };
}

function refusalIn(body: string): string | null {
  try {
    return (JSON.parse(body) as { readonly error?: string }).error ?? null;
  } catch {
    return null;
  }
}
