// DER (X.690), as much of it as keys and signatures are made of. What is written is canonical, and
// nothing else is read: other lengths than the shortest, other numbers, bytes left over are refused.

import { type Bytes, concat } from "./bytes.ts";

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;

export const derNull = new Uint8Array([0x05, 0x00]);

/** One element: its tag, its length, its content. */
export function derElement(tag: number, ...content: readonly Uint8Array[]): Bytes {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return concat(new Uint8Array([tag, ...lengthOctets(length)]), ...content);
}

export const derSequence = (...elements: readonly Uint8Array[]) =>
  derElement(SEQUENCE, ...elements);

export const derOctetString = (content: Uint8Array) => derElement(OCTET_STRING, content);

/** A BIT STRING of whole bytes. */
export const derBitString = (content: Uint8Array) =>
  derElement(BIT_STRING, new Uint8Array(1), content);

/** The INTEGER of an unsigned big-endian number. */
export function derInteger(number: Uint8Array): Bytes {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? new Uint8Array(1) : number.subarray(first);
  const sign = (digits[0] ?? 0) >= 0x80 ? new Uint8Array(1) : new Uint8Array(0);
  return derElement(INTEGER, sign, digits);
}

/** The OBJECT IDENTIFIER of a dotted name such as `1.2.840.113549`. */
export function derObjectIdentifier(name: string): Bytes {
  const [first = 0, second = 0, ...others] = name.split(".").map(Number);
  const arcs = [40 * first + second, ...others];
  return derElement(OBJECT_IDENTIFIER, new Uint8Array(arcs.flatMap(base128)));
}

/** What `read` makes of the one element that `bytes` hold, or null where they are no such DER. */
export function readDer<T>(bytes: Uint8Array, read: (input: DerInput) => T): T | null {
  try {
    return new DerInput(bytes).whole(read);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

/** Elements that are read one after the other; whatever is not as expected ends `readDer`. */
export class DerInput {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** All of the input, to its last byte. */
  whole<T>(read: (input: DerInput) => T): T {
    const value = read(this);
    if (this.#offset !== this.#bytes.length) throw new DerError();
    return value;
  }

  /** The content of the next element, which has this tag. */
  element(tag: number): Uint8Array {
    if (this.#byte() !== tag) throw new DerError();
    return this.#take(this.#length());
  }

  /** The content of the next element if it has this tag, else null. */
  optional(tag: number): Uint8Array | null {
    return this.#bytes[this.#offset] === tag ? this.element(tag) : null;
  }

  /** What is inside the next element if it has this tag, else null. */
  explicit<T>(tag: number, read: (input: DerInput) => T): T | null {
    const content = this.optional(tag);
    return content && new DerInput(content).whole(read);
  }

  sequence<T>(read: (input: DerInput) => T): T {
    return new DerInput(this.element(SEQUENCE)).whole(read);
  }

  /** The next element, an OBJECT IDENTIFIER, with its tag and length. */
  encodedObjectIdentifier(): Uint8Array {
    return this.#encoded(OBJECT_IDENTIFIER);
  }

  /** The next element, a SEQUENCE, with its tag and length. */
  encodedSequence(): Uint8Array {
    return this.#encoded(SEQUENCE);
  }

  /** The content, of this length if one is given. */
  octetString(length?: number): Uint8Array {
    const content = this.element(OCTET_STRING);
    if (length !== undefined && content.length !== length) throw new DerError();
    return content;
  }

  bitString(): Uint8Array {
    return wholeBytes(this.element(BIT_STRING));
  }

  /** A BIT STRING under another tag, if it comes next, else null. */
  optionalBits(tag: number): Uint8Array | null {
    const content = this.optional(tag);
    return content && wholeBytes(content);
  }

  /** A number that is not negative: big-endian, without leading zeros; none at all for 0. */
  unsigned(): Uint8Array {
    const content = this.element(INTEGER);
    const [first, second] = content;
    if (first === undefined || first >= 0x80) throw new DerError();
    if (first !== 0) return content;
    if (second !== undefined && second < 0x80) throw new DerError();
    return content.subarray(1);
  }

  /** A number above 0: big-endian, with zeros before it up to this length. */
  positive(length: number): Bytes {
    const number = this.unsigned();
    if (number.length === 0 || number.length > length) throw new DerError();
    return concat(new Uint8Array(length - number.length), number);
  }

  #encoded(tag: number): Uint8Array {
    const start = this.#offset;
    this.element(tag);
    return this.#bytes.subarray(start, this.#offset);
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new DerError();
    this.#offset += 1;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first - 0x80;
    if (count < 1 || count > 3) throw new DerError();
    let length = 0;
    for (let digit = 0; digit < count; digit += 1) length = length * 0x100 + this.#byte();
    if (lengthOctets(length).length !== count + 1) throw new DerError();
    return length;
  }

  #take(length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DerError();
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}

class DerError extends Error {}

/** The bits of a BIT STRING, which begins with how many of its last byte do not count. */
function wholeBytes(content: Uint8Array): Uint8Array {
  if (content[0] !== 0) throw new DerError();
  return content.subarray(1);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return [0x80 + digits.length, ...digits];
}

function base128(arc: number): readonly number[] {
  const digits = [arc & 0x7f];
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) digits.unshift(0x80 + (rest & 0x7f));
  return digits;
}
