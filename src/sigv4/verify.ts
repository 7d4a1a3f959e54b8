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
  const { signature, scope } = authorization;
  if (!/^[0-9a-f]{64}$/.test(signature)) return false;
  const key = keys.known(secretAccessKey, scope) ?? (await keys.get(secretAccessKey, scope));
  const given = fromHex(signature);
  const headers = signedHeadersOf(authorization, request);
  const canonical = canonicalOf(authorization, headers, request, body);
  if (sameBytes(await signatureOf(canonical, authorization, key), given)) return true;
  // Headers of one name arrive as one, joined with a comma and a blank; a signer joins without one.
  if (!headers.some(([, value]) => value.includes(", "))) return false;
  const apart = headers.map(([name, value]) => [name, value.replaceAll(", ", ",")] as const);
  const other = canonicalOf(authorization, apart, request, body);
  return sameBytes(await signatureOf(other, authorization, key), given);
}

type SignedHeader = readonly [name: string, value: string];

const signedHeadersOf = ({ signedHeaders }: Authorization, { headers }: ReceivedRequest) =>
  signedHeaders.map((name): SignedHeader => {
    try {
      return [name, headers.get(name) ?? ""];
    } catch {
      return [name, ""]; // not even the name of a header
    }
  });

function canonicalOf(
  { place, signedHeaders }: Authorization,
  headers: readonly SignedHeader[],
  request: ReceivedRequest,
  body: Uint8Array,
): string {
  const { method, path } = request;
  const query = place === "query" ? withoutSignature(request.query) : request.query;
  return canonicalRequest(
    { method, path, query, headers, payloadHash: payloadHash(body) },
    signedHeaders,
  );
}

async function signatureOf(
  canonical: string,
  { timestamp, scope }: Authorization,
  key: CryptoKey,
): Promise<Uint8Array> {
  const toSign = utf8.encode(stringToSign(timestamp, scope, canonical));
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, toSign));
}

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

  /** The key that is there already, with nothing to wait for. */
  known(secretAccessKey: string, scope: CredentialScope): CryptoKey | undefined {
    return this.#keys.get(nameOf(secretAccessKey, scope));
  }

  async get(secretAccessKey: string, scope: CredentialScope): Promise<CryptoKey> {
    const known = this.known(secretAccessKey, scope);
    if (known) return known;
    const bytes = new Uint8Array(signingKey(secretAccessKey, scope));
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(nameOf(secretAccessKey, scope), key);
    return key;
  }
}

const nameOf = (secretAccessKey: string, scope: CredentialScope) =>
  `${scopeText(scope)}/${secretAccessKey}`;
