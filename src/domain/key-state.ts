// The key states and what each operation may do in them, as AWS's table has it.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html#key-state-table

import { KmsError } from "../errors.ts";

export type KeyState =
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingReplicaDeletion"
  | "PendingImport"
  | "Unavailable"
  | "Creating"
  | "Updating";

/** What a cell of the table answers for the key of this ARN: null allows the operation. */
type Cell = (arn: string) => KmsError | null;
type Row = Readonly<Record<KeyState, Cell>>;

const invalid =
  (text: string): Cell =>
  (arn) =>
    new KmsError("KMSInvalidStateException", `${arn} ${text}`);

const ok: Cell = () => null;
/** D1: recorded on AWS. */
const disabled: Cell = (arn) => new KmsError("DisabledException", `${arn} is disabled.`);
/** P2, P3: the recorded text is the short form, for keys that were disabled before, too. */
const deletion = invalid("is pending deletion.");
/** The short form by analogy; the guide prints both states in one text. */
const replicas = invalid("is pending replica deletion.");
/** N4, N13. */
const notDeleting = invalid("is not pending deletion.");
/** I5: recorded on AWS. */
const importing = invalid("is pending import.");
/** V11. */
const unavailable = invalid("is unavailable.");
/** C14. */
const creating = invalid("is creating.");
/** T15. */
const updating = invalid("is updating.");

const row = (
  Enabled: Cell,
  Disabled: Cell,
  PendingDeletion: Cell,
  PendingReplicaDeletion: Cell,
  PendingImport: Cell,
  Unavailable: Cell,
  Creating: Cell,
  Updating: Cell,
): Row => ({
  Enabled,
  Disabled,
  PendingDeletion,
  PendingReplicaDeletion,
  PendingImport,
  Unavailable,
  Creating,
  Updating,
});

const always = row(ok, ok, ok, ok, ok, ok, ok, ok);
/** Every cryptographic operation. */
const cryptographic = row(ok, disabled, deletion, replicas, importing, unavailable, creating, ok);
/** Recorded on AWS: a disabled key gives its public key (floci-io/floci#3968). The table has D1. */
const publicKey = row(ok, ok, deletion, replicas, importing, ok, creating, ok);
/** Of keys that are in no custom key store, and so never Unavailable. */
const ofPairs = row(ok, disabled, deletion, replicas, importing, ok, creating, ok);
const manageable = row(ok, ok, deletion, replicas, ok, ok, ok, ok);
const switching = row(ok, ok, deletion, replicas, importing, ok, creating, updating);
/** What the cell leaves open (?7, U6) is the key's origin: the operation's own check. */
const rotating = row(ok, disabled, deletion, replicas, ok, ok, creating, ok);

// biome-ignore format: a table reads best as one
export const keyStates = {
  //                               Enabled      Disabled     PendingDeletion PendingReplica… PendingImport Unavailable  Creating     Updating
  CancelKeyDeletion:           row(notDeleting, notDeleting, ok,             ok,             notDeleting,  notDeleting, notDeleting, notDeleting),
  CreateAlias:                 manageable,
  CreateGrant:                 row(ok,          disabled,    deletion,       replicas,       importing,    ok,          creating,    ok),
  Decapsulate:                 ofPairs,
  Decrypt:                     cryptographic,
  DeleteAlias:                 always,
  DeleteImportedKeyMaterial:   row(ok,          ok,          ok,             ok,             ok,           ok,          creating,    updating),
  DeriveSharedSecret:          ofPairs,
  DescribeKey:                 always,
  DisableKey:                  switching,
  DisableKeyRotation:          rotating,
  EnableKey:                   switching,
  EnableKeyRotation:           rotating,
  Encapsulate:                 ofPairs,
  Encrypt:                     cryptographic,
  GenerateDataKey:             cryptographic,
  GenerateDataKeyPair:         cryptographic,
  GenerateDataKeyPairWithoutPlaintext: cryptographic,
  GenerateDataKeyWithoutPlaintext: cryptographic,
  GenerateMac:                 ofPairs,
  GetKeyLastUsage:             always,
  GetKeyPolicy:                always,
  GetKeyRotationStatus:        always,
  GetParametersForImport:      row(ok,          ok,          deletion,       replicas,       ok,           ok,          creating,    updating),
  GetPublicKey:                publicKey,
  ImportKeyMaterial:           row(ok,          ok,          deletion,       replicas,       ok,           ok,          creating,    ok),
  ListGrants:                  always,
  ListKeyPolicies:             always,
  ListKeyRotations:            always,
  ListResourceTags:            always,
  PutKeyPolicy:                always,
  ReEncrypt:                   cryptographic,
  ReplicateKey:                row(ok,          disabled,    deletion,       replicas,       importing,    ok,          creating,    updating),
  RetireGrant:                 always,
  RevokeGrant:                 always,
  RotateKeyOnDemand:           row(ok,          disabled,    deletion,       replicas,       importing,    ok,          creating,    ok),
  ScheduleKeyDeletion:         row(ok,          ok,          deletion,       replicas,       ok,           ok,          ok,          updating),
  Sign:                        ofPairs,
  TagResource:                 manageable,
  UntagResource:               manageable,
  /** The destination; A10 lets the source be in any state. */
  UpdateAlias:                 manageable,
  UpdateKeyDescription:        manageable,
  /** Both keys. While Updating AWS's table allows it; its page on managing keys wants both Enabled. */
  UpdatePrimaryRegion:         row(ok,          disabled,    deletion,       replicas,       importing,    ok,          creating,    updating),
  Verify:                      ofPairs,
  VerifyMac:                   ofPairs,
} as const satisfies Record<string, Row>;

export type KeyOperationName = keyof typeof keyStates;

/** Throws DisabledException or KMSInvalidStateException where the table refuses the operation. */
export function requireState(operation: KeyOperationName, state: KeyState, arn: string): void {
  const refusal = keyStates[operation][state](arn);
  if (refusal) throw refusal;
}
