import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { KeySetObject } from "../../src/index.ts";
import { Account, errorsLogged, tenant, useTestClock } from "./account.ts";
import { offsetOf, P, Q } from "./many-keys.ts";
vi.setConfig({ testTimeout: 60000 });
useTestClock();
test("poison", async () => {
  const account = new Account();
  const keys: string[] = [];
  for (let i = 0; i < 70; i += 1) keys.push(await account.createKey(Q));
  const other = await account.createKey(P);
  keys.sort();
  const broken = keys[3] ?? "";
  errorsLogged();
  const moveClock = KeySetObject.prototype.moveClock;
  vi.spyOn(KeySetObject.prototype, "moveClock").mockImplementation(function (this: KeySetObject, o) {
    if ((this as unknown as { ctx: DurableObjectState }).ctx.id.name?.endsWith(broken)) return Promise.reject(new Error("poison"));
    return moveClock.call(this, o);
  });
  console.info(await tenant().moveClock({ byMs: 1000 }).then(() => "ok", String));
  for (let i = 0; i < 3; i += 1) await runDurableObjectAlarm(tenant());
  const told = await Promise.all(keys.map((k) => offsetOf(account.keySet(k))));
  console.info("told in Q:", told.filter((o) => o === 1000).length, "of", keys.length, "other Region:", await offsetOf(account.keySet(other)), "directory P", await offsetOf(account.directory(P)));
  expect(1).toBe(1);
});
