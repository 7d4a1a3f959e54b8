// Encrypting, decrypting and re-encrypting with a key.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-concepts.html

import type { EncryptionAlgorithm } from "../crypto/algorithm.ts";
import { encryptionAlgorithms } from "../crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../crypto/base64.ts";
import { type CiphertextOrigin, ciphertextOrigin, IV_BYTES } from "../crypto/ciphertext-blob.ts";
import { decryptSymmetric, type EncryptionContext, encryptSymmetric } from "../crypto/symmetric.ts";
import { bytesIn } from "../domain/key-set.ts";
import type { KeySpec } from "../domain/key-spec.ts";
import type { Moment } from "../domain/moment.ts";
import { KmsError, keyOutOfReach, stateError, validation } from "../errors.ts";
import { openedInKeyStore, sealedInKeyStore, unopened } from "./external-encryption.ts";
import * as members from "./members.ts";
import { atEdge, type Caller, type Edge, type Target, use } from "./operation.ts";
import { callerArn } from "./permission.ts";
import { blob, required } from "./shape.ts";
import { requireAlgorithm, requireKeyPair, requireMaterial } from "./usage.ts";

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
    keyUsage: "ENCRYPT_DECRYPT",
    async use(target, input, at) {
      const plaintext = fromBase64(input.Plaintext);
      const { ciphertext, algorithm } = await encrypted(target, plaintext, input, at);
      return { CiphertextBlob: ciphertext, KeyId: target.arn, EncryptionAlgorithm: algorithm };
    },
  }),

  Decrypt: use({
    input: { ...decryptInput, Recipient: members.recipient },
    aliases: true,
    forRecipient: "Plaintext",
    check: (input) => requireCiphertext(input, "KeyId"),
    missing: (input, caller) =>
      input.KeyId === undefined ? unreachable(input.CiphertextBlob, "Decrypt", caller) : null,
    precondition: (target, input) => requireKeyOfCiphertext(target, notIgnored(input)),
    keyUsage: "ENCRYPT_DECRYPT",
    async use(target, input) {
      const { plaintext, algorithm, materialId } = await decrypted(target, notIgnored(input));
      return {
        KeyId: target.arn,
        Plaintext: toBase64(plaintext),
        EncryptionAlgorithm: algorithm,
        ...(materialId !== null && { KeyMaterialId: materialId }),
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
        GrantTokens: input.GrantTokens,
        DestinationKeyId,
      };
      const source =
        SourceKeyId === undefined
          ? await edge.onCiphertextKey<ReEncryptSource>("ReEncryptFrom", CiphertextBlob ?? "", from)
          : await edge.onKey<ReEncryptSource>("ReEncryptFrom", SourceKeyId, from);
      const to: ReEncryptTo = {
        KeyId: DestinationKeyId,
        SourceKeyId: source.SourceKeyId,
        Plaintext: source.Plaintext ?? "",
        EncryptionContext: input.DestinationEncryptionContext,
        EncryptionAlgorithm: input.DestinationEncryptionAlgorithm,
        DryRun: input.DryRun,
        GrantTokens: input.GrantTokens,
        SourceKeySpec: source.SourceKeySpec,
      };
      const { Plaintext: _secret, SourceKeySpec: _spec, ...shown } = source;
      let destination: object;
      try {
        destination = await edge.onKey<object>("ReEncryptTo", DestinationKeyId, to);
      } catch (refusal) {
        await takenBack(edge, source.SourceKeyId);
        throw refusal;
      }
      return { ...shown, ...destination };
    },
  }),
};

interface ReEncryptFrom {
  readonly CiphertextBlob: string | undefined;
  readonly KeyId: string | undefined;
  readonly EncryptionContext: EncryptionContext | undefined;
  readonly EncryptionAlgorithm: string | undefined;
  readonly GrantTokens: readonly string[] | undefined;
  /** As the caller wrote it, for the policies that ask. */
  readonly DestinationKeyId: string;
}

export interface ReEncryptTo {
  /** As the caller wrote it, and the source's ARN: for the policies that ask. */
  readonly KeyId: string;
  readonly SourceKeyId: string;
  /** Empty in a dry run without a ciphertext. */
  readonly Plaintext: string;
  readonly EncryptionContext: EncryptionContext | undefined;
  readonly EncryptionAlgorithm: string | undefined;
  readonly DryRun: boolean | undefined;
  readonly GrantTokens: readonly string[] | undefined;
  /** For the request quotas: keys of one type share one. */
  readonly SourceKeySpec: KeySpec;
}

interface ReEncryptSource {
  readonly SourceKeyId: string;
  readonly SourceKeySpec: KeySpec;
  readonly Plaintext?: string;
}

