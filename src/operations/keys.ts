// Creating, describing, listing and switching keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/getting-started.html

import { toBase64, toHex } from "../crypto/base64.ts";
import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { keyArn } from "../domain/arn.ts";
import { newImportSecret } from "../domain/import-token.ts";
import { settled } from "../domain/imported-material.ts";
import { madeMaterial, randomMaterial } from "../domain/key-material.ts";
import { type KeyMaterial, type KeySet, type MaterialBytes, withKeys } from "../domain/key-set.ts";
import {
  customerMasterKeySpecNames,
  isOffered,
  type KeySpec,
  type KeyUsage,
  keySpecNames,
  keySpecRow,
  keyUsageNames,
  materialBytesOf,
  type Origin,
} from "../domain/key-spec.ts";
import type { Moment, NewKeyPair } from "../domain/moment.ts";
import type { Region } from "../domain/region.ts";
import { KmsError, validation } from "../errors.ts";
import { keyMetadata } from "./key-metadata.ts";
import { keyStoreWanted, switched } from "./key-store-of-key.ts";
import * as members from "./members.ts";
import { newKey } from "./new-key.ts";
import { change, create, inDirectory, use } from "./operation.ts";
import { markerPosition, page, pageLimit } from "./pages.ts";
import { editorOf } from "./permission.ts";
import { requestedKey } from "./question.ts";
import { boolean, oneOf, required, text } from "./shape.ts";

const KEY_PAGE = { standard: 100, max: 1000 };

