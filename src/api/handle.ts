// One request to KMS, top to bottom. The order of the edge's checks is the order of these lines.
// https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html

import { NO_REQUEST_QUOTAS } from "../domain/request-quota.ts";
import { errorBody, errorTable, KmsError, type Refusal } from "../errors.ts";
import { keySetAtHand } from "../objects/key-sets-at-hand.ts";
import { directoryName, keySetName } from "../objects/names.ts";
import { takeNextKeyId } from "../objects/next-key-ids.ts";
import { isTenantGone } from "../objects/tenant-gone.ts";
import { operations } from "../operations/index.ts";
import type { KeyAddress } from "../operations/key-address.ts";
import type { Edge, OperationRecord, Output } from "../operations/operation.ts";
import type { Call } from "../operations/perform.ts";
import { namesAliases } from "../operations/permission.ts";
import { outputOf } from "../operations/reply.ts";
import { readInput } from "../operations/shape.ts";
import { logsNothing, type WorkerSettings } from "../settings.ts";
import { answerHeaders } from "./answer-headers.ts";
import { type Surroundings, signedRequest } from "./caller.ts";
import { evaluated } from "./evaluated.ts";
import { type AliasesOf, fetchedFor } from "./fetched.ts";
import { parseBody } from "./json.ts";
import { knownAccounts } from "./known-accounts.ts";
import { attested } from "./recipient.ts";
import { requireWithinQuotas } from "./request-quotas.ts";
import { addressForStep, addressOfCiphertext, arnOfKey } from "./route.ts";
import { answerSts, isQuery, refusedBySts } from "./sts.ts";
import { withOwnMarker, withTenantsMarker } from "./tenant-markers.ts";
import { informed, principalsNamed } from "./unknown-principals.ts";

const TARGET_PREFIX = "TrentService.";

/** Serves `POST /`: KMS, and what its clients ask of STS. Never throws: what is not a refusal of KMS is KMSInternalException. */
export async function handle(request: Request, service: Surroundings): Promise<Response> {
  const requestId = crypto.randomUUID();
  const started = Date.now();
  const target = request.headers.get("x-amz-target");
  let response: Response;
  let refusal: Refusal | null = null;
  try {
    response =
      target === null && isQuery(request)
        ? await answerSts(request, service, requestId)
        : answer(await outputFor(request, target, requestId, service), requestId);
  } catch (error) {
    // It was deleted while the request was on its way.
    if (isTenantGone(error)) return noTenant(request, 401);
    refusal = refusalOf(error, requestId, service.settings);
    response = refused(refusal, requestId);
  }
  if (service.settings.log === "request") {
    const { status } = response;
    log({ requestId, target, status, error: refusal?.type, ms: Date.now() - started });
  }
  return response;
}

async function outputFor(
  request: Request,
  target: string | null,
  requestId: string,
  service: Surroundings,
): Promise<Output> {
  const { env, settings, generation } = service;
  const known = knownAccounts(env, settings, generation);
  const signed = await signedRequest(request, service, "kms");
  const caller = evaluated(signed.caller, request, settings);
  const operation = operationOf(target);
  const record = recordOf(operation);
  const read = withOwnMarker(readInput(record.input, parseBody(signed.body)), generation);
  if (settings.requestQuotas !== NO_REQUEST_QUOTAS) {
    await requireWithinQuotas(operation, read, caller, service);
  }
  const { input, recipient } = await attested(read, settings, Date.now());
  const named = principalsNamed(operation, input, caller.region);
  const ofRequest = {
    caller: named.length === 0 ? caller : informed(caller, named, await known.current()),
    requestId,
    recipient,
  };
  const output = await perform(operation, record, input, edgeOf(service, ofRequest));
  return withTenantsMarker(output, generation);
}

/** Takes an operation to where it is performed. */
function perform(
  operation: string,
  record: OperationRecord,
  input: object,
  edge: EdgeOfRequest,
): Output | Promise<Output> {
  switch (record.kind) {
    case "edge":
      return record.run(edge, input);
    case "directory":
      return edge.onDirectory(operation, input);
    case "keyStores":
      return edge.onKeyStores(operation, input);
    case "create": {
      const keyId = edge.newKeyId(record.newKeyId(input, edge.random));
      return edge.atAddress({ accountId: edge.caller.accountId, keyId }, operation, input);
    }
    default: {
      const { KeyId, CiphertextBlob } = input as { KeyId?: string; CiphertextBlob?: string };
      if (KeyId !== undefined) return edge.onKey(operation, KeyId, input);
      record.check?.(input);
      return edge.onCiphertextKey(operation, CiphertextBlob ?? "", input);
    }
  }
}

function operationOf(target: string | null): string {
  if (!target?.startsWith(TARGET_PREFIX)) throw new KmsError("UnknownOperationException");
  return target.slice(TARGET_PREFIX.length);
}

