// SM2 (GB/T 32918, GM/T 0003) with SM3, for the China Regions: signatures, encryption, and the
// plain Diffie-Hellman of DeriveSharedSecret. Wire forms are those of GM/T 0009, which AWS's own
// SM2OfflineOperationHelper writes and OpenSSL reads.
// https://docs.aws.amazon.com/kms/latest/developerguide/offline-operations.html

import type { EncryptionAlgorithm, Message, SigningAlgorithm } from "./algorithm.ts";
import { attempt } from "./attempt.ts";
import { fromHex, toHex } from "./base64.ts";
import { type Bytes, concat } from "./bytes.ts";
import { derInteger, derOctetString, derSequence, readDer } from "./der.ts";
import { ecPrivateKey, ecPublicKey } from "./ec-keys.ts";
import type { PrivateKey } from "./key.ts";
import { smCrypto } from "./libraries.ts";
import { oncePerKey } from "./once-per-key.ts";

const COORDINATE_BYTES = 32;
const DIGEST_BYTES = 32;
const POINT_BYTES = 2 * COORDINATE_BYTES;
/** The order that sm-crypto-v2 takes and gives a ciphertext in: the point, the digest, the text. */
const C1C3C2 = 1;

/**
 * SM2DSA: DER of r and s. A RAW message is hashed with the ID 1234567812345678 and the public key;
 * a DIGEST is the caller's own SM3 over these and the message.
 */
export const sm2dsa: SigningAlgorithm = {
  messageBytes: { RAW: null, DIGEST: DIGEST_BYTES },
  async sign(key, message) {
    const { sm2 } = await smCrypto.load();
    const { scalar, point } = digits(key);
    const signature = fromHex(sm2.doSignature(digest(message, point), scalar));
    const [r, s] = [signature.subarray(0, COORDINATE_BYTES), signature.subarray(COORDINATE_BYTES)];
    return derSequence(derInteger(r), derInteger(s));
  },
  async verify(key, message, signature) {
    const { sm2 } = await smCrypto.load();
    const publicKey = toHex(ecPublicKey(key).point);
    const numbers = readSignature(signature);
    if (!numbers) return false;
    return (
      attempt(() => sm2.doVerifySignature(digest(message, publicKey), numbers, publicKey)) ?? false
    );
  },
};

/** SM2PKE: the DER of the ephemeral point's x and y, the digest C3, and the ciphertext C2. */
export const sm2pke: EncryptionAlgorithm = {
  libraries: [smCrypto],
  maxPlaintextBytes: () => 1024,
  encrypt(key, plaintext) {
    const { sm2 } = smCrypto.loaded;
    const publicKey = toHex(ecPublicKey(key).point);
    const hidden = toHex(plaintext);
    let sealed: string;
    // sm-crypto-v2 leaves out step A5, which starts anew where the key stream is all zeros: of one
    // byte, that is 1 in 256.
    do sealed = sm2.doEncrypt(plaintext, publicKey, C1C3C2);
    while (hidden !== "" && sealed.endsWith(hidden));
    return cipherDer(sealed);
  },
  decrypt(key, ciphertext) {
    const sealed = readCipher(ciphertext);
    if (sealed === null) return null;
    const privateKey = toHex(ecPrivateKey(key).scalar);
    const { sm2 } = smCrypto.loaded;
    // It throws for a point that is not on the curve, and finds nothing where the digest differs.
    const plaintext = attempt(() => sm2.doDecrypt(sealed, privateKey, C1C3C2, { output: "array" }));
    return plaintext && plaintext.length > 0 ? new Uint8Array(plaintext) : null;
  },
};

/**
 * The x coordinate of the shared point, 32 bytes, or null where `point` is not on the curve. Wants
 * `smCrypto` loaded.
 */
export function sm2SharedSecret(scalar: Uint8Array, point: Uint8Array): Bytes | null {
  const { sm2 } = smCrypto.loaded;
  const shared = attempt(() => sm2.ecdh(toHex(scalar), toHex(point), false));
  return shared && new Uint8Array(shared.subarray(1, 1 + COORDINATE_BYTES));
}

/** The private number and the public point, as sm-crypto-v2 takes them. */
const digits = oncePerKey((key: PrivateKey) => {
  const scalar = toHex(ecPrivateKey(key).scalar);
  return { scalar, point: smCrypto.loaded.sm2.getPublicKeyFromPrivateKey(scalar) };
});

const digest = (message: Message, publicKey: string): Uint8Array =>
  message.type === "RAW"
    ? fromHex(smCrypto.loaded.sm2.getHash(message.bytes, publicKey))
    : message.bytes;

/** r and s, 64 digits each, or null for anything but the DER of two positive numbers. */
const readSignature = (signature: Uint8Array): string | null =>
  readDer(signature, (input) =>
    input.sequence((pair) =>
      toHex(concat(pair.positive(COORDINATE_BYTES), pair.positive(COORDINATE_BYTES))),
    ),
  );

/** The digits that sm-crypto-v2 decrypts, or null for anything but the DER of a ciphertext. */
const readCipher = (ciphertext: Uint8Array): string | null =>
  readDer(ciphertext, (input) =>
    input.sequence((cipher) => {
      const point = concat(cipher.positive(COORDINATE_BYTES), cipher.positive(COORDINATE_BYTES));
      return toHex(concat(point, cipher.octetString(DIGEST_BYTES), cipher.octetString()));
    }),
  );

function cipherDer(sealed: string): Bytes {
  const bytes = fromHex(sealed);
  const [y, c3, c2] = [COORDINATE_BYTES, POINT_BYTES, POINT_BYTES + DIGEST_BYTES];
  return derSequence(
    derInteger(bytes.subarray(0, y)),
    derInteger(bytes.subarray(y, c3)),
    derOctetString(bytes.subarray(c3, c2)),
    derOctetString(bytes.subarray(c2)),
  );
}
