// What is made of a key once and kept as long as the key: key material is immutable and lives as
// long as its key set is in memory.

/** `make` for each key at its first use. */
export function oncePerKey<Key extends object, Made extends object>(
  make: (key: Key) => Made,
): (key: Key) => Made {
  const kept = new WeakMap<Key, Made>();
  return (key) => {
    const known = kept.get(key);
    if (known) return known;
    const made = make(key);
    kept.set(key, made);
    return made;
  };
}

/**
 * The same where making takes time. Requests at the same time each make it: workerd does not let
 * one wait for the promise of another.
 */
export function oncePerKeyAsync<Key extends object, Made extends object>(
  make: (key: Key) => Promise<Made>,
): (key: Key) => Promise<Made> {
  const kept = new WeakMap<Key, Made>();
  return async (key) => {
    const known = kept.get(key);
    if (known) return known;
    const made = await make(key);
    kept.set(key, made);
    return made;
  };
}
