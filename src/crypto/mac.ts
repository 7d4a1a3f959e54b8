// HMAC (RFC 2104) with the SHA-2 functions; a MAC is as long as the digest.

import { createHmac } from "node:crypto";
import type { MacAlgorithm } from "./algorithm.ts";
import { fromBase64 } from "./base64.ts";
import { type Bytes, sameBytes } from "./bytes.ts";
import type { HashName } from "./hash.ts";
import type { SecretKey } from "./key.ts";

/** node:crypto's and not WebCrypto's, which has no SHA-224. */
export function hmac(name: HashName): MacAlgorithm {
  const generate = (key: SecretKey, message: Uint8Array): Bytes =>
    new Uint8Array(createHmac(name, fromBase64(key.bytes)).update(message).digest());
  return {
    generate,
    verify: (key, message, mac) => sameBytes(generate(key, message), mac),
  };
}
