// How often an address has been wrong lately. Kept by each isolate for itself: whoever guesses meets
// few of them, and what is guessed at has far too many values for some times ten a minute.

const WINDOW_MS = 60_000;
/** More addresses than this are not remembered; those that come to it again begin anew. */
const MAX_ADDRESSES = 10_000;

interface Window {
  readonly until: number;
  wrong: number;
}

export class Attempts {
  readonly #max: number;
  readonly #windows = new Map<string, Window>();

  /** `max` is how often an address may be wrong in a minute. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether an address has been wrong so many times within its minute. */
  isSpent(address: string, now: number): boolean {
    const window = this.#windows.get(address);
    return window !== undefined && now < window.until && window.wrong >= this.#max;
  }

  /** Counts an attempt that was wrong; returns whether there were too many before it. */
  wrong(address: string, now: number): boolean {
    if (this.isSpent(address, now)) return true;
    const window = this.#windows.get(address);
    if (window && now < window.until) window.wrong++;
    else this.#begin(address, now);
    return false;
  }

  #begin(address: string, now: number): void {
    this.#windows.delete(address);
    if (this.#windows.size >= MAX_ADDRESSES) {
      for (const [oldest] of this.#windows) {
        this.#windows.delete(oldest);
        break;
      }
    }
    this.#windows.set(address, { until: now + WINDOW_MS, wrong: 1 });
  }
}