/** Only a ReEncrypt that succeeds counts as a use of its source key, and a dry run never does. */
async function takenBack(edge: Edge, sourceKeyId: string): Promise<void> {
  try {
    await edge.onKey("ReEncryptUndone", sourceKeyId, {});
  } catch {
    // What the caller has to hear of is the refusal of the other key.
  }
}

/** The halves of ReEncrypt, each on its own key. No caller reaches them by name. */
export const reEncryptSteps = {
  ReEncryptFrom: use({
    input: {},
    aliases: true,
    state: "ReEncrypt",
    missing: (input, caller) => {
      const { KeyId, CiphertextBlob } = input as ReEncryptFrom;
      return KeyId === undefined ? unreachable(CiphertextBlob, "ReEncryptFrom", caller) : null;
    },
    precondition: (target, input) => requireKeyOfCiphertext(target, input as ReEncryptFrom),
    keyUsage: "ENCRYPT_DECRYPT",
    async use(target, input) {
      const from = input as ReEncryptFrom;
      const { plaintext, algorithm, materialId } = await decrypted(target, from);
      return {
        SourceKeyId: target.arn,
        SourceKeySpec: target.set.keySpec,
        SourceEncryptionAlgorithm: algorithm,
        ...(materialId !== null && { SourceKeyMaterialId: materialId }),
        Plaintext: toBase64(plaintext),
      };
    },
  }),

  ReEncryptTo: use({
    input: {},
    aliases: true,
    state: "ReEncrypt",
    keyUsage: "ENCRYPT_DECRYPT",
    async use(target, input, at) {
      const to = input as ReEncryptTo;
      const plaintext = fromBase64(to.Plaintext);
      const { ciphertext, algorithm, materialId } = await encrypted(target, plaintext, to, at);
      return {
        CiphertextBlob: ciphertext,
        KeyId: target.arn,
        DestinationEncryptionAlgorithm: algorithm,
        ...(materialId !== null && { DestinationKeyMaterialId: materialId }),
      };
    },
  }),

  /** The end of a ReEncrypt that the destination refused. */
  ReEncryptUndone: use({
    input: {},
    state: "DescribeKey",
    action: "ReEncryptFrom",
    undoesUsage: true,
    use: () => null,
  }),
};

/** What a dry run answers when the call would have worked (recorded on AWS). */
export const dryRunSucceeded = () =>
  new KmsError(
    "DryRunOperationException",
    "The request would have succeeded, but the DryRun option is set.",
  );

interface Algorithmic {
  readonly EncryptionAlgorithm?: string | undefined;
  readonly EncryptionContext?: EncryptionContext | undefined;
}

/** What was encrypted, in base64; the material only where the ciphertext names it. */
interface Encrypted {
  readonly ciphertext: string;
  readonly algorithm: string;
  readonly materialId: string | null;
}

interface Decrypted {
  readonly plaintext: Uint8Array;
  readonly algorithm: string;
  readonly materialId: string | null;
}

/** Encrypts with whatever algorithm is asked for and the key has. */
async function encrypted(
  target: Target,
  plaintext: Uint8Array<ArrayBuffer>,
  input: Algorithmic,
  at: Moment,
): Promise<Encrypted> {
  const algorithm = requireEncryption(target, input);
  const pair = asymmetric(algorithm);
  if (!pair) {
    const made = await encryptWith(target, plaintext, input.EncryptionContext, at);
    return { ...made, algorithm };
  }
  const key = requireKeyPair(target);
  const max = pair.maxPlaintextBytes(key);
  if (plaintext.length > max) {
    // Recorded on AWS.
    throw validation(
      `Algorithm ${algorithm} and key spec ${target.set.keySpec} ` +
        `cannot encrypt data larger than ${max} bytes.`,
    );
  }
  return { ciphertext: toBase64(pair.encrypt(key, plaintext)), algorithm, materialId: null };
}

/** What there is to decrypt; no ciphertext where a dry run is to ignore it. */
interface ToDecrypt extends Algorithmic {
  readonly CiphertextBlob?: string | undefined;
}

/**
 * Which key a ciphertext is of comes before what the key is for, its state and whether it has the
 * algorithm (recorded on AWS, floci-io/floci#3968). That of a key pair tells nothing.
 */
function requireKeyOfCiphertext(target: Target, input: ToDecrypt): void {
  if (input.CiphertextBlob === undefined || asymmetric(input.EncryptionAlgorithm)) return;
  requireOwn(target, input.CiphertextBlob);
}

