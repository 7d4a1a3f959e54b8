// Waiting for another object, but not for ever: one that hangs must not hold up every answer.

/**
 * What `promise` comes to, or an Error once `ms` have passed. It goes on all the same, and what it
 * comes to later is nobody's business.
 */
export async function withinMs<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: number | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
