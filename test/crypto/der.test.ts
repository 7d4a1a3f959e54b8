import { describe, expect, it } from "vitest";
import { fromHex as hex, toHex } from "../../src/crypto/base64.ts";
import {
  derBitString,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
  readDer,
} from "../../src/crypto/der.ts";

describe("what is written", () => {
  it.each([
    ["no digits", "", "020100"],
    ["0", "00", "020100"],
    ["127", "7f", "02017f"],
    ["128", "80", "02020080"],
    ["leading zeros", "00000001", "020101"],
  ])("INTEGER of %s", (_what, number, der) => {
    expect(toHex(derInteger(hex(number)))).toBe(der);
  });

  it.each([
    ["1.2.840.113549.1.1.1", "06092a864886f70d010101"],
    ["1.3.101.112", "06032b6570"],
    ["1.2.156.10197.1.301", "06082a811ccf5501822d"],
    ["2.16.840.1.101.3.4.3.17", "060960864801650304" + "0311"],
  ])("OBJECT IDENTIFIER %s", (name, der) => {
    expect(toHex(derObjectIdentifier(name))).toBe(der);
  });

  it.each([
    [127, "047f"],
    [128, "048180"],
    [255, "0481ff"],
    [256, "04820100"],
    [65536, "0483010000"],
  ])("a length of %i", (length, head) => {
    const der = derOctetString(new Uint8Array(length));
    expect(toHex(der.subarray(0, head.length / 2))).toBe(head);
    expect(readDer(der, (input) => input.octetString())).toHaveLength(length);
  });

  it("SEQUENCE and BIT STRING", () => {
    const der = derSequence(derBitString(hex("ab")), derOctetString(hex("")));
    expect(toHex(der)).toBe("3006030200ab0400");
  });
});

describe("what is refused", () => {
  const number = (der: string) => readDer(hex(der), (input) => toHex(input.positive(4)));

  it.each([
    ["020101", "00000001"],
    ["02020080", "00000080"],
    ["0204ffffffff".replace("ff", "7f"), "7fffffff"],
    ["020500ffffffff", "ffffffff"],
  ])("%s is a number", (der, value) => {
    expect(number(der)).toBe(value);
  });

  it.each([
    ["nothing", ""],
    ["a tag alone", "02"],
    ["too little content", "020201"],
    ["a byte left over", "02010100"],
    ["no content", "0200"],
    ["another tag", "040101"],
    ["zero", "020100"],
    ["a negative number", "020180"],
    ["a zero too many", "02020001"],
    ["a number that is too long", "02050100000000"],
    ["a long form of a short length", "02810101"],
    ["a length with leading zeros", "0282000101"],
    ["an indefinite length", "0280010000"],
    ["a length of four bytes", "028400000001" + "01"],
    ["an endless length", "02ff"],
  ])("%s", (_what, der) => {
    expect(number(der)).toBe(null);
  });

  it("bits that do not fill a byte", () => {
    expect(readDer(hex("030200ab"), (input) => toHex(input.bitString()))).toBe("ab");
    expect(readDer(hex("030204a0"), (input) => input.bitString())).toBe(null);
    expect(readDer(hex("0300"), (input) => input.bitString())).toBe(null);
  });

  it("more than was read of a sequence", () => {
    const first = (der: string) =>
      readDer(hex(der), (input) => input.sequence((inner) => toHex(inner.unsigned())));
    expect(first("3003020105")).toBe("05");
    expect(first("3006020105020106")).toBe(null);
    expect(first("300302010500")).toBe(null);
    expect(first("30020201")).toBe(null);
  });

  it("errors that are not about the bytes are thrown on", () => {
    const failing = () => {
      throw new RangeError("mine");
    };
    expect(() => readDer(hex("0500"), failing)).toThrow(RangeError);
  });
});
