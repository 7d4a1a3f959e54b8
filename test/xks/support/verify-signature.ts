// How an external key store proxy checks SigV4: appendix A of its API specification, step by step.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Credential {
  readonly accessKeyId: string;
  readonly rawSecretAccessKey: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z2-7]+)\/(\d{8})\/([a-z0-9-]+)\/kms-xks-proxy\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
const TOLERANCE_MS = 300_000;

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string) =>
  createHmac("sha256", key).update(data).digest();

/** What is wrong with the signature of a request, or null for a good one. */
export function signatureFault(
  { method, path, headers, body }: Received,
  { accessKeyId, rawSecretAccessKey }: Credential,
  region: string,
): string | null {
  const match = AUTHORIZATION.exec(headers.authorization ?? "");
  if (!match) return "the Authorization header is not as specified";
  const [, keyId, date = "", scopeRegion, signedHeaders = "", signature = ""] = match;
  if (keyId !== accessKeyId) return "the access key ID is not known";
  if (scopeRegion !== region) return "the credential is not for this Region";
  const signed = signedHeaders.split(";");
  if (!signed.includes("host") || !signed.includes("x-amz-date")) return "too little is signed";
  const timestamp = String(headers["x-amz-date"]);
  const at = Date.parse(
    timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (!timestamp.startsWith(date)) return "the date is not that of the credential";
  if (!(Math.abs(Date.now() - at) <= TOLERANCE_MS)) return "the request is not recent";
  const canonical = [
    method,
    path,
    "",
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    "",
    signedHeaders,
    sha256(body),
  ].join("\n");
  const scope = `${date}/${region}/kms-xks-proxy/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", timestamp, scope, sha256(canonical)].join("\n");
  const signingKey = [date, region, "kms-xks-proxy", "aws4_request"].reduce<string | Buffer>(
    (key, part) => hmac(key, part),
    `AWS4${rawSecretAccessKey}`,
  );
  const expected = hmac(signingKey, toSign);
  return timingSafeEqual(expected, Buffer.from(signature, "hex")) ? null : "the signature differs";
}
