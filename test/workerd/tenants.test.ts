// Tenants from within: what is left of one that is deleted or whose time is up, and what can still
// come to its objects.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { defaultTenant } from "../../src/api/known-tenants.ts";
import type { Region } from "../../src/domain/region.ts";
import { noTenantLimits as unlimited } from "../../src/domain/tenant-limits.ts";
import {
  DirectoryObject,
  KeySetObject,
  TenantObject,
  TenantRegistryObject,
} from "../../src/index.ts";
import { directoryName, keySetName, TENANT_REGISTRY } from "../../src/objects/names.ts";
import { isTenantGone } from "../../src/objects/tenant-gone.ts";
import {
  Account,
  errorsLogged,
  everythingIn,
  nothing,
  pass,
  rowsOf,
  tenant as theDefault,
  useTestClock,
} from "./account.ts";

useTestClock();

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const [P, R] = ["us-east-1", "eu-west-1"] as const;

const registry = () => env.TENANT_REGISTRY.getByName(TENANT_REGISTRY);

let names = 0;

/** A tenant as the tests see it. */
class Tenant {
  readonly name = `tenant-${++names}`;
  generation = "";

  async make(
    more: { ttlMs?: number; keys?: number; requestsPerSecond?: number; storage?: number } = {},
  ) {
    const wanted = { name: this.name, ttlMs: null, tokenDigest: null, ...unlimited, ...more };
    const { tenant } = await registry().put(wanted);
    this.generation = tenant.generation;
    return this;
  }

