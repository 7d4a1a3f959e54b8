// Whom to believe: the root certificates that a document's chain may begin with.

import { fromBase64 } from "../crypto/base64.ts";
import type { Bytes } from "../crypto/bytes.ts";
import { readCertificate } from "./certificate.ts";

/** Certificates in DER, or "any": a chain need only hold together, whoever made its root. */
export type TrustedRoots = "any" | readonly Bytes[];

// The root of the partition `aws`, CN=aws.nitro-enclaves, valid until October 2049; SHA-256 of its
// DER 641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b, as published at
// https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html. NitroTPM's is the same.
const AWS_NITRO_ENCLAVES_ROOT_G1 = `
MIICETCCAZagAwIBAgIRAPkxdWgbkK/hHUbMtOTn+FYwCgYIKoZIzj0EAwMwSTELMAkGA1UEBhMCVVMxDzANBgNVBAoMBkFt
YXpvbjEMMAoGA1UECwwDQVdTMRswGQYDVQQDDBJhd3Mubml0cm8tZW5jbGF2ZXMwHhcNMTkxMDI4MTMyODA1WhcNNDkxMDI4
MTQyODA1WjBJMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGQW1hem9uMQwwCgYDVQQLDANBV1MxGzAZBgNVBAMMEmF3cy5uaXRy
by1lbmNsYXZlczB2MBAGByqGSM49AgEGBSuBBAAiA2IABPwCVOumCMHzaHDimtqQvkY4MpJzbolL//Zy2YlES1BR5TSksfbb
48C8WBoyt7F2Bw7eEtaaP+ohG2bnUs990d0JX28TcPQXCEPZ3BABIeTPYwEoCWZEh8l5YoQwTcU/9KNCMEAwDwYDVR0TAQH/
BAUwAwEB/zAdBgNVHQ4EFgQUkCW1DdkFR+eWw5b6cp3PmanfS5YwDgYDVR0PAQH/BAQDAgGGMAoGCCqGSM49BAMDA2kAMGYC
MQCjfy+Rocm9Xue4YnwWmNJVA44fA0P5W2OpYow9OYCVRaEevL8uO1XYru5xtMPWrfMCMQCi85sWBbJwKKXdS6BptQFuZbT7
3o/gBh1qUxl/nNr12UO8Yfwr6wPLb+6NIwLz3/Y=`;

/** What AWS signs with, in its commercial Regions. */
export const awsNitroRoots: readonly Bytes[] = [der(AWS_NITRO_ENCLAVES_ROOT_G1)];

/** The roots that a setting names: `any`, `aws`, or a PEM file's text. Throws Error for a bad one. */
export function rootsFrom(setting: string): TrustedRoots {
  if (setting === "any") return "any";
  return setting === "aws" ? awsNitroRoots : rootsFromPem(setting);
}

/** The certificates of a PEM file, one or more; throws Error if it holds none or a bad one. */
export function rootsFromPem(pem: string): readonly Bytes[] {
  const blocks = pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g);
  const roots = [...blocks].map(([, text = ""]) => der(text));
  if (roots.length === 0) throw new Error("There is no certificate in PEM form");
  if (!roots.every(readCertificate)) throw new Error("A certificate is not X.509 in DER");
  return roots;
}

function der(base64: string): Bytes {
  const digits = base64.replaceAll(/\s/g, "");
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(digits)) {
    throw new Error("A certificate is not in base64");
  }
  return fromBase64(digits);
}
