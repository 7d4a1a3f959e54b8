// Changing which of the related keys is the primary.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-update.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  created,
  cryptographicCalls,
  decrypted,
  defaultPolicy,
  described,
  encrypted,
  multiRegionKey,
  type NewStage,
  type Stage,
  singleRegionKey,
} from "./stage.ts";

const [OLD, NEW, BYSTANDER] = ["us-west-2", "eu-west-1", "ap-northeast-1"] as const;

export function primaryChange(newStage: NewStage): void {
  test("while both keys are Updating they work, and are not switched or replicated", async () => {
    const stage = newStage();
    const KeyId = await multiRegionKey(stage, OLD, NEW, BYSTANDER);
    const [us, eu, ap] = [stage.in(OLD), stage.in(NEW), stage.in(BYSTANDER)];
    const ciphertext = await encrypted(us, KeyId, "before");
    const { $metadata, ...answer } = await us.updatePrimaryRegion({ KeyId, PrimaryRegion: NEW });
    expect($metadata.httpStatusCode).toBe(200);
    expect(answer).toEqual({});

    for (const client of [us, eu]) {
      expect(await described(client, KeyId)).toMatchObject({
        KeyState: "Updating",
        Enabled: false,
        MultiRegionConfiguration: { MultiRegionKeyType: "REPLICA" },
      });
    }
    expect(await described(ap, KeyId)).toMatchObject({ KeyState: "Enabled", Enabled: true });
    for (const client of [us, eu, ap]) {
      for (const call of Object.values(cryptographicCalls(client, KeyId, ciphertext))) await call();
      expect(await decrypted(client, ciphertext)).toBe("before");
      await manageable(stage, client, KeyId);
    }

    for (const [client, region] of [
      [us, OLD],
      [eu, NEW],
    ] as const) {
      const arn = stage.arn(region, KeyId);
      for (const call of [
        () => client.enableKey({ KeyId }),
        () => client.disableKey({ KeyId }),
        () => client.scheduleKeyDeletion({ KeyId }),
      ]) {
        await refuses(call(), "KMSInvalidStateException", `${arn} is updating.`);
      }
      await refuses(
        client.cancelKeyDeletion({ KeyId }),
        "KMSInvalidStateException",
        `${arn} is not pending deletion.`,
      );
    }
    for (const call of [
      () => eu.replicateKey({ KeyId, ReplicaRegion: "sa-east-1" }),
      () => eu.updatePrimaryRegion({ KeyId, PrimaryRegion: BYSTANDER }),
      () => eu.updatePrimaryRegion({ KeyId, PrimaryRegion: OLD }),
    ]) {
      await refuses(call(), "KMSInvalidStateException", `${stage.arn(NEW, KeyId)} is updating.`);
    }
    await refuses(
      us.replicateKey({ KeyId, ReplicaRegion: "sa-east-1" }),
      "UnsupportedOperationException",
      `${stage.arn(OLD, KeyId)} is not a multi-region primary key.`,
    );
    await ap.disableKey({ KeyId });
    await ap.enableKey({ KeyId });
  });

  test("afterwards the roles are swapped in every key's view, and nothing else", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in(OLD), stage.in(NEW)];
    const KeyId = created(await us.createKey({ MultiRegion: true, Description: "old primary" }));
    for (const ReplicaRegion of [NEW, BYSTANDER]) {
      await us.replicateKey({ KeyId, ReplicaRegion, Description: `in ${ReplicaRegion}` });
    }
    await us.enableKeyRotation({ KeyId, RotationPeriodInDays: 180 });
    await stage.settle();
    const regions = [OLD, NEW, BYSTANDER];
    const before = await Promise.all(regions.map((region) => described(stage.in(region), KeyId)));
    const { NextRotationDate } = await us.getKeyRotationStatus({ KeyId });
    await us.updatePrimaryRegion({ KeyId: stage.arn(OLD, KeyId), PrimaryRegion: NEW });
    await stage.settle();

    const related = (Region: string) => ({ Arn: stage.arn(Region, KeyId), Region });
    for (const [index, region] of regions.entries()) {
      const now = await described(stage.in(region), KeyId);
      expect(now).toEqual({
        ...before[index],
        MultiRegionConfiguration: {
          MultiRegionKeyType: region === NEW ? "PRIMARY" : "REPLICA",
          PrimaryKey: related(NEW),
          ReplicaKeys: expect.arrayContaining([related(OLD), related(BYSTANDER)]),
        },
      });
      expect(now.MultiRegionConfiguration?.ReplicaKeys).toHaveLength(2);
      expect(await stage.in(region).getKeyRotationStatus({ KeyId })).toMatchObject({
        KeyRotationEnabled: true,
        RotationPeriodInDays: 180,
        NextRotationDate,
      });
    }

    for (const call of [
      () => us.replicateKey({ KeyId, ReplicaRegion: "sa-east-1" }),
      () => us.updatePrimaryRegion({ KeyId, PrimaryRegion: BYSTANDER }),
    ]) {
      await refuses(
        call(),
        "UnsupportedOperationException",
        `${stage.arn(OLD, KeyId)} is not a multi-region primary key.`,
      );
    }
    await refuses(us.rotateKeyOnDemand({ KeyId }), "UnsupportedOperationException");
    await eu.replicateKey({ KeyId, ReplicaRegion: "sa-east-1" });
    await stage.settle();
    await eu.rotateKeyOnDemand({ KeyId });
    await stage.settle();
    const ids = [OLD, NEW, BYSTANDER, "sa-east-1"].map(
      async (region) => (await described(stage.in(region), KeyId)).CurrentKeyMaterialId,
    );
    const rotated = new Set(await Promise.all(ids));
    expect(rotated.size).toBe(1);
    expect(rotated).not.toContain(before[0]?.CurrentKeyMaterialId);
    // The old primary is deleted as a replica is: with a date, whatever the others do.
    expect(await us.scheduleKeyDeletion({ KeyId })).toMatchObject({ KeyState: "PendingDeletion" });
  });

  test("there and back again", async () => {
    const stage = newStage();
    const KeyId = await multiRegionKey(stage, OLD, NEW);
    await stage.in(OLD).updatePrimaryRegion({ KeyId, PrimaryRegion: NEW });
    await stage.settle();
    await stage.in(NEW).updatePrimaryRegion({ KeyId, PrimaryRegion: OLD });
    await stage.settle();
    expect(await described(stage.in(NEW), KeyId)).toMatchObject({
      KeyState: "Enabled",
      MultiRegionConfiguration: {
        MultiRegionKeyType: "REPLICA",
        PrimaryKey: { Region: OLD },
        ReplicaKeys: [{ Region: NEW }],
      },
    });
  });

  test("it takes an Enabled primary, and an Enabled replica that is there", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in(OLD), stage.in(NEW)];
    const KeyId = await multiRegionKey(stage, OLD, NEW);
    const [usArn, euArn] = [stage.arn(OLD, KeyId), stage.arn(NEW, KeyId)];
    const update = (PrimaryRegion: string = NEW) =>
      us.updatePrimaryRegion({ KeyId, PrimaryRegion });
    await refuses(
      update(BYSTANDER),
      "NotFoundException",
      `Key '${stage.arn(BYSTANDER, KeyId)}' does not exist`,
    );
    await refuses(update(OLD), "UnsupportedOperationException");
    await refuses(update("Europe"), "ValidationException", /at 'primaryRegion'/);
    await refuses(
      eu.updatePrimaryRegion({ KeyId, PrimaryRegion: OLD }),
      "UnsupportedOperationException",
      `${euArn} is not a multi-region primary key.`,
    );
    const single = await singleRegionKey(us);
    await refuses(
      us.updatePrimaryRegion({ KeyId: single, PrimaryRegion: NEW }),
      "UnsupportedOperationException",
      `${stage.arn(OLD, single)} is not a multi-region primary key.`,
    );
    await eu.disableKey({ KeyId });
    await refuses(update(), "DisabledException", `${euArn} is disabled.`);
    await eu.scheduleKeyDeletion({ KeyId });
    await refuses(update(), "KMSInvalidStateException", `${euArn} is pending deletion.`);
    await eu.cancelKeyDeletion({ KeyId });
    await eu.enableKey({ KeyId });
    await us.disableKey({ KeyId });
    await refuses(update(), "DisabledException", `${usArn} is disabled.`);
    await us.scheduleKeyDeletion({ KeyId });
    await refuses(update(), "KMSInvalidStateException", `${usArn} is pending replica deletion.`);
    await us.cancelKeyDeletion({ KeyId });
    await us.enableKey({ KeyId });
    await update();
  });
}

/** What may be done with a key although it is Updating. */
async function manageable(stage: Stage, client: ReturnType<Stage["in"]>, KeyId: string) {
  await client.createAlias({ AliasName: "alias/during", TargetKeyId: KeyId });
  await client.deleteAlias({ AliasName: "alias/during" });
  await client.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] });
  await client.untagResource({ KeyId, TagKeys: ["a"] });
  await client.updateKeyDescription({ KeyId, Description: "during" });
  await client.putKeyPolicy({ KeyId, Policy: defaultPolicy(stage.account) });
  await client.getKeyRotationStatus({ KeyId });
}
