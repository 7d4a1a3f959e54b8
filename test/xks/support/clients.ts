// KMS's side of a test proxy, and what it says of the calls it is made for.

import type { UseRequest, XksProxy } from "../../../src/xks/proxy-client.ts";
import { nodeTransport } from "./node-transport.ts";
import type { TestProxy } from "./proxy.ts";

/** Far longer than AWS waits, so that no busy machine fails a test. */
const PATIENT_MS = 30_000;

/** The client of a test proxy as its owner would set it up, save for what is given. */
export const clientOf = (proxy: TestProxy, changes: Partial<XksProxy> = {}): XksProxy => ({
  uriEndpoint: `https://${proxy.host}`,
  uriPath: proxy.uriPath,
  credential: proxy.credential,
  region: proxy.region,
  transport: nodeTransport({ ...proxy, ca: proxy.authority.pem }),
  now: Date.now,
  timeoutMs: PATIENT_MS,
  ...changes,
});

export const requestFor = (kmsOperation: string): UseRequest => ({
  awsPrincipalArn: "arn:aws:iam::123456789012:user/Alice",
  kmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  kmsOperation,
  kmsRequestId: "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
});
