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

interface Owner {
  readonly region: Region;
  readonly accountId: string;
  /** Who has to be able to change the policy afterwards, unless the input bypasses that. */
  readonly editor: Editor | null;
  readonly unknownPrincipals?: readonly string[] | undefined;
}

/**
 * The new member of `owner.region`, with the default key policy, no description and no tags where
 * the request has none. Throws MalformedPolicyDocumentException, TagException and
 * LimitExceededException.
 */
export function newKey(
  input: NewKeyInput,
  owner: Owner,
  state: "Enabled" | "Creating" | "PendingImport",
  at: Moment,
): Key {
  const { region } = owner;
  const key: Key = {
    region,
    state,
    createdAt: at.now,
    readyAt: at.now,
    deletionAt: null,
    waitingPeriodDays: null,
    description: input.Description ?? "",
    policy: policyOf(input, owner, at),
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

function policyOf(input: NewKeyInput, owner: Owner, { quotas }: Moment): string {
  const { accountId, unknownPrincipals } = owner;
  const partition = partitionOf(owner.region);
  if (input.Policy === undefined) return defaultKeyPolicy(partition, accountId);
  requirePolicySize(input.Policy, quotas);
  const editor = input.BypassPolicyLockoutSafetyCheck ? null : owner.editor;
  return acceptKeyPolicy(input.Policy, { partition, editor, unknownPrincipals });
}
