// An external key store proxy for tests: HTTPS, SigV4 and AES-256-GCM for real, written from the
// specification and sharing nothing with src/xks, so that one cannot repeat the other's mistakes.
// https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Authority, newAuthority, type ServerCertificate } from "./certificates.ts";
import { type Answer, answerAs, type Fault } from "./faults.ts";
import { type Credential, type Received, signatureFault } from "./verify-signature.ts";

/** An external key, in the words of GetKeyMetadata. */
export interface ExternalKey {
  readonly bytes: Buffer;
  keySpec: string;
  keyUsage: readonly string[];
  keyStatus: string;
}

export interface TestProxy {
  /** What the certificate is for; nothing resolves this name. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly authority: Authority;
  readonly uriPath: string;
  readonly region: string;
  readonly credential: Credential;
  readonly keys: Map<string, ExternalKey>;
  /** All that arrived, oldest first, whether or not it was answered. */
  readonly requests: Received[];
  health: Health;
  /** What ciphertexts carry of the key manager's own; null for nothing. */
  metadata: Buffer | null;
  ivBytes: 12 | 16;
  /** What becomes of genuine answers on their way out. */
  fault: Fault | null;
  close(): Promise<void>;
}

interface Health {
  xksProxyFleetSize: number;
  xksProxyVendor: string;
  xksProxyModel: string;
  ekmVendor: string;
  ekmFleetDetails: { id: string; model: string; healthStatus: string }[];
}

export interface ProxySetup {
  readonly host?: string;
  /** What it presents, if not a certificate of its own authority for its host. */
  readonly certificate?: (authority: Authority) => ServerCertificate;
}

export const healthy = (): Health => ({
  xksProxyFleetSize: 2,
  xksProxyVendor: "Acme Corp",
  xksProxyModel: "Acme XKS Proxy 1.0",
  ekmVendor: "Acme Key Managers",
  ekmFleetDetails: [
    { id: "hsm-id-1", model: "Acme 5.0", healthStatus: "DEGRADED" },
    { id: "hsm-id-2", model: "Acme 5.1", healthStatus: "ACTIVE" },
  ],
});

export const newExternalKey = (): ExternalKey => ({
  bytes: randomBytes(32),
  keySpec: "AES_256",
  keyUsage: ["ENCRYPT", "DECRYPT"],
  keyStatus: "ENABLED",
});

