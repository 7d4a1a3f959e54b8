// Reads the fields of an X.509 certificate that its place in a chain depends on. Judges none of
// them: that is chain.ts. RFC 5280, section 4.

import { toHex } from "../crypto/base64.ts";
import type { Bytes } from "../crypto/bytes.ts";
import { DerInput, readDer } from "../crypto/der.ts";

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
  readonly basicConstraints: BasicConstraints | null;
  readonly keyUsage: KeyUsage | null;
  /** Whether there is a critical extension other than these two. */
  readonly unknownCritical: boolean;
}

export interface BasicConstraints {
  readonly critical: boolean;
  readonly ca: boolean;
  readonly pathLength: number | null;
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const VERSION = 0xa0;
const ISSUER_UNIQUE_ID = 0x81;
const SUBJECT_UNIQUE_ID = 0x82;
const EXTENSIONS = 0xa3;

const VERSION_3 = 2;
const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";

/** The certificate that these bytes are, or null if they are none of version 3 in DER. */
export function readCertificate(der: Uint8Array): Certificate | null {
  const read = readDer(der, (input) => input.sequence(readParts));
  if (!read || read.version !== VERSION_3) return null;
  const { certificate, extensions } = read;
  if (Number.isNaN(certificate.notBefore) || Number.isNaN(certificate.notAfter)) return null;
  const once = new Set(extensions.map(({ id }) => id));
  return once.size === extensions.length ? certificate : null;
}

function readParts(parts: DerInput) {
  const signed = new Uint8Array(parts.encodedSequence());
  const algorithm = toHex(parts.encodedSequence());
  const signature = parts.bitString();
  return new DerInput(signed).sequence((fields) => {
    const version = numberIn(fields.explicit(VERSION, (number) => number.element(INTEGER)));
    fields.element(INTEGER); // the serial number
    const signedAlgorithm = toHex(fields.encodedSequence());
    const issuer = toHex(fields.encodedSequence());
    const [notBefore, notAfter] = fields.sequence((times) => [time(times), time(times)]);
    const subject = toHex(fields.encodedSequence());
    const publicKey = new Uint8Array(fields.encodedSequence());
    fields.optional(ISSUER_UNIQUE_ID);
    fields.optional(SUBJECT_UNIQUE_ID);
    const extensions = fields.explicit(EXTENSIONS, (list) => list.sequence(extensionsIn)) ?? [];
    const certificate: Certificate = {
      signed,
      signatureAlgorithms: [signedAlgorithm, algorithm],
      signature,
      issuer,
      subject,
      notBefore,
      notAfter,
      publicKey,
      extensions: understood(extensions),
    };
    return { version, certificate, extensions };
  });
}

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: DerInput;
}

function extensionsIn(list: DerInput): Extension[] {
  const extensions: Extension[] = [];
  for (let next = list.optional(SEQUENCE); next; next = list.optional(SEQUENCE)) {
    extensions.push(
      new DerInput(next).whole((fields) => ({
        id: toHex(fields.element(OBJECT_IDENTIFIER)),
        critical: flag(fields),
        value: new DerInput(fields.octetString()),
      })),
    );
  }
  return extensions;
}

function understood(extensions: readonly Extension[]): Extensions {
  const constraints = extensions.find(({ id }) => id === BASIC_CONSTRAINTS);
  const usage = extensions.find(({ id }) => id === KEY_USAGE);
  return {
    basicConstraints: constraints
      ? { critical: constraints.critical, ...constraints.value.whole(basicConstraints) }
      : null,
    keyUsage: usage ? usage.value.whole(keyUsage) : null,
    unknownCritical: extensions.some(
      (extension) => extension.critical && extension !== constraints && extension !== usage,
    ),
  };
}

const basicConstraints = (value: DerInput) =>
  value.sequence((fields) => {
    const ca = flag(fields);
    const pathLength = fields.optional(INTEGER);
    return { ca, pathLength: pathLength && numberIn(pathLength) };
  });

function keyUsage(value: DerInput): KeyUsage {
  const [, first = 0] = value.element(BIT_STRING);
  return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0 };
}

/** BOOLEAN DEFAULT FALSE, which DER leaves out where it is false. */
const flag = (fields: DerInput): boolean => (fields.optional(BOOLEAN)?.[0] ?? 0) !== 0;

/** An INTEGER's content from 0 to 127; -1 for any other, which no rule takes. */
function numberIn(content: Uint8Array | null): number {
  const [number, ...more] = content ?? [];
  return number === undefined || number > 0x7f || more.length > 0 ? -1 : number;
}

/** UTCTime or GeneralizedTime as milliseconds since 1970; NaN unless in seconds and with `Z`. */
function time(fields: DerInput): number {
  const short = fields.optional(UTC_TIME);
  const digits = new TextDecoder().decode(short ?? fields.element(GENERALIZED_TIME));
  // A year of two digits is of 1950 to 2049.
  const century = short ? (digits < "5" ? "20" : "19") : "";
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + digits) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
