// Creating and managing keys, their rotation, their replicas and their deletion.

import { expect } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  created,
  defaultPolicy,
  described,
  keyMaterialId,
  multiRegionKey,
} from "../suite/stage.ts";
import { home, newKey, P, R, type Stories } from "./story.ts";

export const keys: Stories = {
  async CreateKey(stage) {
    const Tags = [{ TagKey: "a", TagValue: "1" }];
    const input = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", Tags } as const;
    const { KeyMetadata } = await home(stage).createKey({ ...input, Description: "d" });
    expect(KeyMetadata).toMatchObject({
      AWSAccountId: stage.account,
      Description: "d",
      KeySpec: "ECC_NIST_P256",
      KeyState: "Enabled",
      KeyManager: "CUSTOMER",
      SigningAlgorithms: ["ECDSA_SHA_256"],
    });
    expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date);
  },

  async DescribeKey(stage) {
    const managed = await described(home(stage), "alias/aws/s3");
    expect(managed).toMatchObject({ KeyManager: "AWS", KeyState: "Enabled", MultiRegion: false });
    expect(await described(home(stage), managed.KeyId ?? "")).toEqual(managed);
  },

  async ListKeys(stage) {
    const ids = [await newKey(stage), await newKey(stage)];
    const { Keys, Truncated } = await home(stage).listKeys({});
    expect(Keys?.map(({ KeyId }) => KeyId)).toEqual(ids.sort());
    expect(Truncated).toBe(false);
  },

  async DisableKey(stage) {
    const KeyId = await newKey(stage);
    await home(stage).disableKey({ KeyId });
    await refuses(
      home(stage).encrypt({ KeyId, Plaintext: new Uint8Array(1) }),
      "DisabledException",
    );
  },

  async EnableKey(stage) {
    const KeyId = await newKey(stage);
    await home(stage).disableKey({ KeyId });
    await home(stage).enableKey({ KeyId });
    await home(stage).encrypt({ KeyId, Plaintext: new Uint8Array(1) });
  },

  async UpdateKeyDescription(stage) {
    const KeyId = await newKey(stage, { Description: "old" });
    await home(stage).updateKeyDescription({ KeyId, Description: "new" });
    expect((await described(home(stage), KeyId)).Description).toBe("new");
  },

  async GetPublicKey(stage) {
    const KeyId = await newKey(stage, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const answer = await home(stage).getPublicKey({ KeyId });
    expect(answer).toMatchObject({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    expect(answer.PublicKey).toHaveLength(91); // A SubjectPublicKeyInfo of P-256.
  },

  async GetKeyLastUsage(stage) {
    const KeyId = await newKey(stage);
    await home(stage).encrypt({ KeyId, Plaintext: new Uint8Array(1) });
    const answer = await home(stage).getKeyLastUsage({ KeyId });
    expect(answer.KeyId).toContain(KeyId);
    expect(answer.KeyCreationDate).toBeInstanceOf(Date);
  },

  async ScheduleKeyDeletion(stage) {
    const KeyId = await newKey(stage);
    const input = { KeyId, PendingWindowInDays: 7 };
    const answer = await home(stage).scheduleKeyDeletion(input);
    expect(answer).toMatchObject({ KeyId: stage.arn(P, KeyId), KeyState: "PendingDeletion" });
    const { DeletionDate } = await described(home(stage), KeyId);
    expect(DeletionDate).toEqual(answer.DeletionDate);
  },

  async CancelKeyDeletion(stage) {
    const KeyId = await newKey(stage);
    await home(stage).scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    const answer = await home(stage).cancelKeyDeletion({ KeyId });
    expect(answer.KeyId).toBe(stage.arn(P, KeyId));
    expect((await described(home(stage), KeyId)).KeyState).toBe("Disabled");
  },

  async ReplicateKey(stage) {
    const KeyId = created(await home(stage).createKey({ MultiRegion: true }));
    const answer = await home(stage).replicateKey({ KeyId, ReplicaRegion: R });
    expect(answer.ReplicaKeyMetadata).toMatchObject({
      KeyId,
      Arn: stage.arn(R, KeyId),
      KeyState: "Creating",
      MultiRegionConfiguration: { MultiRegionKeyType: "REPLICA" },
    });
    expect(answer.ReplicaPolicy).toBe(defaultPolicy(stage.account));
  },

  async UpdatePrimaryRegion(stage) {
    const KeyId = await multiRegionKey(stage, P, R);
    await home(stage).updatePrimaryRegion({ KeyId, PrimaryRegion: R });
    await stage.settle();
    const { MultiRegionConfiguration } = await described(stage.in(R), KeyId);
    expect(MultiRegionConfiguration?.MultiRegionKeyType).toBe("PRIMARY");
  },

  async EnableKeyRotation(stage) {
    const KeyId = await newKey(stage);
    await home(stage).enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
    const status = await home(stage).getKeyRotationStatus({ KeyId });
    expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
  },

  async DisableKeyRotation(stage) {
    const KeyId = await newKey(stage);
    await home(stage).enableKeyRotation({ KeyId });
    await home(stage).disableKeyRotation({ KeyId });
    const { KeyRotationEnabled } = await home(stage).getKeyRotationStatus({ KeyId });
    expect(KeyRotationEnabled).toBe(false);
  },

  async GetKeyRotationStatus(stage) {
    const KeyId = (await described(home(stage), "alias/aws/ssm")).KeyId ?? "";
    expect(await home(stage).getKeyRotationStatus({ KeyId })).toMatchObject({
      KeyId: stage.arn(P, KeyId),
      KeyRotationEnabled: true,
      RotationPeriodInDays: 365,
      NextRotationDate: expect.any(Date),
    });
  },

  async RotateKeyOnDemand(stage) {
    const KeyId = await newKey(stage);
    const before = (await described(home(stage), KeyId)).CurrentKeyMaterialId;
    const answer = await home(stage).rotateKeyOnDemand({ KeyId });
    expect(answer.KeyId).toBe(stage.arn(P, KeyId));
    await stage.settle();
    const { CurrentKeyMaterialId } = await described(home(stage), KeyId);
    expect(CurrentKeyMaterialId).toEqual(keyMaterialId);
    expect(CurrentKeyMaterialId).not.toBe(before);
  },

  async ListKeyRotations(stage) {
    const KeyId = await newKey(stage);
    await home(stage).rotateKeyOnDemand({ KeyId });
    await stage.settle();
    const { Rotations } = await home(stage).listKeyRotations({ KeyId });
    expect(Rotations).toMatchObject([
      { KeyId, KeyMaterialState: "CURRENT", RotationType: "ON_DEMAND" },
    ]);
  },
};
