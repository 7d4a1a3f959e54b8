// What a request says of its signature: in the Authorization header, or presigned in the query.
// Read, not yet believed. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
//
// Texts and their order are as recorded on AWS by the authors of dynalite (its index.js).

import { KmsError } from "../errors.ts";
import { ALGORITHM, type CredentialScope } from "./sigv4.ts";

/** What of a request a signature covers, as it came over the wire. */
export interface ReceivedRequest {
  readonly method: string;
  /** As sent, neither normalized nor decoded. */
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
}

export interface Authorization {
  readonly place: "header" | "query";
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower case. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** As sent, in the form `20150830T123600Z`. */
  readonly timestamp: string;
  /** That of a presigned request; the standard of a header is not its own to say. */
  readonly expiresSeconds: number | null;
}

/** The parameters of the header, in the order in which AWS misses them. */
const PARAMETERS: readonly string[] = ["Credential", "Signature", "SignedHeaders"];
/** Those of either place by their names in the header. */
type Parameters = ReadonlyMap<string, string>;

interface Claim {
  readonly place: "header" | "query";
  readonly algorithm: string;
  readonly parameters: Parameters;
  /** The header, or nothing. */
  readonly text: string;
}

const isPresigned = (query: string) => query.includes("X-Amz-Algorithm=");

/** What a request claims, or null where it claims nothing. Throws for what cannot be read. */
function claimOf({ headers, query }: ReceivedRequest): Claim | null {
  const header = headers.get("authorization");
  if (!isPresigned(query)) return header ? headerClaim(header) : null;
  if (header) {
    throw invalid(
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
  }
  const given = new URLSearchParams(query);
  const parameters = new Map<string, string>();
  for (const name of ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires"]) {
    const values = given.getAll(`X-Amz-${name}`);
    if (values.length > 1) throw incomplete(`The query-string has 'X-Amz-${name}' twice.`);
    if (values[0]) parameters.set(name, values[0]);
  }
  return { place: "query", algorithm: parameters.get("Algorithm") ?? "", parameters, text: "" };
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` */
function headerClaim(text: string): Claim {
  const space = text.indexOf(" ");
  const algorithm = space < 0 ? text : text.slice(0, space);
  const parameters = new Map<string, string>();
  if (algorithm.startsWith("AWS4-") && space > 0) {
    for (const part of text.slice(space).split(",")) {
      const pair = part.trim();
      if (pair === "") continue;
      const equals = pair.indexOf("=");
      if (equals < 0) {
        throw incomplete(
          `'${pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '${text}'.`,
        );
      }
      const name = pair.slice(0, equals);
      // Two headers arrive as one, joined with a comma: neither is believed.
      if (!PARAMETERS.includes(name) || parameters.has(name)) {
        throw incomplete(`Authorization header has a '${name}' too many.`);
      }
      parameters.set(name, pair.slice(equals + 1));
    }
  }
  return { place: "header", algorithm, parameters, text };
}

/**
 * The access key ID and scope that a request names, however badly it is signed; null where it names
 * none. Throws IncompleteSignatureException, and InvalidSignatureException for a scope that is not
 * of this service.
 */
export function namedBy(
  request: ReceivedRequest,
  expected: ExpectedScope,
): Pick<Authorization, "accessKeyId" | "scope"> | null {
  const claim = claimOf(request);
  if (!claim) return null;
  const credential = claim.parameters.get("Credential");
  if (!credential) throw lacking(claim, ["Credential"], null);
  const read = credentialOf(credential);
  requireScope(read, expected, null);
  return read;
}

/** What the scope of a request to this service has to be. */
export interface ExpectedScope {
  readonly service: string;
  readonly isRegion: (name: string) => boolean;
}

/**
 * All that a request says of its signature, whole and in order of time; null where it says nothing.
 * `nowMs` is real time, which clients sign with. Throws what AWS does, check by check.
 */
export function authorizationOf(
  request: ReceivedRequest,
  expected: ExpectedScope,
  nowMs: number,
): Authorization | null {
  const claim = claimOf(request);
  if (!claim) return null;
  const { place, parameters, algorithm } = claim;
  const timestamp = dateOf(claim, request.headers);
  const missing = PARAMETERS.filter((name) => !parameters.has(name));
  if (missing.length > 0 || timestamp === null) throw lacking(claim, missing, timestamp);
  const expiresSeconds = place === "query" ? expiryOf(parameters) : null;
  requireCurrent(timestamp, expiresSeconds, nowMs);
  const signedHeaders = (parameters.get("SignedHeaders") ?? "").toLowerCase().split(";");
  requireSigned(signedHeaders, request.headers);
  if (algorithm !== ALGORITHM) {
    throw incomplete(`Unsupported AWS 'algorithm': '${algorithm}' (only ${ALGORITHM} for now). `);
  }
  const { accessKeyId, scope, terminator } = credentialOf(parameters.get("Credential") ?? "");
  requireScope({ scope, terminator }, expected, timestamp);
  const signature = parameters.get("Signature") ?? "";
  return { place, accessKeyId, scope, signedHeaders, signature, timestamp, expiresSeconds };
}

/** One sentence for each parameter that is missing, in AWS's order, and what was sent. */
function lacking(
  { place, parameters, text }: Claim,
  missing: readonly string[],
  date: string | null,
): KmsError {
  if (place === "query") {
    const names = ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date"];
    const sentences = names
      .filter((name) => !parameters.has(name))
      .map((name) => `AWS query-string parameters must include 'X-Amz-${name}'. `);
    return incomplete(`${sentences.join("")}Re-examine the query-string parameters.`);
  }
  const sentences = missing.map((name) => `Authorization header requires '${name}' parameter. `);
  if (date === null) {
    sentences.push(
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
    );
  }
  return incomplete(`${sentences.join("")}Authorization=${text}`);
}

