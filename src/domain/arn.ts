// The names of keys and aliases: how they are written, and how a caller's text is read.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id

import { partitionOf, type Region } from "./region.ts";

const SINGLE_REGION_KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MULTI_REGION_KEY_ID = /^mrk-[0-9a-f]{32}$/;
const KMS_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):(key|alias)\/(.+)$/;

/** Whether the text has the form of a key ID, single- or multi-Region. */
export const isKeyId = (text: string) =>
  SINGLE_REGION_KEY_ID.test(text) || MULTI_REGION_KEY_ID.test(text);

/**
 * Whether the text is read as a key ID where a caller names a key. Those in upper case are, and name
 * none (recorded on AWS by floci's authors).
 */
export const isNamedKeyId = (text: string) =>
  isKeyId(text.replace(/[A-F]/g, (digit) => digit.toLowerCase()));

export const isMultiRegionKeyId = (keyId: string) => MULTI_REGION_KEY_ID.test(keyId);

export const keyArn = (region: Region, accountId: string, keyId: string) =>
  `arn:${partitionOf(region)}:kms:${region}:${accountId}:key/${keyId}`;

/** `aliasName` is the whole name, `alias/…`. */
export const aliasArn = (region: Region, accountId: string, aliasName: string) =>
  `arn:${partitionOf(region)}:kms:${region}:${accountId}:${aliasName}`;

/** The principal that stands for a whole account. */
export const rootArn = (region: Region, accountId: string) =>
  `arn:${partitionOf(region)}:iam::${accountId}:root`;

/** A KeyId as the caller wrote it, taken apart; `malformed` is an ARN that is none of KMS. */
export type KeyReference =
  | { readonly kind: "keyId"; readonly keyId: string }
  | { readonly kind: "keyArn"; readonly keyId: string; readonly arn: ArnParts }
  | { readonly kind: "aliasName"; readonly aliasName: string }
  | { readonly kind: "aliasArn"; readonly aliasName: string; readonly arn: ArnParts }
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown" };

export interface ArnParts {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

/** Reads any of the four forms of a KeyId. Never throws: what cannot be read is `unknown`. */
export function parseKeyReference(text: string): KeyReference {
  if (isNamedKeyId(text)) return { kind: "keyId", keyId: text };
  if (text.startsWith("alias/")) return { kind: "aliasName", aliasName: text };
  if (!text.startsWith("arn:")) return { kind: "unknown" };
  const [, partition, region, accountId, resource, name] = KMS_ARN.exec(text) ?? [];
  if (!partition || !region || !accountId || !name) return { kind: "malformed" };
  const arn = { partition, region, accountId };
  return resource === "alias"
    ? { kind: "aliasArn", aliasName: `alias/${name}`, arn }
    : { kind: "keyArn", keyId: name, arn };
}
