// The lockout safety check of CreateKey, ReplicateKey and PutKeyPolicy.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key

import { type AuthorizationRequest, isAllowedByKeyPolicy } from "./authorize.ts";
import type { PolicyDocument } from "./grammar.ts";
import { readyPolicy } from "./policy.ts";
import { LOCKOUT, malformed } from "./refusals.ts";

/** Who gives a key its policy, and what the conditions of that policy may ask of them. */
export type Editor = Pick<AuthorizationRequest, "caller" | "resource" | "context"> & {
  readonly accountId: string;
};

/**
 * Throws MalformedPolicyDocumentException unless whoever gives the key this policy could give it
 * another one afterwards: by their own name, or by that of the account, which is taken to have an
 * IAM policy for it.
 */
export function requireNoLockout(document: PolicyDocument, editor: Editor): void {
  const { accountId, caller, resource, context } = editor;
  const key = {
    accountId,
    policy: readyPolicy(document),
    grants: [],
    use: { encryptionContext: null, child: null },
  };
  const request = { action: "PutKeyPolicy", resource, caller, context, key };
  if (!isAllowedByKeyPolicy(request)) throw malformed(LOCKOUT);
}
