// KeyMetadata, the answer of CreateKey, DescribeKey and ReplicateKey.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html

import { keyArn } from "../domain/arn.ts";
import {
  currentMaterial,
  hasAllMaterial,
  isInCustomKeyStore,
  type Key,
  type KeySet,
  keysOf,
} from "../domain/key-set.ts";
import { type KeyUsage, keySpecRow } from "../domain/key-spec.ts";
import type { Region } from "../domain/region.ts";
import type { Target } from "./operation.ts";

/** An instant in AWS's JSON: seconds since the epoch, with a fraction. */
export const timestamp = (ms: number) => ms / 1000;

/** Everything DescribeKey says of the key; members that do not apply are left out. */
export function keyMetadata({ set, key, arn }: Target): object {
  return {
    AWSAccountId: set.accountId,
    KeyId: set.keyId,
    Arn: arn,
    CreationDate: timestamp(key.createdAt),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: set.keyUsage,
    KeyState: key.state,
    ...deletion(key),
    ...placeInKeyStore(set),
    Origin: set.origin,
    KeyManager: set.awsAlias === undefined ? "CUSTOMER" : "AWS",
    CustomerMasterKeySpec: set.keySpec,
    KeySpec: set.keySpec,
    ...algorithmsOfKey(set),
    MultiRegion: set.multiRegion,
    ...(set.multiRegion && { MultiRegionConfiguration: multiRegionConfiguration(set, key) }),
    // Recorded on AWS: absent from ReplicateKey's answer, there once the replica is Enabled.
    ...(key.state !== "Creating" && materialId(set)),
    ...expiration(set, key),
  };
}

/** The member that lists a key's algorithms, named by the usage of the key. */
const algorithmMembers = {
  ENCRYPT_DECRYPT: "EncryptionAlgorithms",
  SIGN_VERIFY: "SigningAlgorithms",
  GENERATE_VERIFY_MAC: "MacAlgorithms",
  KEY_AGREEMENT: "KeyAgreementAlgorithms",
  ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
} as const satisfies Record<KeyUsage, string>;

/** The algorithms of a key, as its metadata and its public key list them. */
export const algorithmsOfKey = ({ keySpec, keyUsage }: KeySet): object => ({
  [algorithmMembers[keyUsage]]: keySpecRow(keySpec).usages[keyUsage],
});

/** Of keys that can rotate alone, and not of those in custom key stores (recorded on AWS). */
function materialId(set: KeySet): object {
  const current = currentMaterial(set);
  const shown = keySpecRow(set.keySpec).rotates && !isInCustomKeyStore(set);
  return shown && current ? { CurrentKeyMaterialId: current.id } : {};
}

/** Of imported material that is there: whether it expires, and the first that does. */
function expiration(set: KeySet, key: Key): object {
  if (set.origin !== "EXTERNAL" || !hasAllMaterial(set, key)) return {};
  const expiries = set.materials
    .map(({ id }) => key.imported[id]?.validTo ?? null)
    .filter((validTo) => validTo !== null);
  return expirationOf(expiries.length === 0 ? null : Math.min(...expiries));
}

/** The members that say whether and when imported material expires. */
export const expirationOf = (validTo: number | null): object =>
  validTo === null
    ? { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" }
    : { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: timestamp(validTo) };
/** The custom key store of a key that is in one, and what it is there. */
function placeInKeyStore({ customKeyStore }: KeySet): object {
  if (!customKeyStore) return {};
  const { id, cloudHsmClusterId, xksKeyId } = customKeyStore;
  return {
    CustomKeyStoreId: id,
    ...(cloudHsmClusterId !== null && { CloudHsmClusterId: cloudHsmClusterId }),
    ...(xksKeyId !== null && { XksKeyConfiguration: { Id: xksKeyId } }),
  };
}

function deletion(key: Key): object {
  if (key.deletionAt !== null) return { DeletionDate: timestamp(key.deletionAt) };
  if (key.state !== "PendingReplicaDeletion") return {};
  return { PendingDeletionWindowInDays: key.waitingPeriodDays };
}

/**
 * The set as this key shows it. While the primary changes, AWS shows the old and the new one as
 * replicas; the keys that do not take part show the old primary until the change is complete.
 */
function multiRegionConfiguration(set: KeySet, key: Key): object {
  const { update } = set;
  const involved = update !== null && (update.from === key.region || update.to === key.region);
  const primary = update && !involved ? update.from : set.primaryRegion;
  const related = (region: Region) => ({
    Arn: keyArn(region, set.accountId, set.keyId),
    Region: region,
  });
  return {
    MultiRegionKeyType: key.region === primary && !involved ? "PRIMARY" : "REPLICA",
    PrimaryKey: related(primary),
    ReplicaKeys: keysOf(set)
      .map((member) => member.region)
      .filter((region) => involved || region !== primary)
      .sort()
      .map(related),
  };
}
