// The pool's own logic, over a source whose pairs the test hands over.

import { describe, expect, test } from "vitest";
import { KeyPairPool, type Source } from "../../src/objects/key-pair-pool.ts";

/** A pool of numbers, and what its source was asked for. */
class Bench {
  readonly unheard: unknown[] = [];
  readonly #making: { resolve: (pair: number) => void; reject: (cause: unknown) => void }[] = [];
  readonly pool: KeyPairPool<number>;
  #made = 0;

  constructor({ ahead, atOnce, rest }: Omit<Source<number>, "make">) {
    const make = () =>
      new Promise<number>((resolve, reject) => this.#making.push({ resolve, reject }));
    this.pool = new KeyPairPool({ make, ahead, atOnce, ...(rest && { rest }) }, (cause) =>
      this.unheard.push(cause),
    );
  }

  /** How many pairs are in the making. */
  get making(): number {
    return this.#making.length;
  }

  get made(): number {
    return this.#made;
  }

  /** The source finishes the pair it has worked on longest. */
  async finish(): Promise<void> {
    this.#made += 1;
    this.#making.shift()?.resolve(this.#made);
    await settled();
  }

  async break(cause: unknown): Promise<void> {
    this.#making.shift()?.reject(cause);
    await settled();
  }

  /** Finishes pairs until none is in the making. */
  async fill(): Promise<void> {
    while (this.making > 0) await this.finish();
  }
}

/** All that follows from what has happened so far has happened. */
const settled = () => new Promise<void>((done) => setImmediate(done));

/** Whether a promise is settled, and with what. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol("pending");
  const state = await Promise.race([
    promise.catch((cause) => cause),
    settled().then(() => pending),
  ]);
  return state === pending ? "pending" : state;
}

describe("a pool that nobody asks", () => {
  test("makes nothing", async () => {
    const bench = new Bench({ ahead: 8, atOnce: 4 });
    await settled();
    expect(bench.making).toBe(0);
  });
});

describe("a pool that is empty", () => {
  test("has the first pair made for who waits", async () => {
    const bench = new Bench({ ahead: 8, atOnce: 4 });
    const taken = bench.pool.take();
    expect(await stateOf(taken)).toBe("pending");
    await bench.finish();
    expect(await taken).toBe(1);
  });

  test("serves those who wait in the order they came", async () => {
    const bench = new Bench({ ahead: 8, atOnce: 1 });
    const taken = [bench.pool.take(), bench.pool.take(), bench.pool.take()];
    await bench.finish();
    expect(await Promise.all(taken.map(stateOf))).toEqual([1, "pending", "pending"]);
    await bench.finish();
    expect(await Promise.all(taken.map(stateOf))).toEqual([1, 2, "pending"]);
  });

  test("has as many made at once as are waited for, up to its limit", () => {
    const bench = new Bench({ ahead: 8, atOnce: 3 });
    const taken = Array.from({ length: 2 }, () => bench.pool.take());
    expect(bench.making).toBe(2);
    taken.push(...Array.from({ length: 5 }, () => bench.pool.take()));
    expect(bench.making).toBe(3);
  });
});

describe("a pool fills up", () => {
  test("one by one, with as many pairs as were asked for so far", async () => {
    const bench = new Bench({ ahead: 8, atOnce: 4 });
    for (const asked of [1, 2, 3]) {
      const taken = bench.pool.take();
      expect(bench.making).toBe(1);
      await bench.fill();
      await taken;
      expect(bench.made).toBe(2 * asked); // As many as were taken, and as many ready.
    }
  });

  test("up to its size, and then rests", async () => {
    const bench = new Bench({ ahead: 2, atOnce: 4 });
    const taken = Array.from({ length: 5 }, () => bench.pool.take());
    await bench.fill();
    await Promise.all(taken);
    expect(bench.made).toBe(5 + 2);
  });

  test("again after each that is taken, which is there at once", async () => {
    const bench = new Bench({ ahead: 1, atOnce: 1 });
    void bench.pool.take();
    await bench.fill();
    expect(await stateOf(bench.pool.take())).toBe(2);
    expect(bench.making).toBe(1);
    await bench.finish();
    expect(await stateOf(bench.pool.take())).toBe(3);
  });
});

test("a pool rests before a pair that nobody waits for, and before no other", async () => {
  let rested = () => {};
  const rest = () => new Promise<void>((done) => (rested = done));
  const bench = new Bench({ ahead: 2, atOnce: 2, rest });
  const first = bench.pool.take();
  expect(bench.making).toBe(1);
  await bench.finish();
  expect(await first).toBe(1);
  expect(bench.making).toBe(0);
  const second = bench.pool.take();
  expect(bench.making).toBe(1);
  rested();
  await settled();
  expect(bench.making).toBe(1);
  await bench.finish();
  expect(await second).toBe(2);
  expect(bench.making).toBe(0);
  rested();
  await settled();
  expect(bench.making).toBe(1);
});

test("nobody gets the pair of another, however takes and pairs interleave", async () => {
  const bench = new Bench({ ahead: 3, atOnce: 2 });
  const taken: Promise<number>[] = [];
  for (let round = 0; round < 50; round++) {
    for (let count = 0; count < (round * 7) % 4; count++) taken.push(bench.pool.take());
    for (let count = 0; count < (round * 5) % 3; count++) await bench.finish();
  }
  await bench.fill();
  const pairs = await Promise.all(taken);
  expect(new Set(pairs).size).toBe(taken.length);
});

describe("a source that fails", () => {
  const cause = new Error("broken");

  test("fails all who wait, and is not asked again by itself", async () => {
    const bench = new Bench({ ahead: 8, atOnce: 1 });
    const taken = [bench.pool.take(), bench.pool.take()].map(stateOf);
    await bench.break(cause);
    expect(await Promise.all(taken)).toEqual([cause, cause]);
    expect(bench.making).toBe(0);
    expect(bench.unheard).toEqual([]);
  });

  test("is asked again by the next who comes, and then the pool fills up", async () => {
    const bench = new Bench({ ahead: 1, atOnce: 1 });
    const failed = stateOf(bench.pool.take());
    await bench.break(cause);
    expect(await failed).toBe(cause);
    const taken = bench.pool.take();
    await bench.fill();
    expect(await taken).toBe(1);
    expect(bench.made).toBe(2);
  });

  test("leaves what is ready, which is given out as before", async () => {
    const bench = new Bench({ ahead: 2, atOnce: 1 });
    void bench.pool.take();
    void bench.pool.take();
    await bench.fill();
    expect(await stateOf(bench.pool.take())).toBe(3);
    await bench.break(cause);
    expect(await stateOf(bench.pool.take())).toBe(4);
  });

  test("is told once where nobody waits, until it is mended and breaks again", async () => {
    const bench = new Bench({ ahead: 4, atOnce: 1 });
    for (let count = 0; count < 4; count++) void bench.pool.take();
    await bench.fill();
    await bench.pool.take();
    await bench.break(cause);
    await bench.pool.take();
    await bench.break(cause);
    expect(bench.unheard).toEqual([cause]);
    await bench.pool.take();
    await bench.finish();
    await bench.break(cause);
    expect(bench.unheard).toEqual([cause, cause]);
  });

  test("of two at work fails those who wait then; what the other makes is kept", async () => {
    const bench = new Bench({ ahead: 8, atOnce: 2 });
    const failed = [bench.pool.take(), bench.pool.take()].map(stateOf);
    await bench.break(cause);
    expect(await Promise.all(failed)).toEqual([cause, cause]);
    await bench.finish();
    expect(await stateOf(bench.pool.take())).toBe(1);
  });
});

test("500 may wait, and who comes later is throttled until there are fewer", async () => {
  const bench = new Bench({ ahead: 2, atOnce: 1 });
  const waiting = Array.from({ length: 500 }, () => bench.pool.take());
  await expect(bench.pool.take()).rejects.toMatchObject({ type: "ThrottlingException" });
  await bench.finish();
  const next = bench.pool.take();
  await bench.fill();
  expect(await Promise.all([...waiting, next])).toEqual(
    Array.from({ length: 501 }, (_, index) => index + 1),
  );
});
