// A small pool of key pairs made ahead. Each is given out once; who comes to an empty pool waits,
// and is served in the order of coming. Knows neither what a pair is nor what makes one.

import { limits } from "../domain/limits.ts";
import { throttled } from "../errors.ts";

/** What makes the pairs of a pool. */
export interface Source<Pair> {
  readonly make: () => Promise<Pair>;
  /** How many pairs the pool keeps ready at the most. */
  readonly ahead: number;
  /** How many it has made at once, where so many are waited for. */
  readonly atOnce: number;
  /**
   * Awaited before a pair that nobody waits for: who took the last one makes a key of it now, and should
   * not have to share a core with the next. Left out where there is no reason to.
   */
  readonly rest?: () => Promise<void>;
}

interface Waiting<Pair> {
  readonly resolve: (pair: Pair) => void;
  readonly reject: (cause: unknown) => void;
}

export class KeyPairPool<Pair> {
  readonly #source: Source<Pair>;
  readonly #unheard: (cause: unknown) => void;
  readonly #ready: Pair[] = [];
  readonly #waiting: Waiting<Pair>[] = [];
  #making = 0;
  #resting = false;
  #asked = 0;
  #failing = false;

  /** `unheard` is told of a failure that nobody waits for, once until pairs are made again. */
  constructor(source: Source<Pair>, unheard: (cause: unknown) => void) {
    this.#source = source;
    this.#unheard = unheard;
  }

  /**
   * A pair that nobody else gets. Rejects when the source fails while it is waited for; the next
   * call asks the source again. Rejects with ThrottlingException where too many wait already.
   */
  take(): Promise<Pair> {
    if (this.#waiting.length >= limits.server.keyPairs.standard) return Promise.reject(throttled());
    this.#asked += 1;
    const pair = this.#ready.shift();
    const given =
      pair === undefined
        ? new Promise<Pair>((resolve, reject) => this.#waiting.push({ resolve, reject }))
        : Promise.resolve(pair);
    this.#fill();
    return given;
  }

  #fill(): void {
    const { rest } = this.#source;
    if (rest && this.#waiting.length === 0) {
      if (!this.#resting && this.#making < this.#wanted()) void this.#makeAfter(rest);
      return;
    }
    while (this.#making < this.#wanted()) void this.#make();
  }

  async #makeAfter(rest: () => Promise<void>): Promise<void> {
    this.#resting = true;
    await rest();
    this.#resting = false;
    if (this.#making < this.#wanted()) void this.#make();
  }

  /**
   * How many pairs should be in the making: one at a time to fill the pool, more for those who wait.
   * It is filled with as many as were asked for so far, so that what nobody asks for costs nothing.
   */
  #wanted(): number {
    const { ahead, atOnce } = this.#source;
    const waiting = this.#waiting.length;
    const missing = waiting + Math.min(this.#asked, ahead) - this.#ready.length;
    return Math.min(missing, atOnce, Math.max(waiting, 1));
  }

  async #make(): Promise<void> {
    this.#making += 1;
    try {
      this.#give(await this.#source.make());
    } catch (cause) {
      this.#fail(cause);
      return; // A source that is broken is not asked on and on.
    } finally {
      this.#making -= 1;
    }
    this.#fill();
  }

  #give(pair: Pair): void {
    this.#failing = false;
    const first = this.#waiting.shift();
    if (first) first.resolve(pair);
    else this.#ready.push(pair);
  }

  /** Whoever waits is told, and nobody is left to wait for a source that is not asked again. */
  #fail(cause: unknown): void {
    const waiting = this.#waiting.splice(0);
    for (const { reject } of waiting) reject(cause);
    if (waiting.length === 0 && !this.#failing) this.#unheard(cause);
    this.#failing = true;
  }
}
