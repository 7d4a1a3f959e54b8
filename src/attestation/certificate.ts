// Reads the fields of an X.509 certificate that its place in a chain depends on. Judges none of
// them: that is chain.ts. RFC 5280, section 4.

import { AsnConvert } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  type Extension,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  Version,
  Certificate as X509,
} from "@peculiar/asn1-x509";
import { toHex } from "../crypto/base64.ts";
import { type Bytes, sameBytes } from "../crypto/bytes.ts";

export interface Certificate {
  /** The signed part, as it was signed. */
  readonly signed: Bytes;
  /** AlgorithmIdentifiers in DER and hex: inside the signed part, and beside the signature. */
  readonly signatureAlgorithms: readonly [string, string];
  /** What the algorithm made, for ECDSA a DER structure. */
  readonly signature: Uint8Array;
  /** Names in DER and hex: two are the same name if they are the same text. */
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  readonly extensions: Extensions;
}

export interface Extensions {
  readonly basicConstraints: BasicConstraintsOf | null;
  readonly keyUsage: KeyUsageOf | null;
  /** Whether there is a critical extension other than these two. */
  readonly unknownCritical: boolean;
}

export interface BasicConstraintsOf {
  readonly critical: boolean;
  readonly ca: boolean;
  readonly pathLength: number | null;
}

export interface KeyUsageOf {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
}

/** The certificate that these bytes are, or null if they are none of version 3 in DER. */
export function readCertificate(der: Uint8Array): Certificate | null {
  try {
    return certificateIn(new Uint8Array(der));
  } catch {
    return null; // The libraries throw errors of many classes, whose texts are not for clients.
  }
}

function certificateIn(der: Bytes): Certificate | null {
  const certificate = AsnConvert.parse(der, X509);
  // The parser takes all of BER, and a thirteenth month for the first of another year. What it
  // writes is DER and what it understood, so whatever else was read does not come out the same.
  if (!sameBytes(encoded(certificate), der)) return null;
  const { tbsCertificate, tbsCertificateRaw, signatureAlgorithm, signatureValue } = certificate;
  const { version, validity, extensions = [] } = tbsCertificate;
  if (version !== Version.v3 || !tbsCertificateRaw) return null;
  if (new Set(extensions.map(({ extnID }) => extnID)).size !== extensions.length) return null;
  return {
    signed: new Uint8Array(tbsCertificateRaw),
    signatureAlgorithms: [
      toHex(encoded(tbsCertificate.signature)),
      toHex(encoded(signatureAlgorithm)),
    ],
    signature: new Uint8Array(signatureValue),
    issuer: toHex(encoded(tbsCertificate.issuer)),
    subject: toHex(encoded(tbsCertificate.subject)),
    notBefore: validity.notBefore.getTime().getTime(),
    notAfter: validity.notAfter.getTime().getTime(),
    publicKey: encoded(tbsCertificate.subjectPublicKeyInfo),
    extensions: understood(extensions),
  };
}

function understood(extensions: readonly Extension[]): Extensions {
  const constraints = extensions.find(({ extnID }) => extnID === id_ce_basicConstraints);
  const usage = extensions.find(({ extnID }) => extnID === id_ce_keyUsage);
  return {
    basicConstraints: constraints ? basicConstraints(constraints) : null,
    keyUsage: usage ? keyUsage(usage) : null,
    unknownCritical: extensions.some(
      (extension) => extension.critical && extension !== constraints && extension !== usage,
    ),
  };
}

function basicConstraints({ critical, extnValue }: Extension): BasicConstraintsOf {
  const { cA, pathLenConstraint } = AsnConvert.parse(extnValue, BasicConstraints);
  return { critical, ca: cA, pathLength: pathLenConstraint ?? null };
}

function keyUsage({ extnValue }: Extension): KeyUsageOf {
  const flags = AsnConvert.parse(extnValue, KeyUsage).toNumber();
  return {
    digitalSignature: (flags & KeyUsageFlags.digitalSignature) !== 0,
    keyCertSign: (flags & KeyUsageFlags.keyCertSign) !== 0,
  };
}

const encoded = (value: object): Bytes => new Uint8Array(AsnConvert.serialize(value));