  async send(
    operation: string,
    input: object = {},
    { account = ACCOUNT, region = P }: { account?: string; region?: Region } = {},
  ) {
    const credential = `${account}/20400101/${region}/kms/aws4_request`;
    const response = await exports.default.fetch(`http://localhost/t/${this.name}`, {
      method: "POST",
      headers: {
        "x-amz-target": `TrentService.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    return { status: response.status, ...(text === "" ? {} : JSON.parse(text)) };
  }

  async createKey(input: object = {}, where = {}): Promise<string> {
    const answer = await this.send("CreateKey", input, where);
    expect(answer).toMatchObject({ status: 200 });
    return answer.KeyMetadata.KeyId;
  }

  /** Its objects by their names; they can be asked for when the tenant is gone. */
  get object() {
    return env.TENANTS.getByName(this.generation);
  }

  keySet(keyId: string, account = ACCOUNT) {
    return env.KEY_SETS.getByName(keySetName(this.generation, account, keyId));
  }

  directory(region: string, account = ACCOUNT) {
    return env.DIRECTORIES.getByName(directoryName(this.generation, account, region));
  }
}

/** One with something of everything: replicas, aliases, grants, managed keys, a moved clock. */
async function furnished() {
  const tenant = await new Tenant().make();
  const KeyId = await tenant.createKey({ MultiRegion: true });
  await tenant.send("ReplicateKey", { KeyId, ReplicaRegion: R });
  await tenant.send("CreateAlias", { AliasName: "alias/app", TargetKeyId: KeyId });
  const grant = {
    KeyId,
    GranteePrincipal: `arn:aws:iam::${OTHER}:root`,
    RetiringPrincipal: `arn:aws:iam::${OTHER}:root`,
    Operations: ["Encrypt"],
  };
  expect(await tenant.send("CreateGrant", grant)).toMatchObject({ status: 200 });
  const foreign = await tenant.createKey({}, { account: OTHER });
  const managed = await tenant.send("Encrypt", { KeyId: "alias/aws/s3", Plaintext: "YQ==" });
  expect(managed).toMatchObject({ status: 200 });
  await tenant.object.moveClock({ byMs: 1000 });
  await tenant.object.putConfiguration({ accounts: [] });
  await tenant.object.sessionKey();
  const objects = [
    tenant.keySet(KeyId),
    tenant.keySet(foreign, OTHER),
    tenant.keySet(managed.KeyId.split("/")[1]),
    tenant.directory(P),
    tenant.directory(R),
    tenant.directory(P, OTHER),
    tenant.object,
  ];
  for (const object of objects) expect(await everythingIn(object)).not.toEqual(nothing);
  return { tenant, KeyId, objects };
}

async function gone(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(String(error)).toContain("the tenant is gone");
  expect(isTenantGone(error)).toBe(true);
}

test("deleting a tenant leaves nothing in any of its objects, and the name leads to another", async () => {
  const { tenant, KeyId, objects } = await furnished();
  const alarm = vi.spyOn(KeySetObject.prototype, "alarm");
  expect(await registry().delete(tenant.name)).toBe(true);
  for (const object of objects) expect(await everythingIn(object)).toEqual(nothing);
  expect(await rowsOf(registry(), "leftover")).toEqual([]);
  expect(await registry().delete(tenant.name)).toBe(null);

  const before = tenant.generation;
  await tenant.make();
  expect(tenant.generation).not.toBe(before);
  pass(4000);
  expect(await tenant.send("ListKeys")).toMatchObject({ status: 200, Keys: [] });
  expect(await tenant.send("DescribeKey", { KeyId })).toMatchObject({
    __type: "NotFoundException",
  });
  expect(alarm).not.toHaveBeenCalled();
});

test("its objects refuse, and what comes late to them leaves nothing", async () => {
  const { tenant, KeyId, objects } = await furnished();
  await registry().delete(tenant.name);
  for (const isEvicted of [false, true]) {
    const asked = [tenant.object, tenant.directory(P), tenant.keySet(KeyId)];
    if (isEvicted) await Promise.all(asked.map((object) => evictDurableObject(object)));
    await gone(tenant.object.register(ACCOUNT, P));
    await gone(tenant.object.moveClock({ byMs: 1 }));
    await gone(tenant.object.putConfiguration({ accounts: [] }));
    await gone(Promise.resolve(tenant.object.sessionKey()));
    await gone(Promise.resolve(tenant.object.configuration(null)));
    await gone(tenant.object.limit(unlimited));
    await gone(tenant.directory(P).moveClock(5000));
    await gone(tenant.directory(P).join());
    await gone(tenant.directory(P).applyGrants([]));
    await tenant.keySet(KeyId).moveClock(5000);
    for (const object of objects) expect(await everythingIn(object)).toEqual(nothing);
  }
});

test("an isolate that has not heard of it is answered like one who names no tenant", async () => {
  const { tenant, KeyId, objects } = await furnished();
  expect(await tenant.send("ListKeys")).toMatchObject({ status: 200 });
  await registry().delete(tenant.name); // Not by way of this isolate's control API.
  const unknown = {
    status: 401,
    __type: "UnrecognizedClientException",
    message: "The security token included in the request is invalid.",
  };
  expect(await tenant.send("CreateKey")).toEqual(unknown);
  expect(await tenant.send("DescribeKey", { KeyId })).toEqual(unknown);
  pass(4000);
  expect(await tenant.send("ListKeys")).toEqual(unknown);
  for (const object of objects) expect(await everythingIn(object)).toEqual(nothing);
});

test("a key that is being made while its tenant is erased does not stay", async () => {
  const tenant = await new Tenant().make();
  await tenant.createKey();
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<string>();
  vi.spyOn(DirectoryObject.prototype, "makeRoom").mockImplementation(async (keyId) => {
    asked.resolve(keyId);
    await held.promise;
    return null; // As it would have said a moment ago.
  });
  errorsLogged();
  const making = tenant.send("CreateKey");
  const KeyId = await asked.promise;
  await registry().delete(tenant.name);
  held.resolve();
  await making;
  expect(await everythingIn(tenant.keySet(KeyId))).toEqual(nothing);
  for (const object of [tenant.directory(P), tenant.object]) {
    expect(await everythingIn(object)).toEqual(nothing);
  }
});

test("a key whose directory could not be told in time goes by its own alarm", async () => {
  const tenant = await new Tenant().make();
  await tenant.createKey();
  errorsLogged();
  vi.spyOn(DirectoryObject.prototype, "apply").mockImplementation(() => {
    throw new Error("out of order");
  });
  const KeyId = await tenant.createKey();
  vi.restoreAllMocks();
  await registry().delete(tenant.name);
  expect(await everythingIn(tenant.keySet(KeyId))).not.toEqual(nothing);
  pass(2000);
  await runDurableObjectAlarm(tenant.keySet(KeyId));
  expect(await everythingIn(tenant.keySet(KeyId))).toEqual(nothing);
});

test("a tenant whose time is up is served no more, and the alarm removes it", async () => {
  const tenant = await new Tenant().make({ ttlMs: 60_000 });
  const KeyId = await tenant.createKey();
  pass(59_999);
  expect(await tenant.send("ListKeys")).toMatchObject({ status: 200 });
  pass(1);
  expect(await tenant.send("ListKeys")).toMatchObject({ status: 401 });
  expect(await runDurableObjectAlarm(registry())).toBe(true);
  for (const object of [tenant.keySet(KeyId), tenant.directory(P), tenant.object]) {
    expect(await everythingIn(object)).toEqual(nothing);
  }
  expect(await registry().find(tenant.name)).toBe(null);
});

test("a tenant that is deleted is served for less than five seconds where nobody has said so", async () => {
  pass(600_000); // Away from the wrong attempts of other tests.
  const tenant = await new Tenant().make();
  const KeyId = await tenant.createKey();
  const find = vi.spyOn(TenantRegistryObject.prototype, "find");
  expect(await tenant.send("DescribeKey", { KeyId })).toMatchObject({ status: 200 });
  expect(find).not.toHaveBeenCalled(); // The one hop of a request is to its key.
  // Its objects are untouched, as if removing them were held up.
  vi.spyOn(DirectoryObject.prototype, "erase").mockImplementation(async () => false);
  errorsLogged();
  await registry().delete(tenant.name);
  const statuses: number[] = [];
  for (let ms = 0; ms < 5000; ms += 500) {
    statuses.push((await tenant.send("DescribeKey", { KeyId })).status);
    pass(500);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 401, 401, 401, 401, 401, 401]);
  vi.restoreAllMocks();
  await runDurableObjectAlarm(registry());
  expect(await everythingIn(tenant.keySet(KeyId))).toEqual(nothing);
});

test("time to live is counted anew when it is put again, and everything else stays", async () => {
  const tenant = await new Tenant().make({ ttlMs: 60_000 });
  const KeyId = await tenant.createKey();
  const { generation } = tenant;
  pass(30_000);
  await tenant.make({ ttlMs: 60_000 });
  expect(tenant.generation).toBe(generation);
  pass(45_000);
  await runDurableObjectAlarm(registry());
  expect(await tenant.send("ListKeys")).toMatchObject({ Keys: [{ KeyId }] });
});

test("what hinders the removal holds up nobody, and the alarm makes it good", async () => {
  const { tenant, objects } = await furnished();
  errorsLogged();
  const spy = vi.spyOn(DirectoryObject.prototype, "erase").mockImplementation(() => {
    throw new Error("out of order");
  });
  expect(await registry().delete(tenant.name)).toBe(false);
  expect(await registry().find(tenant.name)).toBe(null);
  await gone(tenant.object.register(ACCOUNT, P));
  spy.mockRestore();
  pass(2000);
  expect(await runDurableObjectAlarm(registry())).toBe(true);
  for (const object of objects) expect(await everythingIn(object)).toEqual(nothing);
  expect(await rowsOf(registry(), "leftover")).toEqual([]);
});

test("a tenant with more keys than are erased at a time goes as a whole", async () => {
  const tenant = await new Tenant().make();
  const ids = Array.from({ length: 201 }, (_, n) => `mrk-${String(n).padStart(32, "0")}`);
  await tenant.createKey();
  for (const keyId of ids) {
    await tenant.directory(P).apply({
      ...{ keyId, version: 1, present: true, createdAt: 0, goneAt: null },
      ...{ keySpec: "SYMMETRIC_DEFAULT", keyUsage: "ENCRYPT_DECRYPT" },
    });
  }
  expect(await registry().delete(tenant.name)).toBe(true);
  expect(await everythingIn(tenant.directory(P))).toEqual(nothing);
}, 30_000);

test("the keys of all accounts and Regions share a tenant's limit, those of AWS do not count", async () => {
  const tenant = await new Tenant().make({ keys: 3 });
  const KeyId = await tenant.createKey({ MultiRegion: true });
  await tenant.createKey({}, { account: OTHER });
  await tenant.send("Encrypt", { KeyId: "alias/aws/s3", Plaintext: "YQ==" });
  const replicate = { KeyId, ReplicaRegion: R };
  expect(await tenant.send("ReplicateKey", replicate)).toMatchObject({ status: 200 });
  const full = {
    status: 400,
    __type: "LimitExceededException",
    message: "Key quota for this account in this region is 3 but the current usage is 3.",
  };
  expect(await tenant.send("CreateKey")).toEqual(full);
  expect(await tenant.send("CreateKey", {}, { account: OTHER, region: R })).toEqual(full);
  expect(await tenant.send("Encrypt", { KeyId, Plaintext: "YQ==" })).toMatchObject({ status: 200 });
  await tenant.make({ keys: 4 });
  await tenant.createKey();
  expect(await tenant.send("CreateKey")).toMatchObject({ __type: "LimitExceededException" });
});

test("a tenant that holds as much as it may takes no more, and can do everything else", async () => {
  const tenant = await new Tenant().make({ storage: 150_000 });
  const KeyId = await tenant.createKey();
  const GranteePrincipal = `arn:aws:iam::${OTHER}:root`;
  const grant = { KeyId, GranteePrincipal, Operations: ["Encrypt"] };
  const GrantIds: string[] = [];
  let answer = await tenant.send("CreateGrant", grant);
  for (let n = 0; answer.status === 200 && n < 2000; n++) {
    GrantIds.push(answer.GrantId);
    answer = await tenant.send("CreateGrant", grant);
  }
  const full = {
    status: 400,
    __type: "LimitExceededException",
    message: "The tenant holds as much as its limit of storage allows.",
  };
  expect(answer).toEqual(full);
  expect(GrantIds.length).toBeGreaterThan(50);
  expect(await tenant.send("CreateKey")).toEqual(full);
  const more = "more".repeat(100);
  expect(await tenant.send("UpdateKeyDescription", { KeyId, Description: more })).toEqual(full);
  expect(await tenant.send("Encrypt", { KeyId, Plaintext: "YQ==" })).toMatchObject({ status: 200 });
  expect(await tenant.send("RevokeGrant", { KeyId, GrantId: GrantIds[0] })).toMatchObject({
    status: 200,
  });
  await tenant.make({ storage: 10_000_000 });
  expect(await tenant.send("CreateGrant", grant)).toMatchObject({ status: 200 });
  await tenant.createKey();
});

test("keys made at once keep to the limit", async () => {
  const tenant = await new Tenant().make({ keys: 3 });
  const answers = await Promise.all(
    [P, R, P, R, P, R].map((region) => tenant.send("CreateKey", {}, { region })),
  );
  const made = answers.filter(({ status }) => status === 200).length;
  expect(made).toBeLessThanOrEqual(3);
  const listed = await Promise.all([P, R].map((region) => tenant.send("ListKeys", {}, { region })));
  expect(listed.flatMap(({ Keys }) => Keys)).toHaveLength(made);
});

test("requests beyond a tenant's rate are refused, those of others are not", async () => {
  const [slow, other] = [
    await new Tenant().make({ requestsPerSecond: 2 }),
    await new Tenant().make(),
  ];
  const codes = async (tenant: Tenant) => {
    const answers = [1, 2, 3].map(() => tenant.send("ListKeys"));
    return (await Promise.all(answers)).map(({ __type, message }) => __type && { __type, message });
  };
  const refused = { __type: "ThrottlingException", message: "Rate exceeded" };
  expect(await codes(slow)).toEqual([undefined, undefined, refused]);
  expect(await codes(other)).toEqual([undefined, undefined, undefined]);
  pass(1000);
  expect(await slow.send("ListKeys")).toMatchObject({ status: 200 });
});

/** Runs in a tenant's object that is started with a setting. */
const startedWith = <T>(
  TENANT_LIMITS: string,
  stub: DurableObjectStub<TenantObject>,
  run: (tenant: TenantObject) => T | Promise<T>,
): Promise<T> =>
  runInDurableObject(stub as DurableObjectStub, (_object: unknown, state) =>
    run(new TenantObject(state, { ...env, TENANT_LIMITS } as Env)),
  );

/** Whatever a tenant's object may be asked for. */
const askedOf = () =>
  (Object.getOwnPropertyNames(TenantObject.prototype) as (keyof TenantObject)[])
    .filter((name) => String(name) !== "constructor")
    .map((name) => vi.spyOn(TenantObject.prototype, name as "clock"));

/** How many of so many requests of the default tenant, all at once, are let through. */
function passed(requests: number, tenantLimits: string): number {
  const { requireRate } = defaultTenant({ tenantLimits });
  let count = 0;
  for (let n = 0; n < requests; n++) {
    try {
      requireRate();
      count++;
    } catch (error) {
      const refusal = { type: "ThrottlingException", message: "Rate exceeded" };
      expect(error).toMatchObject({ refusal });
    }
  }
  return count;
}

test("the default tenant of a deployment has 200 requests a second of an isolate", () => {
  pass(600_000); // Away from the requests of other tests.
  expect(passed(300, "hosted")).toBe(200);
  pass(999);
  expect(passed(1, "hosted")).toBe(0);
  pass(1);
  expect(passed(300, "hosted")).toBe(200);
  pass(1000);
  expect(passed(300, "requestsPerSecond=3")).toBe(3);
  expect(passed(10_000, "keys=1")).toBe(10_000);
  expect(passed(10_000, "off")).toBe(10_000);
});

test("while the setting stays, nothing is made for a request of the default tenant", () => {
  const tenant = defaultTenant({ tenantLimits: "hosted" });
  expect(defaultTenant({ tenantLimits: "hosted" })).toBe(tenant);
  expect(tenant).toMatchObject({ generation: "default", tokenDigest: null });
});

test("all limits of a tenant are kept, and hold before those of the setting", async () => {
  const own = { keys: 1, requestsPerSecond: 2, storage: 300 };
  const tenant = await new Tenant().make(own);
  expect(await registry().find(tenant.name)).toMatchObject(own);
  const where = { accountId: ACCOUNT, region: P };
  await startedWith("keys=5,storage=100", tenant.object, async (object) => {
    expect([object.measure("a", 299), object.measure("a", 300)]).toEqual([false, true]);
    expect(await object.makeRoom(where, "a")).toBe(null);
    expect(await object.makeRoom(where, "b")).toEqual({ limit: 1, usage: 1 });
  });
});

test("a tenant that was made without limits has those of the setting, whenever it was made", async () => {
  const tenant = await new Tenant().make();
  const where = { accountId: ACCOUNT, region: P };
  await startedWith("keys=2,storage=100", tenant.object, async (object) => {
    expect([object.measure("a", 60), object.measure("b", 40)]).toEqual([false, true]);
    const rooms = ["a", "b", "c"].map((keyId) => object.makeRoom(where, keyId));
    expect(await Promise.all(rooms)).toEqual([null, null, { limit: 2, usage: 2 }]);
  });
  await startedWith("off", tenant.object, async (object) => {
    expect(object.measure("c", 1000)).toBe(false);
    expect(await object.makeRoom(where, "d")).toBe(null);
  });
  await tenant.make({ storage: 1100 });
  expect(await tenant.object.measure("d", 1)).toBe(true); // What was told meanwhile counts.
});

test("the default tenant has the limits of the setting", async () => {
  await new Account().createKey(P);
  const where = { accountId: OTHER, region: R };
  await startedWith("keys=1,storage=100", theDefault(), async (object) => {
    expect([object.measure("a", 99), object.measure("b", 1)]).toEqual([false, true]);
    expect(await object.makeRoom(where, "a")).toMatchObject({ limit: 1 });
    expect(object.measure("b", 0)).toBe(false);
  });
  expect(await rowsOf(theDefault(), "size")).toEqual([{ object: "a", bytes: 99 }]);
  // Nobody says when these are gone.
  await startedWith("off", theDefault(), (object) => {
    expect(object.measure("a", null)).toBe(false);
  });
  expect(await rowsOf(theDefault(), "size")).toEqual([]);
});

test("without limits the default tenant is asked for nothing, by keys that are made neither", async () => {
  const account = new Account();
  await account.createKey(P); // Its directory has joined.
  const spies = askedOf();
  const find = vi.spyOn(TenantRegistryObject.prototype, "find");
  const KeyId = await account.createKey(P, { Description: "d".repeat(8000) });
  expect(await account.decrypt(P, await account.encrypt(P, KeyId))).toBe("text");
  await account.call(P, "UpdateKeyDescription", { KeyId, Description: "" });
  for (const spy of [...spies, find]) expect(spy).not.toHaveBeenCalled();
});

test("with limits nobody is asked for the use of a key, and the tenant is told of a change", async () => {
  const account = new Account();
  const KeyId = await account.createKey(P);
  const spies = askedOf();
  const performed = (operation: string, input: object) =>
    runInDurableObject(account.keySet(KeyId) as DurableObjectStub, (_object: unknown, state) => {
      const keySet = new KeySetObject(state, { ...env, TENANT_LIMITS: "hosted" } as Env);
      const caller = { accountId: account.id, region: P } as const;
      const where = { accountId: account.id, keyId: KeyId };
      return keySet.perform({ operation, input: { KeyId, ...input }, caller, ...where });
    });
  for (let n = 0; n < 3; n++) {
    expect(await performed("Encrypt", { Plaintext: "eA==" })).toHaveProperty("output");
  }
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  expect(await performed("UpdateKeyDescription", { Description: "d" })).toHaveProperty("output");
  // Nobody has waited for it.
  const told = [[`${account.id}/${KeyId}`, expect.any(Number)]];
  await vi.waitFor(() =>
    expect(vi.mocked(TenantObject.prototype.measure).mock.calls).toEqual(told),
  );
});

test("a tenant that was opened before a crash, and never named, is removed", async () => {
  const generation = crypto.randomUUID();
  const tenant = env.TENANTS.getByName(generation);
  await tenant.open(unlimited);
  await runDurableObjectAlarm(registry());
  await runInDurableObject(registry(), async (_object, { storage }) => {
    storage.sql.exec("INSERT INTO leftover VALUES (?)", generation);
    await storage.setAlarm(Date.now());
  });
  await runDurableObjectAlarm(registry());
  expect(await everythingIn(tenant)).toEqual(nothing);
});
