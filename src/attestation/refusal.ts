// The one exception an attestation document is refused with. KMS's own texts are not public, so
// the reasons are ours: one per rule, so that a client's author sees which.

import { type KmsError, validation } from "../errors.ts";

/** `reason` is a clause about the document, "its signature does not verify". */
export const invalidDocument = (reason: string): KmsError =>
  validation(`Invalid attestation document: ${reason}.`);
