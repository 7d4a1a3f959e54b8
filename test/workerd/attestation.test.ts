// The Recipient of a request on the runtime itself, whose WebCrypto, base64 and bundling of cborg
// are not Node's.

import { expect, test } from "vitest";
import { envelopeFor } from "../../src/attestation/envelope.ts";
import { parseAttestation } from "../../src/attestation/parse-attestation.ts";
import {
  attest,
  type CertificateChanges,
  makeChain,
  NOW,
  recipientKeys,
  register,
} from "../attestation/support/authority.ts";
import { openEnvelope } from "../attestation/support/enclave-sdk.ts";
import { refusal } from "../attestation/support/refusal.ts";

test("an enclave gets its answer", async () => {
  const [chain, keys] = await Promise.all([makeChain(3), recipientKeys()]);
  const document = await attest(chain, keys.publicKey);
  const roots = chain.certificates.slice(0, 1);
  const attestation = await parseAttestation(document, { roots, now: NOW });
  expect(attestation).toMatchObject({ imageSha384: "a0".repeat(48), nitroTpm: false });
  const plaintext = crypto.getRandomValues(new Uint8Array(4096));
  const envelope = await envelopeFor(attestation.publicKey, plaintext, {
    contentKey: crypto.getRandomValues(new Uint8Array(32)),
    iv: crypto.getRandomValues(new Uint8Array(16)),
  });
  expect(await openEnvelope(envelope, keys.privateKey)).toEqual(plaintext);
});

test("what WebCrypto throws at is refused", async () => {
  const { publicKey } = await recipientKeys();
  const chain = await makeChain();
  const parse = (document: Uint8Array) => parseAttestation(document, { roots: "any", now: NOW });
  const p256: CertificateChanges = { curve: "P-256" };
  const notRsa = "its public_key is not an RSA key";
  const { publicKey: short } = await recipientKeys(1024);
  expect(await refusal(parse(await attest(chain, register(1, 294))))).toBe(notRsa);
  expect(await refusal(parse(await attest(chain, short)))).toBe(
    "its public_key has fewer than 2048 bits",
  );
  expect(await refusal(parse(await attest(await makeChain(1, { 1: p256 }), publicKey)))).toBe(
    "a certificate's public key is not on the curve P-384",
  );
  const even = publicKey.slice();
  even[even.length - 6] = 0; // The last byte of the modulus.
  const secrets = { contentKey: register(1, 32), iv: register(1, 16) };
  expect(await refusal(envelopeFor(even, register(1), secrets))).toMatch(/^its public_key/);
  for (const byte of [0x81, 0xbf, 0xc1]) {
    expect(await refusal(parse(new Uint8Array(262_144).fill(byte)))).toBe(
      "it is not a COSE_Sign1 structure",
    );
  }
});
