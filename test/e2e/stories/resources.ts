// What hangs on keys: aliases, tags, policies, grants.

import { expect } from "vitest";
import { refuses } from "../../support/clients.ts";
import type { Stage } from "../suite/stage.ts";
import { defaultPolicy, described } from "../suite/stage.ts";
import { home, newKey, type Stories, there } from "./story.ts";

const AliasName = "alias/story";

async function newGrant(stage: Stage) {
  const KeyId = await newKey(stage);
  const GranteePrincipal = `arn:aws:iam::${stage.account}:role/grantee`;
  const RetiringPrincipal = `arn:aws:iam::${stage.account}:root`;
  const answer = await home(stage).createGrant({
    KeyId,
    GranteePrincipal,
    RetiringPrincipal,
    Operations: ["Encrypt", "Decrypt"],
    Name: "story",
  });
  const GrantId = there(answer.GrantId);
  return { KeyId, GrantId, GrantToken: answer.GrantToken, RetiringPrincipal };
}

const grantsOn = async (stage: Stage, KeyId: string) =>
  (await home(stage).listGrants({ KeyId })).Grants ?? [];

export const resources: Stories = {
  async CreateAlias(stage) {
    const TargetKeyId = await newKey(stage);
    await home(stage).createAlias({ AliasName, TargetKeyId });
    expect((await described(home(stage), AliasName)).KeyId).toBe(TargetKeyId);
  },

  async UpdateAlias(stage) {
    await home(stage).createAlias({ AliasName, TargetKeyId: await newKey(stage) });
    const TargetKeyId = await newKey(stage);
    await home(stage).updateAlias({ AliasName, TargetKeyId });
    expect((await described(home(stage), AliasName)).KeyId).toBe(TargetKeyId);
  },

  async DeleteAlias(stage) {
    await home(stage).createAlias({ AliasName, TargetKeyId: await newKey(stage) });
    await home(stage).deleteAlias({ AliasName });
    await refuses(home(stage).describeKey({ KeyId: AliasName }), "NotFoundException");
  },

  async ListAliases(stage) {
    const { KeyId: TargetKeyId } = await described(home(stage), "alias/aws/kinesisvideo");
    const { Aliases } = await home(stage).listAliases({});
    expect(Aliases).toContainEqual(
      expect.objectContaining({ AliasName: "alias/aws/kinesisvideo", TargetKeyId }),
    );
    expect(Aliases?.find((alias) => alias.AliasName === "alias/aws/s3")).toEqual({
      AliasName: "alias/aws/s3",
      AliasArn: `arn:aws:kms:us-east-1:${stage.account}:alias/aws/s3`,
    });
  },

  async TagResource(stage) {
    const KeyId = await newKey(stage);
    const Tags = [{ TagKey: "a", TagValue: "1" }];
    await home(stage).tagResource({ KeyId, Tags });
    expect((await home(stage).listResourceTags({ KeyId })).Tags).toEqual(Tags);
  },

  async UntagResource(stage) {
    const KeyId = await newKey(stage, { Tags: [{ TagKey: "a", TagValue: "1" }] });
    await home(stage).untagResource({ KeyId, TagKeys: ["a"] });
    expect((await home(stage).listResourceTags({ KeyId })).Tags).toEqual([]);
  },

  async ListResourceTags(stage) {
    const Tags = [
      { TagKey: "b", TagValue: "" },
      { TagKey: "a", TagValue: "1" },
    ];
    const KeyId = await newKey(stage, { Tags });
    const answer = await home(stage).listResourceTags({ KeyId });
    expect(answer).toMatchObject({ Tags, Truncated: false });
  },

  async GetKeyPolicy(stage) {
    const answer = await home(stage).getKeyPolicy({ KeyId: await newKey(stage) });
    expect(answer).toMatchObject({ Policy: defaultPolicy(stage.account), PolicyName: "default" });
  },

  async PutKeyPolicy(stage) {
    const KeyId = await newKey(stage);
    const Policy = defaultPolicy(stage.account).replace("key-default-1", "another");
    await home(stage).putKeyPolicy({ KeyId, Policy });
    expect((await home(stage).getKeyPolicy({ KeyId })).Policy).toBe(Policy);
  },

  async ListKeyPolicies(stage) {
    const answer = await home(stage).listKeyPolicies({ KeyId: await newKey(stage) });
    expect(answer).toMatchObject({ PolicyNames: ["default"], Truncated: false });
  },

  async CreateGrant(stage) {
    const { GrantId, GrantToken } = await newGrant(stage);
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/);
    expect(GrantToken).toEqual(expect.any(String));
  },

  async ListGrants(stage) {
    const { KeyId, GrantId } = await newGrant(stage);
    expect(await grantsOn(stage, KeyId)).toMatchObject([
      { GrantId, Name: "story", Operations: expect.arrayContaining(["Encrypt", "Decrypt"]) },
    ]);
  },

  async ListRetirableGrants(stage) {
    const { GrantId, RetiringPrincipal } = await newGrant(stage);
    const { Grants } = await home(stage).listRetirableGrants({ RetiringPrincipal });
    expect(Grants?.map((grant) => grant.GrantId)).toContain(GrantId);
  },

  async RetireGrant(stage) {
    const { KeyId, GrantToken } = await newGrant(stage);
    await home(stage).retireGrant({ GrantToken });
    expect(await grantsOn(stage, KeyId)).toEqual([]);
  },

  async RevokeGrant(stage) {
    const { KeyId, GrantId } = await newGrant(stage);
    await home(stage).revokeGrant({ KeyId, GrantId });
    expect(await grantsOn(stage, KeyId)).toEqual([]);
  },
};
