// The syntactical rules, each broken in turn.

import { encode } from "cborg";
import { beforeAll, describe, expect, test } from "vitest";
import { parseAttestation } from "../../src/attestation/parse-attestation.ts";
import {
  attest,
  type Chain,
  type DocumentChanges,
  makeChain,
  NOW,
  recipientKeys,
  register,
} from "./support/authority.ts";
import { type Bytes, concat, hex } from "./support/der-writer.ts";
import { refusal } from "./support/refusal.ts";

let chain: Chain;
let publicKey: Bytes;

beforeAll(async () => {
  [chain, { publicKey }] = await Promise.all([makeChain(), recipientKeys()]);
});

const refusalOf = async (changes: DocumentChanges) =>
  refusal(parseAttestation(await attest(chain, publicKey, changes), { roots: "any", now: NOW }));

describe("COSE_Sign1", () => {
  const rows: [string, DocumentChanges, string][] = [
    ["another tag", { tag: 17 }, "it is not a COSE_Sign1 structure"],
    [
      "an unprotected header",
      { unprotected: new Map([[4, hex("00")]]) },
      "it is not a COSE_Sign1 structure",
    ],
    ["ES256", { protectedHeader: encode(new Map([[1, -7]])) }, "its algorithm is not ES384"],
    [
      "a further header",
      {
        protectedHeader: encode(
          new Map([
            [1, -35],
            [3, 0],
          ]),
        ),
      },
      "its algorithm is not ES384",
    ],
    ["an empty header", { protectedHeader: new Uint8Array() }, "its algorithm is not ES384"],
    [
      "a floating-point algorithm",
      { protectedHeader: hex("a101f9d060") },
      "its algorithm is not ES384",
    ],
    ["an empty payload", { payload: new Uint8Array() }, "its payload is not a CBOR map"],
    ["a payload that is a list", { payload: encode([]) }, "its payload is not a CBOR map"],
    [
      "a long payload",
      { payload: new Uint8Array(16_385) },
      "its payload has more than 16384 bytes",
    ],
    [
      "a short signature",
      { editSignature: (signature) => signature.slice(1) },
      "its signature does not have 96 bytes",
    ],
    [
      "a false signature",
      { editSignature: (signature) => signature.fill(0) },
      "its signature does not verify",
    ],
  ];
  test.each(rows)("%s", async (_name, changes, reason) => {
    expect(await refusalOf(changes)).toBe(reason);
  });

  test("the signature of another key", async () => {
    const { leafKey } = await makeChain();
    expect(await refusalOf({ key: leafKey })).toBe("its signature does not verify");
  });
});

