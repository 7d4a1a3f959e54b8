// The four requests that KMS makes of an external key store proxy. A failure is a value: which KMS
// exception it becomes depends on the operation, and is in failures.ts.
// https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md

import { toBase64 } from "../crypto/base64.ts";
import { type Bytes, concat } from "../crypto/bytes.ts";
import { type FailureName, type ProxyFailure, refusalNamed } from "./failures.ts";
import {
  type ExternalKeyMetadata,
  externalKeyMetadata,
  type HealthStatus,
  healthStatus,
  InvalidResponse,
  type Members,
  members,
  type ProxyCiphertext,
  proxyCiphertext,
  proxyPlaintext,
} from "./responses.ts";
import { type ProxySigner, signedHeaders } from "./sigv4-client.ts";
import { ConnectionFailure, type Transport } from "./transport.ts";

/** How long KMS waits for the whole answer. */
export const TIMEOUT_MS = 250;
/** Ours: the longest genuine answer has less than a fifth of it. */
const MAX_RESPONSE_BYTES = 65_536;

/** One external key store, as KMS reaches it. */
export interface XksProxy extends ProxySigner {
  /** `https://` and a host. */
  readonly uriEndpoint: string;
  /** `/kms/xks/v1`, or the same after a prefix. */
  readonly uriPath: string;
  readonly transport: Transport;
  /** The real time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly timeoutMs: number;
}

/** What every request says of the call to KMS that it is made for. */
export interface HealthRequest {
  readonly kmsOperation: string;
  readonly kmsRequestId: string;
}

export interface KeyRequest extends HealthRequest {
  readonly awsPrincipalArn: string;
  /** Both only of a call through a VPC endpoint. */
  readonly awsSourceVpc?: string;
  readonly awsSourceVpce?: string;
  /** CreateKey has none yet. */
  readonly kmsKeyArn?: string;
  /** Only of a call by an AWS service. */
  readonly kmsViaService?: string;
}

export interface UseRequest extends KeyRequest {
  readonly kmsKeyArn: string;
}

export type ProxyResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: ProxyFailure };

/** Whether the proxy can be reached, takes the credential, and has a key manager that works. */
export const getHealthStatus = (
  proxy: XksProxy,
  request: HealthRequest,
): Promise<ProxyResult<HealthStatus>> => call(proxy, "/health", { request }, healthStatus);

export const getKeyMetadata = (
  proxy: XksProxy,
  externalKeyId: string,
  request: KeyRequest,
): Promise<ProxyResult<ExternalKeyMetadata>> =>
  callKey(proxy, externalKeyId, "metadata", { request }, externalKeyMetadata);

/** Encrypts up to 4,300 bytes, and lets the proxy vouch for what it returns. */
export const encrypt = (
  proxy: XksProxy,
  externalKeyId: string,
  request: UseRequest,
  plaintext: Uint8Array,
  authenticatedData: Uint8Array,
): Promise<ProxyResult<ProxyCiphertext>> =>
  callKey(
    proxy,
    externalKeyId,
    "encrypt",
    {
      request,
      additionalAuthenticatedData: optional(authenticatedData),
      plaintext: toBase64(plaintext),
      encryptionAlgorithm: "AES_GCM",
      ciphertextDataIntegrityValueAlgorithm: "SHA_256",
    },
    (answer) => proxyCiphertext(answer, plaintext.length, authenticatedData),
  );

export const decrypt = (
  proxy: XksProxy,
  externalKeyId: string,
  request: UseRequest,
  sealed: ProxyCiphertext,
  authenticatedData: Uint8Array,
): Promise<ProxyResult<Bytes>> =>
  callKey(
    proxy,
    externalKeyId,
    "decrypt",
    {
      request,
      additionalAuthenticatedData: optional(authenticatedData),
      ciphertext: toBase64(sealed.ciphertext),
      ciphertextMetadata: optional(sealed.ciphertextMetadata),
      encryptionAlgorithm: "AES_GCM",
      initializationVector: toBase64(sealed.initializationVector),
      authenticationTag: toBase64(sealed.authenticationTag),
    },
    (answer) => proxyPlaintext(answer, sealed.ciphertext.length),
  );

/** Base64 of what there is; an optional member without a byte is left out. */
const optional = (bytes: Uint8Array) => (bytes.length === 0 ? undefined : toBase64(bytes));

interface Payload {
  readonly request: HealthRequest;
  readonly [member: string]: unknown;
}

async function callKey<T>(
  proxy: XksProxy,
  externalKeyId: string,
  operation: string,
  payload: Payload,
  read: (answer: Members) => T,
): Promise<ProxyResult<T>> {
  // CreateKey takes these two, but a URL cannot carry them: they lead out of /keys.
  if (externalKeyId === "." || externalKeyId === "..") {
    return failed("KeyNotFoundException", `${externalKeyId} cannot be asked for`);
  }
  return call(proxy, `/keys/${externalKeyId}/${operation}`, payload, read);
}

async function call<T>(
  proxy: XksProxy,
  path: string,
  { request, ...payload }: Payload,
  read: (answer: Members) => T,
): Promise<ProxyResult<T>> {
  const url = new URL(`${proxy.uriEndpoint}${proxy.uriPath}${path}`);
  const body = JSON.stringify({ requestMetadata: request, ...payload });
  const signal = AbortSignal.timeout(proxy.timeoutMs);
  try {
    const headers = signedHeaders(url, body, proxy, proxy.now());
    const response = await proxy.transport(url.href, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal,
    });
    const answer = members(await boundedText(response));
    return response.status === 200 ? { ok: true, value: read(answer) } : refused(answer);
  } catch (error) {
    return failed(...failureOf(error, signal));
  }
}

/**
 * What the proxy calls its refusal. The name decides, whatever the status; the proxy's message is
 * not for KMS's caller.
 */
function refused({ errorName, errorMessage }: Members): ProxyResult<never> {
  const name = typeof errorName === "string" ? refusalNamed(errorName) : null;
  if (name === null) throw new InvalidResponse("errorName is not one of the specification");
  return failed(name, typeof errorMessage === "string" ? printable(errorMessage) : "");
}

/** The specification's own limits; a proxy that goes beyond them shall not spoil a log. */
const printable = (text: string) => text.replace(/[^ -~]/g, "?").slice(0, 511);

const failed = (name: FailureName, detail: string): ProxyResult<never> => ({
  ok: false,
  failure: { name, detail },
});

function failureOf(error: unknown, signal: AbortSignal): [FailureName, string] {
  if (error instanceof InvalidResponse) return ["InvalidResponse", error.message];
  if (signal.aborted) return ["TimedOut", "no answer in time"];
  if (error instanceof ConnectionFailure) return [connectionNames[error.reason], error.message];
  return ["Unreachable", error instanceof Error ? error.message : String(error)];
}

const connectionNames = {
  unreachable: "Unreachable",
  tls: "TlsFailed",
  timedOut: "TimedOut",
} as const satisfies Record<ConnectionFailure["reason"], FailureName>;

/** The body as text, if it is UTF-8 and of a reasonable size. */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES) throw new InvalidResponse("the body is too long");
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(concat(...chunks));
  } catch {
    throw new InvalidResponse("the body is not UTF-8");
  }
}
