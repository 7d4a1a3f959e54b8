// AWS Signature Version 4 in the steps of its specification, each a pure function with the artefact
// that AWS's test suite checks: canonical request, string to sign, signing key, signature. Whoever
// signs and whoever verifies takes the same steps; neither is known here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { createHmac } from "node:crypto";
import { toHex } from "../crypto/base64.ts";
import { hash } from "../crypto/hash.ts";

/** A request as it goes over the wire. */
export interface SignableRequest {
  readonly method: string;
  /** The path of the request line, as encoded there; it is encoded once more, as for any service but S3. */
  readonly path: string;
  /** What follows its question mark. */
  readonly query: string;
  /** In any order; a name may come more than once. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** `payloadHash` of the body, or what else the signer states in its place. */
  readonly payloadHash: string;
}

/** For what a signing key is good. */
export interface CredentialScope {
  /** `20260131` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * Step 1. `signedHeaders` are names in lower case. A path is normalized (`/a/../b` is `/b`) unless
 * told otherwise.
 */
export function canonicalRequest(
  request: SignableRequest,
  signedHeaders: readonly string[],
  { normalizePath = true } = {},
): string {
  const names = [...signedHeaders].sort();
  const values = headerValues(request);
  const path = normalizePath ? normalized(request.path) : request.path;
  return [
    request.method,
    path.split("/").map(encoded).join("/"),
    canonicalQuery(request.query),
    ...names.map((name) => `${name}:${values.get(name) ?? ""}`),
    "",
    names.join(";"),
    request.payloadHash,
  ].join("\n");
}

/** Step 2. `timestamp` is that of the request, in the form of `basicTimestamp`. */
export function stringToSign(
  timestamp: string,
  scope: CredentialScope,
  canonicalRequest: string,
): string {
  return [ALGORITHM, timestamp, scopeText(scope), payloadHash(utf8.encode(canonicalRequest))].join(
    "\n",
  );
}

/** Step 3: the key that a secret gives for one day, Region and service. */
export function signingKey(
  secretAccessKey: string,
  { date, region, service }: CredentialScope,
): Uint8Array {
  return [date, region, service, TERMINATOR].reduce<Uint8Array>(
    hmac,
    utf8.encode(`AWS4${secretAccessKey}`),
  );
}

/** Step 4: the signature, in hex. */
export const signature = (signingKey: Uint8Array, stringToSign: string): string =>
  toHex(hmac(signingKey, stringToSign));

/** `20150830/us-east-1/kms/aws4_request` */
export const scopeText = ({ date, region, service }: CredentialScope): string =>
  [date, region, service, TERMINATOR].join("/");

/** An instant as `20150830T123600Z`; its first eight digits are the date of the scope. */
export const basicTimestamp = (atMs: number): string =>
  new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, "");

/** The SHA-256 of a body, in hex. */
export const payloadHash = (body: Uint8Array): string => toHex(hash("sha256", body));

const TERMINATOR = "aws4_request";
const utf8 = new TextEncoder();

const hmac = (key: Uint8Array, text: string): Uint8Array =>
  createHmac("sha256", key).update(utf8.encode(text)).digest();

/** Dot segments and empty segments taken out; a slash at the end stays. */
function normalized(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  const directory = segments.length > 0 && /\/\.{0,2}$/.test(path);
  return `/${segments.join("/")}${directory ? "/" : ""}`;
}

/** Everything but the unreserved characters of RFC 3986 as `%XX`, byte by byte. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Each name and value decoded and encoded anew, in the order of the encoded names, then values. */
function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((pair) => {
    const [name = "", ...value] = pair.split("=");
    return [reencoded(name), reencoded(value.join("="))] as const;
  });
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join("="))
    .join("&");
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

function reencoded(text: string): string {
  try {
    return encoded(decodeURIComponent(text));
  } catch {
    return encoded(text); // a stray percent sign stands for itself
  }
}

/** All values of each header, with white space as one blank and none around a value. */
function headerValues({ headers }: SignableRequest): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [anyCase, value] of headers) {
    const name = anyCase.toLowerCase();
    const before = values.get(name);
    values.set(
      name,
      before === undefined ? singleSpaced(value) : `${before},${singleSpaced(value)}`,
    );
  }
  return values;
}

/** Most values have nothing to replace: to look is cheaper. */
const singleSpaced = (text: string) => {
  const trimmed = text.trim();
  return /\s\s|[^\S ]/.test(trimmed) ? trimmed.replace(/\s+/g, " ") : trimmed;
};
