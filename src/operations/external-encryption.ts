// The second encryption of a key in a custom key store: by the external key of an external key store.
// A CloudHSM key store has one encryption, which takes a cluster that works.
// https://docs.aws.amazon.com/kms/latest/developerguide/keystore-external.html#concept-double-encryption

import type { Bytes } from "../crypto/bytes.ts";
import type { EncryptionContext } from "../crypto/symmetric.ts";
import { KmsError } from "../errors.ts";
import {
  decodeOuter,
  encodeOuter,
  innerBlob,
  innerCiphertext,
  proxyAuthenticatedData,
} from "../xks/double-encryption.ts";
import { cryptographicRefusal } from "../xks/failures.ts";
import type { ExternalKey } from "./key-store-of-key.ts";
import type { Target } from "./operation.ts";

/** The ciphertext for the caller, of one that KMS's own material has made. */
export async function sealedInKeyStore(
  target: Target,
  blob: Bytes,
  context: EncryptionContext | undefined,
): Promise<Bytes> {
  const externalKey = usableKeyStore(target);
  if (!externalKey) return blob;
  const { header, sealed } = innerCiphertext(blob);
  const outer = await externalKey.encrypt(sealed, proxyAuthenticatedData(header, context));
  return encodeOuter(header, outer);
}

/** The ciphertext of KMS's own material in a caller's. Throws InvalidCiphertextException. */
export async function openedInKeyStore(
  target: Target,
  blob: Bytes,
  context: EncryptionContext | undefined,
): Promise<Bytes> {
  const externalKey = usableKeyStore(target);
  if (!externalKey) return blob;
  const parts = decodeOuter(blob);
  if (!parts) throw new KmsError("InvalidCiphertextException");
  const { header, outer } = parts;
  const sealed = await externalKey.decrypt(outer, proxyAuthenticatedData(header, context));
  return innerBlob({ header, sealed });
}

/** The refusal where KMS's own layer does not open: with an external key, what its proxy made of it. */
export function unopened({ keyStore }: Target): KmsError {
  if (!keyStore?.externalKey) return new KmsError("InvalidCiphertextException");
  const { type, message } = cryptographicRefusal("InnerCiphertextInvalid");
  return new KmsError(type, message);
}

/** The external key of the target; null for a key that has none. Throws KMSInvalidStateException. */
function usableKeyStore({ keyStore }: Target): ExternalKey | null {
  if (!keyStore) return null;
  if (keyStore.failure !== null) throw new KmsError("KMSInvalidStateException", keyStore.failure);
  return keyStore.externalKey;
}
