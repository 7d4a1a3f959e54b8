// How many requests come in a second. AWS counts "in each one-second interval" and throttles "all
// subsequent requests in that second"; here a second begins with the first request that finds none.
// Time is real time: throttling is about load, which a movable clock does not change.
// https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html

const SECOND_MS = 1000;

/** An interval in which requests are counted. */
export interface Interval {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly requests: number;
}

/** Below one a second, one is let through in so many seconds. */
const lengthMs = (perSecond: number) => SECOND_MS / Math.min(perSecond, 1);

/** Whether an interval is over; one of the future is, too, for the clock was put back. */
const isOver = ({ startedAt }: Interval, perSecond: number, now: number) =>
  now < startedAt || now >= startedAt + lengthMs(perSecond);

/**
 * The interval with these requests counted, or null where it has no room for them. More requests at
 * once than an interval has room for begin one of their own: they would never be let through.
 */
export function counted(
  interval: Interval | undefined,
  requests: number,
  perSecond: number,
  now: number,
): Interval | null {
  if (perSecond <= 0) return null;
  if (!interval || isOver(interval, perSecond, now)) return { startedAt: now, requests };
  const all = interval.requests + requests;
  return all <= perSecond ? { startedAt: interval.startedAt, requests: all } : null;
}

/** How many are remembered; the one that began first makes way. */
const MAX_INTERVALS = 1000;

/** Counts requests by any name; bounded, and in memory alone. */
export class RequestRates {
  readonly #max: number;
  /** In the order in which they began. */
  readonly #intervals = new Map<string, Interval>();

  constructor(max = MAX_INTERVALS) {
    this.#max = max;
  }

  /** Counts so many requests; false where they are more than `perSecond`, and then counts nothing. */
  admits(name: string, perSecond: number, now: number, requests = 1): boolean {
    const before = this.#intervals.get(name);
    const after = counted(before, requests, perSecond, now);
    if (!after) return false;
    if (after.startedAt !== before?.startedAt) this.#makeRoom(name);
    this.#intervals.set(name, after);
    return true;
  }

  #makeRoom(name: string): void {
    this.#intervals.delete(name);
    if (this.#intervals.size < this.#max) return;
    for (const [oldest] of this.#intervals) {
      this.#intervals.delete(oldest);
      return;
    }
  }
}
