// What a server has acknowledged of each key, and what one call of each kind adds to it. Of a call
// whose answer was lost both are right: that it happened, and that it did not.

export const regions = ["ap-south-1", "eu-west-1", "us-east-1"] as const;
export type Region = (typeof regions)[number];

/** All that can be seen of a key from without. */
export interface KeyView {
  readonly primary: Region;
  readonly members: readonly Region[];
  /** When keys are deleted, in seconds since the epoch. */
  readonly deletions: Readonly<Record<string, number>>;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
  readonly rotations: number;
}

/** A key whose description, tags and aliases are those of the Region in which it was made. */
export interface Entry {
  readonly keyId: string;
  readonly multiRegion: boolean;
  readonly home: Region;
  view: KeyView;
  /** A call is under way; there is one at a time per key. */
  busy: boolean;
  /** The call whose answer was lost. */
  unsure: Call | null;
  gone: boolean;
}

export interface Call {
  readonly operation: string;
  readonly region: Region;
  readonly input: Readonly<Record<string, unknown>>;
}

export const newEntry = (keyId: string, home: Region, multiRegion: boolean): Entry => ({
  keyId,
  multiRegion,
  home,
  view: {
    primary: home,
    members: [home],
    deletions: {},
    description: "",
    tags: {},
    aliases: [],
    rotations: 0,
  },
  busy: false,
  unsure: null,
  gone: false,
});

/** The key as it is after a call. `deletionDate` is ScheduleKeyDeletion's answer. */
export function after(
  view: KeyView,
  { operation, region, input }: Call,
  deletionDate = 0,
): KeyView {
  switch (operation) {
    case "ReplicateKey":
      return { ...view, members: [...view.members, input.ReplicaRegion as Region].sort() };
    case "UpdatePrimaryRegion":
      return { ...view, primary: input.PrimaryRegion as Region };
    case "ScheduleKeyDeletion":
      return { ...view, deletions: { ...view.deletions, [region]: deletionDate } };
    case "UpdateKeyDescription":
      return { ...view, description: input.Description as string };
    case "TagResource": {
      const tags = input.Tags as readonly { TagKey: string; TagValue: string }[];
      const added = tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]);
      return { ...view, tags: { ...view.tags, ...Object.fromEntries(added) } };
    }
    case "CreateAlias":
      return { ...view, aliases: [...view.aliases, input.AliasName as string].sort() };
    case "RotateKeyOnDemand":
      return { ...view, rotations: view.rotations + 1 };
    default:
      throw new Error(`no ${operation}`);
  }
}

/** The key as it is at an instant, or null when it is gone. */
export function at(view: KeyView, now: number): KeyView | null {
  const isGone = (region: string) => (view.deletions[region] ?? Infinity) * 1000 <= now;
  if (isGone(view.primary)) return null;
  const deletions = Object.entries(view.deletions).filter(([region]) => !isGone(region));
  return {
    ...view,
    members: view.members.filter((region) => !isGone(region)),
    deletions: Object.fromEntries(deletions),
  };
}
