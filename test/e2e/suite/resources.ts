// What hangs on a key, and lists in pages: aliases, tags, policies, keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/managing-keys.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  created,
  defaultPolicy,
  described,
  multiRegionKey,
  type NewStage,
  pagesOf,
  singleRegionKey,
} from "./stage.ts";

export function resources(newStage: NewStage): void {
  test("ListKeys in pages", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    expect(await us.listKeys({})).toMatchObject({ Keys: [], Truncated: false });
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      ids.push(created(await us.createKey({ MultiRegion: count === 0 })));
    }
    await singleRegionKey(stage.in("eu-west-1"));
    const pages = await pagesOf((marker) => us.listKeys({ Limit: 2, ...marker }));
    expect(pages.map((page) => page.Keys?.length)).toEqual([2, 2, 1]);
    const keys = pages.flatMap((page) => page.Keys ?? []);
    expect(keys).toHaveLength(5);
    for (const KeyId of ids) {
      expect(keys).toContainEqual({ KeyId, KeyArn: stage.arn("us-east-1", KeyId) });
    }
    expect((await us.listKeys({ Limit: 5 })).Truncated).toBe(false);
  });

  test("markers and limits", async () => {
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);
    for (const list of [
      (page: object) => us.listKeys(page),
      (page: object) => us.listAliases(page),
      (page: object) => us.listResourceTags({ KeyId, ...page }),
      (page: object) => us.listKeyRotations({ KeyId, ...page }),
      (page: object) => us.listKeyPolicies({ KeyId, ...page }),
    ]) {
      await refuses(list({ Marker: "nonsense" }), "InvalidMarkerException");
      for (const [Limit, text] of [
        [0, "Member must have value greater than or equal to 1"],
        [1001, "Member must have value less than or equal to 1000"],
      ] as const) {
        await refuses(
          list({ Limit }),
          "ValidationException",
          `1 validation error detected: Value '${Limit}' at 'limit' failed to satisfy constraint: ${text}`,
        );
      }
    }
  });

  test("aliases are made, moved, listed and deleted", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const [one, two] = [await singleRegionKey(us), await singleRegionKey(us)];
    const AliasName = "alias/Projects/one_1-a";
    await us.createAlias({ AliasName, TargetKeyId: one });
    const AliasArn = `arn:aws:kms:us-east-1:${stage.account}:${AliasName}`;
    const { Aliases: [made] = [] } = await us.listAliases({ KeyId: one });
    expect(made).toEqual({
      AliasName,
      AliasArn,
      TargetKeyId: one,
      CreationDate: expect.any(Date),
      LastUpdatedDate: made?.CreationDate,
    });
    await refuses(
      us.createAlias({ AliasName, TargetKeyId: two }),
      "AlreadyExistsException",
      `An alias with the name ${AliasArn} already exists`,
    );
    await stage.moveClock("PT1M");
    await us.updateAlias({ AliasName, TargetKeyId: stage.arn("us-east-1", two) });
    const { Aliases: [moved] = [] } = await us.listAliases({ KeyId: two });
    expect(moved).toMatchObject({ AliasName, TargetKeyId: two, CreationDate: made?.CreationDate });
    expect(moved?.LastUpdatedDate?.getTime()).toBeGreaterThan(made?.CreationDate?.getTime() ?? 0);
    expect((await us.listAliases({ KeyId: one })).Aliases).toEqual([]);
    expect((await described(us, AliasName)).KeyId).toBe(two);
    await us.deleteAlias({ AliasName });
    const notFound = `Alias ${AliasArn} is not found.`;
    await refuses(us.deleteAlias({ AliasName }), "NotFoundException", notFound);
    await refuses(us.updateAlias({ AliasName, TargetKeyId: two }), "NotFoundException", notFound);
    await refuses(us.describeKey({ KeyId: AliasName }), "NotFoundException", notFound);
    await us.createAlias({ AliasName, TargetKeyId: two });
  });

  test("ListAliases in pages", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const names = [..."edcba"].map((letter) => `alias/${letter}`);
    for (const AliasName of names) await us.createAlias({ AliasName, TargetKeyId: KeyId });
    const ofKey = await pagesOf((marker) => us.listAliases({ KeyId, Limit: 2, ...marker }));
    expect(ofKey.map((page) => page.Aliases?.length)).toEqual([2, 2, 1]);
    expect(ofKey.flatMap((page) => page.Aliases?.map((alias) => alias.AliasName)).sort()).toEqual(
      names.toSorted(),
    );
    const all = await pagesOf((marker) => us.listAliases({ Limit: 3, ...marker }));
    const own = all.flatMap((page) => page.Aliases ?? []).filter((alias) => alias.TargetKeyId);
    expect(own.map((alias) => alias.AliasName).sort()).toEqual(names.toSorted());
    // The others are AWS's own names.
    for (const { AliasName, TargetKeyId } of all.flatMap((page) => page.Aliases ?? [])) {
      expect(TargetKeyId === KeyId || AliasName?.startsWith("alias/aws/")).toBe(true);
    }
  });

  test("names that aliases cannot have, and targets", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const TargetKeyId = await singleRegionKey(us);
    await refuses(
      us.createAlias({ AliasName: "app", TargetKeyId }),
      "ValidationException",
      'Alias must start with the prefix "alias/". Please see ' +
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
    await refuses(
      us.createAlias({ AliasName: "alias/aws/s3", TargetKeyId }),
      "NotAuthorizedException",
    );
    await refuses(us.createAlias({ AliasName: "alias/a b", TargetKeyId }), "ValidationException");
    await us.createAlias({ AliasName: "alias/real", TargetKeyId });
    await refuses(
      us.createAlias({ AliasName: "alias/indirect", TargetKeyId: "alias/real" }),
      "ValidationException",
    );
    const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    await refuses(
      us.createAlias({ AliasName: "alias/none", TargetKeyId: missing }),
      "NotFoundException",
      `Key '${stage.arn("us-east-1", missing)}' does not exist`,
    );
  });

  test("tags are each key's own", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const tag = (TagKey: string, TagValue: string) => ({ TagKey, TagValue });
    await us.tagResource({ KeyId, Tags: [tag("a", "1"), tag("b", ""), tag("ä", "大")] });
    await us.tagResource({ KeyId, Tags: [tag("a", "2")] });
    expect((await us.listResourceTags({ KeyId })).Tags).toEqual(
      expect.arrayContaining([tag("a", "2"), tag("b", ""), tag("ä", "大")]),
    );
    expect((await eu.listResourceTags({ KeyId })).Tags).toEqual([]);
    const pages = await pagesOf((marker) => us.listResourceTags({ KeyId, Limit: 2, ...marker }));
    expect(pages.map((page) => page.Tags?.length)).toEqual([2, 1]);
    await us.untagResource({ KeyId, TagKeys: ["a", "ä", "never there"] });
    expect((await us.listResourceTags({ KeyId })).Tags).toEqual([tag("b", "")]);

    const many = Array.from({ length: 50 }, (_, index) => tag(`k${index}`, "v"));
    for (const [Tags, text] of [
      [[tag("x", "1"), tag("x", "2")], "Duplicate tag keys"],
      [many, "Too many tags"],
      [[tag("x", "✓")], "Invalid tag"],
      [[tag("aws:x", "1")], "Tags beginning with aws: are reserved"],
      [[tag("AWS:x", "1")], "Tags beginning with aws: are reserved"],
    ] as const) {
      await refuses(us.tagResource({ KeyId, Tags: [...Tags] }), "TagException", text);
    }
    await refuses(
      us.tagResource({ KeyId, Tags: [tag("k".repeat(129), "v")] }),
      "ValidationException",
      `1 validation error detected: Value '${"k".repeat(129)}' at 'tags.1.member.tagKey' failed to ` +
        "satisfy constraint: Member must have length less than or equal to 128",
    );
    await refuses(us.createKey({ Tags: [tag("aws:x", "1")] }), "TagException");
    const full = created(await us.createKey({ Tags: many }));
    expect((await us.listResourceTags({ KeyId: full })).Tags).toHaveLength(50);
  });

  test("key policies are each key's own", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const standard = defaultPolicy(stage.account);
    expect(await us.getKeyPolicy({ KeyId, PolicyName: "default" })).toMatchObject({
      Policy: standard,
      PolicyName: "default",
    });
    // Sent compact, given back in AWS's own print.
    const own = standard.replace("key-default-1", "own");
    await us.putKeyPolicy({ KeyId, Policy: JSON.stringify(JSON.parse(own)) });
    expect((await us.getKeyPolicy({ KeyId })).Policy).toBe(own);
    expect((await eu.getKeyPolicy({ KeyId })).Policy).toBe(standard);
    expect(await us.listKeyPolicies({ KeyId })).toMatchObject({
      PolicyNames: ["default"],
      Truncated: false,
    });
    await refuses(us.getKeyPolicy({ KeyId, PolicyName: "other" }), "NotFoundException");

    const malformed = "MalformedPolicyDocumentException";
    await refuses(us.putKeyPolicy({ KeyId, Policy: "{" }), malformed);
    const lockout = standard.replace("kms:*", "kms:Encrypt");
    const lockedOut =
      "The new key policy will not allow you to update the key policy in the future.";
    await refuses(us.putKeyPolicy({ KeyId, Policy: lockout }), malformed, lockedOut);
    await refuses(us.createKey({ Policy: lockout }), malformed, lockedOut);
    await refuses(
      us.replicateKey({ KeyId, ReplicaRegion: "ap-south-1", Policy: lockout }),
      malformed,
      lockedOut,
    );
    await us.putKeyPolicy({ KeyId, Policy: lockout, BypassPolicyLockoutSafetyCheck: true });
    expect((await us.getKeyPolicy({ KeyId })).Policy).toBe(lockout);
  });
}
