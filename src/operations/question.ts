// A request for one permission, with all that the conditions of policies may ask about it.

import type { Attestation } from "../attestation/parse-attestation.ts";
import { isPrimary, type Tag } from "../domain/key-set.ts";
import type { KeySpec, KeyUsage, Origin } from "../domain/key-spec.ts";
import type { Principal, RequestContext } from "../domain/principal.ts";
import type { Region } from "../domain/region.ts";
import type { Target } from "./operation.ts";

/** A request for one permission, as far as conditions can ask about it. */
export interface Question {
  /** The permission without its `kms:`. */
  readonly action: string;
  /** Where the permission is needed; of ReplicateKey's CreateKey that is where the replica will be. */
  readonly region: Region;
  readonly caller: Principal;
  readonly request: RequestContext;
  /** Ms since the epoch, by the tenant's clock. */
  readonly now: number;
  readonly input: Readonly<Record<string, unknown>>;
  /** The key that is asked for, or is to be; null where there is none. */
  readonly key: KeyFacts | null;
  readonly attestation?: RecipientAttestation | undefined;
  /** What is to be taken for the values of condition keys, whatever the request says. */
  readonly supposed?: SupposedValues | undefined;
}

/** Values of condition keys, by names in lower case. */
export type SupposedValues = Readonly<Record<string, string | readonly string[]>>;

/** What conditions can ask of a key. */
export interface KeyFacts {
  readonly accountId: string;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: Origin;
  readonly multiRegion: boolean;
  readonly type: "PRIMARY" | "REPLICA" | null;
  readonly tags: readonly Tag[];
  /** Null while the key is only to be. */
  readonly arn: string | null;
  /** When it was last used, or else made; in ms since the epoch. Undefined where nothing asks. */
  readonly unusedSince?: number | undefined;
  /** The names of its aliases; undefined where no policy names them, and they were not fetched. */
  readonly aliases?: readonly string[] | undefined;
}

/** What a verified attestation document says; in lower-case hex. */
export interface RecipientAttestation {
  readonly imageSha384?: string;
  readonly pcrs: Readonly<Record<number, string>>;
  readonly nitroTpmPcrs: Readonly<Record<number, string>>;
}

/** An attestation document that was verified, as conditions see it. */
export function attestationFacts({
  imageSha384,
  nitroTpm,
  pcrs,
}: Attestation): RecipientAttestation {
  const registers = Object.fromEntries(pcrs);
  return {
    ...(imageSha384 !== null && { imageSha384 }),
    pcrs: nitroTpm ? {} : registers,
    nitroTpmPcrs: nitroTpm ? registers : {},
  };
}

/** A key that is there, as conditions see it. */
export function factsOf(
  { set, key, arn, lastUsage }: Target,
  aliases?: readonly string[],
): KeyFacts {
  const { accountId, keySpec, keyUsage, origin, multiRegion } = set;
  const type: KeyFacts["type"] = multiRegion ? (isPrimary(set, key) ? "PRIMARY" : "REPLICA") : null;
  const { tags } = key;
  const unusedSince = lastUsage?.at ?? key.createdAt;
  const is = { accountId, keySpec, keyUsage, origin, multiRegion, type };
  return { ...is, tags, arn, unusedSince, aliases };
}

/** A replica that ReplicateKey is asked for. */
export const replicaFacts = (primary: Target): KeyFacts => ({
  ...factsOf(primary),
  type: "REPLICA",
  tags: [],
  arn: null,
});

/** A key that CreateKey is asked for. */
export function requestedKey(
  input: object,
  { accountId }: { readonly accountId: string },
): KeyFacts {
  const asked = input as {
    KeySpec?: KeySpec;
    CustomerMasterKeySpec?: KeySpec;
    KeyUsage?: KeyUsage;
    Origin?: Origin;
    MultiRegion?: boolean;
  };
  const multiRegion = asked.MultiRegion ?? false;
  return {
    accountId,
    keySpec: asked.KeySpec ?? asked.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
    keyUsage: asked.KeyUsage ?? "ENCRYPT_DECRYPT",
    origin: asked.Origin ?? "AWS_KMS",
    multiRegion,
    type: multiRegion ? "PRIMARY" : null,
    tags: [],
    arn: null,
  };
}
