// Tags of keys. https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html

import { describe, expect, test } from "vitest";
import { outcome, World } from "../support/core.ts";

const REGION = "us-east-1";

interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

const tags = (values: Readonly<Record<string, string>>): readonly Tag[] =>
  Object.entries(values).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));

const many = (count: number) =>
  tags(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, `${n}`])));

async function tagged(Tags: readonly Tag[] = []) {
  const world = new World();
  const { KeyId } = await world.createKey(REGION, { Tags });
  return {
    world,
    KeyId,
    tag: (added: readonly Tag[]) => world.call(REGION, "TagResource", { KeyId, Tags: added }),
    untag: (TagKeys: readonly string[]) => world.call(REGION, "UntagResource", { KeyId, TagKeys }),
    list: (more: object = {}) =>
      world.call<{ Tags: Tag[]; Truncated: boolean; NextMarker?: string }>(
        REGION,
        "ListResourceTags",
        { KeyId, ...more },
      ),
  };
}

describe("TagResource", () => {
  test("answers nothing; new tags follow, known ones take the new value in their place", async () => {
    const { tag, list } = await tagged(tags({ a: "1", b: "2" }));
    expect(await tag(tags({ c: "3", a: "9" }))).toBe(null);
    expect(await list()).toEqual({ Tags: tags({ a: "9", b: "2", c: "3" }), Truncated: false });
  });

  test("takes empty values, and keys whose case differs as different", async () => {
    const { tag, list } = await tagged(tags({ a: "1" }));
    await tag(tags({ A: "" }));
    expect((await list()).Tags).toEqual(tags({ a: "1", A: "" }));
  });

  test("refuses a key twice (recorded on AWS)", async () => {
    const { tag, list } = await tagged();
    const twice = [...tags({ a: "1" }), ...tags({ a: "1" })];
    expect(await outcome(tag(twice))).toBe("TagException: Duplicate tag keys");
    expect((await list()).Tags).toEqual([]);
  });

  test("refuses the prefix aws: in any case (recorded on AWS), and takes it elsewhere", async () => {
    const { tag } = await tagged();
    for (const TagKey of ["aws:a", "AWS:a", "aWs:"]) {
      const answer = await outcome(tag([{ TagKey, TagValue: "1" }]));
      expect(answer).toBe("TagException: Tags beginning with aws: are reserved");
    }
    expect(await outcome(tag(tags({ aws: "aws:", "my-aws:a": "1" })))).toBe("ok");
  });

  test("refuses the 51st, and takes a new value for one of 50 (recorded on AWS)", async () => {
    const { tag, list } = await tagged(many(50));
    expect(await outcome(tag(tags({ more: "1" })))).toBe("TagException: Too many tags");
    expect((await list()).Tags).toEqual(many(50));
    expect(await outcome(tag(tags({ k7: "new" })))).toBe("ok");
  });
});

describe("UntagResource", () => {
  test("answers nothing; takes away what is there, and minds nothing else", async () => {
    const { untag, list } = await tagged(tags({ a: "1", b: "2", c: "3" }));
    expect(await untag(["b", "B", "other"])).toBe(null);
    expect((await list()).Tags).toEqual(tags({ a: "1", c: "3" }));
    await untag([]);
    expect((await list()).Tags).toEqual(tags({ a: "1", c: "3" }));
  });

  test("refuses reserved keys", async () => {
    const { untag, list } = await tagged(tags({ a: "1" }));
    expect(await outcome(untag(["a", "aws:a"]))).toBe(
      "TagException: Tags beginning with aws: are reserved",
    );
    expect((await list()).Tags).toEqual(tags({ a: "1" }));
  });
});

describe("ListResourceTags", () => {
  test("gives all of 50 at once, whatever more is asked for", async () => {
    const { list } = await tagged(many(50));
    for (const Limit of [undefined, 50, 51, 1000]) {
      const page = await list({ Limit });
      expect(page.Tags).toHaveLength(50);
      expect(page.Truncated).toBe(false);
      expect(page).not.toHaveProperty("NextMarker");
    }
  });

  test("comes in pages", async () => {
    const { list } = await tagged(many(5));
    const first = await list({ Limit: 2 });
    expect(first).toEqual({
      Tags: many(2),
      Truncated: true,
      NextMarker: expect.stringMatching(/^[\x20-\xff]+$/),
    });
    const second = await list({ Limit: 2, Marker: first.NextMarker });
    const third = await list({ Limit: 2, Marker: second.NextMarker });
    expect(third).toEqual({ Tags: many(5).slice(4), Truncated: false });
    expect([...first.Tags, ...second.Tags, ...third.Tags]).toEqual(many(5));
  });

  test("of a key without tags is empty", async () => {
    const { list } = await tagged();
    expect(await list()).toEqual({ Tags: [], Truncated: false });
  });
});
