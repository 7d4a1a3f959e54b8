// Which configuration an isolate goes by, and how often it asks for it.

import { expect, test, vi } from "vitest";
import { KnownAccounts } from "../../src/api/known-accounts.ts";
import { readConfiguration } from "../../src/configuration/document.ts";
import { DEFAULT_GENERATION } from "../../src/objects/names.ts";
import { workerSettingsFrom } from "../../src/settings.ts";
import { pass, SECOND_MS, useTestClock } from "./account.ts";

useTestClock();

const KEY = "AKIAIOSFODNN7EXAMPLE";
const accessKeys = [{ id: KEY, secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" }];
const read = (users: object) =>
  readConfiguration(JSON.stringify({ accounts: { "111122223333": { users } } }));

test("an answer that comes late does not bring back a user who was removed", async () => {
  const versions = [
    { version: 1, configuration: await read({ alice: { accessKeys } }) },
    { version: 2, configuration: await read({}) },
  ];
  const answers: ((number: number) => void)[] = [];
  const configuration = () =>
    new Promise((resolve) => answers.push((number) => resolve(versions[number - 1])));
  const env = { TENANTS: { getByName: () => ({ configuration }) } } as unknown as Env;
  const known = new KnownAccounts(env, workerSettingsFrom({}), DEFAULT_GENERATION);
  const early = known.renewed();
  const late = known.renewed();
  answers[1]?.(2);
  expect((await late).keyHolder(KEY)).toBeNull();
  answers[0]?.(1);
  expect((await early).keyHolder(KEY)).toBeNull();
  expect((await known.current()).keyHolder(KEY)).toBeNull();
});

test("callers who are refused make an isolate ask twenty times a second, and not more", async () => {
  const configuration = vi.fn(async () => null);
  const env = { TENANTS: { getByName: () => ({ configuration }) } } as unknown as Env;
  const known = new KnownAccounts(env, workerSettingsFrom({}), DEFAULT_GENERATION);
  for (let count = 0; count < 100; count += 1) await known.renewedForRefusal();
  expect(configuration).toHaveBeenCalledTimes(20);
  pass(SECOND_MS);
  await known.renewedForRefusal();
  expect(configuration).toHaveBeenCalledTimes(21);
});
