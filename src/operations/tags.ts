// Tags of keys. https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html

import { type Tag, withKeys } from "../domain/key-set.ts";
import { type Quotas, requireQuota } from "../domain/quota.ts";
import { KmsError } from "../errors.ts";
import * as members from "./members.ts";
import { change, use } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { list, required, text } from "./shape.ts";

const TAG_PAGE = { standard: 50, max: 50 };

export const tags = {
  TagResource: change({
    input: { KeyId: required(members.keyId), Tags: required(members.tags) },
    invalidArn: true,
    change: ({ set, key }, { Tags }, { quotas }) => ({
      set: withKeys(set, { ...key, tags: acceptTags(key.tags, Tags, quotas) }),
      output: null,
    }),
  }),

  /** Keys of tags that are not there are ignored. */
  UntagResource: change({
    input: {
      KeyId: required(members.keyId),
      TagKeys: required(list(text({ min: 1, max: 128 }))),
    },
    invalidArn: true,
    change({ set, key }, { TagKeys }) {
      TagKeys.forEach(requireOwnTag);
      const remaining = key.tags.filter((tag) => !TagKeys.includes(tag.TagKey));
      return { set: withKeys(set, { ...key, tags: remaining }), output: null };
    },
  }),

  ListResourceTags: use({
    input: {
      KeyId: required(members.keyId),
      Limit: members.limit,
      Marker: members.marker,
    },
    invalidArn: true,
    use({ key }, input) {
      const { items, output } = pageOf("ListResourceTags", key.tags, input, TAG_PAGE);
      return { Tags: items, ...output };
    },
  }),
};

/**
 * The tags a key has once `added` are added: an existing key keeps its place and takes the new
 * value, new ones follow (recorded on AWS). Throws TagException.
 */
export function acceptTags(
  existing: readonly Tag[],
  added: readonly Tag[],
  quotas?: Quotas,
): readonly Tag[] {
  const values = new Map(existing.map((tag) => [tag.TagKey, tag.TagValue]));
  if (new Set(added.map((tag) => tag.TagKey)).size < added.length) {
    throw new KmsError("TagException", "Duplicate tag keys");
  }
  for (const { TagKey, TagValue } of added) {
    requireOwnTag(TagKey);
    requireTagText(TagKey);
    requireTagText(TagValue);
    values.set(TagKey, TagValue);
  }
  requireQuota("TAGS_PER_KEY", values.size, quotas);
  return [...values].map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** Letters, digits and spaces of any script, and these signs (seen in public logs of AWS). */
function requireTagText(text: string): void {
  // Not made before it is used: Unicode's classes take long.
  const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  if (!allowed.test(text)) throw new KmsError("TagException", "Invalid tag");
}

/** The prefix is AWS's own in any case of its letters (recorded on AWS). */
function requireOwnTag(tagKey: string): void {
  if (/^aws:/i.test(tagKey)) {
    throw new KmsError("TagException", "Tags beginning with aws: are reserved");
  }
}
