// A certificate authority of its own for each run of the tests, so that TLS is checked for real
// and no key lies in the repository. X.509 v3 by hand, because Node reads certificates but makes
// none: https://www.rfc-editor.org/rfc/rfc5280

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** What a TLS server presents. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority: its own certificate in PEM, and the certificates it issues. */
export interface Authority {
  readonly pem: string;
  issue(host: string, validity?: Validity): ServerCertificate;
}

export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

const DAY_MS = 86_400_000;
const days = (count: number) => new Date(Date.now() + count * DAY_MS);
const current: Validity = { from: days(-1), to: days(2) };
/** What was right until yesterday. */
export const expired: Validity = { from: days(-9), to: days(-1) };

export function newAuthority(name: string): Authority {
  const keys = newKeys();
  let serial = 1;
  const certified = (subject: Subject, validity: Validity) =>
    pem("CERTIFICATE", certificate(subject, { name, key: keys.privateKey }, serial++, validity));
  return {
    pem: certified({ name, publicKey: keys.publicKey, extension: authorityOnly() }, current),
    issue(host, validity = current) {
      const { publicKey, privateKey } = newKeys();
      const subject = { name: host, publicKey, extension: alternativeName(host) };
      const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      return { cert: certified(subject, validity), key };
    },
  };
}

const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extension: Buffer;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

function certificate(subject: Subject, issuer: Issuer, serial: number, valid: Validity): Buffer {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.of(serial)),
    algorithm,
    commonName(issuer.name),
    sequence(time(valid.from), time(valid.to)),
    commonName(subject.name),
    subject.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(subject.extension)),
  );
  const signature = sign("sha256", signed, issuer.key);
  return sequence(signed, algorithm, der(0x03, Buffer.of(0), signature));
}

const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const BASIC_CONSTRAINTS = "551d13";
const SUBJECT_ALTERNATIVE_NAME = "551d11";

const alternativeName = (host: string) =>
  sequence(
    oid(SUBJECT_ALTERNATIVE_NAME),
    octets(sequence(der(0x82, Buffer.from(host, "ascii")))), // dNSName
  );
const authorityOnly = () =>
  sequence(
    oid(BASIC_CONSTRAINTS),
    der(0x01, Buffer.of(0xff)), // critical
    octets(sequence(der(0x01, Buffer.of(0xff)))), // cA
  );
const commonName = (name: string) =>
  sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(name)))));
/** UTCTime, as RFC 5280 wants it before 2050. */
const time = (date: Date) =>
  der(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, "").slice(2, 14)}Z`));
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const octets = (value: Buffer) => der(0x04, value);
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
