// Bytes as text. workerd has Uint8Array's own base64 and hex, which are several times faster than
// anything else there; Node before 25 lacks them, where the same code runs in tests.

declare const Buffer: {
  from(data: string, encoding: string): Uint8Array;
  from(data: ArrayBuffer, offset: number, length: number): { toString(encoding: string): string };
};

const native = typeof Uint8Array.fromBase64 === "function";

/** The bytes of a standard base64 text. The text must have been checked: it is not validated. */
export const fromBase64: (text: string) => Uint8Array<ArrayBuffer> = native
  ? (text) => Uint8Array.fromBase64(text)
  : (text) => new Uint8Array(Buffer.from(text, "base64"));

/** Standard base64 with padding. */
export const toBase64: (bytes: Uint8Array) => string = native
  ? (bytes) => bytes.toBase64()
  : (bytes) => buffer(bytes).toString("base64");

/** Lower-case hex digits. */
export const toHex: (bytes: Uint8Array) => string = native
  ? (bytes) => bytes.toHex()
  : (bytes) => buffer(bytes).toString("hex");

/** The bytes of an even number of hex digits. */
export const fromHex: (text: string) => Uint8Array<ArrayBuffer> = native
  ? (text) => Uint8Array.fromHex(text)
  : (text) => new Uint8Array(Buffer.from(text, "hex"));

const buffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
