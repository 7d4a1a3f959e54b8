// CiphertextForRecipient, opened by OpenSSL, by a reader like that of AWS's enclave SDK, and held
// against the bytes of a recorded answer of KMS.

import { beforeAll, expect, test } from "vitest";
import { envelopeFor } from "../../src/attestation/envelope.ts";
import { recipientKeys } from "./support/authority.ts";
import { type Bytes, digits, hex } from "./support/der-writer.ts";
import { openEnvelope, parseEnvelopedData } from "./support/enclave-sdk.ts";
import { asksOpenssl, byOpenssl, decryptWithOpenssl } from "./support/openssl.ts";
import { refusal } from "./support/refusal.ts";

let keys: Awaited<ReturnType<typeof recipientKeys>>;

beforeAll(async () => {
  keys = await recipientKeys();
});

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

const sealed = (plaintext: Bytes, { publicKey } = keys) =>
  envelopeFor(publicKey, plaintext, { contentKey: random(32), iv: random(16) });

/** What KMS answers Decrypt, GenerateDataKey, DeriveSharedSecret and GenerateDataKeyPair with. */
const lengths = [0, 1, 15, 16, 17, 32, 66, 983, 984, 999, 1000, 1001, 1218, 2350, 4096];

test.each(lengths)("%i bytes open in the enclave", async (length) => {
  const plaintext = random(length);
  const envelope = await sealed(plaintext);
  expect(await openEnvelope(envelope, keys.privateKey)).toEqual(plaintext);
});

test.each([0, 32, 1000, 4096])(
  byOpenssl("%i bytes open in OpenSSL"),
  { skip: !asksOpenssl },
  async (length) => {
    const plaintext = random(length);
    const envelope = await sealed(plaintext);
    expect(digits(await decryptWithOpenssl(envelope, keys.privateKey))).toBe(digits(plaintext));
  },
);

test("keys of 3072 bits", async () => {
  const long = await recipientKeys(3072);
  const envelope = await sealed(random(32), long);
  expect(await openEnvelope(envelope, long.privateKey)).toHaveLength(32);
  if (asksOpenssl) expect(await decryptWithOpenssl(envelope, long.privateKey)).toHaveLength(32);
});

test("every byte but the random ones is as in KMS's answers", async () => {
  const iv = random(16);
  const envelope = await envelopeFor(keys.publicKey, random(32), { contentKey: random(32), iv });
  const { keyId, encryptedKey, parts } = parseEnvelopedData(envelope);
  // From tests/cms_test.c of github.com/aws/aws-nitro-enclaves-sdk-c, a data key of 32 bytes.
  expect(digits(envelope)).toBe(
    [
      "308006092a864886f70d010703a08030800201023182016b308201670201028020",
      digits(keyId),
      "303c06092a864886f70d010107302fa00f300d06096086480165030402010500",
      "a11c301a06092a864886f70d010108300d0609608648016503040201050004820100",
      digits(encryptedKey),
      "308006092a864886f70d010701301d060960864801650304012a0410",
      digits(iv),
      "a0800430",
      digits(parts[0] as Bytes),
      "00000000000000000000",
    ].join(""),
  );
  expect(keyId).toEqual(new Uint8Array(await crypto.subtle.digest("SHA-256", keys.publicKey)));
});

test("long content is in segments", async () => {
  const { parts } = parseEnvelopedData(await sealed(random(4096)));
  expect(parts.map((part) => part.length)).toEqual([1000, 1000, 1000, 1000, 112]);
});

test("two envelopes of one plaintext have nothing in common", async () => {
  const [one, other] = await Promise.all([sealed(new Uint8Array(32)), sealed(new Uint8Array(32))]);
  const [a, b] = [parseEnvelopedData(one), parseEnvelopedData(other)];
  expect(a.encryptedKey).not.toEqual(b.encryptedKey);
  expect(a.parts).not.toEqual(b.parts);
});

test("a key that is none is refused", async () => {
  const even = keys.publicKey.slice();
  even[even.length - 6] = 0; // The last byte of the modulus: an even number is no RSA modulus.
  expect(await refusal(sealed(random(32), { ...keys, publicKey: even }))).toMatch(
    /^its public_key/,
  );
  const none = sealed(random(32), { ...keys, publicKey: hex("3000") });
  expect(await refusal(none)).toBe("its public_key is not an RSA key");
});
