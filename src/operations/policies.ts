// Key policies. https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html

import { acceptKeyPolicy } from "../domain/key-policy.ts";
import { withKeys } from "../domain/key-set.ts";
import { requirePolicySize } from "../domain/quota.ts";
import { partitionOf } from "../domain/region.ts";
import { KmsError } from "../errors.ts";
import * as members from "./members.ts";
import { change, use } from "./operation.ts";
import { editorOf } from "./permission.ts";
import { factsOf } from "./question.ts";
import { boolean, required } from "./shape.ts";

/** The one policy a key has. */
const POLICY_NAME = "default";

export const policies = {
  GetKeyPolicy: use({
    input: { KeyId: required(members.keyId), PolicyName: members.policyName },
    invalidArn: true,
    check({ PolicyName }) {
      if ((PolicyName ?? POLICY_NAME) !== POLICY_NAME) {
        throw new KmsError("NotFoundException", "No such policy exists");
      }
    },
    use: ({ key }) => ({ Policy: key.policy, PolicyName: POLICY_NAME }),
  }),

  PutKeyPolicy: change({
    input: {
      KeyId: required(members.keyId),
      PolicyName: members.policyName,
      Policy: required(members.policy),
      BypassPolicyLockoutSafetyCheck: boolean,
    },
    invalidArn: true,
    check({ PolicyName }) {
      if ((PolicyName ?? POLICY_NAME) !== POLICY_NAME) {
        throw new KmsError("UnsupportedOperationException", "The only policy of a key is default.");
      }
    },
    change(target, input, at, caller) {
      const { set, key } = target;
      requirePolicySize(input.Policy, at.quotas);
      const asked = { caller, input, now: at.now };
      const editor = editorOf(asked, factsOf(target), key.region, set.keyId);
      const policy = acceptKeyPolicy(input.Policy, {
        partition: partitionOf(key.region),
        editor: input.BypassPolicyLockoutSafetyCheck ? null : editor,
        unknownPrincipals: caller.unknownPrincipals,
      });
      return { set: withKeys(set, { ...key, policy }), output: null };
    },
  }),

  ListKeyPolicies: use({
    input: {
      KeyId: required(members.keyId),
      Limit: members.limit,
      Marker: members.marker,
    },
    invalidArn: true,
    // The one name fits on any page, and no marker is wrong: InvalidMarkerException is not among
    // the operation's errors.
    use: () => ({ PolicyNames: [POLICY_NAME], Truncated: false }),
  }),
};
