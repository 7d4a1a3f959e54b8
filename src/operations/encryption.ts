// Encrypting, decrypting and re-encrypting with a key.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-concepts.html

import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { ciphertextOrigin, IV_BYTES } from "../crypto/ciphertext-blob.ts";
import { decryptSymmetric, type EncryptionContext, encryptSymmetric } from "../crypto/symmetric.ts";
import { currentMaterial, type KeyMaterial, type KeySet } from "../domain/key-set.ts";
import { keySpecs } from "../domain/key-spec.ts";
import type { Moment } from "../domain/moment.ts";
import { ciphertextOfUnreachableKey, KmsError, validation } from "../errors.ts";
import * as members from "./members.ts";
import { atEdge, use } from "./operation.ts";
import { blob, required } from "./shape.ts";

const STANDARD_ALGORITHM = "SYMMETRIC_DEFAULT";

const decryptInput = {
  CiphertextBlob: members.ciphertextBlob,
  EncryptionContext: members.encryptionContext,
  GrantTokens: members.grantTokens,
  KeyId: members.keyId,
  EncryptionAlgorithm: members.encryptionAlgorithm,
  DryRun: members.dryRun,
  DryRunModifiers: members.dryRunModifiers,
};

const encryptInput = {
  KeyId: required(members.keyId),
  Plaintext: required(blob({ min: 1, max: 4096, sensitive: true })),
  EncryptionContext: members.encryptionContext,
  GrantTokens: members.grantTokens,
  EncryptionAlgorithm: members.encryptionAlgorithm,
  DryRun: members.dryRun,
};

export const encryption = {
  Encrypt: use({
    input: encryptInput,
    aliases: true,
    async use({ set, arn }, input, at) {
      const EncryptionAlgorithm = requireAlgorithm(set, input.EncryptionAlgorithm);
      const plaintext = fromBase64(input.Plaintext);
      const { ciphertext } = await encryptWith(set, plaintext, input.EncryptionContext, at);
      return { CiphertextBlob: ciphertext, KeyId: arn, EncryptionAlgorithm };
    },
  }),

  Decrypt: use({
    input: { ...decryptInput, Recipient: members.recipient },
    aliases: true,
    check(input) {
      members.refuseNotBuilt(input, "Recipient");
      requireCiphertext(input, "KeyId");
    },
    missing: (input) => (input.KeyId === undefined ? unreachable(input.CiphertextBlob) : null),
    async use({ set, arn }, input) {
      const EncryptionAlgorithm = requireAlgorithm(set, input.EncryptionAlgorithm);
      if (input.CiphertextBlob === undefined || ignoresCiphertext(input)) return null;
      const { plaintext, material } = await decryptWith(
        set,
        input.CiphertextBlob,
        input.EncryptionContext,
      );
      return {
        KeyId: arn,
        Plaintext: toBase64(plaintext),
        EncryptionAlgorithm,
        KeyMaterialId: material.id,
      };
    },
  }),

  /** Decrypts with the one key and encrypts with the other; each must be usable and allow it. */
  ReEncrypt: atEdge({
    input: {
      CiphertextBlob: members.ciphertextBlob,
      SourceEncryptionContext: members.encryptionContext,
      SourceKeyId: members.keyId,
      DestinationKeyId: required(members.keyId),
      DestinationEncryptionContext: members.encryptionContext,
      SourceEncryptionAlgorithm: members.encryptionAlgorithm,
      DestinationEncryptionAlgorithm: members.encryptionAlgorithm,
      GrantTokens: members.grantTokens,
      DryRun: members.dryRun,
      DryRunModifiers: members.dryRunModifiers,
    },
    async run(edge, input) {
      requireCiphertext({ ...input, KeyId: input.SourceKeyId }, "SourceKeyId");
      const { SourceKeyId, DestinationKeyId } = input;
      const CiphertextBlob = ignoresCiphertext(input) ? undefined : input.CiphertextBlob;
      const from: ReEncryptFrom = {
        CiphertextBlob,
        KeyId: SourceKeyId,
        EncryptionContext: input.SourceEncryptionContext,
        EncryptionAlgorithm: input.SourceEncryptionAlgorithm,
      };
      const source =
        SourceKeyId === undefined
          ? await edge.onCiphertextKey<ReEncryptSource>("ReEncryptFrom", CiphertextBlob ?? "", from)
          : await edge.onKey<ReEncryptSource>("ReEncryptFrom", SourceKeyId, from);
      const to: ReEncryptTo = {
        Plaintext: source.Plaintext,
        EncryptionContext: input.DestinationEncryptionContext,
        EncryptionAlgorithm: input.DestinationEncryptionAlgorithm,
      };
      const destination = await edge.onKey<object>("ReEncryptTo", DestinationKeyId, to);
      if (input.DryRun) throw dryRunSucceeded();
      const { Plaintext: _secret, ...shown } = source;
      return { ...shown, ...destination };
    },
  }),
};

interface ReEncryptFrom {
  readonly CiphertextBlob: string | undefined;
  readonly KeyId: string | undefined;
  readonly EncryptionContext: EncryptionContext | undefined;
  readonly EncryptionAlgorithm: string | undefined;
}

interface ReEncryptTo {
  /** Absent in a dry run without a ciphertext. */
  readonly Plaintext: string | undefined;
  readonly EncryptionContext: EncryptionContext | undefined;
  readonly EncryptionAlgorithm: string | undefined;
}

