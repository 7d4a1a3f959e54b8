// A certificate authority and a Nitro hypervisor for tests, on WebCrypto alone so that they run in
// Node and in workerd: chains from a root to a leaf, and attestation documents the leaf signs.
// Every rule can be broken from outside.

import { encode, Tagged } from "cborg";
import {
  type Bytes,
  bitString,
  concat,
  der,
  hex,
  integer,
  objectId,
  octets,
  sequence,
  TRUE,
  text,
} from "./der-writer.ts";

/** When the chains and documents of the tests are good. */
export const NOW = Date.UTC(2026, 0, 3, 12);
const HOUR = 3_600_000;

const SHA384_ALGORITHM = sequence(objectId("2a8648ce3d040303"));
const SHA256_ALGORITHM = sequence(objectId("2a8648ce3d040302"));
const P384 = { name: "ECDSA", namedCurve: "P-384" };

export type KeyUsageBit = "digitalSignature" | "keyCertSign";

/** What makes one certificate other than its place in a chain asks for. */
export interface CertificateChanges {
  readonly subject?: string;
  readonly issuer?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly generalizedTime?: boolean;
  /** null leaves the extension out. */
  readonly basicConstraints?: { ca?: boolean; pathLength?: number; critical?: boolean } | null;
  readonly keyUsage?: readonly KeyUsageBit[] | null;
  readonly extensions?: readonly Bytes[];
  readonly algorithm?: "ECDSA-SHA256";
  readonly curve?: "P-256";
  /** Signs with a key that is nobody's. */
  readonly foreignSignature?: boolean;
  /** Changes the bytes that are signed. */
  readonly edit?: (signed: Bytes) => Bytes;
}

export interface Chain {
  /** From the root to the leaf. */
  readonly certificates: readonly Bytes[];
  readonly leafKey: CryptoKey;
}

/**
 * A chain like Nitro's, of a root, `intermediates` authorities and a leaf; `changes` are by the
 * certificate's place, the root's being 0.
 */
export async function makeChain(
  intermediates = 1,
  changes: Readonly<Record<number, CertificateChanges>> = {},
): Promise<Chain> {
  const length = intermediates + 2;
  const certificates: Bytes[] = [];
  let issuer: { name: string; key: CryptoKey } | null = null;
  for (let place = 0; place < length; place++) {
    const change = changes[place] ?? {};
    const keys = await keyPair({ ...P384, namedCurve: change.curve ?? "P-384" }, [
      "sign",
      "verify",
    ]);
    const name = change.subject ?? `place ${place}`;
    const by: { name: string; key: CryptoKey } = issuer ?? { name, key: keys.privateKey };
    certificates.push(await certify(name, by, keys.publicKey, length - 1 - place, change));
    issuer = { name, key: keys.privateKey };
  }
  return { certificates, leafKey: (issuer as { key: CryptoKey }).key };
}

async function certify(
  subject: string,
  issuer: { name: string; key: CryptoKey },
  publicKey: CryptoKey,
  below: number,
  change: CertificateChanges,
): Promise<Bytes> {
  const sha256 = change.algorithm === "ECDSA-SHA256";
  const algorithm = sha256 ? SHA256_ALGORITHM : SHA384_ALGORITHM;
  const spki = await spkiOf(publicKey);
  const written = sequence(
    der(0xa0, hex("020102")),
    integer(crypto.getRandomValues(new Uint8Array(16))),
    algorithm,
    distinguishedName(change.issuer ?? issuer.name),
    sequence(
      time(change.notBefore ?? NOW - HOUR, change.generalizedTime),
      time(change.notAfter ?? NOW + 2 * HOUR, change.generalizedTime),
    ),
    distinguishedName(subject),
    spki,
    der(0xa3, sequence(...extensions(below, change))),
  );
  const signed = change.edit?.(written) ?? written;
  const key = change.foreignSignature ? await foreignKey() : issuer.key;
  const hash = sha256 ? "SHA-256" : "SHA-384";
  const raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash }, key, signed));
  const half = raw.length / 2;
  const signature = sequence(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
  return sequence(signed, algorithm, bitString(signature));
}

async function foreignKey(): Promise<CryptoKey> {
  return (await keyPair(P384, ["sign", "verify"])).privateKey;
}

