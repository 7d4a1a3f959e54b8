// What an external key store proxy may answer, member by member. Each reader returns what the
// specification promises or throws InvalidResponse; members it does not name are passed over.
// https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md

import { fromBase64 } from "../crypto/base64.ts";
import { type Bytes, sameBytes } from "../crypto/bytes.ts";
import { hash } from "../crypto/hash.ts";

/** An answer that KMS cannot interpret; the message says why and goes no further than a log. */
export class InvalidResponse extends Error {}

/** The members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

export function members(json: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new InvalidResponse("the body is not JSON");
  }
  return object(value, "the body");
}

export type ManagerHealth = "ACTIVE" | "DEGRADED" | "UNAVAILABLE";

export interface HealthStatus {
  readonly xksProxyFleetSize: number;
  readonly xksProxyVendor: string;
  readonly xksProxyModel: string;
  readonly ekmVendor: string;
  /** One to ten external key managers. */
  readonly ekmFleetDetails: readonly {
    readonly id: string;
    readonly model: string;
    readonly healthStatus: ManagerHealth;
  }[];
}

export function healthStatus(answer: Members): HealthStatus {
  const size = answer.xksProxyFleetSize;
  if (!Number.isSafeInteger(size) || (size as number) < 1) {
    throw new InvalidResponse("xksProxyFleetSize is not an integer greater than zero");
  }
  return {
    xksProxyFleetSize: size as number,
    xksProxyVendor: text(answer, "xksProxyVendor"),
    xksProxyModel: text(answer, "xksProxyModel"),
    ekmVendor: text(answer, "ekmVendor"),
    ekmFleetDetails: list(answer, "ekmFleetDetails", 1).map((entry) => {
      const manager = object(entry, "an entry of ekmFleetDetails");
      return {
        id: text(manager, "id"),
        model: text(manager, "model"),
        healthStatus: oneOf(manager, "healthStatus", ["ACTIVE", "DEGRADED", "UNAVAILABLE"]),
      };
    }),
  };
}

export interface ExternalKeyMetadata {
  readonly keySpec: string;
  /** At most ten, of which KMS knows ENCRYPT and DECRYPT. */
  readonly keyUsage: readonly string[];
  readonly keyStatus: "ENABLED" | "DISABLED";
}

export function externalKeyMetadata(answer: Members): ExternalKeyMetadata {
  const keyUsage = list(answer, "keyUsage", 0);
  if (!keyUsage.every((usage) => typeof usage === "string")) {
    throw new InvalidResponse("keyUsage is not a list of strings");
  }
  return {
    keySpec: text(answer, "keySpec"),
    keyUsage,
    keyStatus: oneOf(answer, "keyStatus", ["ENABLED", "DISABLED"]),
  };
}

/** What AES-GCM gives in an external key manager. */
export interface ProxyCiphertext {
  /** As long as the plaintext. */
  readonly ciphertext: Uint8Array;
  /** 12 or 16 bytes. */
  readonly initializationVector: Uint8Array;
  /** 16 bytes. */
  readonly authenticationTag: Uint8Array;
  /** Up to 20 bytes of the proxy's own, to be handed back with the ciphertext; may be none. */
  readonly ciphertextMetadata: Uint8Array;
}

export const IV_LENGTHS: readonly number[] = [12, 16];
export const TAG_BYTES = 16;
export const MAX_METADATA_BYTES = 20;

/** A ciphertext whose integrity value is right; both were asked for. */
export function proxyCiphertext(
  answer: Members,
  plaintextBytes: number,
  authenticatedData: Uint8Array,
): ProxyCiphertext {
  const read: ProxyCiphertext = {
    ciphertext: sized(answer, "ciphertext", (length) => length === plaintextBytes),
    initializationVector: sized(answer, "initializationVector", (n) => IV_LENGTHS.includes(n)),
    authenticationTag: sized(answer, "authenticationTag", (length) => length === TAG_BYTES),
    ciphertextMetadata:
      answer.ciphertextMetadata === undefined
        ? new Uint8Array(0)
        : sized(answer, "ciphertextMetadata", (length) => length <= MAX_METADATA_BYTES),
  };
  const stated = sized(answer, "ciphertextDataIntegrityValue", (length) => length === 32);
  if (!sameBytes(stated, integrityValue(read, authenticatedData))) {
    throw new InvalidResponse("ciphertextDataIntegrityValue is not that of the ciphertext");
  }
  return read;
}

/** Appendix C: the hash of all parts, one after the other. */
const integrityValue = (sealed: ProxyCiphertext, authenticatedData: Uint8Array): Bytes =>
  hash(
    "sha256",
    authenticatedData,
    sealed.ciphertextMetadata,
    sealed.initializationVector,
    sealed.ciphertext,
    sealed.authenticationTag,
  );

export const proxyPlaintext = (answer: Members, ciphertextBytes: number): Bytes =>
  sized(answer, "plaintext", (length) => length === ciphertextBytes);

function object(value: unknown, what: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidResponse(`${what} is not a JSON object`);
  }
  return value as Members;
}

function text(answer: Members, name: string): string {
  const value = answer[name];
  if (typeof value !== "string") throw new InvalidResponse(`${name} is not a string`);
  return value;
}

function oneOf<const T extends string>(answer: Members, name: string, values: readonly T[]): T {
  const value = values.find((candidate) => candidate === answer[name]);
  if (value === undefined) throw new InvalidResponse(`${name} is not one of ${values.join(", ")}`);
  return value;
}

/** No list of the specification has more than ten entries. */
function list(answer: Members, name: string, min: number): readonly unknown[] {
  const value = answer[name];
  if (!Array.isArray(value) || value.length < min || value.length > 10) {
    throw new InvalidResponse(`${name} is not a list of ${min} to 10 entries`);
  }
  return value;
}

/** Standard Base64 with its padding: section 4 of RFC 4648, as the specification wants it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function sized(answer: Members, name: string, fits: (length: number) => boolean): Bytes {
  const value = text(answer, name);
  if (!BASE64.test(value)) throw new InvalidResponse(`${name} is not Base64`);
  const bytes = fromBase64(value);
  if (!fits(bytes.length)) throw new InvalidResponse(`${name} has ${bytes.length} bytes`);
  return bytes;
}
