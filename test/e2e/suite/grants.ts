// Grants, and calls that are only tried.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html

import type { KMS } from "@aws-sdk/client-kms";
import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  bytes,
  created,
  encrypted,
  multiRegionKey,
  type NewStage,
  pagesOf,
  type Stage,
  singleRegionKey,
} from "./stage.ts";

const grantId = expect.stringMatching(/^[0-9a-f]{64}$/);

const principal = ({ account }: Stage, name: string) => `arn:aws:iam::${account}:role/${name}`;

const grantsOf = async (client: KMS, KeyId: string) =>
  (await client.listGrants({ KeyId })).Grants ?? [];

const retirableBy = async (client: KMS, RetiringPrincipal: string) =>
  (await client.listRetirableGrants({ RetiringPrincipal })).Grants ?? [];

export function grants(newStage: NewStage): void {
  test("a grant is made, listed, retired by its token", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const RetiringPrincipal = principal(stage, "Retiring");
    const request = {
      KeyId,
      Name: "app",
      GranteePrincipal: principal(stage, "App"),
      RetiringPrincipal,
      Operations: ["Encrypt" as const, "Decrypt" as const],
      Constraints: { EncryptionContextEquals: { Department: "IT" } },
    };
    const { GrantId, GrantToken = "" } = await us.createGrant(request);
    const entry = {
      KeyId: stage.arn("us-east-1", KeyId),
      GrantId,
      Name: "app",
      CreationDate: expect.any(Date),
      GranteePrincipal: request.GranteePrincipal,
      RetiringPrincipal,
      IssuingAccount: `arn:aws:iam::${stage.account}:root`,
      Operations: request.Operations,
      Constraints: request.Constraints,
    };
    expect(GrantId).toEqual(grantId);
    expect(await grantsOf(us, KeyId)).toEqual([entry]);
    expect(await retirableBy(us, RetiringPrincipal)).toEqual([entry]);
    const again = await us.createGrant(request);
    expect(again).toMatchObject({ GrantId });
    expect(again.GrantToken).not.toBe(GrantToken);
    const GrantTokens = [GrantToken, again.GrantToken ?? ""];
    await us.encrypt({ KeyId, Plaintext: bytes("text"), GrantTokens });
    await us.retireGrant({ GrantToken });
    expect(await grantsOf(us, KeyId)).toEqual([]);
    expect(await retirableBy(us, RetiringPrincipal)).toEqual([]);
    await refuses(
      us.retireGrant({ GrantToken: again.GrantToken }),
      "NotFoundException",
      `Grant '${GrantId}' does not exist`,
    );
  });

  test("a grant is revoked, or retired by its ID", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const request = { KeyId, GranteePrincipal: principal(stage, "App") };
    const ids: (string | undefined)[] = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push((await us.createGrant({ ...request, Operations: ["DescribeKey"] })).GrantId);
    }
    const [one, two, three] = ids;
    await us.revokeGrant({ KeyId, GrantId: one });
    await us.retireGrant({ KeyId: stage.arn("us-east-1", KeyId), GrantId: two });
    expect((await grantsOf(us, KeyId)).map(({ GrantId }) => GrantId)).toEqual([three]);
    await refuses(us.revokeGrant({ KeyId, GrantId: one }), "NotFoundException");
    await refuses(us.revokeGrant({ KeyId, GrantId: "one" }), "InvalidGrantIdException");
    await refuses(us.retireGrant({ KeyId }), "ValidationException");
    await refuses(us.retireGrant({ GrantToken: "token" }), "InvalidGrantTokenException");
  });

  test("lists in pages, and by grantee", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const RetiringPrincipal = principal(stage, "Retiring");
    for (const name of ["A", "B", "B", "B", "B"]) {
      const GranteePrincipal = principal(stage, name);
      await us.createGrant({ KeyId, GranteePrincipal, RetiringPrincipal, Operations: ["Encrypt"] });
    }
    for (const pages of [
      await pagesOf((marker) => us.listGrants({ KeyId, Limit: 2, ...marker })),
      await pagesOf((marker) => us.listRetirableGrants({ RetiringPrincipal, Limit: 2, ...marker })),
    ]) {
      expect(pages.map(({ Grants }) => Grants?.length)).toEqual([2, 2, 1]);
      const all = pages.flatMap(({ Grants = [] }) => Grants.map(({ GrantId }) => GrantId));
      expect(new Set(all).size).toBe(5);
    }
    const GranteePrincipal = principal(stage, "B");
    expect((await us.listGrants({ KeyId, GranteePrincipal })).Grants).toHaveLength(4);
  });

  test("what a grant cannot be", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const signing = created(
      await us.createKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }),
    );
    const GranteePrincipal = principal(stage, "App");
    const Operations = ["Sign" as const];
    await refuses(us.createGrant({ KeyId, GranteePrincipal, Operations }), "ValidationException");
    await us.createGrant({ KeyId: signing, GranteePrincipal, Operations });
    const Constraints = { EncryptionContextSubset: { a: "1" } };
    await refuses(
      us.createGrant({ KeyId: signing, GranteePrincipal, Operations, Constraints }),
      "ValidationException",
    );
    const group = `arn:aws:iam::${stage.account}:group/Developers`;
    await refuses(
      us.createGrant({ KeyId, GranteePrincipal: group, Operations: ["Encrypt"] }),
      "InvalidArnException",
      `ARN does not refer to a valid principal: ${group}`,
    );
    await us.disableKey({ KeyId });
    await refuses(
      us.createGrant({ KeyId, GranteePrincipal, Operations: ["Encrypt"] }),
      "DisabledException",
    );
    expect(await grantsOf(us, KeyId)).toEqual([]);
  });

  test("another account may be the one to retire, and sees what it may", async () => {
    const [owner, other] = [newStage(), newStage()];
    const [mine, theirs] = [owner.in("us-east-1"), other.in("us-east-1")];
    const KeyId = await singleRegionKey(mine);
    const RetiringPrincipal = principal(other, "Retiring");
    const { GrantId } = await mine.createGrant({
      KeyId,
      GranteePrincipal: principal(owner, "App"),
      RetiringPrincipal,
      Operations: ["Encrypt"],
    });
    const [entry] = await retirableBy(theirs, RetiringPrincipal);
    expect(entry).toMatchObject({ GrantId, KeyId: owner.arn("us-east-1", KeyId) });
    await refuses(retirableBy(mine, RetiringPrincipal), "AccessDeniedException");
    await theirs.retireGrant({ KeyId: entry?.KeyId, GrantId });
    expect(await grantsOf(mine, KeyId)).toEqual([]);
    expect(await retirableBy(theirs, RetiringPrincipal)).toEqual([]);
  });

  test("grants are one Region's own, and go with its key", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const RetiringPrincipal = principal(stage, "Retiring");
    const request = { KeyId, GranteePrincipal: RetiringPrincipal, RetiringPrincipal };
    const { GrantToken } = await us.createGrant({ ...request, Operations: ["Encrypt"] });
    expect(await grantsOf(eu, KeyId)).toEqual([]);
    await refuses(eu.retireGrant({ GrantToken }), "InvalidGrantTokenException");
    await eu.createGrant({ ...request, Operations: ["Decrypt"] });
    await eu.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    expect(await retirableBy(eu, RetiringPrincipal)).toHaveLength(1);
    await stage.moveClock("P7D");
    expect(await retirableBy(eu, RetiringPrincipal)).toEqual([]);
    expect(await retirableBy(us, RetiringPrincipal)).toHaveLength(1);
  });

  test("a dry run does nothing, and says whether it would have", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = await singleRegionKey(us);
    const request = {
      KeyId,
      GranteePrincipal: principal(stage, "App"),
      Operations: ["Encrypt" as const],
    };
    const { GrantId, GrantToken } = await us.createGrant(request);
    const CiphertextBlob = await encrypted(us, KeyId, "text");
    const DryRun = true;
    for (const call of [
      () => us.createGrant({ ...request, DryRun }),
      () => us.revokeGrant({ KeyId, GrantId, DryRun }),
      () => us.retireGrant({ GrantToken, DryRun }),
      () => us.decrypt({ CiphertextBlob, DryRun }),
      () => us.decrypt({ KeyId, DryRun, DryRunModifiers: ["IGNORE_CIPHERTEXT"] }),
      () => us.reEncrypt({ CiphertextBlob, DestinationKeyId: KeyId, DryRun }),
    ]) {
      await refuses(
        call(),
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
      );
    }
    expect(await grantsOf(us, KeyId)).toHaveLength(1);
    await refuses(us.decrypt({ CiphertextBlob: bytes("x"), DryRun }), "InvalidCiphertextException");
  });
}