export const keys = {
  /** Makes a single-Region key, or with MultiRegion the primary key of a new set. */
  CreateKey: create({
    input: {
      Policy: members.policy,
      Description: members.description,
      KeyUsage: oneOf(keyUsageNames),
      CustomerMasterKeySpec: oneOf(customerMasterKeySpecNames),
      KeySpec: oneOf(keySpecNames),
      Origin: oneOf(["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
      CustomKeyStoreId: text({ min: 1, max: 64 }),
      BypassPolicyLockoutSafetyCheck: boolean,
      Tags: members.tags,
      MultiRegion: boolean,
      XksKeyId: text({ min: 1, max: 128, pattern: "^[a-zA-Z0-9-_.]+$" }),
    },
    keyStore(input, caller) {
      const { keySpec } = specAndUsage(input, caller.region);
      requireOrigin(keySpec, input.Origin ?? "AWS_KMS");
      return keyStoreWanted(input);
    },
    prepare(input, caller, newKeyPair) {
      const { keySpec } = specAndUsage(input, caller.region);
      return newMaterial(keySpec, input.Origin ?? "AWS_KMS", newKeyPair);
    },
    newKeyId: (input, random) =>
      input.MultiRegion ? `mrk-${uuid(random, "")}` : uuid(random, "-"),
    create(keyId, input, prepared, caller, at, keyStore) {
      const { keySpec, keyUsage } = specAndUsage(input, caller.region);
      const origin = input.Origin ?? "AWS_KMS";
      requireOrigin(keySpec, origin);
      const external = origin === "EXTERNAL";
      const asked = { caller, input, now: at.now };
      const editor = editorOf(asked, requestedKey(input, caller), caller.region, keyId);
      const key = newKey(input, { ...caller, editor }, external ? "PendingImport" : "Enabled", at);
      const set: KeySet = {
        accountId: caller.accountId,
        keyId,
        multiRegion: input.MultiRegion ?? false,
        keySpec,
        keyUsage,
        origin,
        ...(keyStore && {
          customKeyStore: {
            id: keyStore.id,
            cloudHsmClusterId: keyStore.cloudHsmClusterId,
            xksKeyId: input.XksKeyId ?? null,
          },
        }),
        primaryRegion: caller.region,
        update: null,
        materials: external ? [] : [firstMaterial(keySpec, caller.region, prepared, at)],
        pendingMaterial: null,
        ...(external && { importSecret: newImportSecret(at.random) }),
        rotation: null,
        rotationInProgress: null,
        keys: { [caller.region]: key },
        version: 0,
      };
      const arn = keyArn(caller.region, caller.accountId, keyId);
      return { set, output: { KeyMetadata: keyMetadata({ set, key, arn }) } };
    },
  }),

  DescribeKey: use({
    input: { KeyId: required(members.keyId), GrantTokens: members.grantTokens },
    aliases: true,
    invalidArn: true,
    use: (target) => ({ KeyMetadata: keyMetadata(target) }),
  }),

  ListKeys: inDirectory({
    input: { Limit: members.limit, Marker: members.marker },
    run(directory, input, caller) {
      const limit = pageLimit(input, KEY_PAGE);
      const after = markerPosition("ListKeys", input.Marker);
      const found = directory.keys(after, limit + 1);
      const { items, output } = page("ListKeys", found, limit, (entry) => entry.keyId);
      const Keys = items.map(({ keyId }) => ({
        KeyId: keyId,
        KeyArn: keyArn(caller.region, caller.accountId, keyId),
      }));
      return { Keys, ...output };
    },
  }),

  /**
   * An overdue rotation, held up while the key was disabled, happens at this moment. A replica whose
   * deletion was scheduled and cancelled before its material arrived goes on waiting for it; a key
   * that lacks imported material is PendingImport instead.
   */
  EnableKey: change({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    change({ set, key }, _input, at) {
      if (key.state === "Enabled") return { set, output: null };
      if (key.readyAt > at.now) {
        return { set: withKeys(set, { ...key, state: "Creating" }), output: null };
      }
      return { set: settled(withKeys(set, switched(key, "Enabled"))), output: null };
    },
  }),

  DisableKey: change({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    change: ({ set, key }) => ({
      set: key.state === "Disabled" ? set : withKeys(set, switched(key, "Disabled")),
      output: null,
    }),
  }),

  UpdateKeyDescription: change({
    input: { KeyId: required(members.keyId), Description: required(members.description) },
    invalidArn: true,
    change: ({ set, key }, { Description }) => ({
      set: withKeys(set, { ...key, description: Description }),
      output: null,
    }),
  }),
};

/** A random UUID (version 4) in lower case; multi-Region key IDs have no dashes. */
function uuid(random: Moment["random"], dash: "" | "-"): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join(dash);
}

interface SpecInput {
  readonly KeySpec?: KeySpec | undefined;
  readonly CustomerMasterKeySpec?: KeySpec | undefined;
  readonly KeyUsage?: KeyUsage | undefined;
}

/** What kind of key a request asks for. Throws ValidationException. */
function specAndUsage(
  input: SpecInput,
  region: Region,
): { readonly keySpec: KeySpec; readonly keyUsage: KeyUsage } {
  if (input.KeySpec && input.CustomerMasterKeySpec) {
    throw validation(
      "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. " +
        "CustomerMasterKeySpec is deprecated.",
    );
  }
  const keySpec = input.KeySpec ?? input.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  const keyUsage = input.KeyUsage ?? standardUsage(keySpec);
  if (!keySpecRow(keySpec).usages[keyUsage]) {
    // Recorded on AWS.
    throw validation(`KeyUsage ${keyUsage} is not compatible with KeySpec ${keySpec}`);
  }
  if (!isOffered(keySpec, region)) {
    // Recorded on AWS for SM2 (floci-io/floci#3968).
    throw new KmsError(
      "UnsupportedOperationException",
      `KeySpec ${keySpec} is not supported in this Region`,
    );
  }
  return { keySpec, keyUsage };
}

/** Only symmetric encryption keys have a standard usage (recorded on AWS). */
function standardUsage(keySpec: KeySpec): KeyUsage {
  if (keySpecRow(keySpec).usages.ENCRYPT_DECRYPT?.includes("SYMMETRIC_DEFAULT")) {
    return "ENCRYPT_DECRYPT";
  }
  throw validation(
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
  );
}

function requireOrigin(keySpec: KeySpec, origin: Origin): void {
  if (!keySpecRow(keySpec).origins.includes(origin)) {
    throw new KmsError(
      "UnsupportedOperationException",
      `Origin ${origin} is not supported for KeySpec ${keySpec}.`,
    );
  }
}

/** The material that AWS_KMS makes for a new key; of a key pair it was prepared. */
function firstMaterial(
  keySpec: KeySpec,
  region: Region,
  prepared: unknown,
  at: Moment,
): KeyMaterial {
  const length = materialBytesOf(keySpec, region);
  const made = length === null ? (prepared as MaterialBytes | null) : randomMaterial(length, at);
  return { ...madeMaterial(made, at), rotation: null };
}

/** The pair of a key that is one; it takes time to make, and the core takes none. */
async function newMaterial(
  keySpec: KeySpec,
  origin: Origin,
  newKeyPair: NewKeyPair,
): Promise<MaterialBytes | null> {
  if (origin !== "AWS_KMS" || !isKeyPairSpec(keySpec)) return null;
  const { privateKey, publicKey } = await newKeyPair(keySpec);
  return { bytes: toBase64(privateKey), publicKey: toBase64(publicKey) };
}
