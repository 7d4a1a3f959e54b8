// Which IDs are given to the keys that are made next.

import { expect, onTestFinished, test, vi } from "vitest";
import { CLEARED_MS, makeNextReady, takeNextKeyId } from "../../src/objects/next-key-ids.ts";

const done = async () => {};

test("an ID that is ready is given to one key of its account and tenant", async () => {
  await makeNextReady("default", "111122223333", "a", done);
  expect(takeNextKeyId("default", "444455556666")).toBeNull();
  expect(takeNextKeyId("other", "111122223333")).toBeNull();
  expect(takeNextKeyId("default", "111122223333")).toBe("a");
  expect(takeNextKeyId("default", "111122223333")).toBeNull();
});

test("one at a time is made ready, and given to nobody before it is", async () => {
  let finish = () => {};
  const slow = () => new Promise<void>((finished) => (finish = finished));
  const asked: string[] = [];
  const making = makeNextReady("default", "222233334444", "a", slow);
  expect(takeNextKeyId("default", "222233334444")).toBeNull();
  await makeNextReady("default", "222233334444", "b", async (keyId) => void asked.push(keyId));
  expect(asked).toEqual([]);
  finish();
  await making;
  await makeNextReady("default", "222233334444", "c", async (keyId) => void asked.push(keyId));
  expect(asked).toEqual([]);
  expect(takeNextKeyId("default", "222233334444")).toBe("a");
});

test("what could not be made ready is given to nobody, and the next is tried again", async () => {
  const failure = new Error("broken");
  const broken = () => Promise.reject(failure);
  await expect(makeNextReady("default", "333344445555", "a", broken)).rejects.toBe(failure);
  expect(takeNextKeyId("default", "333344445555")).toBeNull();
  await makeNextReady("default", "333344445555", "b", done);
  expect(takeNextKeyId("default", "333344445555")).toBe("b");
});

test("an ID is given to nobody whose key might be on its way when its object is cleared away", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  await makeNextReady("default", "444455556666", "a", done);
  vi.setSystemTime(Date.now() + CLEARED_MS / 2);
  expect(takeNextKeyId("default", "444455556666")).toBeNull();
  await makeNextReady("default", "444455556666", "b", done);
  vi.setSystemTime(Date.now() + CLEARED_MS / 2 - 1);
  expect(takeNextKeyId("default", "444455556666")).toBe("b");
});

test("no more than a hundred accounts have one", async () => {
  for (let count = 0; count <= 100; count++) {
    await makeNextReady("many", String(count), `of ${count}`, done);
  }
  const taken = Array.from({ length: 101 }, (_, count) => takeNextKeyId("many", String(count)));
  expect(taken.filter((keyId) => keyId !== null)).toHaveLength(100);
  expect(taken.at(-1)).toBe("of 100");
});