function recordOf(operation: string): OperationRecord {
  const record = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (record) return record;
  throw new KmsError("UnknownOperationException");
}

interface EdgeOfRequest extends Edge {
  /** This ID, or one of the same form whose object is ready. */
  newKeyId(keyId: string): string;
  atAddress<T>(address: KeyAddress, step: string, input: object): Promise<T>;
}

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** What goes with every step of a request. */
type OfRequest = Pick<Call, "caller" | "requestId" | "recipient">;

function edgeOf(
  { env, settings: { oneIsolate }, generation }: Surroundings,
  request: OfRequest,
): EdgeOfRequest {
  const { caller, recipient, requestId = "" } = request;
  const directory = (accountId: string, region: string = caller.region) =>
    env.DIRECTORIES.getByName(directoryName(generation, accountId, region));
  const aliasesOf: AliasesOf = ({ accountId, keyId }, region) =>
    directory(accountId, region).aliasesOf(keyId);
  const resolve = (accountId: string, name: string) => directory(accountId).resolveAlias(name);
  const atAddress = async <T>(address: KeyAddress, operation: string, input: object) => {
    const name = keySetName(generation, address.accountId, address.keyId);
    let call: Call = { operation, input, ...request, ...address };
    if (namesAliases(caller)) {
      call = { ...call, fetched: await fetchedFor(caller, address, input, aliasesOf) };
    }
    const used = oneIsolate ? keySetAtHand(name)?.use(call) : null;
    if (used) return (await used.output) as T;
    return outputOf<T>(await env.KEY_SETS.getByName(name).perform(call));
  };
  return {
    caller,
    recipient,
    random,
    atAddress,
    newKeyId(keyId) {
      if (!oneIsolate || keyId.startsWith("mrk-")) return keyId;
      return takeNextKeyId(generation, caller.accountId) ?? keyId;
    },
    async onKey(step, keyId, input) {
      return atAddress(await addressForStep(step, keyId, caller, resolve), step, input);
    },
    arnOf: (keyId) => arnOfKey(keyId, caller, resolve),
    async onCiphertextKey(step, ciphertext, input) {
      return atAddress(addressOfCiphertext(ciphertext), step, input);
    },
    async onDirectory<T>(operation: string, input: object) {
      return outputOf<T>(await directory(caller.accountId).perform({ operation, input, caller }));
    },
    async onKeyStores<T>(operation: string, input: object) {
      const call = { operation, input, caller, requestId };
      return outputOf<T>(await directory(caller.accountId).performOnKeyStores(call));
    },
  };
}

const CONTENT_TYPE = "application/x-amz-json-1.1";

function answer(output: Output, requestId: string): Response {
  const body = output === null ? null : JSON.stringify(output);
  return new Response(body, {
    headers: { "content-type": CONTENT_TYPE, ...answerHeaders(requestId) },
  });
}

function refused(refusal: Refusal, requestId: string): Response {
  return new Response(errorBody(refusal), {
    status: errorTable[refusal.type].status,
    headers: { "content-type": CONTENT_TYPE, ...answerHeaders(requestId) },
  });
}

/** The answer to who calls a tenant that is not there, or, with 429, has done so too often. */
export function noTenant(request: Request, status: number): Response {
  const error =
    status === 429
      ? new KmsError("ThrottlingException", "Too many requests to tenants that are not there.")
      : new KmsError(
          "UnrecognizedClientException",
          "The security token included in the request is invalid.",
        );
  const requestId = crypto.randomUUID();
  if (isQuery(request)) return refusedBySts(error, requestId);
  return new Response(errorBody(error.refusal), {
    status,
    headers: { "content-type": CONTENT_TYPE, ...answerHeaders(requestId) },
  });
}

/** A refusal of KMS as it is; anything else is a bug, told to the log alone. */
function refusalOf(error: unknown, requestId: string, { log: level }: WorkerSettings): Refusal {
  if (error instanceof KmsError) return error.refusal;
  if (level !== "off") logFailure(error, requestId);
  return internalFailure(requestId);
}

/**
 * The answer where something failed besides the performing of an operation, or where not even the
 * settings can be read: the caller learns its request ID alone.
 */
export function failed(error: unknown, requestId: string, env: Env): Response {
  if (!logsNothing(env)) logFailure(error, requestId);
  return refused(internalFailure(requestId), requestId);
}

const internalFailure = (requestId: string): Refusal => ({
  type: "KMSInternalException",
  message: `Internal failure. Request ID: ${requestId}`,
});

const logFailure = (error: unknown, requestId: string) =>
  log({ requestId, failure: error instanceof Error ? error.stack : String(error) });

const log = (line: object) => console.log(JSON.stringify(line));
