// Who calls, and which Region's endpoint: read from the credential scope of the Authorization
// header. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html

import { isRegion } from "../domain/region.ts";
import { KmsError } from "../errors.ts";
import type { Caller } from "../operations/operation.ts";
import type { WorkerSettings } from "../settings.ts";

const ACCOUNT = /^\d{12}$/;
// Credential=AKID/20261122/us-east-1/kms/aws4_request; nothing but the scope is read.
const CREDENTIAL = /Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]*)\/([^/,\s]*)\/aws4_request(?:,|\s|$)/;

/**
 * The caller that a request names. An access key ID of 12 digits names the account; any other, and
 * a request without the header, is the default account. Throws IncompleteSignatureException and
 * InvalidSignatureException. Signatures are not verified yet: this is the place for it.
 */
export function callerOf(
  authorization: string | null,
  settings: WorkerSettings,
  service: "kms" | "sts" = "kms",
): Caller {
  if (authorization === null) return defaultCaller(settings);
  const [, accessKeyId, , region, scoped] = CREDENTIAL.exec(authorization) ?? [];
  if (!accessKeyId || region === undefined) {
    throw new KmsError(
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter.",
    );
  }
  if (!isRegion(region)) {
    throw new KmsError(
      "InvalidSignatureException",
      "Credential should be scoped to a valid region.",
    );
  }
  if (scoped !== service) {
    throw new KmsError(
      "InvalidSignatureException",
      `Credential should be scoped to correct service: '${service}'.`,
    );
  }
  return { accountId: ACCOUNT.test(accessKeyId) ? accessKeyId : settings.account, region };
}

const defaultCaller = ({ account, region }: WorkerSettings): Caller => ({
  accountId: account,
  region,
});

/** Refuses everyone while it takes credentials to be served; a deployment's default. */
export function requireOpen({ auth }: WorkerSettings): void {
  if (auth === "open") return;
  throw new KmsError(
    "UnrecognizedClientException",
    "This edge-kms serves no one: AUTH is not `open`, and it cannot check signatures yet. " +
      "Set the variable AUTH to open to serve every caller.",
  );
}
