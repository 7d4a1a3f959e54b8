// Everything is still there after a restart on the same folder: keys in every state, what is under
// way, what hangs on keys, and the clock that was moved.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { kms, moveClock, serverTime } from "../support/clients.ts";
import { type Server, type StartServer, startMiniflare, startRaw } from "../support/servers.ts";
import {
  decrypted,
  defaultPolicy,
  described,
  encrypted,
  multiRegionKey,
  newStage,
  type Stage,
  singleRegionKey,
  stageSettings,
} from "./suite/stage.ts";

const regions = ["us-east-1", "eu-west-1", "ap-south-1"] as const;
const stops: (() => Promise<void> | void)[] = [];

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function started(start: StartServer, data: string): Promise<Server> {
  const server = await start({ ...stageSettings, data });
  stops.push(server.stop);
  return server;
}

function folder(): string {
  const data = mkdtempSync(join(tmpdir(), "edge-kms-restart-"));
  stops.push(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

test.each([
  ["npm start (workerd)", startRaw],
  ["Miniflare", startMiniflare],
] as const)("%s goes on where it stopped", async (_name, start) => {
  const data = folder();
  const first = await started(start, data);
  const before = newStage(first.url);
  const { ids, ciphertexts } = await populated(before);
  const view = await viewOf(before);
  const { offsetMs } = await serverTime(first.url);
  await first.stop();

  const second = await started(start, data);
  const after: Stage = {
    ...before,
    url: second.url,
    in: (region) => kms(second.url, region, { account: before.account }),
    moveClock: (to) => moveClock(second.url, to),
    settle: () => moveClock(second.url, "PT1H"),
  };
  expect((await serverTime(second.url)).offsetMs).toBe(offsetMs);
  expect(await viewOf(after)).toEqual(view);
  for (const region of ["us-east-1", "eu-west-1"] as const) {
    for (const [text, ciphertext] of Object.entries(ciphertexts)) {
      expect(await decrypted(after.in(region), ciphertext)).toBe(text);
    }
  }

  // What was under way comes to its end.
  await after.settle();
  const [us, eu, ap] = regions.map((region) => after.in(region));
  if (!us || !eu || !ap) throw new Error("no clients");
  expect(await described(ap, ids.main)).toMatchObject({ KeyState: "Enabled" });
  expect((await us.listKeyRotations({ KeyId: ids.main })).Rotations).toHaveLength(2);
  expect(await described(eu, ids.updating)).toMatchObject({
    KeyState: "Enabled",
    MultiRegionConfiguration: { MultiRegionKeyType: "PRIMARY" },
  });
  for (const [text, ciphertext] of Object.entries(ciphertexts)) {
    expect(await decrypted(ap, ciphertext)).toBe(text);
  }
  await after.moveClock("P7D");
  await expect(described(us, ids.deleted)).rejects.toMatchObject({ name: "NotFoundException" });
  expect(await described(us, ids.waiting)).toMatchObject({ KeyState: "PendingReplicaDeletion" });
});

test("what falls due while it is stopped has happened when it is back", async () => {
  const data = folder();
  const first = await started(startRaw, data);
  const stage = newStage(first.url);
  const us = stage.in("us-east-1");
  const KeyId = await singleRegionKey(us);
  await us.createAlias({ AliasName: "alias/doomed", TargetKeyId: KeyId });
  const { DeletionDate = new Date(0) } = await us.scheduleKeyDeletion({ KeyId });
  await moveClock(first.url, new Date(DeletionDate.getTime() - 500));
  await first.stop();

  const second = await started(startRaw, data);
  const due = async () => (await serverTime(second.url)).now.getTime() >= DeletionDate.getTime();
  await expect.poll(due, { timeout: 10_000, interval: 20 }).toBe(true);
  const again = kms(second.url, "us-east-1", { account: stage.account });
  await expect(described(again, KeyId)).rejects.toMatchObject({ name: "NotFoundException" });
  expect((await again.listKeys({})).Keys).toEqual([]);
  await expect(described(again, "alias/doomed")).rejects.toMatchObject({
    message: expect.stringContaining("is not found."),
  });
});

/** An account with a key in every state, and everything a key can have. */
async function populated(stage: Stage) {
  const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
  const ids = {
    main: await multiRegionKey(stage, "us-east-1", "eu-west-1"),
    updating: await multiRegionKey(stage, "us-east-1", "eu-west-1"),
    waiting: await multiRegionKey(stage, "us-east-1", "eu-west-1"),
    disabled: await singleRegionKey(us),
    deleted: await singleRegionKey(us),
  };
  const KeyId = ids.main;
  const ciphertexts: Record<string, Uint8Array> = { first: await encrypted(us, KeyId, "first") };
  await us.rotateKeyOnDemand({ KeyId });
  await stage.moveClock("P40D");
  ciphertexts.second = await encrypted(eu, KeyId, "second");
  await us.enableKeyRotation({ KeyId, RotationPeriodInDays: 200 });
  for (const client of [us, eu]) {
    await client.createAlias({ AliasName: "alias/main", TargetKeyId: KeyId });
  }
  await us.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "ß" }] });
  await eu.updateKeyDescription({ KeyId, Description: "Grüße" });
  const Policy = defaultPolicy(stage.account).replace("key-default-1", "mine");
  await eu.putKeyPolicy({ KeyId, Policy });
  await us.replicateKey({ KeyId, ReplicaRegion: "ap-south-1" });
  await us.rotateKeyOnDemand({ KeyId });
  await us.updatePrimaryRegion({ KeyId: ids.updating, PrimaryRegion: "eu-west-1" });
  await us.scheduleKeyDeletion({ KeyId: ids.waiting });
  await us.disableKey({ KeyId: ids.disabled });
  await us.scheduleKeyDeletion({ KeyId: ids.deleted, PendingWindowInDays: 7 });
  return { ids, ciphertexts };
}

/** All that an account can see of itself. */
async function viewOf(stage: Stage) {
  const view: Record<string, unknown> = {};
  for (const region of regions) {
    const client = stage.in(region);
    const { Keys = [] } = await client.listKeys({});
    expect(Keys).toHaveLength(region === "us-east-1" ? 5 : region === "eu-west-1" ? 3 : 1);
    view[`${region} aliases`] = (await client.listAliases({})).Aliases;
    for (const { KeyId = "", KeyArn = "" } of Keys) {
      const answers = await Promise.all([
        client.describeKey({ KeyId }),
        client.getKeyPolicy({ KeyId }),
        client.listResourceTags({ KeyId }),
        client.getKeyRotationStatus({ KeyId }),
        client.listKeyRotations({ KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" }),
        client.getKeyLastUsage({ KeyId }),
      ]);
      view[KeyArn] = answers.map(({ $metadata, ...answer }) => answer);
    }
  }
  return view;
}
