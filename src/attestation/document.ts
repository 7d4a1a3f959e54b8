// Reads an attestation document: a COSE_Sign1 structure around a CBOR map, held to the syntactical
// rules of section 3.2.2 of
// https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md and, for
// NitroTPM, of https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/nitrotpm-attestation-document-validate.html.
// Believes nothing yet: signatures and certificates are judged elsewhere.

import { encode } from "cborg";
import { toHex } from "../crypto/base64.ts";
import type { Bytes } from "../crypto/bytes.ts";
import { decodePlain } from "./cbor.ts";
import { SIGNATURE_BYTES } from "./ecdsa.ts";
import { invalidDocument } from "./refusal.ts";

export interface AttestationDocument {
  readonly moduleId: string;
  /** Whether it comes from an instance's NitroTPM rather than from an enclave. */
  readonly nitroTpm: boolean;
  /** The registers by index, in lower-case hex. */
  readonly pcrs: ReadonlyMap<number, string>;
  readonly certificate: Bytes;
  /** From the root down to the issuer of `certificate`. */
  readonly cabundle: readonly Bytes[];
  readonly publicKey: Bytes | null;
  /** What `certificate`'s key has signed. */
  readonly signed: Bytes;
  readonly signature: Bytes;
}

/** COSE's tag 18, which may stand before the structure. */
const COSE_SIGN1_TAG = 0xd2;
const ALGORITHM = 1;
const ES384 = -35;
const MAX_PAYLOAD_BYTES = 16_384;
const MAX_CERTIFICATE_BYTES = 1024;
const MAX_PUBLIC_KEY_BYTES = 1024;
/** Of user_data and nonce, by the table of each kind of document. */
const MAX_DATA_BYTES = { enclave: 512, nitroTpm: 1024 } as const;
const PCR_BYTES = [32, 48, 64];
const MAX_PCRS = 32;

const ENCLAVE_PCRS = "pcrs";
const NITROTPM_PCRS = "nitrotpm_pcrs";
const members = new Set<unknown>([
  "module_id",
  "digest",
  "timestamp",
  ENCLAVE_PCRS,
  NITROTPM_PCRS,
  "certificate",
  "cabundle",
  "public_key",
  "user_data",
  "nonce",
]);

type Members = ReadonlyMap<unknown, unknown>;

/** Reads the document; throws ValidationException for the first rule it breaks. */
export function readDocument(bytes: Uint8Array): AttestationDocument {
  const { protectedHeader, payload, signature } = readSign1(bytes);
  requireEs384(protectedHeader);
  const map = decodePlain(payload);
  if (!(map instanceof Map)) throw invalidDocument("its payload is not a CBOR map");
  for (const name of map.keys()) {
    if (!members.has(name)) throw invalidDocument("it has a member that is not defined");
  }
  requireScalars(map);
  const nitroTpm = map.has(NITROTPM_PCRS);
  if (nitroTpm && map.has(ENCLAVE_PCRS)) {
    throw invalidDocument(`it has both ${ENCLAVE_PCRS} and ${NITROTPM_PCRS}`);
  }
  const maxData = nitroTpm ? MAX_DATA_BYTES.nitroTpm : MAX_DATA_BYTES.enclave;
  optionalBytes(map, "user_data", 0, maxData);
  optionalBytes(map, "nonce", 0, maxData);
  return {
    moduleId: mandatory(map, "module_id") as string,
    nitroTpm,
    pcrs: readPcrs(map, nitroTpm ? NITROTPM_PCRS : ENCLAVE_PCRS),
    certificate: certificateBytes(mandatory(map, "certificate"), "its certificate"),
    cabundle: readCabundle(map),
    publicKey: optionalBytes(map, "public_key", 1, MAX_PUBLIC_KEY_BYTES),
    signed: encode(["Signature1", protectedHeader, new Uint8Array(), payload]),
    signature,
  };
}

