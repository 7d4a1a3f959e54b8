// Signs requests as a client does, so that what the server verifies can be tampered with afterwards.

import {
  ALGORITHM,
  basicTimestamp,
  canonicalRequest,
  payloadHash as hashOf,
  scopeText,
  signature,
  signingKey,
  stringToSign,
} from "../../src/sigv4/sigv4.ts";

/** A request before or after signing, as it goes over the wire. */
export interface Plain {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Signing {
  readonly accessKeyId?: string;
  readonly secret?: string;
  readonly token?: string;
  readonly region?: string;
  readonly service?: string;
  /** Milliseconds since the epoch; now where it is left out. */
  readonly at?: number;
  /** What is signed in the place of the body's own hash. */
  readonly payloadHash?: string;
  /** X-Amz-Expires of a presigned request. */
  readonly expires?: string;
}

/** The secret of AWS's examples. */
export const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/** The request with an Authorization header over all of its headers. */
export function signed(plain: Plain, signing: Signing = {}): Plain & { payloadHash: string } {
  const { at = Date.now(), token, payloadHash = sha256(plain.body) } = signing;
  const timestamp = basicTimestamp(at);
  const headers = [
    ...plain.headers,
    ["X-Amz-Date", timestamp] as const,
    ...(token === undefined ? [] : [["X-Amz-Security-Token", token] as const]),
  ];
  const names = namesOf(headers);
  const made = signatureFor(plain, { ...signing, at, payloadHash }, headers, plain.query);
  const authorization =
    `${ALGORITHM} Credential=${made.credential}, SignedHeaders=${names.join(";")}, ` +
    `Signature=${made.signature}`;
  return { ...plain, headers: [...headers, ["Authorization", authorization]], payloadHash };
}

/** The request with its signature in the query, good for 15 minutes. */
export function presigned(plain: Plain, signing: Signing = {}): Plain {
  const { at = Date.now(), token, payloadHash = sha256(plain.body), expires = "900" } = signing;
  const parameters = {
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": credentialOf(signing, at),
    "X-Amz-Date": basicTimestamp(at),
    "X-Amz-Expires": expires,
    "X-Amz-SignedHeaders": namesOf(plain.headers).join(";"),
    ...(token !== undefined && { "X-Amz-Security-Token": token }),
  };
  const query = [
    ...(plain.query === "" ? [] : [plain.query]),
    ...Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`),
  ].join("&");
  const made = signatureFor(plain, { ...signing, at, payloadHash }, plain.headers, query);
  return { ...plain, query: `${query}&X-Amz-Signature=${made.signature}` };
}

function signatureFor(
  { method, path }: Plain,
  signing: Signing & { readonly at: number; readonly payloadHash: string },
  headers: Plain["headers"],
  query: string,
) {
  const { at, payloadHash, secret = SECRET } = signing;
  const scope = scopeOf(signing, at);
  const request = { method, path, query, headers, payloadHash };
  const canonical = canonicalRequest(request, namesOf(headers));
  const toSign = stringToSign(basicTimestamp(at), scope, canonical);
  return {
    credential: credentialOf(signing, at),
    signature: signature(signingKey(secret, scope), toSign),
  };
}

const scopeOf = ({ region = "us-east-1", service = "kms" }: Signing, at: number) => ({
  date: basicTimestamp(at).slice(0, 8),
  region,
  service,
});

const credentialOf = (signing: Signing, at: number) =>
  `${signing.accessKeyId ?? "AKIDEXAMPLE"}/${scopeText(scopeOf(signing, at))}`;

const namesOf = (headers: Plain["headers"]) =>
  [...new Set(headers.map(([name]) => name.toLowerCase()))].sort();

const sha256 = (text: string) => hashOf(new TextEncoder().encode(text));
