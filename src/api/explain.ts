// The control API's answer to *why*: what a request would be allowed, by which statement or grant, and
// what keeps the others from deciding. It goes where the request would go, and changes nothing.

import { Hono } from "hono";
import { check } from "../configuration/check.ts";
import { sessionPolicyFault } from "../configuration/configuration.ts";
import type { Schema } from "../configuration/schema.ts";
import { aliasArn, parseKeyReference } from "../domain/arn.ts";
import type { RequestContext } from "../domain/principal.ts";
import { isRegion, type Region } from "../domain/region.ts";
import { KmsError } from "../errors.ts";
import { callerNamed, UnknownName } from "../identity/named-principal.ts";
import { directoryName, keySetName } from "../objects/names.ts";
import { type Explanation, stepOnKey } from "../operations/explanation.ts";
import { operations } from "../operations/index.ts";
import type { Caller } from "../operations/operation.ts";
import type { Call } from "../operations/perform.ts";
import { callerArn, type Fetched, namesAliases } from "../operations/permission.ts";
import type { SupposedValues } from "../operations/question.ts";
import { outputOf } from "../operations/reply.ts";
import { type Members, readInput } from "../operations/shape.ts";
import type { WorkerSettings } from "../settings.ts";
import { answer, type ControlEnv } from "./control.ts";
import { fetchedFor } from "./fetched.ts";
import { bodyText, parseBody } from "./json.ts";
import { knownAccounts } from "./known-accounts.ts";
import { addressOf, arnOfKey, type ResolveAlias } from "./route.ts";

export const explain = new Hono<ControlEnv>();

explain.post("/", async (c) => {
  try {
    const asked = askedFrom(parseBody(await bodyText(c.req.raw)));
    const { settings, generation } = c.var;
    return answer(c, await explained(asked, { env: c.env, settings, generation }));
  } catch (error) {
    if (error instanceof Unanswerable || error instanceof UnknownName) {
      return answer(c, { error: error.message }, 400);
    }
    if (!(error instanceof KmsError)) throw error;
    const status = error.type === "RequestEntityTooLargeException" ? 413 : 400;
    return answer(c, { error: error.message }, status);
  }
});

/** Why a question has no answer. */
class Unanswerable extends Error {}

interface Asked {
  readonly principal: string;
  readonly action: string;
  readonly key?: string;
  readonly region?: string;
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** The request's other parameters, as the API names them. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly sourceIp?: string;
  readonly userAgent?: string;
  readonly secureTransport?: boolean;
  /** What is to be taken for the values of condition keys, whatever else is said. */
  readonly conditions?: SupposedValues;
  readonly sessionPolicy?: string | object;
  readonly sessionPolicyArns?: readonly string[];
  readonly sessionTags?: Readonly<Record<string, string>>;
  readonly sourceIdentity?: string;
}

const text: Schema = { type: "string", maxLength: 2048 };
const texts: Schema = { type: ["string", "array"], items: { type: "string" } };
const mapOf = (each: Schema): Schema => ({ type: "object", additionalProperties: each });

const askedSchema: Schema = {
  type: "object",
  required: ["principal", "action"],
  additionalProperties: false,
  properties: {
    principal: text,
    action: text,
    key: text,
    region: text,
    encryptionContext: mapOf({ type: "string" }),
    input: { type: "object" },
    sourceIp: text,
    userAgent: text,
    secureTransport: { type: "boolean" },
    conditions: mapOf(texts),
    sessionPolicy: { type: ["string", "object"] },
    sessionPolicyArns: { type: "array", items: text, maxItems: 10 },
    sessionTags: mapOf({ type: "string" }),
    sourceIdentity: text,
  },
};

function askedFrom(body: unknown): Asked {
  const fault = check(body, askedSchema, askedSchema);
  if (fault) throw new Unanswerable(`${fault.path.join(".") || "The body"} ${fault.text}.`);
  return body as Asked;
}

/** Of whom it is asked. */
interface Place {
  readonly env: Env;
  readonly settings: WorkerSettings;
  readonly generation: string;
}

async function explained(asked: Asked, place: Place) {
  const { env, settings, generation } = place;
  const action = actionOf(asked.action);
  const region = regionOf(asked, settings);
  const caller = await callerOf(asked, region, place);
  const supposed = supposedValues(asked);
  const input = inputOf(action, asked);
  const directory = (accountId: string, at: string = region) =>
    env.DIRECTORIES.getByName(directoryName(generation, accountId, at));
  const byAccount = (resource: string): Promise<readonly Explanation[]> =>
    directory(caller.accountId).explain({ action, input, caller, resource, fetched: { supposed } });
  const step = stepOnKey(action);
  const permissions: Explanation[] = [];
  if (step === null) permissions.push(...(await byAccount("*")));
  else {
    const alias = aliasNamed(action, input);
    if (alias !== null) {
      permissions.push(...(await byAccount(aliasArn(region, caller.accountId, alias))));
    }
    permissions.push(...(await onKey(step)));
  }
  return {
    allowed: permissions.every((each) => each.allowed),
    principal: callerArn(caller),
    ...(caller.request === undefined && { policies: "off" }),
    permissions,
  };

  async function onKey(operation: string): Promise<readonly Explanation[]> {
    if (asked.key === undefined) throw new Unanswerable(`Say on which key: ${action} takes one.`);
    const forms = { aliases: true, invalidArn: true };
    const resolve: ResolveAlias = async (accountId, name) =>
      directory(accountId).resolveAlias(name);
    const address = await addressOf(asked.key, forms, caller, resolve);
    const fetched: Fetched = namesAliases(caller)
      ? await fetchedFor(caller, address, input, ({ accountId, keyId }, at) =>
          directory(accountId, at).aliasesOf(keyId),
        )
      : {};
    const call: Call = {
      operation,
      input: { ...input, ...(await otherKeyOf(input, caller, resolve)) },
      caller,
      ...address,
      fetched: { ...fetched, supposed },
    };
    const name = keySetName(generation, address.accountId, address.keyId);
    return outputOf<readonly Explanation[]>(await env.KEY_SETS.getByName(name).explain(call));
  }
}