function readSign1(bytes: Uint8Array) {
  const tagged = bytes[0] === COSE_SIGN1_TAG;
  const structure = decodePlain(tagged ? bytes.subarray(1) : bytes);
  const [protectedHeader, unprotected, payload, signature] =
    Array.isArray(structure) && structure.length === 4 ? (structure as unknown[]) : [];
  if (
    !isBytes(protectedHeader) ||
    !(unprotected instanceof Map && unprotected.size === 0) ||
    !isBytes(payload) ||
    !isBytes(signature)
  ) {
    throw invalidDocument("it is not a COSE_Sign1 structure");
  }
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw invalidDocument(`its payload has more than ${MAX_PAYLOAD_BYTES} bytes`);
  }
  if (signature.length !== SIGNATURE_BYTES) {
    throw invalidDocument(`its signature does not have ${SIGNATURE_BYTES} bytes`);
  }
  return { protectedHeader, payload, signature };
}

function requireEs384(protectedHeader: Bytes): void {
  const header = decodePlain(protectedHeader);
  if (!(header instanceof Map && header.size === 1 && header.get(ALGORITHM) === ES384)) {
    throw invalidDocument("its algorithm is not ES384");
  }
}

function requireScalars(map: Members): void {
  const moduleId = mandatory(map, "module_id");
  if (typeof moduleId !== "string" || moduleId === "") {
    throw invalidDocument("its module_id is not a text of one character or more");
  }
  if (mandatory(map, "digest") !== "SHA384") throw invalidDocument("its digest is not SHA384");
  const timestamp = mandatory(map, "timestamp"); // Beyond 2^53 a bigint.
  if (!(typeof timestamp === "number" || typeof timestamp === "bigint") || timestamp <= 0) {
    throw invalidDocument("its timestamp is not a positive integer");
  }
}

function readPcrs(map: Members, name: string): Map<number, string> {
  const pcrs = mandatory(map, name);
  if (!(pcrs instanceof Map) || pcrs.size < 1 || pcrs.size > MAX_PCRS) {
    throw invalidDocument(`its ${name} is not a map of 1 to ${MAX_PCRS} registers`);
  }
  const registers = new Map<number, string>();
  for (const [index, value] of pcrs as Members) {
    if (typeof index !== "number" || index < 0 || index >= MAX_PCRS) {
      throw invalidDocument(`its ${name} has an index that is not 0 to ${MAX_PCRS - 1}`);
    }
    if (!isBytes(value) || !PCR_BYTES.includes(value.length)) {
      throw invalidDocument(`its ${name} has a register that is not of 32, 48 or 64 bytes`);
    }
    registers.set(index, toHex(value));
  }
  return registers;
}

function readCabundle(map: Members): Bytes[] {
  const cabundle = mandatory(map, "cabundle");
  if (!Array.isArray(cabundle) || cabundle.length === 0) {
    throw invalidDocument("its cabundle is not a list of one certificate or more");
  }
  return cabundle.map((entry: unknown) => certificateBytes(entry, "a certificate of its cabundle"));
}

function certificateBytes(value: unknown, which: string): Bytes {
  if (isBytes(value) && value.length >= 1 && value.length <= MAX_CERTIFICATE_BYTES) return value;
  throw invalidDocument(`${which} is not of 1 to ${MAX_CERTIFICATE_BYTES} bytes`);
}

function mandatory(map: Members, name: string): unknown {
  if (!map.has(name)) throw invalidDocument(`it has no ${name}`);
  return map.get(name);
}

/**
 * An optional member's bytes, null without it. AWS's text forbids null as a content, yet Nitro
 * itself writes null for what the enclave did not give, so here it is the same as no member.
 */
function optionalBytes(map: Members, name: string, min: number, max: number): Bytes | null {
  const value = map.get(name) ?? null;
  if (value === null) return null;
  if (isBytes(value) && value.length >= min && value.length <= max) return value;
  throw invalidDocument(`its ${name} is not of ${min} to ${max} bytes`);
}

const isBytes = (value: unknown): value is Bytes => value instanceof Uint8Array;
