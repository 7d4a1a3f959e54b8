// What a refused document is refused with.

import { KmsError } from "../../../src/errors.ts";

/** The reason of the ValidationException; any other outcome, a crash above all, fails the test. */
export async function refusal(parsed: Promise<unknown>): Promise<string> {
  const error = await parsed.then(
    () => new Error("The document was accepted"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KmsError) || error.type !== "ValidationException") throw error;
  const [, reason] = /^Invalid attestation document: (.+)\.$/.exec(error.text ?? "") ?? [];
  if (reason === undefined) throw error;
  return reason;
}
