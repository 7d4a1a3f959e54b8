// What an attested enclave or instance is answered: its secret in an envelope, and not in the clear.
// https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html

import type { Attestation } from "../attestation/parse-attestation.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import type { Moment } from "../domain/moment.ts";

const CONTENT_KEY_BYTES = 32;
const CONTENT_IV_BYTES = 16;

/**
 * The answer with its member `secret` as CiphertextForRecipient. KeyMaterialId is left out, as AWS
 * leaves it out. Throws ValidationException where the recipient's key does not encrypt.
 */
export async function sealed(
  answer: object,
  secret: string,
  { publicKey }: Attestation,
  random: Moment["random"],
): Promise<object> {
  const { [secret]: plaintext, KeyMaterialId: _, ...shown } = answer as Record<string, string>;
  const { envelopeFor } = await import("../attestation/envelope.ts");
  const envelope = await envelopeFor(publicKey, fromBase64(plaintext ?? ""), {
    contentKey: random(CONTENT_KEY_BYTES),
    iv: random(CONTENT_IV_BYTES),
  });
  return { ...shown, CiphertextForRecipient: toBase64(envelope) };
}
