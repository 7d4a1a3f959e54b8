// The rules for certificates, each broken in turn at some place of a chain.

import { beforeAll, expect, test } from "vitest";
import { parseAttestation } from "../../src/attestation/parse-attestation.ts";
import {
  attest,
  type CertificateChanges,
  type Chain,
  type DocumentChanges,
  extension,
  makeChain,
  NOW,
  recipientKeys,
} from "./support/authority.ts";
import { type Bytes, concat, der, digits, hex, sequence } from "./support/der-writer.ts";
import { asksOpenssl, byOpenssl, verifyWithOpenssl } from "./support/openssl.ts";
import { refusal } from "./support/refusal.ts";

let chain: Chain;
let publicKey: Bytes;

beforeAll(async () => {
  [chain, { publicKey }] = await Promise.all([makeChain(), recipientKeys()]);
});

const parse = (document: Uint8Array, now = NOW) =>
  parseAttestation(document, { roots: "any", now });

const refusalOf = async (changes: DocumentChanges) =>
  refusal(parse(await attest(chain, publicKey, changes)));

const authority = "a certificate of its cabundle is not a certificate authority's";
const malformed = "a certificate is not X.509 version 3 in DER";
const expired = "a certificate has expired";
const early = "a certificate is not valid yet";
const [root, middle, leaf] = [0, 1, 2];
/** What a pattern of bytes is replaced with; the lengths around it stay. */
const swap = (from: string, to: string) => (signed: Bytes) => {
  expect(digits(signed)).toContain(from);
  return hex(digits(signed).replaceAll(from, to));
};
const rows: [string, number, CertificateChanges, string][] = [
  ["an expired root", root, { notAfter: NOW - 1000 }, expired],
  ["an expired intermediate", middle, { notAfter: NOW - 1000 }, expired],
  ["an expired leaf", leaf, { notAfter: NOW - 1000, generalizedTime: true }, expired],
  ["a root of the future", root, { notBefore: NOW + 1000 }, early],
  ["a leaf of the future", leaf, { notBefore: NOW + 1000 }, early],
  [
    "a false signature on the root",
    root,
    { foreignSignature: true },
    "a certificate's signature does not verify",
  ],
  [
    "a false signature on an intermediate",
    middle,
    { foreignSignature: true },
    "a certificate's signature does not verify",
  ],
  [
    "a false signature on the leaf",
    leaf,
    { foreignSignature: true },
    "a certificate's signature does not verify",
  ],
  [
    "SHA-256",
    middle,
    { algorithm: "ECDSA-SHA256" },
    "a certificate is not signed with ECDSA and SHA-384",
  ],
  [
    "P-256 in an intermediate",
    middle,
    { curve: "P-256" },
    "a certificate's public key is not on the curve P-384",
  ],
  [
    "P-256 in the leaf",
    leaf,
    { curve: "P-256" },
    "a certificate's public key is not on the curve P-384",
  ],
  [
    "another issuer's name",
    leaf,
    { issuer: "someone" },
    "a certificate does not name the one before it as its issuer",
  ],
  [
    "a root that is not its own issuer",
    root,
    { issuer: "someone" },
    "a certificate does not name the one before it as its issuer",
  ],
  ["no basic constraints", middle, { basicConstraints: null }, authority],
  [
    "basic constraints that are not critical",
    middle,
    { basicConstraints: { ca: true, critical: false } },
    authority,
  ],
  ["no CA", middle, { basicConstraints: { ca: false } }, authority],
  ["a root that is no CA", root, { basicConstraints: { ca: false } }, authority],
  ["no key usage", middle, { keyUsage: null }, authority],
  ["a CA that may not sign certificates", middle, { keyUsage: ["digitalSignature"] }, authority],
  [
    "a root of path length 0",
    root,
    { basicConstraints: { ca: true, pathLength: 0 } },
    "a certificate's path length is exceeded",
  ],
  [
    "a leaf with a path length",
    leaf,
    { basicConstraints: { ca: true, pathLength: 0 } },
    "the signing certificate has a path length",
  ],
  [
    "a leaf without key usage",
    leaf,
    { keyUsage: null },
    "the signing certificate is not for digital signatures",
  ],
  [
    "a leaf that may sign certificates alone",
    leaf,
    { keyUsage: ["keyCertSign"] },
    "the signing certificate is not for digital signatures",
  ],
  [
    "an unknown critical extension",
    leaf,
    { extensions: [extension("551d25", true, hex("3000"))] },
    "a certificate has an unknown critical extension",
  ],
  [
    "an extension twice",
    leaf,
    { extensions: [extension("551d0f", true, hex("03020780"))] },
    malformed,
  ],
  ["version 1", leaf, { edit: swap("a003020102", "a003020100") }, malformed],
  ["an impossible month", leaf, { edit: swap("170d32363031", "170d32363133") }, malformed],
  ["a time without seconds", leaf, { edit: swap("5a170d", "30170d") }, malformed],
];
test.each(rows)("%s", async (_name, place, change, reason) => {
  const broken = await makeChain(1, { [place]: change });
  // A document is never signed on another curve; then the leaf is refused, whoever signs.
  const key = place === leaf && change.curve ? chain.leafKey : broken.leafKey;
  expect(await refusal(parse(await attest(broken, publicKey, { key })))).toBe(reason);
});

test("harmless extensions are let be", async () => {
  const other = await makeChain(1, {
    1: { extensions: [extension("551d1f", false, hex("3000"))] },
    2: {
      extensions: [extension("551d25", false, hex("3000"))],
      keyUsage: ["digitalSignature", "keyCertSign"],
    },
  });
  await parse(await attest(other, publicKey));
});

test("validity includes its first and its last second", async () => {
  const document = await attest(
    await makeChain(1, { 2: { notBefore: NOW, notAfter: NOW + 10_000 } }),
    publicKey,
  );
  await parse(document, NOW);
  await parse(document, NOW + 10_000);
  expect(await refusal(parse(document, NOW - 1))).toBe(early);
  expect(await refusal(parse(document, NOW + 10_001))).toBe(expired);
});

test("bytes that are no certificate", async () => {
  for (const certificate of [hex("00"), hex("3080"), sequence(), der(0x30, new Uint8Array(900))]) {
    expect(await refusalOf({ members: { certificate } })).toBe(malformed);
    expect(await refusalOf({ members: { cabundle: [certificate] } })).toBe(malformed);
  }
});

test("bytes after a certificate", async () => {
  const certificate = concat(chain.certificates.at(-1) ?? hex(""), hex("00"));
  expect(await refusalOf({ members: { certificate } })).toBe(malformed);
});

test("a bundle in another order, or without the issuer", async () => {
  const [first, second] = chain.certificates as [Bytes, Bytes];
  for (const cabundle of [[second, first], [first], [first, first, second]]) {
    await refusalOf({ members: { cabundle } });
  }
});

test(byOpenssl("our chains are good in OpenSSL's eyes"), { skip: !asksOpenssl }, () => {
  verifyWithOpenssl(chain.certificates, NOW);
  expect(() => verifyWithOpenssl(chain.certificates, NOW + 86_400_000)).toThrow();
});
