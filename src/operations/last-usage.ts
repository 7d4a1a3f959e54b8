// When a key was last used.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html

import { toHex } from "../crypto/base64.ts";
import { hash } from "../crypto/hash.ts";
import type { KeyLastUsage } from "../domain/key-set.ts";
import { timestamp } from "./key-metadata.ts";
import * as members from "./members.ts";
import { use } from "./operation.ts";
import { required } from "./shape.ts";

export const lastUsage = {
  /** Every use of a key of edge-kms is tracked, so the tracking starts with the key. */
  GetKeyLastUsage: use({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    use({ set, key, lastUsage }) {
      return {
        KeyId: set.keyId,
        KeyCreationDate: timestamp(key.createdAt),
        TrackingStartDate: timestamp(key.createdAt),
        KeyLastUsage: lastUsage ? keyLastUsageData(lastUsage, set.accountId) : {},
      };
    },
  }),
};

const keyLastUsageData = ({ operation, at, requestId }: KeyLastUsage, accountId: string) => ({
  Operation: operation,
  Timestamp: timestamp(at),
  ...(requestId !== null && {
    CloudTrailEventId: cloudTrailEventId(requestId, accountId),
    KmsRequestId: requestId,
  }),
});

/**
 * The ID of the event that tells an account of a request. Made of both, so that a use need not keep
 * it: of ReEncrypt the owners of the two keys have events of their own (RFC 9562, version 8).
 */
function cloudTrailEventId(requestId: string, accountId: string): string {
  const digest = hash("sha256", new TextEncoder().encode(`${requestId} ${accountId}`));
  const digits = toHex(digest).slice(0, 32);
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-8$3-8$4-$5");
}
