// Where a platform throws for input that is merely invalid, and its errors say no more than that.

/** The value, or null where making it throws. */
export function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

/** The value of the promise, or null where it rejects. */
export async function attemptAsync<T>(made: Promise<T>): Promise<T | null> {
  try {
    return await made;
  } catch {
    return null;
  }
}
