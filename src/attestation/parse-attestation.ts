// The Recipient of a request: from the bytes of an attestation document to what KMS may believe of
// the enclave or instance behind it.
// https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html

import { type Bytes, sameBytes } from "../crypto/bytes.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { requireChain } from "./chain.ts";
import { readDocument } from "./document.ts";
import { p384Key, verifyEs384 } from "./ecdsa.ts";
import { recipientKey } from "./recipient-key.ts";
import { invalidDocument } from "./refusal.ts";
import type { TrustedRoots } from "./roots.ts";

/** What a verified document says; plain data, fit for RPC. */
export interface Attestation {
  /** An RSA key of 2048 bits or more, as SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  /**
   * Registers by index, 0 to 31, in lower-case hex: the condition keys
   * kms:RecipientAttestation:PCR<n> of an enclave, NitroTPMPCR<n> of a NitroTPM.
   */
  readonly pcrs: ReadonlyMap<number, string>;
  readonly moduleId: string;
  /** kms:RecipientAttestation:ImageSha384, which is PCR0 of an enclave; null where there is none. */
  readonly imageSha384: string | null;
  readonly nitroTpm: boolean;
}

export interface Trust {
  readonly roots: TrustedRoots;
  /** Real time, in milliseconds since 1970, even where an emulator's clock was moved. */
  readonly now: number;
}

/**
 * Verifies an attestation document of a Nitro enclave or a NitroTPM. Throws ValidationException
 * for anything but a document that one of the roots vouches for and that holds a usable key.
 */
export async function parseAttestation(
  bytes: Uint8Array,
  { roots, now }: Trust,
): Promise<Attestation> {
  const document = readDocument(bytes);
  requireTrusted(document.cabundle[0], roots);
  const leaf = certificateIn(document.certificate);
  const chain = [...document.cabundle.map(certificateIn), leaf];
  // Before the chain, which takes a verification for every certificate.
  await requireSignedBy(leaf, document);
  await requireChain(chain, now);
  const { publicKey, pcrs, moduleId, nitroTpm } = document;
  if (!publicKey) throw invalidDocument("it has no public_key");
  await recipientKey(publicKey);
  return {
    // A copy: what was read is a view of the whole document.
    publicKey: publicKey.slice(),
    pcrs,
    moduleId,
    imageSha384: nitroTpm ? null : (pcrs.get(0) ?? null),
    nitroTpm,
  };
}

function certificateIn(der: Bytes): Certificate {
  const certificate = readCertificate(der);
  if (!certificate) throw invalidDocument("a certificate is not X.509 version 3 in DER");
  return certificate;
}

interface Signed {
  readonly signed: Bytes;
  readonly signature: Bytes;
}

async function requireSignedBy(leaf: Certificate, { signed, signature }: Signed): Promise<void> {
  const key = await p384Key(leaf.publicKey);
  if (!key) throw invalidDocument("a certificate's public key is not on the curve P-384");
  if (!(await verifyEs384(key, signature, signed))) {
    throw invalidDocument("its signature does not verify");
  }
}

function requireTrusted(root: Bytes | undefined, roots: TrustedRoots): void {
  if (roots === "any") return;
  if (!root || !roots.some((trusted) => sameBytes(trusted, root))) {
    throw invalidDocument("its root certificate is not trusted");
  }
}
