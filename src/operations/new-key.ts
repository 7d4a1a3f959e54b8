// What CreateKey and ReplicateKey give a new key of a Region that its request did not.

import { acceptKeyPolicy, defaultKeyPolicy } from "../domain/key-policy.ts";
import type { Key, Tag } from "../domain/key-set.ts";
import type { Editor } from "../domain/policy/lockout.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import { acceptTags } from "./tags.ts";

interface NewKeyInput {
  readonly Policy?: string | undefined;
  readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined;
  readonly Description?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
}

/**
 * The new member of `owner.region`, with the default key policy, no description and no tags where
 * the request has none. Throws MalformedPolicyDocumentException, LimitExceededException and
 * TagException.
 */
export function newKey(
  input: NewKeyInput,
  owner: {
    readonly region: Region;
    readonly accountId: string;
    /** Who has to be able to change the policy afterwards, unless the input bypasses that. */
    readonly editor: Editor;
  },
  state: "Enabled" | "Creating",
  now: number,
): Key {
  const { region, accountId, editor } = owner;
  return {
    region,
    state,
    createdAt: now,
    readyAt: now,
    deletionAt: null,
    waitingPeriodDays: null,
    description: input.Description ?? "",
    policy: policyOf(input, region, accountId, editor),
    tags: acceptTags([], input.Tags ?? []),
    imported: {},
  };
}

function policyOf(input: NewKeyInput, region: Region, accountId: string, editor: Editor): string {
  const partition = partitionOf(region);
  if (input.Policy === undefined) return defaultKeyPolicy(partition, accountId);
  const bypassed = input.BypassPolicyLockoutSafetyCheck ?? false;
  return acceptKeyPolicy(input.Policy, { partition, editor: bypassed ? null : editor });
}
