// Multi-Region keys: replicas, and which of the related keys is the primary.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-manage.html

import { keyArn } from "../domain/arn.ts";
import { arnOf, type Key, type KeySet, keyIn, withKeys } from "../domain/key-set.ts";
import { requireState } from "../domain/key-state.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import { KmsError, keyNotFound } from "../errors.ts";
import { keyMetadata } from "./key-metadata.ts";
import * as members from "./members.ts";
import { newKey } from "./new-key.ts";
import { change } from "./operation.ts";
import { editorOf, requireMayCreate } from "./permission.ts";
import { replicaFacts } from "./question.ts";
import { boolean, required } from "./shape.ts";

export const multiRegion = {
  /** Makes a replica, `Creating` at first. Policy, description and tags are not the primary's. */
  ReplicateKey: change({
    input: {
      KeyId: required(members.keyId),
      ReplicaRegion: required(members.region),
      Policy: members.policy,
      BypassPolicyLockoutSafetyCheck: boolean,
      Description: members.description,
      Tags: members.tags,
    },
    invalidArn: true,
    designation: "multiRegionPrimary",
    makesKeyIn: ({ ReplicaRegion }) => members.knownRegion(ReplicaRegion),
    change(target, input, at, caller) {
      const { set, key: primary } = target;
      const region = replicaRegion(input.ReplicaRegion, primary.region);
      requireVacant(set, region);
      // What AWS does in the other Region is a CreateKey of the caller's.
      const asked = { caller, input, now: at.now };
      const wanted = replicaFacts(target);
      requireMayCreate(asked, wanted, region, set.keyId);
      const editor = editorOf(asked, wanted, region, set.keyId);
      const { unknownPrincipals } = caller;
      const owner = { region, accountId: set.accountId, editor, unknownPrincipals };
      const replica: Key = {
        ...newKey(input, owner, "Creating", at),
        readyAt: at.now + at.delays.creatingMs,
      };
      const next = withKeys(set, replica);
      const arn = keyArn(region, set.accountId, set.keyId);
      return {
        set: next,
        output: {
          ReplicaKeyMetadata: keyMetadata({ set: next, key: replica, arn }),
          ReplicaPolicy: replica.policy,
          // Recorded on AWS: absent without tags.
          ...(replica.tags.length > 0 && { ReplicaTags: replica.tags }),
        },
      };
    },
  }),

  /** Makes the replica in PrimaryRegion the primary. The designation moves at once. */
  UpdatePrimaryRegion: change({
    input: { KeyId: required(members.keyId), PrimaryRegion: required(members.region) },
    invalidArn: true,
    designation: "multiRegionPrimary",
    related({ set }, { PrimaryRegion }) {
      const region = members.knownRegion(PrimaryRegion);
      const key = region && keyIn(set, region);
      return key && { set, key, arn: arnOf(set, key) };
    },
    precondition: ({ set, key, arn }, { PrimaryRegion }) =>
      void replicaIn(set, PrimaryRegion, key, arn),
    change({ set, key: primary, arn }, { PrimaryRegion }, at) {
      const replica = replicaIn(set, PrimaryRegion, primary, arn);
      requireState(
        "UpdatePrimaryRegion",
        replica.state,
        keyArn(replica.region, set.accountId, set.keyId),
      );
      const updated = withKeys(
        set,
        { ...primary, state: "Updating" },
        { ...replica, state: "Updating" },
      );
      const update = {
        from: primary.region,
        to: replica.region,
        endsAt: at.now + at.delays.updatingMs,
      };
      return { set: { ...updated, primaryRegion: replica.region, update }, output: null };
    },
  }),
};

/** A Region with KMS in the primary's partition. AWS says only that other attempts fail. */
function replicaRegion(name: string, primaryRegion: Region): Region {
  const region = members.knownRegion(name);
  if (!region || partitionOf(region) !== partitionOf(primaryRegion)) {
    throw new KmsError(
      "UnsupportedOperationException",
      `Keys of ${primaryRegion} cannot be replicated into ${name}.`,
    );
  }
  return region;
}

/** A set has one key per Region, whatever its state. */
function requireVacant(set: KeySet, region: Region): void {
  if (!keyIn(set, region)) return;
  const arn = keyArn(region, set.accountId, set.keyId);
  throw new KmsError("AlreadyExistsException", `${arn} already exists.`);
}

/** The related key that is to become the primary. */
function replicaIn(set: KeySet, name: string, primary: Key, primaryArn: string): Key {
  if (name === primary.region) {
    throw new KmsError(
      "UnsupportedOperationException",
      `${primaryArn} is already the multi-region primary key.`,
    );
  }
  const region = members.knownRegion(name);
  const replica = region && keyIn(set, region);
  // The ARN is spelled with the primary's partition where the Region is unknown.
  if (!replica) throw keyNotFound(primaryArn.replace(`:${primary.region}:`, `:${name}:`));
  return replica;
}
