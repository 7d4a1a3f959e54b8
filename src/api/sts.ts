// The part of AWS STS that clients of KMS call on the same endpoint, in AWS's Query protocol: a form
// or a presigned URL in, XML out. https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html

import { KmsError } from "../errors.ts";
import { type Answer, type StsAction, stsActions, stsInputs } from "../identity/sts.ts";
import { StsError, stsCodeOf } from "../identity/sts-error.ts";
import { type Members, readInput, type Shape } from "../operations/shape.ts";
import { principalOf, type Surroundings, signedRequest } from "./caller.ts";
import { knownAccounts } from "./known-accounts.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** Whether a request is of AWS's Query protocol, which STS speaks and KMS does not. */
export const isQuery = ({ headers, url }: Request) =>
  /[?&]Action=/.test(url) ||
  (headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false);

/** Answers an STS request. Throws only what is no refusal. */
export async function answerSts(
  request: Request,
  surroundings: Surroundings,
  requestId: string,
): Promise<Response> {
  try {
    const { action, answer } = await outcomeOf(request, surroundings);
    const result = element(`${action}Result`, elements(answer));
    return xml(200, action, result + metadata(requestId), requestId);
  } catch (error) {
    return refusedBySts(error, requestId);
  }
}

/** A refusal in STS's form. Throws what is none. */
export const refusedBySts = (error: unknown, requestId: string): Response =>
  refused(refusalOf(error), requestId);

async function outcomeOf(
  request: Request,
  surroundings: Surroundings,
): Promise<{ readonly action: string; readonly answer: Answer }> {
  const { caller, body, ...signedWith } = await signedRequest(request, surroundings, "sts");
  const form = formOf(new URL(request.url).searchParams, new URLSearchParams(body));
  const action = form.get("Action") ?? "";
  const version = form.get("Version") ?? "";
  if (!Object.hasOwn(stsActions, action)) {
    throw new StsError(
      "InvalidAction",
      `Could not find operation ${action} for version ${version || "NO_VERSION_SPECIFIED"}`,
    );
  }
  const { env, settings, generation } = surroundings;
  const known = knownAccounts(env, settings, generation);
  const members: Members = stsInputs[action as StsAction];
  const input = readInput(members, membersIn(form, members, ""));
  const perform = stsActions[action as StsAction] as (...args: unknown[]) => Promise<Answer>;
  const answer = await perform(
    input,
    {
      ...caller,
      ...signedWith,
      principal: principalOf(caller),
      verified: settings.auth !== "open",
    },
    {
      accounts: await known.current(),
      sessionKey: () => known.sessionKey(),
      now: Date.now(),
      random: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    },
  );
  return { action, answer };
}

type Form = ReadonlyMap<string, string>;

/** The parameters by their names; of one that comes twice the first. */
const formOf = (...parts: readonly URLSearchParams[]): Form =>
  new Map(parts.flatMap((part) => [...part]).toReversed());

/** A structure's members as JSON: `Tags.member.1.Key` is `{ Tags: [{ Key }] }`. */
function membersIn(form: Form, members: Members, prefix: string) {
  return Object.fromEntries(
    Object.entries(members).map(([name, shape]) => [name, memberIn(form, shape, prefix + name)]),
  );
}

/** The value of one member, undefined where it is not there. */
function memberIn(form: Form, shape: Shape<unknown>, name: string): unknown {
  switch (shape.type) {
    case "integer": {
      const text = form.get(name);
      return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    }
    case "structure":
      return membersIn(form, shape.members ?? {}, `${name}.`);
    case "list": {
      const element = shape.element as Shape<unknown>;
      const indices = indicesIn(form, `${name}.member.`);
      return indices.length === 0
        ? undefined
        : indices.map((index) => memberIn(form, element, `${name}.member.${index}`));
    }
    default:
      return form.get(name);
  }
}

/** The numbers that follow a prefix, each once and in order. */
function indicesIn(form: Form, prefix: string): number[] {
  const indices = new Set<number>();
  for (const name of form.keys()) {
    const digits = name.startsWith(prefix) ? /^\d{1,6}/.exec(name.slice(prefix.length)) : null;
    if (digits) indices.add(Number(digits[0]));
  }
  return [...indices].sort((a, b) => a - b);
}

function refusalOf(error: unknown): StsError {
  if (error instanceof StsError) return error;
  const code = error instanceof KmsError ? stsCodeOf(error.type) : null;
  if (!(error instanceof KmsError) || code === null) throw error;
  return new StsError(code, error.text ?? "");
}

function refused({ code, status, message }: StsError, requestId: string): Response {
  const error = { Type: "Sender", Code: code, Message: message };
  const body = element("Error", elements(error)) + element("RequestId", requestId);
  return xml(status, "Error", body, requestId);
}

const metadata = (requestId: string) =>
  element("ResponseMetadata", element("RequestId", requestId));

function xml(status: number, name: string, content: string, requestId: string): Response {
  const body = `<${name}Response xmlns="${NAMESPACE}">${content}</${name}Response>`;
  const headers = { "content-type": "text/xml", "x-amzn-requestid": requestId };
  return new Response(body, { status, headers });
}

const elements = (answer: Answer): string =>
  Object.entries(answer)
    .map(([name, value]) =>
      element(name, typeof value === "object" ? elements(value) : escaped(String(value))),
    )
    .join("");

const escaped = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no way to write these
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");

const element = (name: string, content: string) => `<${name}>${content}</${name}>`;
