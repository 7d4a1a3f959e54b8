// What fails where nobody is to be answered, in the log; nothing with LOG=off.

import { logsNothing } from "../settings.ts";

/** Logs that something failed. Never throws; `more` must hold no secret. */
export function logFailure(env: object, event: string, cause: unknown, more: object = {}): void {
  if (logsNothing(env)) return;
  console.error(JSON.stringify({ event, ...more, cause: String(cause) }));
}
