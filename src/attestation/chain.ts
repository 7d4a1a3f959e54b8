// Judges a chain of certificates: section 3.2.3 of
// https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md and, where
// it is silent, RFC 5280, section 6. Revocation lists are not looked at, as that document demands.

import type { KmsError } from "../errors.ts";
import type { Certificate } from "./certificate.ts";
import { p384Key, rawSignature, verifyEs384 } from "./ecdsa.ts";
import { invalidDocument } from "./refusal.ts";

/** ecdsa-with-SHA384, without parameters. */
const ECDSA_SHA384 = "300a06082a8648ce3d040303";

/**
 * Throws unless each certificate of `chain`, which goes from the root to the leaf, is good for its
 * place at `now` and was issued by the one before it, and the root by itself.
 */
export async function requireChain(chain: readonly Certificate[], now: number): Promise<void> {
  for (const [index, certificate] of chain.entries()) {
    const fault =
      formFault(certificate) ??
      validityFault(certificate, now) ??
      placeFault(certificate, chain.length - 1 - index);
    if (fault) throw fault;
    const issuer = chain[index - 1] ?? certificate;
    if (certificate.issuer !== issuer.subject) {
      throw invalidDocument("a certificate does not name the one before it as its issuer");
    }
  }
  for (const [index, certificate] of chain.entries()) {
    await requireSignature(certificate, chain[index - 1] ?? certificate);
  }
}

function formFault({ signatureAlgorithms, extensions }: Certificate): KmsError | null {
  if (signatureAlgorithms.some((algorithm) => algorithm !== ECDSA_SHA384)) {
    return invalidDocument("a certificate is not signed with ECDSA and SHA-384");
  }
  return extensions.unknownCritical
    ? invalidDocument("a certificate has an unknown critical extension")
    : null;
}

function validityFault({ notBefore, notAfter }: Certificate, now: number): KmsError | null {
  if (now < notBefore) return invalidDocument("a certificate is not valid yet");
  return now > notAfter ? invalidDocument("a certificate has expired") : null;
}

/** `below` is the number of certificates that follow, of which the last is no CA's. */
function placeFault({ extensions }: Certificate, below: number): KmsError | null {
  const { basicConstraints, keyUsage } = extensions;
  if (below === 0) {
    if (basicConstraints && basicConstraints.pathLength !== null) {
      return invalidDocument("the signing certificate has a path length");
    }
    return keyUsage?.digitalSignature
      ? null
      : invalidDocument("the signing certificate is not for digital signatures");
  }
  if (!basicConstraints?.ca || !basicConstraints.critical || !keyUsage?.keyCertSign) {
    return invalidDocument("a certificate of its cabundle is not a certificate authority's");
  }
  const { pathLength } = basicConstraints;
  return pathLength !== null && pathLength < below - 1
    ? invalidDocument("a certificate's path length is exceeded")
    : null;
}

async function requireSignature(certificate: Certificate, issuer: Certificate): Promise<void> {
  const key = await p384Key(issuer.publicKey);
  if (!key) throw invalidDocument("a certificate's public key is not on the curve P-384");
  const signature = rawSignature(certificate.signature);
  if (!signature || !(await verifyEs384(key, signature, certificate.signed))) {
    throw invalidDocument("a certificate's signature does not verify");
  }
}
