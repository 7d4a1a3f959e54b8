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

import {
  CMSVersion,
  ContentEncryptionAlgorithmIdentifier,
  ContentInfo,
  EncryptedContent,
  EncryptedContentInfo,
  EnvelopedData,
  id_data,
  id_envelopedData,
  KeyEncryptionAlgorithmIdentifier,
  KeyTransRecipientInfo,
  RecipientIdentifier,
  RecipientInfo,
  RecipientInfos,
} from "@peculiar/asn1-cms";
import { AsnConvert, AsnSerializer, OctetString } from "@peculiar/asn1-schema";
import { SubjectKeyIdentifier } from "@peculiar/asn1-x509";
import type { Constructed } from "asn1js";
import { attemptAsync } from "../crypto/attempt.ts";
import { fromHex } from "../crypto/base64.ts";
import type { Bytes } from "../crypto/bytes.ts";
import { recipientKey } from "./recipient-key.ts";
import { invalidDocument } from "./refusal.ts";

/** Fresh random bytes; the seed of OAEP is WebCrypto's own. */
export interface EnvelopeSecrets {
  /** 32 bytes. */
  readonly contentKey: Bytes;
  /** 16 bytes. */
  readonly iv: Bytes;
}

const ID_AES256_CBC = "2.16.840.1.101.3.4.1.42";
const ID_RSAES_OAEP = "1.2.840.113549.1.1.7";
/** SHA-256, and MGF1 with SHA-256. */
const OAEP_WITH_SHA256 = fromHex(
  "302fa00f300d06096086480165030402010500" +
    "a11c301a06092a864886f70d010108300d06096086480165030402010500",
);
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
  const recipient = new KeyTransRecipientInfo({
    version: CMSVersion.v2,
    rid: new RecipientIdentifier({ subjectKeyIdentifier: new SubjectKeyIdentifier(keyId) }),
    keyEncryptionAlgorithm: new KeyEncryptionAlgorithmIdentifier({
      algorithm: ID_RSAES_OAEP,
      parameters: OAEP_WITH_SHA256.buffer,
    }),
    encryptedKey: new OctetString(encryptedKey),
  });
  const envelopedData = new EnvelopedData({
    version: CMSVersion.v2,
    recipientInfos: new RecipientInfos([new RecipientInfo({ ktri: recipient })]),
    encryptedContentInfo: new EncryptedContentInfo({
      contentType: id_data,
      contentEncryptionAlgorithm: new ContentEncryptionAlgorithmIdentifier({
        algorithm: ID_AES256_CBC,
        parameters: AsnConvert.serialize(new OctetString(iv)),
      }),
      encryptedContent: new EncryptedContent({ constructedValue: segments(content) }),
    }),
  });
  return inKmsForm(envelopedData);
}

/** The structure in a ContentInfo, with indefinite lengths where KMS has them. */
function inKmsForm(envelopedData: EnvelopedData): Bytes {
  const contentInfo = AsnSerializer.toASN(
    new ContentInfo({
      contentType: id_envelopedData,
      content: AsnConvert.serialize(envelopedData),
    }),
  ) as Constructed;
  const content = memberOf(contentInfo, 1);
  const data = memberOf(content, 0);
  const encryptedContentInfo = memberOf(data, 2);
  const encryptedContent = memberOf(encryptedContentInfo, 2);
  for (const level of [contentInfo, content, data, encryptedContentInfo, encryptedContent]) {
    level.lenBlock.isIndefiniteForm = true;
  }
  return new Uint8Array(contentInfo.toBER());
}

const memberOf = ({ valueBlock }: Constructed, index: number) =>
  valueBlock.value[index] as Constructed;

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

const segments = (content: Bytes): OctetString[] =>
  Array.from(
    { length: Math.ceil(content.length / SEGMENT_BYTES) },
    (_, index) =>
      new OctetString(content.slice(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)),
  );
