// How KMS signs what it asks of an external key store proxy.
// https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md, appendix A

import {
  ALGORITHM,
  basicTimestamp,
  canonicalRequest,
  payloadHash,
  scopeText,
  signature,
  signingKey,
  stringToSign,
} from "../sigv4/sigv4.ts";

/** XksProxyAuthenticationCredential: of the proxy's making, and known to nobody else. */
export interface ProxyCredential {
  readonly accessKeyId: string;
  readonly rawSecretAccessKey: string;
}

export interface ProxySigner {
  readonly credential: ProxyCredential;
  /** The Region that KMS calls from. */
  readonly region: string;
}

/** The service that the specification puts into the scope. */
const SERVICE = "kms-xks-proxy";
/** These two and no more: the specification's text and its example agree. */
const SIGNED_HEADERS = ["host", "x-amz-date"];

/**
 * The headers of a POST of `body`, which is what the signature covers together with host and path.
 * `nowMs` has to be the proxy's time within five minutes, so never a clock that is moved.
 */
export function signedHeaders(
  url: URL,
  body: string,
  { credential, region }: ProxySigner,
  nowMs: number,
): Record<string, string> {
  const timestamp = basicTimestamp(nowMs);
  const scope = { date: timestamp.slice(0, 8), region, service: SERVICE };
  const canonical = canonicalRequest(
    {
      method: "POST",
      path: url.pathname,
      query: "",
      headers: [
        ["host", url.host],
        ["x-amz-date", timestamp],
      ],
      payloadHash: payloadHash(new TextEncoder().encode(body)),
    },
    SIGNED_HEADERS,
  );
  const key = signingKey(credential.rawSecretAccessKey, scope);
  const signed = [
    `Credential=${credential.accessKeyId}/${scopeText(scope)}`,
    `SignedHeaders=${SIGNED_HEADERS.join(";")}`,
    `Signature=${signature(key, stringToSign(timestamp, scope, canonical))}`,
  ];
  return {
    "content-type": "application/json",
    "x-amz-date": timestamp,
    authorization: `${ALGORITHM} ${signed.join(", ")}`,
  };
}