/** Starts a proxy on a free port of the loopback address, with one external key, `key-1`. */
export async function startProxy(setup: ProxySetup = {}): Promise<TestProxy> {
  const { host = "xks.example.com", certificate = (authority) => authority.issue(host) } = setup;
  const authority = newAuthority("Test authority of external key stores");
  const server = createServer(certificate(authority), (request, response) => {
    void serve(proxy, request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const proxy: TestProxy = {
    host,
    address: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    authority,
    uriPath: "/example/path-1/kms/xks/v1",
    region: "us-east-1",
    credential: {
      accessKeyId: "HGIE2BUAFNDMBCMSQVWLGCEXAMPLE",
      rawSecretAccessKey: randomBytes(32).toString("base64"),
    },
    keys: new Map([["key-1", newExternalKey()]]),
    requests: [],
    health: healthy(),
    metadata: Buffer.from("key_version=1"),
    ivBytes: 12,
    fault: null,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

async function serve(proxy: TestProxy, message: IncomingMessage, response: ServerResponse) {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const received: Received = {
    method: message.method ?? "",
    path: message.url ?? "",
    headers: message.headers,
    body: Buffer.concat(chunks),
  };
  proxy.requests.push(received);
  answerAs(proxy.fault, genuineAnswer(proxy, received), response);
}

class Refusal extends Error {
  readonly answer: Answer;

  constructor(status: number, errorName: string, errorMessage: string) {
    super(errorMessage);
    this.answer = { status, body: JSON.stringify({ errorName, errorMessage }) };
  }
}

const invalid = (what: string) => new Refusal(400, "ValidationException", what);

function genuineAnswer(proxy: TestProxy, request: Received): Answer {
  try {
    return { status: 200, body: JSON.stringify(answer(proxy, request)) };
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    return { status: 500, body: JSON.stringify({ errorName: "InternalException" }) };
  }
}

function answer(proxy: TestProxy, request: Received): object {
  const path = request.path.startsWith(`${proxy.uriPath}/`)
    ? request.path.slice(proxy.uriPath.length)
    : "";
  const [, keyId, operation] =
    /^\/keys\/([A-Za-z0-9._-]{1,128})\/(metadata|encrypt|decrypt)$/.exec(path) ?? [];
  if (path !== "/health" && operation === undefined) {
    throw new Refusal(404, "InvalidUriPathException", `no such path: ${request.path}`);
  }
  if (request.method !== "POST") throw new Refusal(405, "InvalidUriPathException", "POST only");
  const wrong = signatureFault(request, proxy.credential, proxy.region);
  if (wrong) throw new Refusal(401, "AuthenticationFailedException", wrong);
  const input = jsonObject(request.body);
  requireMetadata(input, operation === undefined ? [] : ["awsPrincipalArn"]);
  if (operation === undefined) return proxy.health;
  const key = proxy.keys.get(keyId ?? "");
  if (!key) throw new Refusal(404, "KeyNotFoundException", `no key ${keyId}`);
  if (operation === "metadata") {
    const { keySpec, keyUsage, keyStatus } = key;
    return { keySpec, keyUsage, keyStatus };
  }
  requireMetadata(input, ["kmsKeyArn"]);
  if (key.keyStatus !== "ENABLED") {
    throw new Refusal(400, "InvalidStateException", `${keyId} is disabled`);
  }
  if (!key.keyUsage.includes(operation.toUpperCase())) {
    throw new Refusal(400, "InvalidKeyUsageException", `${keyId} does not ${operation}`);
  }
  if (input.encryptionAlgorithm !== "AES_GCM") throw invalid("encryptionAlgorithm");
  return operation === "encrypt" ? encrypt(proxy, key, input) : decrypt(key, input);
}

type Input = Readonly<Record<string, unknown>>;

function jsonObject(body: Buffer): Input {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Input;
  } catch {}
  throw invalid("the body is not a JSON object");
}

function requireMetadata(input: Input, more: readonly string[]) {
  const { requestMetadata } = input as { requestMetadata?: Input };
  for (const name of ["kmsOperation", "kmsRequestId", ...more]) {
    if (typeof requestMetadata?.[name] !== "string") throw invalid(`requestMetadata.${name}`);
  }
}

/** The bytes of a Base64 member; null where an optional one is not there. */
function bytes(input: Input, name: string, optional: boolean): Buffer | null {
  const value = input[name];
  if (value === undefined && optional) return null;
  const decoded = typeof value === "string" ? Buffer.from(value, "base64") : null;
  if (decoded?.toString("base64") !== value) throw invalid(`${name} is not Base64`);
  return decoded;
}

const required = (input: Input, name: string) => bytes(input, name, false) as Buffer;

function encrypt({ metadata, ivBytes }: TestProxy, key: ExternalKey, input: Input): object {
  const plaintext = required(input, "plaintext");
  if (plaintext.length > 4300) throw new Refusal(501, "UnsupportedOperationException", "plaintext");
  const aad = bytes(input, "additionalAuthenticatedData", true);
  if (aad && aad.length > 8192) throw new Refusal(501, "UnsupportedOperationException", "AAD");
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, iv);
  cipher.setAAD(authenticated(aad, metadata));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const tag = cipher.getAuthTag();
  const output: Record<string, string> = {
    ciphertext: ciphertext.toString("base64"),
    initializationVector: iv.toString("base64"),
    authenticationTag: tag.toString("base64"),
  };
  if (metadata) output.ciphertextMetadata = metadata.toString("base64");
  const integrity = input.ciphertextDataIntegrityValueAlgorithm;
  if (integrity === "SHA_256") {
    const hash = createHash("sha256");
    for (const part of [aad, metadata, iv, ciphertext, tag]) if (part) hash.update(part);
    output.ciphertextDataIntegrityValue = hash.digest("base64");
  } else if (integrity !== undefined) {
    throw invalid("ciphertextDataIntegrityValueAlgorithm");
  }
  return output;
}

function decrypt(key: ExternalKey, input: Input): object {
  const iv = required(input, "initializationVector");
  const tag = required(input, "authenticationTag");
  if (![12, 16].includes(iv.length) || tag.length !== 16) throw invalid("IV or tag");
  const aad = bytes(input, "additionalAuthenticatedData", true);
  const metadata = bytes(input, "ciphertextMetadata", true);
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, iv);
  decipher.setAAD(authenticated(aad, metadata));
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(required(input, "ciphertext"));
  try {
    decipher.final();
  } catch {
    throw new Refusal(400, "InvalidCiphertextException", "the tag does not fit");
  }
  return { plaintext: plaintext.toString("base64") };
}

/** Both parts with their lengths, so that neither can pass for the other. */
function authenticated(aad: Buffer | null, metadata: Buffer | null): Buffer {
  const lengths = [Buffer.alloc(2), Buffer.of(metadata?.length ?? 0)] as const;
  lengths[0].writeUInt16BE(aad?.length ?? 0);
  return Buffer.concat([
    lengths[0],
    aad ?? Buffer.alloc(0),
    lengths[1],
    metadata ?? Buffer.alloc(0),
  ]);
}