/** The permission without its `kms:`, as AWS writes it. */
function actionOf(written: string): string {
  const action = written.replace(/^kms:/i, "");
  if (action === "ReEncrypt") {
    throw new Unanswerable(
      "ReEncrypt takes kms:ReEncryptFrom on the one key and kms:ReEncryptTo on the other: ask for each.",
    );
  }
  if (Object.hasOwn(operations, action) || halves.includes(action)) return action;
  throw new Unanswerable(`${JSON.stringify(written)} is no action of KMS.`);
}

const halves = ["ReEncryptFrom", "ReEncryptTo"];

/** The Region that is named, or that of the key's ARN, or the standard one. */
function regionOf({ region, key = "" }: Asked, settings: WorkerSettings): Region {
  const reference = parseKeyReference(key);
  const named = region ?? ("arn" in reference ? reference.arn.region : settings.region);
  if (isRegion(named)) return named;
  throw new Unanswerable(`${JSON.stringify(named)} is no Region with KMS.`);
}

async function callerOf(
  asked: Asked,
  region: Region,
  { env, settings, generation }: Place,
): Promise<Caller> {
  const accounts = await knownAccounts(env, settings, generation).current();
  const terms = {
    policy: sessionPolicyOf(asked),
    policyArns: asked.sessionPolicyArns ?? [],
    tags: asked.sessionTags ?? {},
    sourceIdentity: asked.sourceIdentity ?? null,
    anyRole: settings.auth === "open",
  };
  const { accountId, principal } = callerNamed(asked.principal, region, accounts, terms);
  const member = ofSessions.find((name) => asked[name] !== undefined);
  if (member !== undefined && principal?.type !== "AssumedRole") {
    throw new Unanswerable(`Only the session of a role has ${member}.`);
  }
  const request: RequestContext = {
    sourceIp: asked.sourceIp ?? null,
    userAgent: asked.userAgent ?? null,
    secure: asked.secureTransport ?? true,
  };
  const who = { accountId, region, ...(principal && { principal }) };
  return settings.policies ? { ...who, request } : who;
}

const ofSessions = [
  "sessionPolicy",
  "sessionPolicyArns",
  "sessionTags",
  "sourceIdentity",
] as const satisfies readonly (keyof Asked)[];

function sessionPolicyOf({ sessionPolicy }: Asked): string | null {
  if (sessionPolicy === undefined) return null;
  const policy = typeof sessionPolicy === "string" ? sessionPolicy : JSON.stringify(sessionPolicy);
  const fault = sessionPolicyFault(policy);
  if (fault !== null) throw new Unanswerable(`sessionPolicy is refused: ${fault}`);
  return policy;
}

const supposedValues = ({ conditions = {} }: Asked): SupposedValues =>
  Object.fromEntries(
    Object.entries(conditions).map(([name, value]) => [name.toLowerCase(), value]),
  );

/** The parameters of the request that are given, held to their shapes; none has to be there. */
function inputOf(action: string, { key, encryptionContext, input = {} }: Asked): object {
  const all: Members = halves.includes(action)
    ? { ...operations.Encrypt?.input, ...operations.ReEncrypt?.input }
    : (operations[action]?.input ?? {});
  const given: Record<string, unknown> = {
    ...input,
    ...(key !== undefined && Object.hasOwn(all, "KeyId") && { KeyId: key }),
    ...(encryptionContext && { EncryptionContext: encryptionContext }),
  };
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(all, name));
  if (unknown !== undefined) throw new Unanswerable(`${unknown} is no parameter of ${action}.`);
  const members = Object.fromEntries(
    Object.entries(all).filter(([name]) => Object.hasOwn(given, name)),
  );
  return readInput(members, given);
}

/** The other key of ReEncrypt by its ARN, as each half gets it. */
async function otherKeyOf(input: object, caller: Caller, resolve: ResolveAlias): Promise<object> {
  const named = Object.entries(input).filter(([name]) => /^(Source|Destination)KeyId$/.test(name));
  return Object.fromEntries(
    await Promise.all(
      named.map(async ([name, keyId]) => [name, await arnOfKey(keyId, caller, resolve)]),
    ),
  );
}

function aliasNamed(action: string, input: object): string | null {
  if (!Object.hasOwn(operations[action]?.input ?? {}, "AliasName")) return null;
  const { AliasName } = input as { readonly AliasName?: string };
  if (AliasName !== undefined) return AliasName;
  throw new Unanswerable(`Say which alias, in input.AliasName: ${action} takes one.`);
}
