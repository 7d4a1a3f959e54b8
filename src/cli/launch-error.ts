/** A start that failed for a reason its user can act on; the message is the one line to show. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
}
