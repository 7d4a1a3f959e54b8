// For programmer errors only: what a caller can cause is a KmsError (errors.ts).

/** Throws when an invariant of this program does not hold; answered as KMSInternalException. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Invariant broken: ${message}`);
}
