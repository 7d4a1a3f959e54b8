// Quotas and page sizes that take many things to reach, on what `npm start` runs.
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html

import { afterAll, beforeAll, expect, test } from "vitest";
import { refuses } from "../support/clients.ts";
import { type Server, startRaw } from "../support/servers.ts";
import {
  created,
  defaultPolicy,
  described,
  newStage,
  pagesOf,
  type Stage,
  singleRegionKey,
} from "./suite/stage.ts";

let server: Server | undefined;

beforeAll(async () => {
  server = await startRaw({ auth: "open", creatingMs: 0, updatingMs: 0, rotatingMs: 0 });
});

afterAll(() => server?.stop());

const stageOf = (): Stage => newStage(server?.url ?? "");

test("pages of ListKeys have 100 keys unless up to 1000 are asked for", async () => {
  const us = stageOf().in("us-east-1");
  for (let batch = 0; batch < 13; batch++) {
    await Promise.all(Array.from({ length: 8 }, () => us.createKey({})));
  }
  const pages = await pagesOf((marker) => us.listKeys(marker));
  expect(pages.map((page) => page.Keys?.length)).toEqual([100, 4]);
  expect((await us.listKeys({ Limit: 1000 })).Keys).toHaveLength(104);
});

test("pages of ListAliases have 50 aliases, and never more than 100; a key has 50", async () => {
  const stage = stageOf();
  const us = stage.in("us-east-1");
  const ids = [await singleRegionKey(us), await singleRegionKey(us), await singleRegionKey(us)];
  const [first = "", , last = ""] = ids;
  for (const [index, TargetKeyId] of ids.entries()) {
    const count = TargetKeyId === last ? 1 : 50;
    const names = Array.from({ length: count }, (_, number) => `alias/${index}-${number}`);
    await Promise.all(names.map((AliasName) => us.createAlias({ AliasName, TargetKeyId })));
  }
  await refuses(
    us.createAlias({ AliasName: "alias/one-more", TargetKeyId: first }),
    "LimitExceededException",
  );
  await refuses(
    us.updateAlias({ AliasName: "alias/2-0", TargetKeyId: first }),
    "LimitExceededException",
  );
  const own = (
    pages: readonly { Aliases?: { TargetKeyId?: string | undefined }[] | undefined }[],
  ) =>
    pages.flatMap((page) => page.Aliases ?? []).filter((alias) => alias.TargetKeyId !== undefined);
  const standard = await pagesOf((marker) => us.listAliases(marker));
  expect(standard[0]?.Aliases).toHaveLength(50);
  expect(own(standard)).toHaveLength(101);
  const large = await pagesOf((marker) => us.listAliases({ Limit: 1000, ...marker }));
  expect(large[0]?.Aliases).toHaveLength(100);
  expect(own(large)).toHaveLength(101);
  expect((await us.listAliases({ KeyId: first })).Aliases).toHaveLength(50);
});

test("a key rotates on demand 25 times", async () => {
  const stage = stageOf();
  const us = stage.in("us-east-1");
  const KeyId = await singleRegionKey(us);
  const materials = new Set([(await described(us, KeyId)).CurrentKeyMaterialId]);
  for (let count = 0; count < 25; count++) {
    await us.rotateKeyOnDemand({ KeyId });
    materials.add((await described(us, KeyId)).CurrentKeyMaterialId);
  }
  expect(materials.size).toBe(26);
  await refuses(
    us.rotateKeyOnDemand({ KeyId }),
    "LimitExceededException",
    "The on-demand rotations limit has been reached for the given keyId. No more on-demand " +
      `rotations can be performed for this key: ${stage.arn("us-east-1", KeyId)}`,
  );
});

test("policies have up to 32,768 bytes, descriptions 8192 characters", async () => {
  const stage = stageOf();
  const us = stage.in("us-east-1");
  const Description = "d".repeat(8192);
  const KeyId = created(await us.createKey({ Description }));
  expect((await described(us, KeyId)).Description).toBe(Description);
  await refuses(
    us.updateKeyDescription({ KeyId, Description: `${Description}d` }),
    "ValidationException",
    /at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192$/,
  );
  const policy = (bytes: number) => {
    const document = defaultPolicy(stage.account);
    return document.replace("key-default-1", "i".repeat(bytes - document.length + 13));
  };
  await us.putKeyPolicy({ KeyId, Policy: policy(32_768) });
  await refuses(us.putKeyPolicy({ KeyId, Policy: policy(32_769) }), "LimitExceededException");
});
