// Imported key material: what to wrap it with, its import, and its deletion. It comes per Region; what
// it does to a key set is in domain/imported-material.ts, and its expiry in domain/schedule.ts.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html

import type { WrappingAlgorithm as WrappingAlgorithmRow } from "../crypto/algorithm.ts";
import { wrappingAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { loadKeyWrap } from "../crypto/import-wrapping.ts";
import { isKeyPairSpec, readImportedKeyPair } from "../crypto/key-pair.ts";
import {
  IMPORT_TOKEN_MS,
  type ImportToken,
  openImportToken,
  sealImportToken,
} from "../domain/import-token.ts";
import {
  associatedMaterials,
  materialToRotateTo,
  withImported,
  withoutMaterial,
} from "../domain/imported-material.ts";
import { importedMaterialId } from "../domain/key-material.ts";
import { currentMaterial, isPrimary, type MaterialBytes } from "../domain/key-set.ts";
import { keySpecRow, materialBytesOf } from "../domain/key-spec.ts";
import { DAY_MS } from "../domain/moment.ts";
import {
  type WrappingAlgorithm,
  wrappingAlgorithmNames,
  wrappingKeySpecs,
  wrappingRefusal,
} from "../domain/wrapping.ts";
import { invalidOrigin, KmsError, validation } from "../errors.ts";
import { timestamp } from "./key-metadata.ts";
import * as members from "./members.ts";
import { change, type Target, use } from "./operation.ts";
import { blob, instant, oneOf, required, text } from "./shape.ts";

/** The farthest that an expiry can be from its import. */
const MAX_VALIDITY_MS = 365 * DAY_MS;

const keyMaterialId = text({ min: 64, max: 64, pattern: "^[a-f0-9]+$" });

const importInput = {
  KeyId: required(members.keyId),
  ImportToken: required(blob({ min: 1, max: 6144 })),
  EncryptedKeyMaterial: required(blob({ min: 1, max: 6144 })),
  ValidTo: instant,
  ExpirationModel: oneOf(["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"]),
  ImportType: oneOf(["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]),
  KeyMaterialDescription: text({ min: 0, max: 256, pattern: "^[a-zA-Z0-9:/_\\s.-]+$" }),
  KeyMaterialId: keyMaterialId,
};

interface ImportInput {
  readonly ImportToken: string;
  readonly EncryptedKeyMaterial: string;
  readonly ValidTo?: number | undefined;
  readonly ExpirationModel?: string | undefined;
  readonly ImportType?: "NEW_KEY_MATERIAL" | "EXISTING_KEY_MATERIAL" | undefined;
  readonly KeyMaterialDescription?: string | undefined;
  readonly KeyMaterialId?: string | undefined;
}

export const imports = {
  /** Nothing is kept of what it gives out: the token holds the private half of the wrapping key. */
  GetParametersForImport: use({
    input: {
      KeyId: required(members.keyId),
      WrappingAlgorithm: required(oneOf(wrappingAlgorithmNames)),
      WrappingKeySpec: required(oneOf(wrappingKeySpecs)),
    },
    invalidArn: true,
    precondition: requireExternalBeforeDeletion,
    async use(target, { WrappingAlgorithm: algorithm, WrappingKeySpec }, at) {
      const secret = requireExternal(target);
      const { set, key, arn } = target;
      const refusal = wrappingRefusal(algorithm, WrappingKeySpec, set.keySpec, key.region);
      if (refusal) throw unsupported(`WrappingAlgorithm ${algorithm} ${refusal}.`);
      const { privateKey, publicKey } = await at.newKeyPair(WrappingKeySpec);
      const validTo = at.now + IMPORT_TOKEN_MS;
      const token: ImportToken = {
        algorithm: algorithm as WrappingAlgorithm,
        privateKey: toBase64(privateKey),
        validTo,
      };
      return {
        KeyId: arn,
        ImportToken: sealImportToken(token, secret, arn, at.random),
        PublicKey: toBase64(publicKey),
        ParametersValidTo: timestamp(validTo),
      };
    },
  }),

  /** Material that the key has or had is imported again; new one of a symmetric key waits for its rotation. */
  ImportKeyMaterial: change({
    input: importInput,
    loads: loadKeyWrap,
    invalidArn: true,
    check: requireExpiration,
    precondition: requireExternalBeforeDeletion,
    change(target, input, at) {
      const { set, key, arn } = target;
      const secret = requireExternal(target);
      const rotates = keySpecRow(set.keySpec).rotates;
      if (!rotates) refuseOfSymmetricKeys(target, input);
      if (input.ImportType === "NEW_KEY_MATERIAL") requireImporterOfNew(target);
      const validTo = expiryOf(input, at.now);
      const token = openImportToken(input.ImportToken, secret, arn);
      if (!token) throw invalidToken();
      if (token.validTo <= at.now) throw expiredToken();
      const bytes = materialIn(target, unwrapped(token, input.EncryptedKeyMaterial));
      const id = importedMaterialId(set.keyId, fromBase64(bytes.bytes));
      requireExpected(target, input, id);
      return {
        set: withImported(set, key, {
          id,
          description: input.KeyMaterialDescription ?? null,
          material: { ...bytes, validTo },
        }),
        output: { KeyId: arn, ...(rotates && { KeyMaterialId: id }) },
      };
    },
  }),

  /** The current material if none is named; deleting what is not there is no error. */
  DeleteImportedKeyMaterial: change({
    input: { KeyId: required(members.keyId), KeyMaterialId: keyMaterialId },
    invalidArn: true,
    change(target, { KeyMaterialId }) {
      requireExternal(target);
      const { set, key, arn } = target;
      const id = KeyMaterialId ?? currentMaterial(set)?.id;
      if (id === undefined) return { set, output: { KeyId: arn } };
      if (!associatedMaterials(set).some((material) => material.id === id)) {
        throw new KmsError("NotFoundException", `Key material ${id} does not exist in ${arn}`);
      }
      const rotates = keySpecRow(set.keySpec).rotates;
      return {
        set: withoutMaterial(set, key, id),
        output: { KeyId: arn, ...(rotates && { KeyMaterialId: id }) },
      };
    },
  }),
};

/** The secret that seals the key's import tokens; throws for a key that imports nothing. */
function requireExternal({ set, arn }: Target): string {
  if (set.origin !== "EXTERNAL" || set.importSecret === undefined) {
    throw invalidOrigin(arn, set.origin);
  }
  return set.importSecret;
}

/** In AWS's key-state table a key's origin comes before its pending deletion, and after all else. */
function requireExternalBeforeDeletion(target: Target): void {
  const { state } = target.key;
  if (state === "PendingDeletion" || state === "PendingReplicaDeletion") requireExternal(target);
}

function requireExpiration({ ExpirationModel, ValidTo, ImportType, KeyMaterialId }: ImportInput) {
  const expires = ExpirationModel !== "KEY_MATERIAL_DOES_NOT_EXPIRE";
  if (expires && ValidTo === undefined) {
    // Recorded on AWS.
    throw validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
  }
  if (!expires && ValidTo !== undefined) {
    throw validation(
      "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
    );
  }
  if (ImportType === "NEW_KEY_MATERIAL" && KeyMaterialId !== undefined) {
    throw validation("A keyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL");
  }
}

function expiryOf({ ValidTo }: ImportInput, now: number): number | null {
  if (ValidTo === undefined) return null;
  const validTo = Math.round(ValidTo * 1000);
  if (validTo > now && validTo <= now + MAX_VALIDITY_MS) return validTo;
  throw validation("The validTo date must be in the future and at most 365 days from now");
}

/** HMAC keys and key pairs keep their first material, so nothing tells one of theirs from another. */
function refuseOfSymmetricKeys({ set, arn }: Target, input: ImportInput): void {
  for (const member of ["ImportType", "KeyMaterialDescription", "KeyMaterialId"] as const) {
    if (input[member] === undefined) continue;
    throw unsupported(`${arn} key spec is ${set.keySpec} which is not valid for ${member}.`);
  }
}

/** New material comes to the primary first. */
function requireImporterOfNew({ set, key, arn }: Target): void {
  if (!isPrimary(set, key)) throw unsupported(`${arn} is not a multi-region primary key.`);
}

function unwrapped({ algorithm, privateKey }: ImportToken, wrapped: string): Uint8Array {
  const wrapping: WrappingAlgorithmRow = wrappingAlgorithms[algorithm];
  const [key, encrypted] = [{ bytes: privateKey }, fromBase64(wrapped)];
  if (wrapping.wrappedBytes && encrypted.length !== wrapping.wrappedBytes(key)) {
    // As local-kms's author saw it on AWS.
    throw validation("Invalid encrypted key size.");
  }
  const bytes = wrapping.unwrap(key, encrypted);
  if (!bytes) throw new KmsError("InvalidCiphertextException");
  return bytes;
}

/** The key's material in the form that key sets hold it. Private keys come in many encodings. */
function materialIn({ set, key }: Target, bytes: Uint8Array): MaterialBytes {
  const { keySpec } = set;
  if (isKeyPairSpec(keySpec)) {
    const pair = readImportedKeyPair(keySpec, bytes);
    if (!pair) throw incorrect(`The key material is no private key of KeySpec ${keySpec}.`);
    return { bytes: toBase64(pair.privateKey), publicKey: toBase64(pair.publicKey) };
  }
  const length = materialBytesOf(keySpec, key.region);
  if (bytes.length !== length) {
    throw incorrect(`The key material of KeySpec ${keySpec} must have ${length} bytes.`);
  }
  return { bytes: toBase64(bytes) };
}

/** Whether the material is new is what the request says; without a word, the first one is. */
function requireExpected({ set, arn }: Target, input: ImportInput, id: string): void {
  const isFirst = set.materials.length === 0;
  const known = associatedMaterials(set).some((material) => material.id === id);
  const unnamed = input.KeyMaterialId === undefined;
  const type = input.ImportType ?? (isFirst && unnamed ? "NEW_KEY_MATERIAL" : null);
  if (type !== "NEW_KEY_MATERIAL") {
    if (known && (unnamed || input.KeyMaterialId === id)) return;
    throw incorrect(`The key material is not that which was imported into ${arn}.`);
  }
  if (known) throw incorrect(`The key material is not new to ${arn}.`);
  const waiting = materialToRotateTo(set);
  if (!waiting) return;
  // Recorded on AWS.
  throw new KmsError(
    "KMSInvalidStateException",
    `New key material (id: ${id}) cannot be imported into KMS key ${arn}, ` +
      `because another key material (id: ${waiting.id}) is pending rotation.`,
  );
}

const unsupported = (text: string) => new KmsError("UnsupportedOperationException", text);

const invalidToken = () =>
  new KmsError(
    "InvalidImportTokenException",
    "The import token is invalid or associated with a different KMS key.",
  );

const expiredToken = () =>
  new KmsError("ExpiredImportTokenException", "The import token is expired.");

const incorrect = (text: string) => new KmsError("IncorrectKeyMaterialException", text);