describe("members", () => {
  const notOf = (name: string) => `its ${name} is not of 1 to 1024 bytes`;
  const pcrsRefused = (name: string) => ({
    size: `its ${name} is not a map of 1 to 32 registers`,
    index: `its ${name} has an index that is not 0 to 31`,
    length: `its ${name} has a register that is not of 32, 48 or 64 bytes`,
  });
  const { size, index, length } = pcrsRefused("pcrs");
  const text = "its module_id is not a text of one character or more";
  const integer = "its timestamp is not a positive integer";
  const list = "its cabundle is not a list of one certificate or more";
  const tpm = { pcrs: undefined };
  const rows: [string, Record<string, unknown>, string][] = [
    ["module_id missing", { module_id: undefined }, "it has no module_id"],
    ["module_id null", { module_id: null }, text],
    ["module_id empty", { module_id: "" }, text],
    ["module_id bytes", { module_id: hex("00") }, text],
    ["digest missing", { digest: undefined }, "it has no digest"],
    ["digest other", { digest: "SHA256" }, "its digest is not SHA384"],
    ["digest bytes", { digest: encode("SHA384").slice(1) }, "its digest is not SHA384"],
    ["timestamp missing", { timestamp: undefined }, "it has no timestamp"],
    ["timestamp zero", { timestamp: 0 }, integer],
    ["timestamp negative", { timestamp: -1 }, integer],
    ["timestamp text", { timestamp: "1" }, integer],
    ["pcrs missing", { pcrs: undefined }, "it has no pcrs"],
    ["pcrs null", { pcrs: null }, size],
    ["pcrs empty", { pcrs: new Map() }, size],
    ["pcrs 33", { pcrs: new Map(Array.from({ length: 33 }, (_, at) => [at, register(at)])) }, size],
    ["pcrs a list", { pcrs: [register(0)] }, size],
    ["pcrs index 32", { pcrs: new Map([[32, register(0)]]) }, index],
    ["pcrs index -1", { pcrs: new Map([[-1, register(0)]]) }, index],
    ["pcrs index text", { pcrs: new Map([["0", register(0)]]) }, index],
    ["pcrs index huge", { pcrs: new Map([[2n ** 63n, register(0)]]) }, index],
    ...[0, 31, 33, 47, 49, 63, 65].map((bytes): [string, Record<string, unknown>, string] => [
      `pcrs register of ${bytes} bytes`,
      { pcrs: new Map([[0, register(0, bytes)]]) },
      length,
    ]),
    ["pcrs register text", { pcrs: new Map([[0, "a".repeat(48)]]) }, length],
    [
      "both kinds of pcrs",
      { nitrotpm_pcrs: new Map([[0, register(0)]]) },
      "it has both pcrs and nitrotpm_pcrs",
    ],
    [
      "nitrotpm_pcrs empty",
      { ...tpm, nitrotpm_pcrs: new Map() },
      pcrsRefused("nitrotpm_pcrs").size,
    ],
    [
      "nitrotpm_pcrs index 32",
      { ...tpm, nitrotpm_pcrs: new Map([[32, register(0)]]) },
      pcrsRefused("nitrotpm_pcrs").index,
    ],
    ["certificate missing", { certificate: undefined }, "it has no certificate"],
    ["certificate empty", { certificate: new Uint8Array() }, notOf("certificate")],
    ["certificate long", { certificate: new Uint8Array(1025) }, notOf("certificate")],
    ["certificate text", { certificate: "x" }, notOf("certificate")],
    ["cabundle missing", { cabundle: undefined }, "it has no cabundle"],
    ["cabundle empty", { cabundle: [] }, list],
    ["cabundle bytes", { cabundle: hex("00") }, list],
    [
      "cabundle with an empty entry",
      { cabundle: [new Uint8Array()] },
      "a certificate of its cabundle is not of 1 to 1024 bytes",
    ],
    [
      "cabundle with a long entry",
      { cabundle: [new Uint8Array(1025)] },
      "a certificate of its cabundle is not of 1 to 1024 bytes",
    ],
    ["public_key missing", { public_key: undefined }, "it has no public_key"],
    ["public_key null", { public_key: null }, "it has no public_key"],
    ["public_key empty", { public_key: new Uint8Array() }, notOf("public_key")],
    ["public_key long", { public_key: new Uint8Array(1025) }, notOf("public_key")],
    ["public_key text", { public_key: "x" }, notOf("public_key")],
    [
      "user_data long",
      { user_data: new Uint8Array(513) },
      "its user_data is not of 0 to 512 bytes",
    ],
    ["nonce long", { nonce: new Uint8Array(513) }, "its nonce is not of 0 to 512 bytes"],
    ["nonce text", { nonce: "x" }, "its nonce is not of 0 to 512 bytes"],
    ["an unknown member", { hello: "world" }, "it has a member that is not defined"],
  ];
  test.each(rows)("%s", async (_name, members, reason) => {
    expect(await refusalOf({ members })).toBe(reason);
  });

  test("a key that is not text", async () => {
    const payload = encode(new Map<unknown, unknown>([[1, "x"]]));
    expect(await refusalOf({ payload })).toBe("it has a member that is not defined");
  });

  const malformed = "its payload is not a CBOR map";
  const payloads: [string, () => Uint8Array][] = [
    [
      "twice the same key",
      () => concat(hex("a2"), encode("digest"), hex("00"), encode("digest"), hex("00")),
    ],
    ["a floating-point timestamp", () => concat(hex("a1"), encode("timestamp"), hex("f94000"))],
    ["undefined", () => concat(hex("a1"), encode("nonce"), hex("f7"))],
    ["a tag", () => concat(hex("a1"), encode("timestamp"), hex("c100"))],
    ["a break instead of a value", () => concat(hex("a1"), encode("nonce"), hex("ff"))],
    [
      "an integer that is longer than need be",
      () => concat(hex("a1"), encode("timestamp"), hex("1801")),
    ],
    ["an indefinite-length byte string", () => concat(hex("a1"), encode("nonce"), hex("5f4100ff"))],
    ["a map without an end", () => concat(hex("bf"), encode("digest"), encode("SHA384"))],
    ["bytes after the map", () => concat(encode(new Map()), hex("00"))],
    ["a list of 4 billion entries", () => concat(hex("a1"), encode("cabundle"), hex("9affffffff"))],
    [
      "lists in lists, 16000 deep",
      () => concat(hex("a1"), encode("nonce"), new Uint8Array(16_000).fill(0x81)),
    ],
    ["maps in maps without end", () => new Uint8Array(16_000).fill(0xbf)],
    [
      "tags on tags, 16000 deep",
      () => concat(hex("a1"), encode("nonce"), new Uint8Array(16_000).fill(0xc1)),
    ],
  ];
  test.each(payloads)("%s", async (name, payload) => {
    const expected = name.startsWith("a break") ? "it has no module_id" : malformed;
    expect(await refusalOf({ payload: payload() })).toBe(expected);
  });
});
