// CiphertextForRecipient: a plaintext in a CMS EnvelopedData that one RSA key opens. RFC 5652,
// section 6, in the form KMS writes it, byte for byte: BER with indefinite lengths, not DER.
// aws-nitro-enclaves-sdk-c reads no other: at every such level it expects a header without content.
//
//   ContentInfo*                     * indefinite length
//     contentType     id-envelopedData
//     content*        EnvelopedData*
//       version       2
//       recipientInfos  SET of one KeyTransRecipientInfo
//         version     2
//         rid         [0] SHA-256 of the SubjectPublicKeyInfo
//         keyEncryptionAlgorithm  RSAES-OAEP with SHA-256 and MGF1 with SHA-256
//         encryptedKey
//       encryptedContentInfo*
//         contentType id-data
//         contentEncryptionAlgorithm  AES-256-CBC and its IV
//         encryptedContent* [0]  OCTET STRINGs of up to 1000 bytes

import { attemptAsync } from "../crypto/attempt.ts";
import { fromHex } from "../crypto/base64.ts";
import { type Bytes, concat } from "../crypto/bytes.ts";
import { derElement, derInteger, derOctetString, derSequence } from "../crypto/der.ts";
import { recipientKey } from "./recipient-key.ts";
import { invalidDocument } from "./refusal.ts";

/** Fresh random bytes; the seed of OAEP is WebCrypto's own. */
export interface EnvelopeSecrets {
  /** 32 bytes. */
  readonly contentKey: Bytes;
  /** 16 bytes. */
  readonly iv: Bytes;
}

const SEQUENCE = 0x30;
const SET = 0x31;
/** [0] IMPLICIT of something primitive, and [0] of something constructed. */
const CONTEXT_0 = 0x80;
const CONTEXT_0_CONSTRUCTED = 0xa0;

const ID_ENVELOPED_DATA = fromHex("06092a864886f70d010703");
const ID_DATA = fromHex("06092a864886f70d010701");
const ID_AES256_CBC = fromHex("060960864801650304012a");
const RSAES_OAEP_WITH_SHA256 = fromHex(
  "303c06092a864886f70d010107302fa00f300d06096086480165030402010500" +
    "a11c301a06092a864886f70d010108300d06096086480165030402010500",
);
const VERSION_2 = derInteger(new Uint8Array([2]));
/** The segment of Bouncy Castle, whose writer has all the habits of KMS's answers. */
const SEGMENT_BYTES = 1000;

/** Encrypts `plaintext` so that only the holder of `publicKey`'s private key can read it. */
export async function envelopeFor(
  publicKey: Bytes,
  plaintext: Bytes,
  { contentKey, iv }: EnvelopeSecrets,
): Promise<Bytes> {
  const encryptedKey = await encryptKey(publicKey, contentKey);
  const keyId = await crypto.subtle.digest("SHA-256", publicKey);
  const content = await encryptContent(plaintext, contentKey, iv);
  const recipient = derSequence(
    VERSION_2,
    derElement(CONTEXT_0, new Uint8Array(keyId)),
    RSAES_OAEP_WITH_SHA256,
    derOctetString(encryptedKey),
  );
  const encryptedContentInfo = openEnded(
    SEQUENCE,
    ID_DATA,
    derSequence(ID_AES256_CBC, derOctetString(iv)),
    openEnded(CONTEXT_0_CONSTRUCTED, ...segments(content).map(derOctetString)),
  );
  const envelopedData = openEnded(
    SEQUENCE,
    VERSION_2,
    derElement(SET, recipient),
    encryptedContentInfo,
  );
  return openEnded(SEQUENCE, ID_ENVELOPED_DATA, openEnded(CONTEXT_0_CONSTRUCTED, envelopedData));
}

async function encryptKey(publicKey: Bytes, contentKey: Bytes): Promise<Bytes> {
  const key = await recipientKey(publicKey);
  const encrypted = await attemptAsync(crypto.subtle.encrypt("RSA-OAEP", key, contentKey));
  // Numbers that have the form of a key and are none, an even modulus say.
  if (!encrypted) throw invalidDocument("its public_key does not encrypt");
  return new Uint8Array(encrypted);
}

/** AES-256-CBC; WebCrypto pads as CMS does. */
async function encryptContent(plaintext: Bytes, contentKey: Bytes, iv: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", contentKey, "AES-CBC", false, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key, plaintext));
}

const segments = (content: Bytes): Bytes[] =>
  Array.from({ length: Math.ceil(content.length / SEGMENT_BYTES) }, (_, index) =>
    content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES),
  );

/** An element of indefinite length, which ends where its end marker is. */
const openEnded = (tag: number, ...content: readonly Uint8Array[]): Bytes =>
  concat(new Uint8Array([tag, 0x80]), ...content, new Uint8Array(2));
