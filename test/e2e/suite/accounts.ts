// Who is who: accounts by access key, and what one account can do with another's keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html

import { expect, test } from "vitest";
import { kms, refuses } from "../../support/clients.ts";
import { outOfReach } from "../../support/out-of-reach.ts";
import {
  bytes,
  cryptographicCalls,
  described,
  encrypted,
  multiRegionKey,
  type NewStage,
  singleRegionKey,
} from "./stage.ts";

export function accounts(newStage: NewStage): void {
  test("an access key of 12 digits is the account; any other is the default account", async () => {
    const { url, account } = newStage();
    const { KeyMetadata } = await kms(url, "us-east-1", { account }).createKey({});
    expect(KeyMetadata?.AWSAccountId).toBe(account);
    const other = await kms(url, "us-east-1", { account: "AKIAIOSFODNN7EXAMPLE" }).createKey({});
    expect(other.KeyMetadata).toMatchObject({
      AWSAccountId: "000000000000",
      Arn: expect.stringContaining("arn:aws:kms:us-east-1:000000000000:key/"),
    });
    const again = kms(url, "us-east-1", { account: "test" });
    expect((await described(again, other.KeyMetadata?.KeyId ?? "")).AWSAccountId).toBe(
      "000000000000",
    );
  });

  test("another account's key is not reached by its ID, and refused by its ARN", async () => {
    const [owner, stranger] = [newStage(), newStage()];
    const [mine, theirs] = [owner.in("us-east-1"), stranger.in("us-east-1")];
    const KeyId = await multiRegionKey(owner, "us-east-1");
    const arn = owner.arn("us-east-1", KeyId);
    await mine.createAlias({ AliasName: "alias/mine", TargetKeyId: KeyId });
    const CiphertextBlob = await encrypted(mine, KeyId, "secret");
    await refuses(
      theirs.describeKey({ KeyId }),
      "NotFoundException",
      `Key '${stranger.arn("us-east-1", KeyId)}' does not exist`,
    );
    const denied = (action: string) =>
      new RegExp(`^${outOfReach(`arn:aws:iam::${stranger.account}:\\S+`, action)}$`);
    const calls = cryptographicCalls(theirs, arn, CiphertextBlob);
    for (const action of [
      "Encrypt",
      "GenerateDataKey",
      "GenerateDataKeyWithoutPlaintext",
    ] as const) {
      await refuses(calls[action](), "AccessDeniedException", denied(action));
    }
    const aliasArn = `arn:aws:kms:us-east-1:${owner.account}:alias/mine`;
    for (const name of [arn, aliasArn]) {
      await refuses(
        theirs.describeKey({ KeyId: name }),
        "AccessDeniedException",
        denied("DescribeKey"),
      );
      await refuses(
        theirs.decrypt({ KeyId: name, CiphertextBlob }),
        "AccessDeniedException",
        denied("Decrypt"),
      );
    }
    await refuses(theirs.decrypt({ CiphertextBlob }), "AccessDeniedException");
    await refuses(theirs.disableKey({ KeyId: arn }), "AccessDeniedException");
    const own = await singleRegionKey(theirs);
    await refuses(
      theirs.reEncrypt({ CiphertextBlob, SourceKeyId: arn, DestinationKeyId: own }),
      "AccessDeniedException",
      denied("ReEncryptFrom"),
    );
    const { CiphertextBlob: theirBlob } = await theirs.encrypt({
      KeyId: own,
      Plaintext: bytes("x"),
    });
    await refuses(
      theirs.reEncrypt({ CiphertextBlob: theirBlob, DestinationKeyId: arn }),
      "AccessDeniedException",
      denied("ReEncryptTo"),
    );
    // Which keys another account has is not told either.
    const missing = owner.arn("us-east-1", `mrk-${"0".repeat(32)}`);
    await refuses(theirs.describeKey({ KeyId: missing }), "AccessDeniedException");
  });

  test("an ARN of another Region is refused with that Region's name", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const euArn = stage.arn("eu-west-1", KeyId);
    for (const call of [
      () => us.describeKey({ KeyId: euArn }),
      () => us.encrypt({ KeyId: euArn, Plaintext: bytes("x") }),
      () => us.replicateKey({ KeyId: euArn, ReplicaRegion: "ap-south-1" }),
      () => us.updatePrimaryRegion({ KeyId: euArn, PrimaryRegion: "eu-west-1" }),
      () => us.disableKey({ KeyId: euArn }),
      () => us.createAlias({ AliasName: "alias/far", TargetKeyId: euArn }),
    ]) {
      await refuses(call(), "NotFoundException", "Invalid arn eu-west-1");
    }
    await eu.createAlias({ AliasName: "alias/europe", TargetKeyId: KeyId });
    await refuses(
      us.describeKey({ KeyId: `arn:aws:kms:eu-west-1:${stage.account}:alias/europe` }),
      "NotFoundException",
      "Invalid arn eu-west-1",
    );
    await refuses(us.describeKey({ KeyId: "alias/europe" }), "NotFoundException");
  });

  test("what is no ARN at all", async () => {
    const us = newStage().in("us-east-1");
    await refuses(us.describeKey({ KeyId: "arn:aws:kms:us-east-1" }), "InvalidArnException");
    await refuses(us.describeKey({ KeyId: "arn:aws:s3:::bucket" }), "InvalidArnException");
  });
}
