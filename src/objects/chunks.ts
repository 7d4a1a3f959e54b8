// Telling many objects something, some at once.

/**
 * Calls `tell` for every item, at most `size` at a time. One that fails keeps nobody else from being
 * told; the first failure is thrown in the end.
 */
export async function inChunks<T>(
  items: readonly T[],
  size: number,
  tell: (item: T) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  for (let start = 0; start < items.length; start += size) {
    const told = await Promise.allSettled(items.slice(start, start + size).map(tell));
    for (const each of told) if (each.status === "rejected") failures.push(each.reason);
  }
  if (failures.length > 0) throw failures[0];
}
