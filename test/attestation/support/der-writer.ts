// Writes DER for tests, on its own: nothing of what is tested is used to make what it is tested on.

export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export const hex = (digits: string): Bytes =>
  new Uint8Array((digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));

export const digits = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const text = (value: string): Bytes => new Uint8Array(new TextEncoder().encode(value));

export function der(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concat(...parts);
  const { length } = content;
  const header =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(new Uint8Array([tag, ...header]), content);
}

export const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
export const objectId = (digits: string) => der(0x06, hex(digits));
export const octets = (...parts: readonly Uint8Array[]) => der(0x04, ...parts);
export const bitString = (...parts: readonly Uint8Array[]) =>
  der(0x03, new Uint8Array(1), ...parts);
export const TRUE = hex("0101ff");

/** A positive INTEGER of these bytes, in its shortest form. */
export function integer(bytes: Uint8Array): Bytes {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start === -1 ? new Uint8Array(1) : bytes.subarray(start);
  return der(0x02, (digits[0] ?? 0) < 0x80 ? digits : concat(new Uint8Array(1), digits));
}
