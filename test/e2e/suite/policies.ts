// Key policies at work on callers that nobody configured: the root of each account.
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import { outOfReach } from "../../support/out-of-reach.ts";
import {
  bytes,
  defaultPolicy,
  encrypted,
  multiRegionKey,
  type NewStage,
  type Stage,
  singleRegionKey,
} from "./stage.ts";

type Statement = Readonly<Record<string, unknown>>;

/** The default key policy of the account with more statements. */
function policyWith({ account }: Stage, ...more: readonly Statement[]): string {
  const standard = JSON.parse(defaultPolicy(account)) as { Statement: Statement[] };
  return JSON.stringify({ ...standard, Statement: [...standard.Statement, ...more] });
}

const deny = (Action: string, Condition?: unknown): Statement => ({
  Effect: "Deny",
  Principal: "*",
  Action,
  Resource: "*",
  ...(Condition !== undefined && { Condition }),
});

const denied = (stage: Stage, action: string, arn: string) =>
  `User: arn:aws:iam::${stage.account}:root is not authorized to perform: kms:${action} on ` +
  `resource: ${arn} with an explicit deny in a resource-based policy`;

export function policies(newStage: NewStage): void {
  test("an explicit deny bites, also the root of the account", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const arn = stage.arn("us-east-1", KeyId);
    const Policy = policyWith(stage, deny("kms:Encrypt"), deny("kms:Schedule*"));
    await us.putKeyPolicy({ KeyId, Policy });
    await refuses(
      us.encrypt({ KeyId, Plaintext: bytes("x") }),
      "AccessDeniedException",
      denied(stage, "Encrypt", arn),
    );
    await refuses(
      us.scheduleKeyDeletion({ KeyId }),
      "AccessDeniedException",
      denied(stage, "ScheduleKeyDeletion", arn),
    );
    await us.generateDataKey({ KeyId, KeySpec: "AES_256" });
    await us.putKeyPolicy({ KeyId, Policy: defaultPolicy(stage.account) });
    await us.encrypt({ KeyId, Plaintext: bytes("x") });
  });

  test("conditions decide by what the request says", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const Policy = policyWith(
      stage,
      deny("kms:Encrypt", { StringNotEquals: { "kms:EncryptionContext:Dept": "IT" } }),
      deny("kms:ScheduleKeyDeletion", {
        NumericLessThan: { "kms:ScheduleKeyDeletionPendingWindowInDays": "14" },
      }),
      deny("kms:GenerateDataKey", { StringLike: { "kms:RequestAlias": "alias/secret*" } }),
      deny("kms:GenerateMac", { Null: { "kms:MacAlgorithm": "true" } }),
    );
    await us.putKeyPolicy({ KeyId, Policy });
    const Plaintext = bytes("x");
    await refuses(us.encrypt({ KeyId, Plaintext }), "AccessDeniedException");
    await us.encrypt({ KeyId, Plaintext, EncryptionContext: { dept: "IT" } });
    for (const AliasName of ["alias/secret", "alias/open"]) {
      await us.createAlias({ AliasName, TargetKeyId: KeyId });
    }
    await us.generateDataKey({ KeyId: "alias/open", KeySpec: "AES_256" });
    await refuses(
      us.generateDataKey({ KeyId: "alias/secret", KeySpec: "AES_256" }),
      "AccessDeniedException",
      denied(stage, "GenerateDataKey", stage.arn("us-east-1", KeyId)),
    );
    await refuses(
      us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 }),
      "AccessDeniedException",
    );
    await us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 14 });
  });

  test("another account gets in where the key policy lets it, and as far as it does", async () => {
    const [owner, guest] = [newStage(), newStage()];
    const [mine, theirs] = [owner.in("us-east-1"), guest.in("us-east-1")];
    const KeyId = await singleRegionKey(mine);
    const arn = owner.arn("us-east-1", KeyId);
    const Policy = policyWith(owner, {
      Effect: "Allow",
      Principal: { AWS: guest.account },
      Action: ["kms:Decrypt", "kms:Disable*"],
      Resource: "*",
    });
    const CiphertextBlob = await encrypted(mine, KeyId, "secret");
    await refuses(theirs.decrypt({ CiphertextBlob }), "AccessDeniedException");
    await mine.putKeyPolicy({ KeyId, Policy });
    expect((await theirs.decrypt({ CiphertextBlob })).KeyId).toBe(arn);
    expect((await theirs.decrypt({ CiphertextBlob, KeyId: arn })).Plaintext).toEqual(
      bytes("secret"),
    );
    for (const [action, call] of [
      ["Encrypt", () => theirs.encrypt({ KeyId: arn, Plaintext: bytes("x") })],
      // No principal of another account can, whatever the policy says.
      ["DisableKey", () => theirs.disableKey({ KeyId: arn })],
    ] as const) {
      await refuses(
        call(),
        "AccessDeniedException",
        outOfReach(`arn:aws:iam::${guest.account}:root`, action),
      );
    }
  });

  test("a policy has to let whoever puts it put another", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const user = `arn:aws:iam::${stage.account}:user/alice`;
    const Policy = defaultPolicy(stage.account).replace(/arn:aws:iam::\d+:root/, user);
    const locked = "MalformedPolicyDocumentException";
    await refuses(us.createKey({ Policy }), locked);
    await us.createKey({ Policy, BypassPolicyLockoutSafetyCheck: true });
    const KeyId = await singleRegionKey(us);
    const own = policyWith(stage, deny("kms:PutKeyPolicy"));
    await refuses(us.putKeyPolicy({ KeyId, Policy: own }), locked);
  });

  test("ReplicateKey and UpdatePrimaryRegion are refused by the key that refuses", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const elsewhere = { StringEquals: { "kms:ReplicaRegion": "ap-south-1" } };
    const replica = { StringEquals: { "kms:MultiRegionKeyType": "REPLICA" } };
    const update = "kms:UpdatePrimaryRegion";
    const Policy = policyWith(stage, deny("kms:ReplicateKey", elsewhere), deny(update, replica));
    await us.putKeyPolicy({ KeyId, Policy });
    await refuses(
      us.replicateKey({ KeyId, ReplicaRegion: "ap-south-1" }),
      "AccessDeniedException",
      denied(stage, "ReplicateKey", stage.arn("us-east-1", KeyId)),
    );
    await us.replicateKey({ KeyId, ReplicaRegion: "ap-south-2" });
    await stage.settle();
    // The statement is about replicas: on the primary it changes nothing, on the replica it does.
    await eu.putKeyPolicy({ KeyId, Policy });
    await refuses(
      us.updatePrimaryRegion({ KeyId, PrimaryRegion: "eu-west-1" }),
      "AccessDeniedException",
      denied(stage, "UpdatePrimaryRegion", stage.arn("eu-west-1", KeyId)),
    );
    await us.updatePrimaryRegion({ KeyId, PrimaryRegion: "ap-south-2" });
    await stage.settle();
  });

  test("an alias is moved and deleted where each of its keys allows", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const [one, two] = [await singleRegionKey(us), await singleRegionKey(us)];
    await us.createAlias({ AliasName: "alias/a", TargetKeyId: one });
    await us.putKeyPolicy({ KeyId: one, Policy: policyWith(stage, deny("kms:*Alias")) });
    const arn = stage.arn("us-east-1", one);
    await refuses(
      us.updateAlias({ AliasName: "alias/a", TargetKeyId: two }),
      "AccessDeniedException",
      denied(stage, "UpdateAlias", arn),
    );
    await refuses(
      us.deleteAlias({ AliasName: "alias/a" }),
      "AccessDeniedException",
      denied(stage, "DeleteAlias", arn),
    );
    await us.putKeyPolicy({ KeyId: one, Policy: defaultPolicy(stage.account) });
    await us.updateAlias({ AliasName: "alias/a", TargetKeyId: two });
    await us.deleteAlias({ AliasName: "alias/a" });
    await refuses(us.deleteAlias({ AliasName: "alias/a" }), "NotFoundException");
  });

  test("what is not asked over TLS is not secure", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const insecure = { Bool: { "aws:SecureTransport": "false" } };
    const Policy = policyWith(stage, deny("kms:Encrypt", insecure));
    await us.putKeyPolicy({ KeyId, Policy });
    const call = us.encrypt({ KeyId, Plaintext: bytes("x") });
    await refuses(call, "AccessDeniedException", /with an explicit deny/);
  });
}
