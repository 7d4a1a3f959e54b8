// Whether a request is signed with a secret. All of it is hashed as it came; what a client states of
// its body in x-amz-content-sha256 counts for nothing but a signed header, so that neither another
// hash nor UNSIGNED-PAYLOAD, which is S3's, makes up for a body that is not the signed one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { fromHex } from "../crypto/base64.ts";
import { sameBytes } from "../crypto/bytes.ts";
import type { Authorization, ReceivedRequest } from "./authorization.ts";
import {
  type CredentialScope,
  canonicalRequest,
  payloadHash,
  scopeText,
  signingKey,
  stringToSign,
} from "./sigv4.ts";

/**
 * Whether the signature is that of this request and secret; the comparison takes as long wherever
 * they differ. Hashes are node:crypto's and the MAC is WebCrypto's with an imported key: in workerd
 * that is a third faster than either alone (docs/decisions/009-credentials.md).
 */
export async function isSignedWith(
  secretAccessKey: string,
  authorization: Authorization,
  request: ReceivedRequest,
  body: Uint8Array,
  keys: SigningKeys,
): Promise<boolean> {
  const { scope, timestamp, signature } = authorization;
  const key = await keys.get(secretAccessKey, scope);
  const toSign = stringToSign(timestamp, scope, canonicalOf(authorization, request, body));
  const expected = await crypto.subtle.sign("HMAC", key, utf8.encode(toSign));
  return (
    /^[0-9a-f]{64}$/.test(signature) && sameBytes(new Uint8Array(expected), fromHex(signature))
  );
}

/** The canonical request that must have been signed. */
export function canonicalOf(
  { place, signedHeaders }: Authorization,
  { method, path, query, headers }: ReceivedRequest,
  body: Uint8Array,
): string {
  const signed = signedHeaders.map((name) => [name, headerOf(headers, name)] as const);
  return canonicalRequest(
    {
      method,
      path,
      query: place === "query" ? withoutSignature(query) : query,
      headers: signed,
      payloadHash: payloadHash(body),
    },
    signedHeaders,
  );
}

/** A header that came twice arrives joined with a comma and a blank; a signer joins without one. */
const headerOf = (headers: Headers, name: string): string => {
  try {
    return headers.get(name) ?? "";
  } catch {
    return ""; // not even the name of a header
  }
};

const withoutSignature = (query: string) =>
  query
    .split("&")
    .filter((pair) => !pair.startsWith("X-Amz-Signature="))
    .join("&");

const utf8 = new TextEncoder();

/** How many derived keys are remembered: one per secret, day, Region and service. */
const MAX_KEYS = 1000;

/** The keys derived from secrets, each imported once. */
export class SigningKeys {
  readonly #keys = new Map<string, CryptoKey>();

  async get(secretAccessKey: string, scope: CredentialScope): Promise<CryptoKey> {
    const name = `${scopeText(scope)}/${secretAccessKey}`;
    const known = this.#keys.get(name);
    if (known) return known;
    const bytes = new Uint8Array(signingKey(secretAccessKey, scope));
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}