const dateOf = ({ place, parameters }: Claim, headers: Headers): string | null =>
  place === "query"
    ? (parameters.get("Date") ?? null)
    : (headers.get("x-amz-date") ?? headers.get("date"));

/** `AKIA…/20150830/us-east-1/kms/aws4_request`, whatever its parts say. */
function credentialOf(credential: string) {
  const parts = credential.split("/");
  const [accessKeyId = "", date = "", region = "", service = "", terminator = ""] = parts;
  if (parts.length !== 5 || accessKeyId === "") {
    throw incomplete(
      "Credential must have exactly 5 slash-delimited elements, e.g. " +
        `keyid/date/region/service/term, got '${credential}'`,
    );
  }
  return { accessKeyId, scope: { date, region, service }, terminator };
}

/** One sentence for each part of the scope that is wrong. Without a timestamp no date is wrong. */
function requireScope(
  { scope, terminator }: { readonly scope: CredentialScope; readonly terminator: string },
  { service, isRegion }: ExpectedScope,
  timestamp: string | null,
): void {
  const sentences: string[] = [];
  if (!isRegion(scope.region)) sentences.push("Credential should be scoped to a valid region.");
  if (scope.service !== service) {
    sentences.push(`Credential should be scoped to correct service: '${service}'.`);
  }
  if (terminator !== "aws4_request") {
    sentences.push(
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`,
    );
  }
  const date = timestamp?.slice(0, 8) ?? scope.date;
  if (scope.date !== date) {
    sentences.push(
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: " +
        `'${scope.date}' != '${date}', from '${timestamp}'.`,
    );
  }
  if (sentences.length > 0) throw invalid(sentences.join(" "));
}

/** How far a clock may be off, and how long a signature in a header is good (guide). */
const SKEW_MS = 5 * 60_000;
/** A week: the longest that a presigned request may be good. */
const MAX_EXPIRES_SECONDS = 604_800;

/** The seconds of `X-Amz-Expires`; texts are those of S3, which alone documents them. */
function expiryOf(parameters: Parameters): number {
  const text = parameters.get("Expires");
  if (text === undefined) return SKEW_MS / 1000;
  if (!/^\d+$/.test(text)) throw incomplete("X-Amz-Expires should be a number");
  if (Number(text) > MAX_EXPIRES_SECONDS) {
    throw incomplete(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires " +
        `must be less than ${MAX_EXPIRES_SECONDS} seconds`,
    );
  }
  return Number(text);
}

function requireCurrent(timestamp: string, expiresSeconds: number | null, nowMs: number): void {
  const at = millisecondsOf(timestamp);
  const goodForMs = expiresSeconds === null ? SKEW_MS : expiresSeconds * 1000;
  if (at < nowMs - goodForMs) {
    throw invalid(
      `Signature expired: ${timestamp} is now earlier than ${basic(nowMs - goodForMs)} ` +
        `(${basic(nowMs)} - ${durationText(goodForMs)}.)`,
    );
  }
  if (at > nowMs + SKEW_MS) {
    throw invalid(
      `Signature not yet current: ${timestamp} is still later than ${basic(nowMs + SKEW_MS)} ` +
        `(${basic(nowMs)} + ${durationText(SKEW_MS)}.)`,
    );
  }
}

const durationText = (ms: number) =>
  ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} sec`;

const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** The timestamp that was read last: requests come many to the second. */
let last: { readonly timestamp: string; readonly at: number } | null = null;

/** Throws IncompleteSignatureException for what is no instant. */
function millisecondsOf(timestamp: string): number {
  if (timestamp !== last?.timestamp) last = { timestamp, at: readTimestamp(timestamp) };
  return last.at;
}

function readTimestamp(timestamp: string): number {
  const [, year, month, day, hour, minute, second] = BASIC.exec(timestamp) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes the 31st of every month.
  if (Number.isNaN(at) || basic(at) !== timestamp) {
    throw incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${timestamp}'. ` +
        "See http://en.wikipedia.org/wiki/ISO_8601",
    );
  }
  return at;
}

const basic = (atMs: number) => new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, "");

/**
 * The host and every `x-amz-` header have to be signed (guide, "Create a canonical request"): an
 * unsigned target would be anyone's to exchange. A session token proves itself, and some signers
 * add it afterwards.
 */
function requireSigned(signedHeaders: readonly string[], headers: Headers): void {
  if (!signedHeaders.includes("host")) throw unsigned("Host' or ':authority");
  for (const name of headers.keys()) {
    if (name.startsWith("x-amz-") && name !== TOKEN_HEADER && !signedHeaders.includes(name)) {
      throw unsigned(name);
    }
  }
}

const unsigned = (name: string) =>
  invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);

export const TOKEN_HEADER = "x-amz-security-token";

/** The session token that comes with a request, where its signature is. */
export function sessionTokenOf({ headers, query }: ReceivedRequest): string | null {
  const header = headers.get(TOKEN_HEADER);
  if (header !== null || !isPresigned(query)) return header;
  return new URLSearchParams(query).get("X-Amz-Security-Token");
}

const incomplete = (text: string) => new KmsError("IncompleteSignatureException", text);
const invalid = (text: string) => new KmsError("InvalidSignatureException", text);