interface ReEncryptSource {
  readonly Plaintext?: string;
}

/** The halves of ReEncrypt, each on its own key. No caller reaches them by name. */
export const reEncryptSteps = {
  ReEncryptFrom: use({
    input: {},
    aliases: true,
    state: "ReEncrypt",
    missing: (input) => {
      const { KeyId, CiphertextBlob } = input as ReEncryptFrom;
      return KeyId === undefined ? unreachable(CiphertextBlob) : null;
    },
    async use({ set, arn }, input) {
      const { CiphertextBlob, EncryptionContext, EncryptionAlgorithm } = input as ReEncryptFrom;
      const SourceEncryptionAlgorithm = requireAlgorithm(set, EncryptionAlgorithm);
      if (CiphertextBlob === undefined) return {};
      const { plaintext, material } = await decryptWith(set, CiphertextBlob, EncryptionContext);
      return {
        SourceKeyId: arn,
        SourceEncryptionAlgorithm,
        SourceKeyMaterialId: material.id,
        Plaintext: toBase64(plaintext),
      };
    },
  }),

  ReEncryptTo: use({
    input: {},
    aliases: true,
    state: "ReEncrypt",
    async use({ set, arn }, input, at) {
      const { Plaintext, EncryptionContext, EncryptionAlgorithm } = input as ReEncryptTo;
      const DestinationEncryptionAlgorithm = requireAlgorithm(set, EncryptionAlgorithm);
      if (Plaintext === undefined) return {};
      const plaintext = fromBase64(Plaintext);
      const { ciphertext, material } = await encryptWith(set, plaintext, EncryptionContext, at);
      return {
        CiphertextBlob: ciphertext,
        KeyId: arn,
        DestinationEncryptionAlgorithm,
        DestinationKeyMaterialId: material.id,
      };
    },
  }),
};

/** What a dry run answers when the call would have worked (recorded on AWS). */
export const dryRunSucceeded = () =>
  new KmsError(
    "DryRunOperationException",
    "The request would have succeeded, but the DryRun option is set.",
  );

/** Encrypts with the current material; the ciphertext is base64. */
export async function encryptWith(
  set: KeySet,
  plaintext: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
  at: Moment,
): Promise<{ ciphertext: string; material: KeyMaterial }> {
  const material = currentMaterial(set);
  const iv = at.random(IV_BYTES);
  const blob = await encryptSymmetric(material, set, plaintext, context, iv);
  return { ciphertext: toBase64(blob), material };
}

/** Decrypts with the material the ciphertext names, however old. */
async function decryptWith(
  set: KeySet,
  ciphertext: string,
  context: EncryptionContext | undefined,
): Promise<{ plaintext: Uint8Array; material: KeyMaterial }> {
  const bytes = fromBase64(ciphertext);
  const origin = ciphertextOrigin(bytes);
  if (!origin) throw new KmsError("InvalidCiphertextException");
  if (origin.keyId !== set.keyId || origin.accountId !== set.accountId) {
    // Recorded on AWS.
    throw new KmsError(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  const material = set.materials.find((candidate) => candidate.id === origin.keyMaterialId);
  const plaintext = material && (await decryptSymmetric(material, set, bytes, context));
  if (!plaintext) throw new KmsError("InvalidCiphertextException");
  return { plaintext, material };
}

/** A ciphertext that names no key of this Region: damaged, or of a key out of reach. */
function unreachable(ciphertext: string | undefined): KmsError {
  const origin = ciphertext === undefined ? null : ciphertextOrigin(fromBase64(ciphertext));
  return origin ? ciphertextOfUnreachableKey() : new KmsError("InvalidCiphertextException");
}

/** The algorithm asked for, where the key spec has it. */
function requireAlgorithm(set: KeySet, asked: string | undefined): string {
  const algorithm = asked ?? STANDARD_ALGORITHM;
  const { algorithms } = keySpecs[set.keySpec].usages[set.keyUsage];
  if (!algorithms.some((candidate) => candidate === algorithm)) {
    // Recorded on AWS.
    throw new KmsError(
      "InvalidKeyUsageException",
      `Algorithm ${algorithm} is incompatible with key spec ${set.keySpec}.`,
    );
  }
  return algorithm;
}

interface CiphertextInput {
  readonly CiphertextBlob?: string | undefined;
  readonly KeyId?: string | undefined;
  readonly DryRun?: boolean | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}

/** Whether only the permission is asked about, not this ciphertext. */
const ignoresCiphertext = ({ DryRun, DryRunModifiers }: CiphertextInput) =>
  DryRun === true && DryRunModifiers?.includes("IGNORE_CIPHERTEXT") === true;

/** A ciphertext may be left out only of a dry run that says so and names the key. */
function requireCiphertext(input: CiphertextInput, keyIdMember: "KeyId" | "SourceKeyId"): void {
  const ignored = ignoresCiphertext(input);
  if (ignored && input.KeyId === undefined) {
    throw validation(`${keyIdMember} is required with the IGNORE_CIPHERTEXT modifier.`);
  }
  if (input.CiphertextBlob === undefined && !ignored) {
    // As for a required member; the model leaves it optional for the dry run's sake.
    throw validation(
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: " +
        "Member must not be null",
    );
  }
}
