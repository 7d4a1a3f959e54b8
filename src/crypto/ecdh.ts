// ECDH, cofactor Diffie-Hellman of SP 800-56A, without a KDF: the secret is the x coordinate of the
// shared point, as long as a coordinate of the curve. All of these curves have cofactor 1.

import type { KeyAgreementAlgorithm } from "./algorithm.ts";
import { attemptAsync } from "./attempt.ts";
import { fromBase64, toHex } from "./base64.ts";
import { ecPrivateKey } from "./ec-keys.ts";
import type { PrivateKey } from "./key.ts";
import { decodeSpki } from "./key-encoding.ts";
import { smCrypto } from "./libraries.ts";
import { oncePerKeyAsync } from "./once-per-key.ts";
import { sm2SharedSecret } from "./sm2.ts";

/** The first byte of a point: compressed, by the last bit of y, or uncompressed. */
const POINT_FORMS: readonly number[] = [0x02, 0x03, 0x04];

/** ECDH on the curve of the key: a NIST curve or SM2's. */
export const ecdh: KeyAgreementAlgorithm = {
  async deriveSharedSecret(key, peer) {
    const own = ecPrivateKey(key);
    const content = decodeSpki(peer);
    if (content?.algorithm !== toHex(own.curve.algorithm)) return null;
    // OpenSSL reads X9.62's hybrid points, too; BoringSSL does not, and RFC 5480 forbids them.
    if (!POINT_FORMS.includes(content.key[0] ?? 0)) return null;
    const namedCurve = own.curve.nativeName;
    if (!namedCurve) {
      await smCrypto.load();
      return sm2SharedSecret(own.scalar, content.key);
    }
    const publicKey = await attemptAsync(
      crypto.subtle.importKey(
        "spki",
        new Uint8Array(peer),
        { name: "ECDH", namedCurve },
        false,
        [],
      ),
    );
    if (!publicKey) return null;
    const algorithm = { name: "ECDH", public: publicKey };
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, await nativeKey(key), null));
  },
};

const nativeKey = oncePerKeyAsync((key: PrivateKey) => {
  const namedCurve = ecPrivateKey(key).curve.nativeName ?? "";
  const algorithm = { name: "ECDH", namedCurve };
  return crypto.subtle.importKey("pkcs8", fromBase64(key.bytes), algorithm, false, ["deriveBits"]);
});
