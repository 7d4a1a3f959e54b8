// GetKeyLastUsage through AWS's client.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import { UUID } from "../wire.ts";
import { encrypted, multiRegionKey, type NewStage, singleRegionKey } from "./stage.ts";

export function lastUsage(newStage: NewStage): void {
  test("a key before and after its use", async () => {
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const { KeyMetadata } = await us.describeKey({ KeyId });
    const unused = await us.getKeyLastUsage({ KeyId });
    const { CreationDate } = KeyMetadata ?? {};
    expect(unused).toMatchObject({
      KeyId,
      KeyCreationDate: CreationDate,
      TrackingStartDate: CreationDate,
      KeyLastUsage: {},
    });
    expect(unused.KeyLastUsage?.Operation).toBeUndefined();

    const answer = await us.generateDataKey({ KeyId, KeySpec: "AES_128" });
    const { KeyLastUsage } = await us.getKeyLastUsage({ KeyId });
    expect(KeyLastUsage).toEqual({
      Operation: "GenerateDataKey",
      Timestamp: expect.any(Date),
      KmsRequestId: answer.$metadata.requestId,
      CloudTrailEventId: expect.stringMatching(UUID),
    });
    expect(KeyLastUsage?.Timestamp?.getTime()).toBeGreaterThanOrEqual(CreationDate?.getTime() ?? 0);
  });

  test("related keys are tracked each for itself, and an alias names none of them", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const CiphertextBlob = await encrypted(us, KeyId, "x");
    expect((await eu.getKeyLastUsage({ KeyId })).KeyLastUsage).toEqual({});
    await eu.reEncrypt({ CiphertextBlob, DestinationKeyId: KeyId });
    const operation = async (client: typeof us) =>
      (await client.getKeyLastUsage({ KeyId })).KeyLastUsage?.Operation;
    expect([await operation(us), await operation(eu)]).toEqual(["Encrypt", "ReEncrypt"]);
    await us.createAlias({ AliasName: "alias/used", TargetKeyId: KeyId });
    await refuses(us.getKeyLastUsage({ KeyId: "alias/used" }), "InvalidArnException");
  });
}