/** CN=`name`, O=Amazon. */
const distinguishedName = (name: string) =>
  sequence(
    der(0x31, sequence(objectId("55040a"), der(0x0c, text("Amazon")))),
    der(0x31, sequence(objectId("550403"), der(0x0c, text(name)))),
  );

function time(at: number, generalized = false): Bytes {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return generalized ? der(0x18, text(digits)) : der(0x17, text(digits.slice(2)));
}

function extensions(below: number, change: CertificateChanges): Bytes[] {
  const {
    basicConstraints = below > 0 ? { ca: true, pathLength: below - 1 } : {},
    keyUsage = below > 0 ? ["keyCertSign"] : ["digitalSignature"],
  } = change;
  const list: Bytes[] = [];
  if (basicConstraints) {
    const { ca = false, pathLength, critical = true } = basicConstraints;
    const value = sequence(
      ca ? TRUE : new Uint8Array(),
      pathLength === undefined ? new Uint8Array() : integer(new Uint8Array([pathLength])),
    );
    list.push(extension("551d13", critical, value));
  }
  if (keyUsage) {
    const bits =
      (keyUsage.includes("digitalSignature") ? 0x80 : 0) |
      (keyUsage.includes("keyCertSign") ? 0x04 : 0);
    list.push(extension("551d0f", below > 0, der(0x03, new Uint8Array([2, bits]))));
  }
  return [...list, ...(change.extensions ?? [])];
}

export const extension = (id: string, critical: boolean, value: Bytes) =>
  sequence(objectId(id), critical ? TRUE : new Uint8Array(), octets(value));

/** A register of `byteLength` bytes that are all `value`. */
export const register = (value: number, byteLength = 48) => new Uint8Array(byteLength).fill(value);

/** What makes a document other than a good one of an enclave. */
export interface DocumentChanges {
  /** Members to set; undefined leaves one out. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Instead of the map of members. */
  readonly payload?: Uint8Array;
  readonly protectedHeader?: Uint8Array;
  readonly unprotected?: Map<unknown, unknown>;
  readonly tag?: number;
  /** Signs with this key instead of the leaf's. */
  readonly key?: CryptoKey;
  readonly editSignature?: (signature: Bytes) => Bytes;
}

/** A signed attestation document for this public key. */
export async function attest(
  chain: Chain,
  publicKey: Uint8Array,
  changes: DocumentChanges = {},
): Promise<Bytes> {
  const members: Record<string, unknown> = {
    module_id: "i-1234567890abcdef0-enc0123456789abcdef",
    digest: "SHA384",
    timestamp: NOW,
    pcrs: new Map([
      [0, register(0xa0)],
      [1, register(0xa1)],
      [31, register(0x1f)],
    ]),
    certificate: chain.certificates.at(-1),
    cabundle: chain.certificates.slice(0, -1),
    public_key: publicKey,
    user_data: null,
    nonce: null,
    ...changes.members,
  };
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  const payload = changes.payload ?? encode(new Map(present));
  const protectedHeader = changes.protectedHeader ?? encode(new Map([[1, -35]]));
  const signed = encode(["Signature1", protectedHeader, new Uint8Array(), payload]);
  const key = changes.key ?? chain.leafKey;
  const made = new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-384" }, key, concat(signed)),
  );
  const signature = changes.editSignature?.(made) ?? made;
  const structure = [protectedHeader, changes.unprotected ?? new Map(), payload, signature];
  return concat(encode(changes.tag === undefined ? structure : new Tagged(changes.tag, structure)));
}

/** An RSA key pair's public key, as an enclave gives it to the Nitro Security Module. */
export async function recipientKeys(modulusLength = 2048) {
  const pair = await keyPair(
    {
      name: "RSA-OAEP",
      modulusLength,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    ["encrypt", "decrypt"],
  );
  const { privateKey } = pair;
  return { privateKey, publicKey: await spkiOf(pair.publicKey) };
}

interface Pair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** The types of Node and of Workers differ in what these return; a pair is what an algorithm gives. */
const keyPair = async (algorithm: object, uses: string[]): Promise<Pair> =>
  (await crypto.subtle.generateKey(algorithm as typeof P384, true, uses as ["sign"])) as Pair;

const spkiOf = async (key: CryptoKey): Promise<Bytes> =>
  new Uint8Array((await crypto.subtle.exportKey("spki", key)) as ArrayBuffer);
