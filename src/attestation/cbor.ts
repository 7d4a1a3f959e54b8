// CBOR as Nitro writes it: shortest forms, no tags, no floating point, and no more containers than
// an attestation document has, which bounds nesting too. RFC 8949.

import { decode, Tokenizer, Type } from "cborg";

/** A map, the registers, the list of certificates; twice as many do no harm. */
const MAX_CONTAINERS = 6;

const options = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowUndefined: false,
  allowBigInt: true,
  // The Nitro Security Module itself writes the document's map with an indefinite length.
  allowIndefinite: true,
};

class PlainTokenizer extends Tokenizer {
  #containers = 0;

  override next() {
    const token = super.next();
    if (Type.equals(token.type, Type.float)) throw new Error("There is a floating-point number");
    if (Type.equals(token.type, Type.array) || Type.equals(token.type, Type.map)) {
      this.#containers++;
      if (this.#containers > MAX_CONTAINERS) throw new Error("There are too many lists and maps");
    }
    return token;
  }
}

/** The one value in these bytes, or undefined, which is none, if they are anything else. */
export function decodePlain(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { ...options, tokenizer: new PlainTokenizer(bytes, options) });
  } catch {
    return undefined; // cborg throws plain Errors, whose texts are not for clients.
  }
}
