// Deleting keys: alone, replicas, and primary keys after the last of their replicas.
// https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  cryptographicCalls,
  decrypted,
  described,
  encrypted,
  multiRegionKey,
  type NewStage,
  singleRegionKey,
} from "./stage.ts";

const DAY_MS = 86_400_000;

export function deletion(newStage: NewStage): void {
  test("a key waits, is not used meanwhile, and comes back Disabled when that is cancelled", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const arn = stage.arn("us-east-1", KeyId);
    const ciphertext = await encrypted(us, KeyId, "x");
    const { now } = await stage.moveClock("PT0S");
    const answer = await us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    expect(answer).toMatchObject({
      KeyId: arn,
      DeletionDate: expect.any(Date),
      KeyState: "PendingDeletion",
      PendingWindowInDays: 7,
    });
    const waitMs = (answer.DeletionDate?.getTime() ?? 0) - now.getTime();
    expect(waitMs).toBeGreaterThanOrEqual(7 * DAY_MS);
    expect(waitMs).toBeLessThan(7 * DAY_MS + 60_000);
    const pending = await described(us, KeyId);
    expect(pending).toMatchObject({
      Enabled: false,
      KeyState: "PendingDeletion",
      DeletionDate: answer.DeletionDate,
    });
    expect(pending).not.toHaveProperty("PendingDeletionWindowInDays");

    const refused = [
      ...Object.values(cryptographicCalls(us, KeyId, ciphertext)),
      () => us.enableKey({ KeyId }),
      () => us.disableKey({ KeyId }),
      () => us.scheduleKeyDeletion({ KeyId }),
      () => us.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] }),
      () => us.untagResource({ KeyId, TagKeys: ["a"] }),
      () => us.updateKeyDescription({ KeyId, Description: "x" }),
      () => us.createAlias({ AliasName: "alias/x", TargetKeyId: KeyId }),
    ];
    for (const call of refused) {
      await refuses(call(), "KMSInvalidStateException", `${arn} is pending deletion.`);
    }

    expect((await us.cancelKeyDeletion({ KeyId })).KeyId).toBe(arn);
    const cancelled = await described(us, KeyId);
    expect(cancelled).toMatchObject({ Enabled: false, KeyState: "Disabled" });
    expect(cancelled).not.toHaveProperty("DeletionDate");
    await refuses(
      us.cancelKeyDeletion({ KeyId }),
      "KMSInvalidStateException",
      `${arn} is not pending deletion.`,
    );
    await stage.moveClock("P8D");
    await us.enableKey({ KeyId });
    expect(await decrypted(us, ciphertext)).toBe("x");
  });

  test("the waiting period has 7 to 30 days, 30 by default", async () => {
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);
    for (const PendingWindowInDays of [0, 6, 31, 366]) {
      await refuses(us.scheduleKeyDeletion({ KeyId, PendingWindowInDays }), "ValidationException");
    }
    expect(await us.scheduleKeyDeletion({ KeyId })).toMatchObject({ PendingWindowInDays: 30 });
  });

  test("a deleted key is gone with its aliases", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const AliasName = "alias/short-lived";
    await us.createAlias({ AliasName, TargetKeyId: KeyId });
    const ciphertext = await encrypted(us, KeyId, "x");
    const { DeletionDate = new Date(0) } = await us.scheduleKeyDeletion({ KeyId });
    await stage.moveClock(new Date(DeletionDate.getTime() - 60_000));
    expect((await us.listKeys({})).Keys).toHaveLength(1);
    expect((await us.listAliases({ KeyId })).Aliases).toMatchObject([{ AliasName }]);
    expect(await described(us, AliasName)).toMatchObject({ KeyState: "PendingDeletion" });

    await stage.moveClock(DeletionDate);
    const notFound = `Key '${stage.arn("us-east-1", KeyId)}' does not exist`;
    await refuses(us.describeKey({ KeyId }), "NotFoundException", notFound);
    await refuses(us.cancelKeyDeletion({ KeyId }), "NotFoundException", notFound);
    expect((await us.listKeys({})).Keys).toEqual([]);
    const { Aliases } = await us.listAliases({});
    expect(Aliases?.filter((alias) => alias.AliasName === AliasName)).toEqual([]);
    await refuses(
      us.describeKey({ KeyId: AliasName }),
      "NotFoundException",
      `Alias arn:aws:kms:us-east-1:${stage.account}:${AliasName} is not found.`,
    );
    await refuses(us.decrypt({ CiphertextBlob: ciphertext }), "AccessDeniedException");
    const successor = await singleRegionKey(us);
    await us.createAlias({ AliasName, TargetKeyId: successor });
    expect((await described(us, AliasName)).KeyId).toBe(successor);
  });

  test("a replica is deleted on its own, and its Region can have another", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const first = await described(eu, KeyId);
    await eu.createAlias({ AliasName: "alias/in-europe", TargetKeyId: KeyId });
    await us.createAlias({ AliasName: "alias/in-america", TargetKeyId: KeyId });
    const ciphertext = await encrypted(eu, KeyId, "survives");
    const { DeletionDate = new Date(0) } = await eu.scheduleKeyDeletion({
      KeyId,
      PendingWindowInDays: 7,
    });
    expect(await decrypted(us, ciphertext)).toBe("survives");
    await stage.moveClock(DeletionDate);

    await refuses(
      eu.describeKey({ KeyId }),
      "NotFoundException",
      `Key '${stage.arn("eu-west-1", KeyId)}' does not exist`,
    );
    await refuses(eu.describeKey({ KeyId: "alias/in-europe" }), "NotFoundException");
    await refuses(eu.decrypt({ CiphertextBlob: ciphertext }), "AccessDeniedException");
    expect((await eu.listKeys({})).Keys).toEqual([]);
    expect(await described(us, "alias/in-america")).toMatchObject({
      KeyState: "Enabled",
      MultiRegionConfiguration: { MultiRegionKeyType: "PRIMARY", ReplicaKeys: [] },
    });
    expect(await decrypted(us, ciphertext)).toBe("survives");

    await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
    await stage.settle();
    const second = await described(eu, KeyId);
    expect(second.CreationDate?.getTime()).toBeGreaterThan(first.CreationDate?.getTime() ?? 0);
    expect(second).toEqual({ ...first, CreationDate: second.CreationDate });
    expect(await decrypted(eu, ciphertext)).toBe("survives");
    expect((await eu.listAliases({ KeyId })).Aliases).toEqual([]);
    expect((await eu.listKeys({})).Keys).toHaveLength(1);
  });

  test("a primary waits for the last of its replicas, and then its own waiting period", async () => {
    const stage = newStage();
    const [us, eu, ap] = ["us-east-1", "eu-west-1", "ap-south-1"].map(stage.in);
    if (!us || !eu || !ap) throw new Error("no clients");
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1", "ap-south-1");
    const usArn = stage.arn("us-east-1", KeyId);
    await us.createAlias({ AliasName: "alias/main", TargetKeyId: KeyId });
    const ciphertext = await encrypted(us, KeyId, "x");
    const inEurope = await eu.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });

    const answer = await us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 8 });
    expect(answer).toMatchObject({
      KeyId: usArn,
      KeyState: "PendingReplicaDeletion",
      PendingWindowInDays: 8,
    });
    expect(answer).not.toHaveProperty("DeletionDate");
    const waiting = await described(us, KeyId);
    expect(waiting).toMatchObject({
      Enabled: false,
      KeyState: "PendingReplicaDeletion",
      PendingDeletionWindowInDays: 8,
    });
    expect(waiting).not.toHaveProperty("DeletionDate");
    for (const call of [
      ...Object.values(cryptographicCalls(us, KeyId, ciphertext)),
      () => us.scheduleKeyDeletion({ KeyId }),
    ]) {
      await refuses(call(), "KMSInvalidStateException", `${usArn} is pending replica deletion.`);
    }
    expect(await decrypted(ap, ciphertext)).toBe("x");

    // One replica is left, so nothing begins: not even after a year.
    await stage.moveClock("P365D");
    await refuses(eu.describeKey({ KeyId }), "NotFoundException");
    expect(inEurope.KeyState).toBe("PendingDeletion");
    expect(await described(us, KeyId)).toMatchObject({
      KeyState: "PendingReplicaDeletion",
      MultiRegionConfiguration: { ReplicaKeys: [{ Region: "ap-south-1" }] },
    });
    expect(await decrypted(ap, ciphertext)).toBe("x");

    const { DeletionDate: lastReplica = new Date(0) } = await ap.scheduleKeyDeletion({
      KeyId,
      PendingWindowInDays: 10,
    });
    await stage.moveClock(lastReplica);
    const own = new Date(lastReplica.getTime() + 8 * DAY_MS);
    const pending = await described(us, KeyId);
    expect(pending).toMatchObject({
      KeyState: "PendingDeletion",
      DeletionDate: own,
      MultiRegionConfiguration: { MultiRegionKeyType: "PRIMARY", ReplicaKeys: [] },
    });
    expect(pending).not.toHaveProperty("PendingDeletionWindowInDays");
    await stage.moveClock(new Date(own.getTime() - 60_000));
    expect((await us.listKeys({})).Keys).toHaveLength(1);
    await stage.moveClock(own);
    await refuses(us.describeKey({ KeyId }), "NotFoundException", `Key '${usArn}' does not exist`);
    expect((await us.listKeys({})).Keys).toEqual([]);
    await refuses(us.describeKey({ KeyId: "alias/main" }), "NotFoundException");
  });

  test("replicas and primary due in one leap are deleted each at its own instant", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    await us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    await eu.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    await stage.moveClock("P13DT23H");
    expect(await described(us, KeyId)).toMatchObject({ KeyState: "PendingDeletion" });
    await stage.moveClock("PT2H");
    await refuses(us.describeKey({ KeyId }), "NotFoundException");
  });

  test("the wait for replicas can be cancelled", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    await us.scheduleKeyDeletion({ KeyId });
    expect((await us.cancelKeyDeletion({ KeyId })).KeyId).toBe(stage.arn("us-east-1", KeyId));
    const cancelled = await described(us, KeyId);
    expect(cancelled).toMatchObject({ KeyState: "Disabled", Enabled: false });
    expect(cancelled).not.toHaveProperty("PendingDeletionWindowInDays");
    await us.enableKey({ KeyId });
    await us.replicateKey({ KeyId, ReplicaRegion: "ap-south-1" });
  });
}
