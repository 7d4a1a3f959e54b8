// Opens CiphertextForRecipient the way aws-nitro-enclaves-sdk-c does, whose reader takes nothing but
// the form KMS has always answered with: at each of the outer levels it reads an element and goes on
// after it, which is inside only if the length is indefinite and the element thus a mere header.
// Written from its behaviour: source/cms.c of github.com/aws/aws-nitro-enclaves-sdk-c.

import { type Bytes, digits } from "./der-writer.ts";

interface Element {
  readonly tag: number;
  readonly content: Bytes;
}

class Cursor {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** CBS_get_any_ber_asn1_element: of an indefinite length only the header. */
  ber(): Element {
    if (this.#bytes[this.#at + 1] !== 0x80) return this.der();
    const tag = this.nextTag ?? 0;
    this.#at += 2;
    return { tag, content: new Uint8Array() };
  }

  /** CBS_get_any_asn1: definite lengths alone. */
  der(): Element {
    const tag = this.nextTag;
    const first = this.#bytes[this.#at + 1];
    if (tag === undefined || first === undefined || tag === 0) throw new Error("no element");
    if (first === 0x80) throw new Error("indefinite length");
    const size = first < 0x80 ? 0 : first & 0x7f;
    let length = size === 0 ? first : 0;
    for (let index = 0; index < size; index++) {
      length = length * 256 + (this.#bytes[this.#at + 2 + index] ?? Number.NaN);
    }
    const start = this.#at + 2 + size;
    if (!(start + length <= this.#bytes.length)) throw new Error("element does not end");
    this.#at = start + length;
    return { tag, content: this.#bytes.subarray(start, start + length) };
  }

  expect(tag: number): Bytes {
    const element = this.der();
    if (element.tag !== tag) throw new Error(`tag ${element.tag} instead of ${tag}`);
    return element.content;
  }

  expectHeader(tag: number): void {
    if (this.ber().tag !== tag) throw new Error(`no ${tag}`);
  }

  expectContent(tag: number, hex: string): void {
    if (digits(this.expect(tag)) !== hex) throw new Error(`not ${hex}`);
  }
}

const [INTEGER, OCTETS, OID, SEQUENCE, SET] = [0x02, 0x04, 0x06, 0x30, 0x31] as const;

/** aws_cms_parse_enveloped_data. */
export function parseEnvelopedData(ber: Bytes) {
  const cms = new Cursor(ber);
  cms.expectHeader(SEQUENCE);
  cms.expectContent(OID, "2a864886f70d010703");
  cms.ber();
  cms.expectHeader(SEQUENCE);
  cms.expectContent(INTEGER, "02");

  const recipients = cms.ber();
  if (recipients.tag !== SET) throw new Error("no recipients");
  const recipient = new Cursor(new Cursor(recipients.content).expect(SEQUENCE));
  recipient.expectContent(INTEGER, "02");
  const keyId = recipient.der().content;
  recipient.expect(SEQUENCE);
  const encryptedKey = recipient.expect(OCTETS);

  cms.expectHeader(SEQUENCE);
  cms.expectContent(OID, "2a864886f70d010701");
  const algorithm = new Cursor(cms.ber().content);
  algorithm.expectContent(OID, "60864801650304012a");
  const iv = algorithm.expect(OCTETS);

  const parts: Bytes[] = [];
  cms.ber();
  while (cms.nextTag === OCTETS) parts.push(cms.ber().content);
  return { keyId, encryptedKey, iv, parts };
}

/** The plaintext, as aws_kms_decrypt_blocking gets it. */
export async function openEnvelope(ber: Bytes, privateKey: CryptoKey): Promise<Uint8Array> {
  const { encryptedKey, iv, parts } = parseEnvelopedData(ber);
  const rawKey = await crypto.subtle.decrypt("RSA-OAEP", privateKey, encryptedKey);
  const key = await crypto.subtle.importKey("raw", rawKey, "AES-CBC", false, ["decrypt"]);
  const content = new Uint8Array(await new Blob(parts).arrayBuffer());
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key, content));
}
