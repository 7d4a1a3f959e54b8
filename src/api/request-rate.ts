// How many requests a tenant may make in a second, as one isolate counts them.

export class RequestRate {
  #second = 0;
  #made = 0;

  /** Counts a request; returns whether it is one of the first `limit` of its second. */
  take(limit: number, now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#made = 0;
    }
    if (this.#made >= limit) return false;
    this.#made++;
    return true;
  }
}