/** Decrypts with whatever algorithm is asked for and the key has. */
async function decrypted(target: Target, input: ToDecrypt): Promise<Decrypted> {
  const { CiphertextBlob: ciphertext } = input;
  const algorithm = requireEncryption(target, input);
  const pair = asymmetric(algorithm);
  if (ciphertext === undefined) {
    return { plaintext: new Uint8Array(), algorithm, materialId: null }; // IGNORE_CIPHERTEXT
  }
  if (!pair)
    return { ...(await decryptWith(target, ciphertext, input.EncryptionContext)), algorithm };
  const plaintext = pair.decrypt(requireKeyPair(target), fromBase64(ciphertext));
  if (!plaintext) throw new KmsError("InvalidCiphertextException");
  return { plaintext, algorithm, materialId: null };
}

/** The row of an asymmetric algorithm; null for SYMMETRIC_DEFAULT, asked for or not. */
function asymmetric(algorithm: string | undefined): EncryptionAlgorithm | null {
  const rows: Readonly<Record<string, EncryptionAlgorithm>> = encryptionAlgorithms;
  return algorithm !== undefined && Object.hasOwn(rows, algorithm)
    ? (rows[algorithm] ?? null)
    : null;
}

/** The algorithm to use, once the key has it. */
function requireEncryption(target: Target, input: Algorithmic): string {
  const algorithm = input.EncryptionAlgorithm ?? STANDARD_ALGORITHM;
  requireAlgorithm(target, algorithm);
  if (asymmetric(algorithm) && Object.keys(input.EncryptionContext ?? {}).length > 0) {
    // As other emulators have it, in AWS's terms of the time.
    throw validation(
      "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.",
    );
  }
  return algorithm;
}

/** Encrypts with the current material of a symmetric key. */
export async function encryptWith(
  target: Target,
  plaintext: Uint8Array<ArrayBuffer>,
  context: EncryptionContext | undefined,
  at: Moment,
): Promise<{ readonly ciphertext: string; readonly materialId: string }> {
  const { id, bytes } = requireMaterial(target);
  const { accountId, keyId } = target.set;
  const origin = { accountId, keyId, keyMaterialId: id };
  const blob = await encryptSymmetric(bytes, origin, plaintext, context, at.random(IV_BYTES));
  const ciphertext = await sealedInKeyStore(target, blob, context);
  return { ciphertext: toBase64(ciphertext), materialId: id };
}

/** Decrypts with the material the ciphertext names, however old. */
async function decryptWith(
  target: Target,
  ciphertext: string,
  context: EncryptionContext | undefined,
): Promise<{ readonly plaintext: Uint8Array; readonly materialId: string }> {
  const { set, key } = target;
  const origin = requireOwn(target, ciphertext);
  const bytes = bytesIn(set, key, origin.keyMaterialId);
  if (!bytes) {
    // As in `requireMaterial`: the state does not always tell.
    const known = set.materials.some(({ id }) => id === origin.keyMaterialId);
    throw known
      ? stateError(target.arn, "pending import")
      : new KmsError("InvalidCiphertextException");
  }
  const blob = await openedInKeyStore(target, fromBase64(ciphertext), context);
  const plaintext = await decryptSymmetric(bytes, origin, blob, context);
  if (!plaintext) throw unopened(target);
  return { plaintext, materialId: origin.keyMaterialId };
}

/** What a ciphertext says of its origin, which has to be this key set. */
function requireOwn({ set }: Target, ciphertext: string): CiphertextOrigin {
  const origin = ciphertextOrigin(fromBase64(ciphertext));
  if (!origin) throw new KmsError("InvalidCiphertextException");
  if (origin.keyId !== set.keyId || origin.accountId !== set.accountId) {
    // Recorded on AWS.
    throw new KmsError(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  return origin;
}

/** A ciphertext that names no key of this Region: damaged, or of a key out of reach. */
function unreachable(ciphertext: string | undefined, action: string, caller: Caller): KmsError {
  const origin = ciphertext === undefined ? null : ciphertextOrigin(fromBase64(ciphertext));
  return origin
    ? keyOutOfReach(callerArn(caller), action, "ofCiphertext")
    : new KmsError("InvalidCiphertextException");
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

/** A request to decrypt without the ciphertext that it wants ignored. */
const notIgnored = <I extends CiphertextInput>(input: I): I =>
  ignoresCiphertext(input) ? { ...input, CiphertextBlob: undefined } : input;

/** A ciphertext may be left out only of a dry run that says so and names the key. */
function requireCiphertext(input: CiphertextInput, keyIdMember: "KeyId" | "SourceKeyId"): void {
  const ignored = ignoresCiphertext(input);
  if (ignored && input.KeyId === undefined) {
    throw validation(`${keyIdMember} is required with the IGNORE_CIPHERTEXT modifier.`);
  }
  if (input.CiphertextBlob === undefined && !ignored) {
    throw members.memberMissing("ciphertextBlob"); // Optional for the dry run's sake.
  }
}
