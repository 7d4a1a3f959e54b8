// Aliases. https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html

import { describe, expect, test } from "vitest";
import type { DirectoryEntry } from "../../src/domain/directory.ts";
import { awsQuotas } from "../../src/domain/quota.ts";
import { directoryOperations } from "../../src/operations/index.ts";
import { arnOf, DAY, outcome, SECOND, START, World } from "../support/core.ts";
import { outOfReach } from "../support/out-of-reach.ts";

const REGION = "us-east-1";
const UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab";

interface AliasEntry {
  readonly AliasName: string;
  readonly AliasArn: string;
  readonly TargetKeyId?: string;
  readonly CreationDate?: number;
  readonly LastUpdatedDate?: number;
}

interface Page {
  readonly Aliases: readonly AliasEntry[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

const aliasArn = (name: string, region = REGION) => `arn:aws:kms:${region}:111122223333:${name}`;
const notFound = (name: string) => `NotFoundException: Alias ${aliasArn(name)} is not found.`;
const NO_PREFIX =
  'ValidationException: Alias must start with the prefix "alias/". Please see ' +
  "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";

async function prepared() {
  const world = new World();
  const { KeyId } = await world.createKey(REGION);
  return {
    world,
    KeyId,
    create: (AliasName: string, TargetKeyId = KeyId) =>
      world.call(REGION, "CreateAlias", { AliasName, TargetKeyId }),
    update: (AliasName: string, TargetKeyId = KeyId) =>
      world.call(REGION, "UpdateAlias", { AliasName, TargetKeyId }),
    remove: (AliasName: string) => world.call(REGION, "DeleteAlias", { AliasName }),
    list: (more: object = {}) => world.call<Page>(REGION, "ListAliases", more),
  };
}

describe("CreateAlias", () => {
  test("answers nothing; the alias names the key", async () => {
    const { world, KeyId, create, list } = await prepared();
    world.pass(DAY);
    expect(await create("alias/my/key_1-A")).toBe(null);
    expect((await world.describe(REGION, "alias/my/key_1-A")).KeyId).toBe(KeyId);
    expect(await list({ KeyId })).toEqual({
      Aliases: [
        {
          AliasName: "alias/my/key_1-A",
          AliasArn: aliasArn("alias/my/key_1-A"),
          TargetKeyId: KeyId,
          CreationDate: (START + DAY) / 1000,
          LastUpdatedDate: (START + DAY) / 1000,
        },
      ],
      Truncated: false,
    });
  });

  test("takes the key's ID or ARN", async () => {
    const { KeyId, create } = await prepared();
    expect(await outcome(create("alias/a", arnOf(REGION, KeyId)))).toBe("ok");
  });

  test("refuses a name that is taken, by whichever key", async () => {
    const { world, create } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    await create("alias/a");
    const refusal = `AlreadyExistsException: An alias with the name ${aliasArn("alias/a")} already exists`;
    expect(await outcome(create("alias/a"))).toBe(refusal);
    expect(await outcome(create("alias/a", other))).toBe(refusal);
    expect(await outcome(create("alias/A"))).toBe("ok");
  });

  test.for<[string, string]>([
    ["my-key", NO_PREFIX],
    ["alias/aws/mine", "NotAuthorizedException"],
    // As moto has it from AWS.
    ["alias/a:b", "ValidationException: alias/a:b contains invalid characters for an alias"],
    ["alias/", "InvalidAliasNameException: alias/ contains invalid characters for an alias"],
    [
      "alias/a b",
      "ValidationException: 1 validation error detected: Value 'alias/a b' at 'aliasName' failed to " +
        "satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
    ],
  ])("refuses the name %s", async ([name, refusal]) => {
    const { create, update, remove } = await prepared();
    expect(await outcome(create(name))).toBe(refusal);
    expect(await outcome(update(name))).toBe(refusal);
    expect(await outcome(remove(name))).toBe(refusal);
  });

  test("takes names of 256 characters and no more", async () => {
    const { create } = await prepared();
    expect(await outcome(create(`alias/${"a".repeat(250)}`))).toBe("ok");
    expect(await outcome(create(`alias/${"a".repeat(251)}`))).toMatch(/less than or equal to 256$/);
  });

  test("refuses targets that are no key of this Region and account", async () => {
    const { world, create } = await prepared();
    await create("alias/a");
    const { KeyId: elsewhere } = await world.createKey("eu-west-1");
    for (const [target, refusal] of [
      ["alias/a", "ValidationException: Aliases must refer to keys. Not aliases"],
      [aliasArn("alias/a"), "ValidationException: Aliases must refer to keys. Not aliases"],
      [UNKNOWN, `NotFoundException: Key '${arnOf(REGION, UNKNOWN)}' does not exist`],
      [elsewhere, `NotFoundException: Key '${arnOf(REGION, elsewhere)}' does not exist`],
      [arnOf("eu-west-1", elsewhere), "NotFoundException: Invalid arn eu-west-1"],
      ["fake-key-id", "NotFoundException: Invalid keyId 'fake-key-id'"],
    ] as const) {
      expect(await outcome(create("alias/b", target))).toBe(refusal);
    }
    const foreign = arnOf(REGION, UNKNOWN, "444455556666");
    expect(await outcome(create("alias/b", foreign))).toMatch(
      /^AccessDeniedException: .* perform: kms:CreateAlias on /,
    );
  });

  test("gives one key 50 aliases and no more", async () => {
    const { create } = await prepared();
    for (let count = 0; count < 50; count += 1) await create(`alias/a${count}`);
    expect(await outcome(create("alias/more"))).toMatch(/^LimitExceededException: /);
  });

  test("is of one Region and one account: the same name may be anywhere else", async () => {
    const world = new World();
    const keyId = await world.createSet(REGION, "eu-west-1");
    const input = { AliasName: "alias/a", TargetKeyId: keyId };
    for (const region of [REGION, "eu-west-1"]) {
      expect(await outcome(world.call(region, "CreateAlias", input))).toBe("ok");
      expect((await world.describe(region, "alias/a")).Arn).toBe(arnOf(region, keyId));
    }
    await world.call(REGION, "DeleteAlias", { AliasName: "alias/a" });
    expect(await outcome(world.describe("eu-west-1", "alias/a"))).toBe("ok");
    expect(await outcome(world.describe(REGION, "alias/a"))).toBe(notFound("alias/a"));
  });
});

describe("UpdateAlias", () => {
  test("answers nothing; the alias names the other key, and says when it changed", async () => {
    const { world, KeyId, create, update, list } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    await create("alias/a");
    world.pass(5 * SECOND);
    expect(await update("alias/a", other)).toBe(null);
    expect((await world.describe(REGION, "alias/a")).KeyId).toBe(other);
    expect((await list({ KeyId })).Aliases).toEqual([]);
    expect((await list({ KeyId: other })).Aliases).toEqual([
      {
        AliasName: "alias/a",
        AliasArn: aliasArn("alias/a"),
        TargetKeyId: other,
        CreationDate: START / 1000,
        LastUpdatedDate: (START + 5 * SECOND) / 1000,
      },
    ]);
  });

  test("refuses a name that is not there, and a key that is not there", async () => {
    const { create, update } = await prepared();
    expect(await outcome(update("alias/a"))).toBe(notFound("alias/a"));
    await create("alias/a");
    expect(await outcome(update("alias/a", UNKNOWN))).toBe(
      `NotFoundException: Key '${arnOf(REGION, UNKNOWN)}' does not exist`,
    );
    expect(await outcome(update("alias/a", "alias/a"))).toBe(
      "ValidationException: Aliases must refer to keys. Not aliases",
    );
  });

  test("counts for the 50 of the new key, and not twice for the same", async () => {
    const { world, KeyId, create, update } = await prepared();
    for (let count = 0; count < 50; count += 1) await create(`alias/a${count}`);
    expect(await outcome(update("alias/a0"))).toBe("ok");
    const { KeyId: other } = await world.createKey(REGION);
    await create("alias/b", other);
    expect(await outcome(update("alias/b", KeyId))).toMatch(/^LimitExceededException: /);
    await update("alias/a0", other);
    expect(await outcome(update("alias/b", KeyId))).toBe("ok");
  });
});

describe("DeleteAlias", () => {
  test("answers nothing; the key stays, the name is free", async () => {
    const { world, KeyId, create, remove, list } = await prepared();
    await create("alias/a");
    world.pass(DAY);
    expect(await remove("alias/a")).toBe(null);
    expect(await outcome(world.describe(REGION, "alias/a"))).toBe(notFound("alias/a"));
    expect(await outcome(world.describe(REGION, KeyId))).toBe("ok");
    await create("alias/a");
    expect((await list({ KeyId })).Aliases).toMatchObject([{ CreationDate: (START + DAY) / 1000 }]);
  });

  test("refuses a name that is not there", async () => {
    const { remove } = await prepared();
    expect(await outcome(remove("alias/a"))).toBe(notFound("alias/a"));
  });
});

describe("a key that is gone", () => {
  test("takes its aliases along, and the names are free", async () => {
    const { world, KeyId, create, list, remove } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    await create("alias/a");
    await world.call(REGION, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY - 1);
    expect(await outcome(world.describe(REGION, "alias/a"))).toBe("ok");
    world.pass(1);
    expect(await outcome(world.describe(REGION, "alias/a"))).toBe(notFound("alias/a"));
    expect(await outcome(remove("alias/a"))).toBe(notFound("alias/a"));
    expect((await list()).Aliases.filter((alias) => alias.TargetKeyId)).toEqual([]);
    expect(await outcome(create("alias/a", other))).toBe("ok");
  });
});

describe("a directory that knows more than the answer of the key that it is to name", () => {
  const caller = { accountId: "111122223333", region: REGION } as const;

  test.for(["PutNewAlias", "MoveAlias"])("%s finds the key gone", async (step) => {
    const { world, KeyId, create } = await prepared();
    await create("alias/a");
    const directory = world.directory(REGION);
    const entry = directory.key(KeyId) as DirectoryEntry;
    const name = step === "PutNewAlias" ? "alias/b" : "alias/a";
    const run = async () =>
      directoryOperations[step]?.run(directory, { name, entry }, caller, world.now, awsQuotas);
    expect(await outcome(run())).toBe("ok");
    directory.putKey({ ...entry, version: entry.version + 1, present: false });
    expect(await outcome(run())).toBe(
      `NotFoundException: Key '${arnOf(REGION, KeyId)}' does not exist`,
    );
    expect(directory.aliasCount(KeyId)).toBe(0);
  });
});

describe("ListAliases", () => {
  test("of a fresh account lists the names that AWS keeps, without a key", async () => {
    const { list } = await prepared();
    const { Aliases, Truncated } = await list();
    expect(Truncated).toBe(false);
    expect(Aliases.length).toBeGreaterThan(0);
    for (const alias of Aliases) {
      expect(alias.AliasName).toMatch(/^alias\/aws\/[a-z0-9]+$/);
      expect(alias).toEqual({ AliasName: alias.AliasName, AliasArn: aliasArn(alias.AliasName) });
    }
  });

  test("in pages of any length lists every alias once, in order", async () => {
    const { world, create, list } = await prepared();
    for (const name of ["alias/z", "alias/a", "alias/aws-like", "alias/b/c"]) await create(name);
    const whole = (await list()).Aliases.map((alias) => alias.AliasName);
    expect(whole).toEqual(whole.toSorted());
    expect(whole).toEqual(expect.arrayContaining(["alias/a", "alias/aws-like", "alias/aws/s3"]));
    for (const Limit of [1, 2, 3, 7, 100]) {
      const pages = await world.pages<Page>(REGION, "ListAliases", { Limit });
      for (const page of pages.slice(0, -1)) expect(page.Aliases).toHaveLength(Limit);
      const names = pages.flatMap(({ Aliases }) => Aliases.map((alias) => alias.AliasName));
      expect(names).toEqual(whole);
    }
  });

  test("gives 50 at once, and never more than 100", async () => {
    const { world, create, list } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    const { KeyId: third } = await world.createKey(REGION);
    for (let count = 0; count < 50; count += 1) {
      await create(`alias/a${count}`);
      await create(`alias/b${count}`, other);
      await create(`alias/c${count}`, third);
    }
    expect((await list()).Aliases).toHaveLength(50);
    expect((await list({ Limit: 100 })).Aliases).toHaveLength(100);
    expect((await list({ Limit: 1000 })).Aliases).toHaveLength(100);
    expect(await outcome(list({ Limit: 1001 }))).toMatch(/^ValidationException: /);
  });

  test("of one key, by its ID or its ARN, lists that one's alone", async () => {
    const { world, KeyId, create, list } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    await create("alias/a");
    await create("alias/b", other);
    for (const name of [KeyId, arnOf(REGION, KeyId)]) {
      const { Aliases } = await list({ KeyId: name });
      expect(Aliases.map((alias) => alias.AliasName)).toEqual(["alias/a"]);
    }
  });

  test("of a key that is not there, or of an alias, is refused", async () => {
    const { create, list } = await prepared();
    await create("alias/a");
    expect(await outcome(list({ KeyId: UNKNOWN }))).toBe(
      `NotFoundException: Key '${arnOf(REGION, UNKNOWN)}' does not exist`,
    );
    expect(await outcome(list({ KeyId: "alias/a" }))).toBe(
      "InvalidArnException: Key Aliases are not supported for this operation.",
    );
    expect(await outcome(list({ KeyId: "fake-key-id" }))).toBe(
      "NotFoundException: Invalid keyId 'fake-key-id'",
    );
  });

  test("of the ARN of another Region is refused with that Region's name", async () => {
    const { KeyId, list } = await prepared();
    const answer = await outcome(list({ KeyId: arnOf("eu-west-1", KeyId) }));
    expect(answer).toBe("NotFoundException: Invalid arn eu-west-1");
  });

  test("of a malformed ARN is refused with InvalidArnException, which it declares", async () => {
    const { list } = await prepared();
    const answer = await outcome(list({ KeyId: "arn:aws:s3:::bucket" }));
    expect(answer).toMatch(/^InvalidArnException: /);
  });

  test("of another account's key is refused", async () => {
    const { KeyId, list } = await prepared();
    const arn = arnOf(REGION, KeyId, "444455556666");
    expect(await outcome(list({ KeyId: arn }))).toBe(
      `AccessDeniedException: ${outOfReach("arn:aws:iam::111122223333:root", "ListAliases")}`,
    );
  });
});
