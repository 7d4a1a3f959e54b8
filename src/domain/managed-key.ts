// AWS managed keys: under which alias and ID a service has its own, and what its policy lets anyone do.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key

import { createHash } from "node:crypto";
import { toHex } from "../crypto/base64.ts";
import { managedPolicyText } from "./managed-key-policy.ts";
import { type ManagedService, managedServices } from "./managed-services.ts";
import type { Region } from "./region.ts";

const AWS_PREFIX = "alias/aws/";
/** AWS's own, every year; nobody can change it. */
export const MANAGED_ROTATION_DAYS = 365;

/** Whether a name is among those that AWS keeps for itself. */
export const isAwsAlias = (name: string) => name.startsWith(AWS_PREFIX);

const serviceOf = (awsAlias: string): ManagedService | undefined => {
  const name = awsAlias.slice(AWS_PREFIX.length);
  return isAwsAlias(awsAlias) && Object.hasOwn(managedServices, name)
    ? managedServices[name]
    : undefined;
};

/** Whether some service has its key under this alias, which its first use makes. */
export const isManagedAlias = (name: string) => serviceOf(name) !== undefined;

/** The aliases of a fresh account, in the order of their names; none has a key yet. */
export const predefinedAliases = Object.keys(managedServices)
  .filter((name) => managedServices[name]?.predefined)
  .sort()
  .map((name) => AWS_PREFIX + name);

/**
 * The ID of the key under an AWS alias: always the same, so that it is decided before there is a
 * key, and whoever uses it first meets the one object that makes it.
 */
export function managedKeyId(accountId: string, region: Region, awsAlias: string): string {
  const name = `edge-kms AWS managed key ${accountId} ${region} ${awsAlias}`;
  const digest = createHash("sha256").update(new TextEncoder().encode(name)).digest();
  const bytes = Uint8Array.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What AWS writes of the key itself; null where no service has one under this alias. */
export function managedKeyText(
  accountId: string,
  region: Region,
  awsAlias: string,
): { readonly description: string; readonly policy: string } | null {
  const row = serviceOf(awsAlias);
  return row
    ? {
        description: `Default key that protects my ${row.protects} when no other key is defined`,
        policy: managedPolicyText(row.policy, accountId, region),
      }
    : null;
}

/**
 * Whether the policy of an AWS managed key lets anyone of its account do something, itself or by way
 * of the service. `action` is without its `kms:`.
 */
export function managedKeyAllows(awsAlias: string, action: string): boolean {
  const statements = serviceOf(awsAlias)?.policy.statements ?? [];
  return statements
    .filter(({ effect, principal }) => !effect && (!principal || principal === "root"))
    .flatMap(({ actions }) => actions)
    .some((pattern) => matches(pattern, `kms:${action}`));
}

const matches = (pattern: string, action: string) =>
  pattern.endsWith("*") ? action.startsWith(pattern.slice(0, -1)) : action === pattern;
