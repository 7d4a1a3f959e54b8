// How a digest is laid out in the block that RSA signs: EMSA-PKCS1-v1_5 and EMSA-PSS of RFC 8017,
// chapter 9, for moduli of whole bytes.

import { type Bytes, concat, sameBytes } from "./bytes.ts";
import { derNull, derOctetString, derSequence } from "./der.ts";
import { digestBytes, type HashName, hash } from "./hash.ts";
import { algorithmIdentifier } from "./key-encoding.ts";

export interface Emsa {
  /** The block of `length` bytes for a digest. */
  encode(digest: Uint8Array, length: number): Bytes;
  /** Whether a block is one for the digest. */
  matches(digest: Uint8Array, block: Uint8Array): boolean;
}

const objectIdentifiers = {
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
} as const satisfies Partial<Record<HashName, string>>;

/** The hash functions of KMS's signatures. */
export type EmsaHash = keyof typeof objectIdentifiers;

/** 9.2: 00 01, ones, 00, DigestInfo. Its reading is to write it and compare, as 8.2.2 has it. */
export function pkcs1(name: EmsaHash): Emsa {
  const algorithm = algorithmIdentifier(objectIdentifiers[name], derNull);
  const encode = (digest: Uint8Array, length: number) => {
    const digestInfo = derSequence(algorithm, derOctetString(digest));
    const ones = new Uint8Array(length - digestInfo.length - 3).fill(0xff);
    return concat(new Uint8Array([0, 1]), ones, new Uint8Array(1), digestInfo);
  };
  return { encode, matches: (digest, block) => sameBytes(encode(digest, block.length), block) };
}

const TRAILER = 0xbc;

/** 9.1, with MGF1 of the same hash and a salt as long as the digest, which AWS's signatures have. */
export function pss(name: EmsaHash): Emsa {
  const saltBytes = digestBytes[name];
  const seal = (digest: Uint8Array, salt: Uint8Array) =>
    hash(name, new Uint8Array(8), digest, salt);
  return {
    encode(digest, length) {
      const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
      const sealed = seal(digest, salt);
      const data = new Uint8Array(length - sealed.length - 1);
      data[data.length - saltBytes - 1] = 1;
      data.set(salt, data.length - saltBytes);
      return concat(masked(name, data, sealed), sealed, new Uint8Array([TRAILER]));
    },
    matches(digest, block) {
      const dataBytes = block.length - saltBytes - 1;
      const sealed = block.subarray(dataBytes, -1);
      if (block.at(-1) !== TRAILER || (block[0] ?? 0) >= 0x80) return false;
      const data = masked(name, block.subarray(0, dataBytes), sealed);
      const zeros = data.subarray(0, -saltBytes - 1);
      if (zeros.some((byte) => byte !== 0) || data.at(-saltBytes - 1) !== 1) return false;
      return sameBytes(seal(digest, data.subarray(-saltBytes)), sealed);
    },
  };
}

/**
 * The data under the mask of a seed, or from under it. The first bit is 0: a block is one bit
 * shorter than the modulus.
 */
function masked(name: HashName, data: Uint8Array, seed: Uint8Array): Bytes {
  const mask = mgf1(name, seed, data.length);
  const result = data.map((byte, index) => byte ^ (mask[index] ?? 0)) as Bytes;
  result[0] = (result[0] ?? 0) & 0x7f;
  return result;
}

/** The mask generation function of appendix B.2.1. */
function mgf1(name: HashName, seed: Uint8Array, length: number): Bytes {
  const count = Math.ceil(length / digestBytes[name]);
  const blocks = Array.from({ length: count }, (_, index) =>
    hash(name, seed, new Uint8Array([0, 0, index >> 8, index & 0xff])),
  );
  return concat(...blocks).subarray(0, length);
}
