// What CreateKey and ReplicateKey give a new key of a Region that its request did not.

import { acceptKeyPolicy, defaultKeyPolicy } from "../domain/key-policy.ts";
import type { Key, Tag } from "../domain/key-set.ts";
import type { Moment } from "../domain/moment.ts";
import type { Editor } from "../domain/policy/lockout.ts";
import { requirePolicySize, requireQuota } from "../domain/quota.ts";
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
 * the request has none. Throws MalformedPolicyDocumentException, TagException and
 * LimitExceededException.
 */
export function newKey(
  input: NewKeyInput,
  owner: {
    readonly region: Region;
    readonly accountId: string;
    /** Who has to be able to change the policy afterwards, unless the input bypasses that. */
    readonly editor: Editor | null;
  },
  state: "Enabled" | "Creating" | "PendingImport",
  at: Moment,
): Key {
  const { region, accountId, editor } = owner;
  const key: Key = {
    region,
    state,
    createdAt: at.now,
    readyAt: at.now,
    deletionAt: null,
    waitingPeriodDays: null,
    description: input.Description ?? "",
    policy: policyOf(input, region, accountId, editor, at),
    tags: acceptTags([], input.Tags ?? [], at.quotas),
    imported: {},
    grants: [],
  };
  requireRoom(at);
  return key;
}

/** The last thing that is asked of a new key (errors of ReplicateKey). */
function requireRoom({ keysWithoutRoom, quotas }: Moment): void {
  if (keysWithoutRoom === undefined || keysWithoutRoom === null) return;
  requireQuota("KEYS", keysWithoutRoom + 1, quotas, String(keysWithoutRoom));
}

function policyOf(
  input: NewKeyInput,
  region: Region,
  accountId: string,
  editor: Editor | null,
  { quotas }: Moment,
): string {
  const partition = partitionOf(region);
  if (input.Policy === undefined) return defaultKeyPolicy(partition, accountId);
  requirePolicySize(input.Policy, quotas);
  const bypassed = input.BypassPolicyLockoutSafetyCheck ?? false;
  return acceptKeyPolicy(input.Policy, { partition, editor: bypassed ? null : editor });
}
