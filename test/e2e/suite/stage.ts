// What every part of the suite plays on: a fresh account on the server under test, with AWS's
// client in each Region. Background processes of KMS last an hour here, and the hour is moved.

import type { CreateKeyCommandOutput, KMS } from "@aws-sdk/client-kms";
import { expect } from "vitest";
import { kms, moveClock, type ServerTime } from "../../support/clients.ts";

const HOUR_MS = 3_600_000;

/** How the servers of the suite are started. */
export const stageSettings = {
  auth: "open",
  movableClock: true,
  creatingMs: HOUR_MS,
  updatingMs: HOUR_MS,
  rotatingMs: HOUR_MS,
  nitroRoot: "any",
  tenantLimits: "off",
} as const;

export interface Stage {
  readonly url: string;
  readonly account: string;
  /** The client for a Region. */
  readonly in: (region: string) => KMS;
  /** The ARN of the account's key of this ID in a Region. */
  readonly arn: (region: string, keyId: string) => string;
  readonly moveClock: (to: string | Date) => Promise<ServerTime>;
  /** Moves the clock past whatever is `Creating`, `Updating` or rotating. */
  readonly settle: () => Promise<ServerTime>;
}

export type NewStage = () => Stage;

let accounts = 0;

export function newStage(url: string): Stage {
  accounts += 1;
  const account = String(100_000_000_000 + accounts);
  return {
    url,
    account,
    in: (region) => kms(url, region, { account }),
    arn: (region, keyId) => `arn:aws:kms:${region}:${account}:key/${keyId}`,
    moveClock: (to) => moveClock(url, to),
    settle: () => moveClock(url, "PT1H"),
  };
}

/** A primary key in the first Region with an Enabled replica in each of the others; its ID. */
export async function multiRegionKey(
  stage: Stage,
  ...[primary, ...replicas]: readonly [string, ...string[]]
): Promise<string> {
  const keyId = created(await stage.in(primary).createKey({ MultiRegion: true }));
  for (const ReplicaRegion of replicas) {
    await stage.in(primary).replicateKey({ KeyId: keyId, ReplicaRegion });
  }
  if (replicas.length > 0) await stage.settle();
  return keyId;
}

/** The ID of a single-Region key. */
export const singleRegionKey = async (client: KMS) => created(await client.createKey({}));

export function created({ KeyMetadata }: CreateKeyCommandOutput): string {
  const keyId = KeyMetadata?.KeyId;
  if (!keyId) throw new Error("no key was created");
  return keyId;
}

/** What DescribeKey says of a key. */
export async function described(client: KMS, keyId: string) {
  const { KeyMetadata } = await client.describeKey({ KeyId: keyId });
  if (!KeyMetadata) throw new Error("DescribeKey without KeyMetadata");
  return KeyMetadata;
}

/** Text as the bytes that are encrypted. */
export const bytes = (text: string) => new TextEncoder().encode(text);

export async function encrypted(client: KMS, keyId: string, text: string): Promise<Uint8Array> {
  const { CiphertextBlob } = await client.encrypt({ KeyId: keyId, Plaintext: bytes(text) });
  if (!CiphertextBlob) throw new Error("Encrypt without CiphertextBlob");
  return CiphertextBlob;
}

/** The text of a ciphertext that the key of this Region decrypts, without naming the key. */
export async function decrypted(client: KMS, ciphertext: Uint8Array): Promise<string> {
  const { Plaintext } = await client.decrypt({ CiphertextBlob: ciphertext });
  return new TextDecoder().decode(Plaintext);
}

/** Every cryptographic operation that a symmetric key has, on one key. */
export function cryptographicCalls(client: KMS, keyId: string, ciphertext: Uint8Array) {
  const ReEncrypt = { CiphertextBlob: ciphertext, DestinationKeyId: keyId };
  return {
    Encrypt: () => client.encrypt({ KeyId: keyId, Plaintext: bytes("x") }),
    Decrypt: () => client.decrypt({ CiphertextBlob: ciphertext }),
    ReEncrypt: () => client.reEncrypt(ReEncrypt),
    GenerateDataKey: () => client.generateDataKey({ KeyId: keyId, KeySpec: "AES_256" }),
    GenerateDataKeyWithoutPlaintext: () =>
      client.generateDataKeyWithoutPlaintext({ KeyId: keyId, NumberOfBytes: 24 }),
  };
}

interface Page {
  readonly Truncated?: boolean | undefined;
  readonly NextMarker?: string | undefined;
}

/** Every page of a list; holds what each says of the next to the rules. */
export async function pagesOf<P extends Page>(get: (marker: { Marker?: string }) => Promise<P>) {
  const pages: P[] = [];
  for (let marker: { Marker?: string } | null = {}; marker; ) {
    const page: P = await get(marker);
    pages.push(page);
    expect(page.Truncated).toBe(page.NextMarker !== undefined);
    marker = page.NextMarker === undefined ? null : { Marker: page.NextMarker };
  }
  return pages;
}

/** The policy of a key that was made without one (access control of the API reference). */
export const defaultPolicy = (account: string) => `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;

export const keyId = {
  multiRegion: expect.stringMatching(/^mrk-[0-9a-f]{32}$/),
  singleRegion: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
};

export const keyMaterialId = expect.stringMatching(/^[0-9a-f]{64}$/);
