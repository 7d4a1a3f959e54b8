// The Recipient of a request: its attestation document, verified here so that it goes no further;
// what it says travels with the call.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_RecipientInfo.html

import type { Attestation } from "../attestation/parse-attestation.ts";
import { fromBase64 } from "../crypto/base64.ts";
import { KmsError } from "../errors.ts";
import { memberMissing } from "../operations/members.ts";
import type { WorkerSettings } from "../settings.ts";

/** A request's member, as it was read; AWS's model requires neither half of it. */
interface RecipientInput {
  readonly KeyEncryptionAlgorithm?: string;
  readonly AttestationDocument?: string;
}

/** An input without its Recipient, and what that one's document says. */
export interface Attested {
  readonly input: object;
  readonly recipient?: Attestation;
}

/**
 * Takes the Recipient, if there is one, out of an input. `now` is the real time, whatever the
 * tenant's clock says: certificates are of the real world. Throws ValidationException for a document
 * that no trusted root vouches for, and UnsupportedOperationException where no root was configured.
 */
export function attested(
  input: { readonly Recipient?: RecipientInput },
  settings: Pick<WorkerSettings, "nitroRoot">,
  now: number,
): Attested | Promise<Attested> {
  return input.Recipient === undefined ? { input } : verified(input, settings, now);
}

async function verified(
  { Recipient = {}, ...input }: { readonly Recipient?: RecipientInput },
  settings: Pick<WorkerSettings, "nitroRoot">,
  now: number,
): Promise<Attested> {
  return { input, recipient: await attestationOf(Recipient, settings, now) };
}

async function attestationOf(
  { KeyEncryptionAlgorithm, AttestationDocument }: RecipientInput,
  { nitroRoot }: Pick<WorkerSettings, "nitroRoot">,
  now: number,
): Promise<Attestation> {
  if (nitroRoot === "none") {
    throw new KmsError(
      "UnsupportedOperationException",
      "Recipient is not supported by this edge-kms, which trusts no root of attestation documents: " +
        "NITRO_ROOT is not set to `aws`, `any` or certificates in PEM form.",
    );
  }
  if (KeyEncryptionAlgorithm === undefined) {
    throw memberMissing("recipient.keyEncryptionAlgorithm");
  }
  if (AttestationDocument === undefined) throw memberMissing("recipient.attestationDocument");
  // Loaded by the first that comes: few servers ever see one, and the libraries take milliseconds.
  const { parseAttestation } = await import("../attestation/parse-attestation.ts");
  const { rootsFrom } = await import("../attestation/roots.ts");
  return parseAttestation(fromBase64(AttestationDocument), { roots: rootsFrom(nitroRoot), now });
}
