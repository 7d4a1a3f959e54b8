// The key states as the Developer Guide has them: which operation is allowed in which state, with
// which refusal otherwise, and how a key comes from one state to another. Expectations are typed
// from https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html, not taken from the code.

import { describe, expect, test } from "vitest";
import type { Grant } from "../../src/domain/grant.ts";
import { type Key, type KeySet, keyIn, withKeys } from "../../src/domain/key-set.ts";
import { type KeyState, keyStates } from "../../src/domain/key-state.ts";
import type { Region } from "../../src/domain/region.ts";
import { KmsError } from "../../src/errors.ts";
import { operations } from "../../src/operations/index.ts";
import {
  arnOf,
  base64,
  DAY,
  type KeyMetadata,
  outcome,
  type RotationStatus,
  SECOND,
  START,
  World,
} from "../support/core.ts";
import { importMaterial, inDays, NO_EXPIRY, parameters, wrap } from "../support/importing.ts";
import { connectedStore } from "../support/key-stores.ts";

const STATES = [
  "Enabled",
  "Disabled",
  "PendingDeletion",
  "PendingReplicaDeletion",
  "PendingImport",
  "Unavailable",
  "Creating",
  "Updating",
] as const satisfies readonly KeyState[];

/**
 * The refusals by the page's footnotes. P2 and P3 share a text, which is the short form recorded on
 * AWS; the text of pending replica deletion (R3 here) is formed after it, that of N4 shortened alike.
 */
const refusals = {
  D1: "DisabledException: <arn> is disabled.",
  P3: "KMSInvalidStateException: <arn> is pending deletion.",
  R3: "KMSInvalidStateException: <arn> is pending replica deletion.",
  N4: "KMSInvalidStateException: <arn> is not pending deletion.",
  I5: "KMSInvalidStateException: <arn> is pending import.",
  V11: "KMSInvalidStateException: <arn> is unavailable.",
  C14: "KMSInvalidStateException: <arn> is creating.",
  T15: "KMSInvalidStateException: <arn> is updating.",
} as const;

/**
 * What the state does not refuse. The footnotes 6, 7, 8 and 9 refuse by the origin and the spec of the
 * key instead, which symmetric keys of origin AWS_KMS all pass. `na` cannot happen.
 */
const allowances = ["ok", "ok12", "?6", "?7", "?9", "na"] as const;

type Code = keyof typeof refusals | (typeof allowances)[number];

const crypto: readonly Code[] = ["ok", "D1", "P3", "R3", "I5", "V11", "C14", "ok"];
const cryptoNotInStore: readonly Code[] = ["ok", "D1", "P3", "R3", "I5", "na", "C14", "ok"];
const always: readonly Code[] = ["ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok"];

// biome-ignore format: a table reads best as one
const matrix: Readonly<Record<string, readonly Code[]>> = {
  //                            Enabled Disabled  PD    PRD   Import  Unavail. Creating Updating
  CancelKeyDeletion:           ["N4",   "N4",   "ok", "ok", "N4",   "N4",    "N4",    "N4"],
  CreateAlias:                 ["ok",   "ok",   "P3", "R3", "ok",   "ok",    "ok",    "ok"],
  CreateGrant:                 ["ok",   "D1",   "P3", "R3", "I5",   "ok",    "C14",   "ok"],
  Decrypt:                     ["ok",   "D1",   "P3", "R3", "I5",   "V11",   "C14",   "ok"],
  DeleteAlias:                 ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  DeleteImportedKeyMaterial:   ["?9",   "?9",   "?9", "?9", "ok",   "na",    "C14",   "T15"],
  // Newer than the page: as their sister, DeriveSharedSecret.
  Decapsulate:                 cryptoNotInStore,
  Encapsulate:                 cryptoNotInStore,
  DeriveSharedSecret:          cryptoNotInStore,
  DescribeKey:                 ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  DisableKey:                  ["ok",   "ok",   "P3", "R3", "I5",   "ok12",  "C14",   "T15"],
  DisableKeyRotation:          ["?7",   "D1",   "P3", "R3", "?6",   "?7",    "C14",   "?7"],
  EnableKey:                   ["ok",   "ok",   "P3", "R3", "I5",   "ok12",  "C14",   "T15"],
  EnableKeyRotation:           ["?7",   "D1",   "P3", "R3", "?6",   "?7",    "C14",   "?7"],
  Encrypt:                     ["ok",   "D1",   "P3", "R3", "I5",   "V11",   "C14",   "ok"],
  GenerateDataKey:             ["ok",   "D1",   "P3", "R3", "I5",   "V11",   "C14",   "ok"],
  GenerateDataKeyPair:         crypto,
  GenerateDataKeyPairWithoutPlaintext: crypto,
  GenerateDataKeyWithoutPlaintext: ["ok", "D1", "P3", "R3", "I5",   "V11",   "C14",   "ok"],
  GenerateMac:                 cryptoNotInStore,
  GetKeyLastUsage:             always,
  GetKeyPolicy:                ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  GetKeyRotationStatus:        ["?7",   "?7",   "?7", "?7", "?6",   "?7",    "?7",    "?7"],
  GetParametersForImport:      ["?9",   "?9",   "P3", "R3", "ok",   "?9",    "C14",   "T15"],
  // The page has D1; recorded on AWS is that a disabled key gives its public key (floci-io/floci#3968).
  GetPublicKey:                ["ok",   "ok",   "P3", "R3", "I5",   "na",    "C14",   "ok"],
  ImportKeyMaterial:           ["?9",   "?9",   "P3", "R3", "ok",   "?9",    "C14",   "ok"],
  ListAliases:                 ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  ListGrants:                  always,
  ListKeyPolicies:             ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  ListKeyRotations:            ["ok",   "ok",   "ok", "ok", "ok",   "?7",    "ok",    "ok"],
  ListResourceTags:            ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  PutKeyPolicy:                ["ok",   "ok",   "ok", "ok", "ok",   "ok",    "ok",    "ok"],
  ReEncrypt:                   ["ok",   "D1",   "P3", "R3", "I5",   "V11",   "C14",   "ok"],
  ReplicateKey:                ["ok",   "D1",   "P3", "R3", "I5",   "na",    "C14",   "T15"],
  RetireGrant:                 always,
  RevokeGrant:                 always,
  RotateKeyOnDemand:           ["ok",   "D1",   "P3", "R3", "I5",   "?7",    "C14",   "ok"],
  ScheduleKeyDeletion:         ["ok",   "ok",   "P3", "R3", "ok",   "ok",    "ok",    "T15"],
  Sign:                        cryptoNotInStore,
  TagResource:                 ["ok",   "ok",   "P3", "R3", "ok",   "ok",    "ok",    "ok"],
  UntagResource:               ["ok",   "ok",   "P3", "R3", "ok",   "ok",    "ok",    "ok"],
  // A10: of the key that the alias is to point to.
  UpdateAlias:                 ["ok",   "ok",   "P3", "R3", "ok",   "ok",    "ok",    "ok"],
  UpdateKeyDescription:        ["ok",   "ok",   "P3", "R3", "ok",   "ok",    "ok",    "ok"],
  // While Updating the page has a success; the page on managing multi-Region keys wants both Enabled.
  UpdatePrimaryRegion:         ["ok",   "D1",   "P3", "R3", "I5",   "na",    "C14",   "T15"],
  Verify:                      cryptoNotInStore,
  VerifyMac:                   cryptoNotInStore,
};

const NOT_ABOUT_KEY_STATES = [
  "CreateKey",
  "GenerateRandom",
  "ListKeys",
  "ListRetirableGrants",
  "ConnectCustomKeyStore",
  "CreateCustomKeyStore",
  "DeleteCustomKeyStore",
  "DescribeCustomKeyStores",
  "DisconnectCustomKeyStore",
  "UpdateCustomKeyStore",
];

/** A key in one of the states, what belongs to it, and another key beside it that is Enabled. */
interface Scene {
  readonly world: World;
  /** The Region that is called. */
  readonly region: string;
  /** The key that the state is of, and so the refusal. */
  readonly arn: string;
  readonly keyId: string;
  /** Made by the key, before it came into the state. */
  readonly blob: string;
  readonly otherId: string;
  readonly otherBlob: string;
}

/**
 * Which key an operation wants: any; a primary; a primary with a replica to hand over to; or the
 * replica that the primary is to hand over to.
 */
type Wanted = "any" | "primary" | "pair" | "replica";

const [HOME, AWAY, THIRD] = ["us-east-1", "eu-west-1", "ap-northeast-1"] as const;
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111122223333:root" },
      Action: "kms:*",
      Resource: "*",
    },
  ],
});

/** What kind of key an operation is for, and something that the key makes before its state changes. */
interface Kind {
  readonly spec: object;
  /** What it needs before it can have a replica. */
  readonly first?: (world: World, keyId: string) => Promise<unknown>;
  readonly made: (world: World, keyId: string) => Promise<string>;
}

const symmetric: Kind = { spec: {}, made: (world, keyId) => world.encrypt(HOME, keyId) };

const kind = (
  KeySpec: string,
  KeyUsage: string,
  operation: string,
  input: object,
  made: string,
) => ({
  spec: { KeySpec, KeyUsage },
  made: async (world: World, KeyId: string) =>
    (await world.call<Record<string, string>>(HOME, operation, { KeyId, ...input }))[made] ?? "",
});

const MESSAGE = { Message: base64("text") };
const SIGNING = { ...MESSAGE, SigningAlgorithm: "ECDSA_SHA_256" };
const MAC = { ...MESSAGE, MacAlgorithm: "HMAC_SHA_256" };
const KEM = { EncapsulationAlgorithm: "ML_KEM" };

const signing = kind("ECC_NIST_P256", "SIGN_VERIFY", "Sign", SIGNING, "Signature");
const mac = kind("HMAC_256", "GENERATE_VERIFY_MAC", "GenerateMac", MAC, "Mac");
const agreement = kind("ECC_NIST_P256", "KEY_AGREEMENT", "GetPublicKey", {}, "PublicKey");
const kem = kind(
  "ML_KEM_512",
  "ENCAPSULATE_DECAPSULATE",
  "Encapsulate",
  KEM,
  "SharedSecretCiphertextBlob",
);

const MATERIAL = new Uint8Array(32);

/** With its material in each Region; it makes what it takes to import it there again. */
const external: Kind = {
  spec: { Origin: "EXTERNAL" },
  first: (world, keyId) => importMaterial(world, HOME, keyId, MATERIAL),
  async made(world, keyId) {
    const imports: Record<string, object> = {};
    for (const region of Object.keys(world.saved(keyId)?.keys ?? {})) {
      const { ImportToken, PublicKey } = await parameters(world, region, keyId);
      const EncryptedKeyMaterial = await wrap(PublicKey, MATERIAL);
      imports[region] = { ImportToken, EncryptedKeyMaterial, ...NO_EXPIRY };
      if (region !== HOME) await importMaterial(world, region, keyId, MATERIAL);
    }
    return JSON.stringify(imports);
  },
};

async function sceneOf(state: KeyState, wanted: Wanted, kind: Kind = symmetric): Promise<Scene> {
  const world = new World();
  const alone =
    (state === "PendingDeletion" && wanted !== "pair" && wanted !== "replica") ||
    (state === "Creating" && wanted === "any");
  const { KeyId: keyId } = await world.createKey(HOME, { MultiRegion: true, ...kind.spec });
  await kind.first?.(world, keyId);
  if (!alone) await world.replicate(keyId, HOME, AWAY);
  const blob = await kind.made(world, keyId);
  const region = await bring(world, keyId, state, wanted);
  const { KeyId: otherId } = await world.createKey(region);
  const otherBlob = await world.encrypt(region, otherId);
  const arn = arnOf(wanted === "replica" ? AWAY : region, keyId);
  return { world, region, arn, keyId, blob, otherId, otherBlob };
}

/** By operations where they lead to the state; otherwise by hand. Returns the Region to call. */
async function bring(world: World, keyId: string, state: KeyState, wanted: Wanted) {
  const KeyId = keyId;
  const alias = (region: string) =>
    world.call(region, "CreateAlias", { AliasName: "alias/it", TargetKeyId: keyId });
  if (wanted === "replica") {
    setByHand(world, keyId, AWAY, state);
  } else if (state === "Creating" && wanted === "any") {
    await world.call(HOME, "ReplicateKey", { KeyId, ReplicaRegion: AWAY });
    await alias(AWAY);
    return AWAY;
  } else if (state === "Updating") {
    await alias(AWAY);
    await world.call(HOME, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: AWAY });
    return AWAY;
  } else {
    await alias(HOME);
    if (state === "Disabled") await world.call(HOME, "DisableKey", { KeyId });
    else if (
      state === "PendingReplicaDeletion" ||
      (state === "PendingDeletion" && wanted !== "pair")
    )
      await world.call(HOME, "ScheduleKeyDeletion", { KeyId });
    else setByHand(world, keyId, HOME, state);
  }
  return HOME;
}

/** For states that cannot be reached yet, or by a key of this designation never. */
function setByHand(world: World, keyId: string, region: Region, state: KeyState): void {
  world.checks = false;
  world.edit(keyId, (set) => withState(set, region, state, world.now));
}

function withState(set: KeySet, region: Region, state: KeyState, now: number): KeySet {
  const deletionAt = state === "PendingDeletion" ? now + 30 * DAY : null;
  const key = { ...(keyIn(set, region) as Key), state, deletionAt, readyAt: now + SECOND };
  return withKeys(set, key);
}

interface Attempt {
  readonly wanted: Wanted;
  readonly kind?: Kind;
  readonly run: (scene: Scene) => Promise<unknown>;
}

const onKey = (operation: string, input: object = {}, wanted: Wanted = "any"): Attempt => ({
  wanted,
  run: ({ world, region, keyId }) => world.call(region, operation, { KeyId: keyId, ...input }),
});

/** The same on another kind of key, with what that key made as a member of the input. */
const ofKind = (of: Kind, operation: string, input: object, member?: string): Attempt => ({
  wanted: "any",
  kind: of,
  run: ({ world, region, keyId, blob }) =>
    world.call(region, operation, { KeyId: keyId, ...input, ...(member && { [member]: blob }) }),
});

const toOtherRegion = (wanted: Wanted): Attempt => ({
  wanted,
  run: ({ world, region, keyId }) => {
    const PrimaryRegion = region === HOME ? AWAY : HOME;
    return world.call(region, "UpdatePrimaryRegion", { KeyId: keyId, PrimaryRegion });
  },
});

const GRANT: Grant = {
  id: "a".repeat(64),
  name: "",
  createdAt: START,
  granteePrincipal: "arn:aws:iam::111122223333:role/Grantee",
  granteeServicePrincipal: null,
  retiringPrincipal: null,
  retiringServicePrincipal: null,
  issuingAccount: "arn:aws:iam::111122223333:root",
  operations: ["Encrypt"],
  constraints: null,
};

/** On a key that has the grant, which CreateGrant would not give it in every state. */
const onGrant = (operation: string): Attempt => ({
  wanted: "any",
  run({ world, region, keyId }) {
    world.edit(keyId, (set) => withKeys(set, { ...(keyIn(set, region) as Key), grants: [GRANT] }));
    return world.call(region, operation, { KeyId: keyId, GrantId: GRANT.id });
  },
});

/** How to try each operation, in each of its parts where two keys take part. */
const attempts: Readonly<Record<string, Readonly<Record<string, Attempt>>>> = {
  CancelKeyDeletion: { "": onKey("CancelKeyDeletion") },
  CreateAlias: {
    "": {
      wanted: "any",
      run: ({ world, region, keyId }) =>
        world.call(region, "CreateAlias", { AliasName: "alias/new", TargetKeyId: keyId }),
    },
  },
  CreateGrant: {
    "": onKey("CreateGrant", {
      GranteePrincipal: "arn:aws:iam::111122223333:role/Grantee",
      Operations: ["Encrypt"],
    }),
  },
  Decrypt: {
    "": {
      wanted: "any",
      run: ({ world, region, blob }) => world.call(region, "Decrypt", { CiphertextBlob: blob }),
    },
  },
  DeleteAlias: {
    "": {
      wanted: "any",
      run: ({ world, region }) => world.call(region, "DeleteAlias", { AliasName: "alias/it" }),
    },
  },
  DeleteImportedKeyMaterial: { "": ofKind(external, "DeleteImportedKeyMaterial", {}) },
  DescribeKey: { "": onKey("DescribeKey") },
  DisableKey: { "": onKey("DisableKey") },
  DisableKeyRotation: { "": onKey("DisableKeyRotation", {}, "primary") },
  EnableKey: { "": onKey("EnableKey") },
  EnableKeyRotation: { "": onKey("EnableKeyRotation", {}, "primary") },
  Encrypt: { "": onKey("Encrypt", { Plaintext: base64("text") }) },
  GenerateDataKey: { "": onKey("GenerateDataKey", { KeySpec: "AES_256" }) },
  GenerateDataKeyWithoutPlaintext: {
    "": onKey("GenerateDataKeyWithoutPlaintext", { KeySpec: "AES_256" }),
  },
  Decapsulate: { "": ofKind(kem, "Decapsulate", KEM, "SharedSecretCiphertextBlob") },
  DeriveSharedSecret: {
    "": ofKind(agreement, "DeriveSharedSecret", { KeyAgreementAlgorithm: "ECDH" }, "PublicKey"),
  },
  Encapsulate: { "": ofKind(kem, "Encapsulate", KEM) },
  GenerateDataKeyPair: { "": onKey("GenerateDataKeyPair", { KeyPairSpec: "ECC_NIST_P256" }) },
  GenerateDataKeyPairWithoutPlaintext: {
    "": onKey("GenerateDataKeyPairWithoutPlaintext", { KeyPairSpec: "ECC_NIST_P256" }),
  },
  GenerateMac: { "": ofKind(mac, "GenerateMac", MAC) },
  GetParametersForImport: {
    "": ofKind(external, "GetParametersForImport", {
      WrappingAlgorithm: "RSAES_OAEP_SHA_256",
      WrappingKeySpec: "RSA_2048",
    }),
  },
  GetPublicKey: { "": ofKind(agreement, "GetPublicKey", {}) },
  ImportKeyMaterial: {
    "": {
      wanted: "any",
      kind: external,
      run({ world, region, keyId, blob }) {
        const NONE = { ImportToken: "AAAA", EncryptedKeyMaterial: "AAAA", ...NO_EXPIRY };
        const input = (JSON.parse(blob) as Record<string, object>)[region] ?? NONE;
        return world.call(region, "ImportKeyMaterial", { KeyId: keyId, ...input });
      },
    },
  },
  Sign: { "": ofKind(signing, "Sign", SIGNING) },
  Verify: { "": ofKind(signing, "Verify", SIGNING, "Signature") },
  VerifyMac: { "": ofKind(mac, "VerifyMac", MAC, "Mac") },
  GetKeyLastUsage: { "": onKey("GetKeyLastUsage") },
  GetKeyPolicy: { "": onKey("GetKeyPolicy") },
  GetKeyRotationStatus: { "": onKey("GetKeyRotationStatus") },
  ListAliases: { "": onKey("ListAliases") },
  ListGrants: { "": onKey("ListGrants") },
  ListKeyPolicies: { "": onKey("ListKeyPolicies") },
  ListKeyRotations: { "": onKey("ListKeyRotations") },
  ListResourceTags: { "": onKey("ListResourceTags") },
  PutKeyPolicy: { "": onKey("PutKeyPolicy", { Policy: POLICY }) },
  ReEncrypt: {
    "source key": {
      wanted: "any",
      run: ({ world, region, blob, otherId }) =>
        world.call(region, "ReEncrypt", { CiphertextBlob: blob, DestinationKeyId: otherId }),
    },
    "destination key": {
      wanted: "any",
      run: ({ world, region, otherBlob, keyId }) =>
        world.call(region, "ReEncrypt", { CiphertextBlob: otherBlob, DestinationKeyId: keyId }),
    },
  },
  ReplicateKey: { "": onKey("ReplicateKey", { ReplicaRegion: THIRD }, "primary") },
  RetireGrant: { "": onGrant("RetireGrant") },
  RevokeGrant: { "": onGrant("RevokeGrant") },
  RotateKeyOnDemand: { "": onKey("RotateKeyOnDemand", {}, "primary") },
  ScheduleKeyDeletion: { "": onKey("ScheduleKeyDeletion") },
  TagResource: { "": onKey("TagResource", { Tags: [{ TagKey: "a", TagValue: "1" }] }) },
  UntagResource: { "": onKey("UntagResource", { TagKeys: ["a"] }) },
  UpdateAlias: {
    "": {
      wanted: "any",
      async run({ world, region, keyId, otherId }) {
        const AliasName = "alias/of-other";
        await world.call(region, "CreateAlias", { AliasName, TargetKeyId: otherId });
        await world.call(region, "UpdateAlias", { AliasName, TargetKeyId: keyId });
      },
    },
  },
  UpdateKeyDescription: { "": onKey("UpdateKeyDescription", { Description: "new" }) },
  UpdatePrimaryRegion: {
    "primary key": toOtherRegion("pair"),
    "replica key": toOtherRegion("replica"),
  },
};

function expectation(code: Code | undefined, arn: string): string {
  if (code && code in refusals) {
    return refusals[code as keyof typeof refusals].replace("<arn>", arn);
  }
  if (!allowances.some((allowance) => allowance === code)) throw new Error(`no cell ${code}`);
  return "ok";
}

/** What an operation comes to where it may also run into a state that cannot be. */
async function outcomeOrBug(answer: Promise<unknown>): Promise<string> {
  return outcome(answer).catch((bug: unknown) => `bug: ${bug}`);
}

describe("operation by key state, every cell of the table", () => {
  for (const [operation, codes] of Object.entries(matrix)) {
    for (const [part, { wanted, run, kind: of }] of Object.entries(attempts[operation] ?? {})) {
      test(part ? `${operation}, of the ${part}` : operation, async () => {
        const found: Record<string, string> = {};
        const page: Record<string, string> = {};
        for (const [column, state] of STATES.entries()) {
          const scene = await sceneOf(state, wanted, of);
          found[state] = await outcome(run(scene));
          page[state] = expectation(codes[column], scene.arn);
        }
        expect(found).toEqual(page);
      });
    }
  }

  test("every operation that is about a key has its row and is tried", () => {
    const built = Object.keys(operations).filter((name) => !NOT_ABOUT_KEY_STATES.includes(name));
    expect(Object.keys(attempts).sort()).toEqual(built.sort());
    expect(Object.keys(matrix)).toEqual(expect.arrayContaining(built));
    for (const codes of Object.values(matrix)) expect(codes).toHaveLength(STATES.length);
  });
});

/** A key whose CloudHSM key store was disconnected, and another key that is Enabled. */
async function unavailableScene(): Promise<Scene> {
  const world = new World();
  const storeId = await connectedStore(world, HOME);
  const { KeyId: keyId } = await world.createKey(HOME, {
    Origin: "AWS_CLOUDHSM",
    CustomKeyStoreId: storeId,
  });
  const { KeyId: otherId } = await world.createKey(HOME);
  await world.call(HOME, "CreateAlias", { AliasName: "alias/it", TargetKeyId: keyId });
  const blob = await world.encrypt(HOME, keyId);
  const otherBlob = await world.encrypt(HOME, otherId);
  await world.call(HOME, "DisconnectCustomKeyStore", { CustomKeyStoreId: storeId });
  return { world, region: HOME, arn: arnOf(HOME, keyId), keyId, blob, otherId, otherBlob };
}

describe("the column Unavailable, with a key whose store was really disconnected", () => {
  const column = STATES.indexOf("Unavailable");
  const unsupported = (arn: string) =>
    `UnsupportedOperationException: ${arn} origin is AWS_CLOUDHSM which is not valid for this operation.`;

  for (const [operation, parts] of Object.entries(attempts)) {
    const code = matrix[operation]?.[column];
    for (const [part, { run, kind: of }] of Object.entries(parts)) {
      if (code === "na" || of) continue; // No key of a custom key store comes so far.
      test(part ? `${operation}, of the ${part}` : operation, async () => {
        const scene = await unavailableScene();
        const expected =
          code === "?7" || code === "?9" ? unsupported(scene.arn) : expectation(code, scene.arn);
        expect(await outcome(run(scene))).toBe(expected);
      });
    }
  }
});

describe("the table of the code is the page's, cell by cell", () => {
  const other = (type: "DisabledException" | "KMSInvalidStateException", text: string) => ({
    text: `${type}: <arn> ${text}`,
    cell: (arn: string) => new KmsError(type, `${arn} ${text}`),
  });
  /** All that a cell can say. */
  const outcomes = [
    { text: "ok", cell: () => null },
    other("DisabledException", "is disabled."),
    other("KMSInvalidStateException", "is pending deletion."),
    other("KMSInvalidStateException", "is pending replica deletion."),
    other("KMSInvalidStateException", "is not pending deletion."),
    other("KMSInvalidStateException", "is pending import."),
    other("KMSInvalidStateException", "is unavailable."),
    other("KMSInvalidStateException", "is creating."),
    other("KMSInvalidStateException", "is updating."),
  ];

  /** Runs `work` while one cell of the code's table says something else. */
  async function flipped<T>(
    operation: string,
    state: KeyState,
    cell: (arn: string) => KmsError | null,
    work: () => Promise<T>,
  ): Promise<T> {
    const table = keyStates as unknown as Record<string, object>;
    const row = table[operation] as object;
    table[operation] = { ...row, [state]: cell };
    try {
      return await work();
    } finally {
      table[operation] = row;
    }
  }

  // Its row has no reader: deleting an alias never comes to the key.
  const unread = ["DeleteAlias"];

  for (const operation of Object.keys(keyStates)) {
    if (unread.includes(operation)) continue;
    test(`${operation}: any other outcome in any cell is noticed`, async () => {
      const unnoticed: string[] = [];
      for (const [part, { wanted, run, kind: of }] of Object.entries(attempts[operation] ?? {})) {
        for (const [column, state] of STATES.entries()) {
          const scene = await sceneOf(state, wanted, of);
          const right = expectation(matrix[operation]?.[column], scene.arn);
          for (const { text, cell } of outcomes) {
            if (text.replace("<arn>", scene.arn) === right) continue;
            const world = scene.world.fork();
            const found = await flipped(operation, state, cell, () =>
              outcomeOrBug(run({ ...scene, world })),
            );
            if (found === right) unnoticed.push(`${part} ${state} ${text}`);
          }
        }
      }
      expect(unnoticed).toEqual([]);
    });
  }

  test("a row that nothing reads allows everything", () => {
    for (const operation of unread) {
      const row = keyStates[operation as "DeleteAlias"];
      expect(STATES.map((state) => row[state]("arn"))).toEqual(STATES.map(() => null));
    }
  });
});

describe("notes to the table", () => {
  const replicaOnly = "UnsupportedOperationException: <arn> is not a multi-region primary key.";

  test("rotation operations on a replica are refused in every state, before the state", async () => {
    const rotating = ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"];
    for (const state of [
      "Enabled",
      "Disabled",
      "PendingDeletion",
      "Creating",
      "Updating",
    ] as const) {
      const world = new World();
      const keyId = await world.createSet(HOME, AWAY);
      if (state === "Updating") {
        await world.call(HOME, "UpdatePrimaryRegion", { KeyId: keyId, PrimaryRegion: AWAY });
      } else {
        setByHand(world, keyId, AWAY, state);
      }
      const region = state === "Updating" ? HOME : AWAY;
      const refusal = replicaOnly.replace("<arn>", arnOf(region, keyId));
      for (const operation of rotating) {
        expect(await outcome(world.call(region, operation, { KeyId: keyId }))).toBe(refusal);
      }
    }
  });

  test("ReplicateKey and UpdatePrimaryRegion of a Creating replica say what it is, not its state", async () => {
    const world = new World();
    const KeyId = await world.createSet(HOME);
    await world.call(HOME, "ReplicateKey", { KeyId, ReplicaRegion: AWAY });
    const refusal = replicaOnly.replace("<arn>", arnOf(AWAY, KeyId));
    const replicate = world.call(AWAY, "ReplicateKey", { KeyId, ReplicaRegion: THIRD });
    expect(await outcome(replicate)).toBe(refusal);
    const update = world.call(AWAY, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: HOME });
    expect(await outcome(update)).toBe(refusal);
  });

  test("9: keys of AWS_KMS import nothing, which 14 and 15 come before, and 8 after", async () => {
    const origin =
      "UnsupportedOperationException: <arn> origin is AWS_KMS which is not valid for this operation.";
    const sooner = (state: KeyState, updating: string) =>
      state === "Creating" ? refusals.C14 : state === "Updating" ? updating : origin;
    for (const state of STATES) {
      const { world, region, arn, keyId: KeyId } = await sceneOf(state, "any");
      const wrapping = { WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" };
      const noise = { ImportToken: "AAAA", EncryptedKeyMaterial: "AAAA", ...NO_EXPIRY };
      const asked = async (operation: string, input: object = {}) =>
        `${state} ${await outcome(world.call(region, operation, { KeyId, ...input }))}`;
      const page = (refusal: string) => `${state} ${refusal.replace("<arn>", arn)}`;
      expect(await asked("GetParametersForImport", wrapping)).toBe(
        page(sooner(state, refusals.T15)),
      );
      expect(await asked("ImportKeyMaterial", noise)).toBe(page(sooner(state, origin)));
      expect(await asked("DeleteImportedKeyMaterial")).toBe(page(sooner(state, refusals.T15)));
    }
  });

  test("A10: the key that an alias points to so far may be in any state", async () => {
    for (const state of STATES) {
      const { world, region, otherId } = await sceneOf(state, "any");
      const move = world.call(region, "UpdateAlias", {
        AliasName: "alias/it",
        TargetKeyId: otherId,
      });
      expect(`${state} ${await outcome(move)}`).toBe(`${state} ok`);
    }
  });

  test("?7: GetKeyRotationStatus reports false while the key waits for its deletion", async () => {
    for (const state of STATES) {
      const world = new World();
      const wanted = state === "Creating" ? "primary" : "any";
      const keyId = await world.createSet(HOME, ...(state === "PendingDeletion" ? [] : [AWAY]));
      await world.call(HOME, "EnableKeyRotation", { KeyId: keyId });
      const region = await bring(world, keyId, state, wanted);
      const status = await world.call<RotationStatus>(region, "GetKeyRotationStatus", {
        KeyId: keyId,
      });
      const pending = state === "PendingDeletion" || state === "PendingReplicaDeletion";
      expect(`${state} ${status.KeyRotationEnabled}`).toBe(`${state} ${!pending}`);
    }
  });

  test("P3: recorded also for a key that was disabled before it was scheduled", async () => {
    const world = new World();
    const { KeyId, Arn } = await world.createKey(HOME);
    await world.call(HOME, "DisableKey", { KeyId });
    await world.call(HOME, "ScheduleKeyDeletion", { KeyId });
    const refusal = `KMSInvalidStateException: ${Arn} is pending deletion.`;
    expect(await outcome(world.dataKey(HOME, KeyId))).toBe(refusal);
  });
});

describe("the eight states", () => {
  test.for(STATES)("%s: `Enabled` is true in the state Enabled alone", async (state) => {
    const { world, region, keyId } = await sceneOf(state, "any");
    const metadata = await world.describe(region, keyId);
    expect(metadata.KeyState).toBe(state);
    expect(metadata.Enabled).toBe(state === "Enabled");
  });
});

describe("creation", () => {
  test("CreateKey, origin AWS_KMS: Enabled", async () => {
    const world = new World();
    expect((await world.createKey(HOME)).KeyState).toBe("Enabled");
  });

  test("CreateKey with MultiRegion: Enabled at once, never Creating", async () => {
    const world = new World();
    expect((await world.createKey(HOME, { MultiRegion: true })).KeyState).toBe("Enabled");
  });

  test("ReplicateKey: Creating, then Enabled after a few seconds", async () => {
    const world = new World();
    const KeyId = await world.createSet(HOME);
    const answer = await world.call<{ ReplicaKeyMetadata: KeyMetadata }>(HOME, "ReplicateKey", {
      KeyId,
      ReplicaRegion: AWAY,
    });
    expect(answer.ReplicaKeyMetadata.KeyState).toBe("Creating");
    world.pass(1999);
    expect((await world.describe(AWAY, KeyId)).KeyState).toBe("Creating");
    world.pass(1);
    expect((await world.describe(AWAY, KeyId)).KeyState).toBe("Enabled");
  });

  test("CreateKey, origin EXTERNAL: PendingImport, Enabled at the first import", async () => {
    for (const MultiRegion of [false, true]) {
      const world = new World();
      const made = await world.createKey(HOME, { Origin: "EXTERNAL", MultiRegion });
      expect(made.KeyState).toBe("PendingImport");
      await importMaterial(world, HOME, made.KeyId, MATERIAL);
      expect((await world.describe(HOME, made.KeyId)).KeyState).toBe("Enabled");
    }
  });

  test("ReplicateKey of a primary of origin EXTERNAL: Creating, then PendingImport", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(HOME, { Origin: "EXTERNAL", MultiRegion: true });
    await importMaterial(world, HOME, KeyId, MATERIAL);
    await world.call(HOME, "ReplicateKey", { KeyId, ReplicaRegion: AWAY });
    world.pass(1999);
    expect((await world.describe(AWAY, KeyId)).KeyState).toBe("Creating");
    world.pass(1);
    expect((await world.describe(AWAY, KeyId)).KeyState).toBe("PendingImport");
    await importMaterial(world, AWAY, KeyId, MATERIAL);
    expect((await world.describe(AWAY, KeyId)).KeyState).toBe("Enabled");
  });

  test("CreateKey, origin AWS_CLOUDHSM: Enabled", async () => {
    const world = new World();
    const CustomKeyStoreId = await connectedStore(world, HOME);
    const key = await world.createKey(HOME, { Origin: "AWS_CLOUDHSM", CustomKeyStoreId });
    expect(key.KeyState).toBe("Enabled");
  });
});

describe("transitions", () => {
  const stateOf = async (world: World, region: string, keyId: string) =>
    (await world.describe(region, keyId)).KeyState;

  test("Enabled, DisableKey: Disabled", async () => {
    const { world, keyId } = await sceneOf("Enabled", "any");
    await world.call(HOME, "DisableKey", { KeyId: keyId });
    expect(await stateOf(world, HOME, keyId)).toBe("Disabled");
  });

  test("Disabled, EnableKey: Enabled", async () => {
    const { world, keyId } = await sceneOf("Disabled", "any");
    await world.call(HOME, "EnableKey", { KeyId: keyId });
    expect(await stateOf(world, HOME, keyId)).toBe("Enabled");
  });

  test("Enabled, EnableKey and Disabled, DisableKey: the same, idempotent", async () => {
    const enabled = await sceneOf("Enabled", "any");
    await enabled.world.call(HOME, "EnableKey", { KeyId: enabled.keyId });
    expect(await stateOf(enabled.world, HOME, enabled.keyId)).toBe("Enabled");
    const disabled = await sceneOf("Disabled", "any");
    await disabled.world.call(HOME, "DisableKey", { KeyId: disabled.keyId });
    expect(await stateOf(disabled.world, HOME, disabled.keyId)).toBe("Disabled");
  });

  test.for(["Enabled", "Disabled", "PendingImport", "Unavailable", "Creating"] as const)(
    "%s, ScheduleKeyDeletion without replicas: PendingDeletion, at now + PendingWindowInDays",
    async (state) => {
      const world = new World();
      world.checks = false;
      const KeyId = await world.createSet(HOME);
      setByHand(world, KeyId, HOME, state);
      const schedule = { KeyId, PendingWindowInDays: 9 };
      expect(await world.call(HOME, "ScheduleKeyDeletion", schedule)).toEqual({
        KeyId: arnOf(HOME, KeyId),
        DeletionDate: (START + 9 * DAY) / 1000,
        KeyState: "PendingDeletion",
        PendingWindowInDays: 9,
      });
      expect(await world.describe(HOME, KeyId)).toMatchObject({
        KeyState: "PendingDeletion",
        DeletionDate: (START + 9 * DAY) / 1000,
      });
    },
  );

  test.for(["Enabled", "Disabled", "PendingImport", "Unavailable", "Creating"] as const)(
    "%s primary, ScheduleKeyDeletion with replicas: PendingReplicaDeletion, without a date",
    async (state) => {
      const world = new World();
      world.checks = false;
      const KeyId = await world.createSet(HOME, AWAY);
      setByHand(world, KeyId, HOME, state);
      const schedule = { KeyId, PendingWindowInDays: 9 };
      expect(await world.call(HOME, "ScheduleKeyDeletion", schedule)).toEqual({
        KeyId: arnOf(HOME, KeyId),
        KeyState: "PendingReplicaDeletion",
        PendingWindowInDays: 9,
      });
      const metadata = await world.describe(HOME, KeyId);
      expect(metadata.KeyState).toBe("PendingReplicaDeletion");
      expect(metadata.PendingDeletionWindowInDays).toBe(9);
      expect(metadata).not.toHaveProperty("DeletionDate");
      world.pass(1000 * DAY);
      expect(await stateOf(world, HOME, KeyId)).toBe("PendingReplicaDeletion");
    },
  );

  test("PendingReplicaDeletion, the last replica deleted: PendingDeletion from that moment", async () => {
    const world = new World();
    const KeyId = await world.createSet(HOME, AWAY);
    await world.call(HOME, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 9 });
    await world.call(AWAY, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(await stateOf(world, HOME, KeyId)).toBe("PendingReplicaDeletion");
    const replicaGone = world.now + 7 * DAY;
    world.pass(7 * DAY - 1);
    expect(await stateOf(world, HOME, KeyId)).toBe("PendingReplicaDeletion");
    world.pass(1);
    const metadata = await world.describe(HOME, KeyId);
    expect(metadata.KeyState).toBe("PendingDeletion");
    expect(metadata.DeletionDate).toBe((replicaGone + 9 * DAY) / 1000);
    expect(metadata).not.toHaveProperty("PendingDeletionWindowInDays");
  });

  test.for(["Enabled", "Disabled", "PendingImport"] as const)(
    "PendingDeletion and PendingReplicaDeletion, CancelKeyDeletion: Disabled, though %s before",
    async (state) => {
      for (const replicas of [[], [AWAY]]) {
        const world = new World();
        const KeyId = await world.createSet(HOME, ...replicas);
        setByHand(world, KeyId, HOME, state);
        await world.call(HOME, "ScheduleKeyDeletion", { KeyId });
        const arn = arnOf(HOME, KeyId);
        expect(await world.call(HOME, "CancelKeyDeletion", { KeyId })).toEqual({ KeyId: arn });
        const metadata = await world.describe(HOME, KeyId);
        expect(metadata.KeyState).toBe("Disabled");
        expect(metadata).not.toHaveProperty("DeletionDate");
        expect(metadata).not.toHaveProperty("PendingDeletionWindowInDays");
      }
    },
  );

  test("PendingDeletion, DeletionDate reached: the key and its aliases vanish", async () => {
    const { world, keyId, arn, blob } = await sceneOf("PendingDeletion", "any");
    world.pass(30 * DAY - 1);
    expect(await stateOf(world, HOME, "alias/it").catch(() => "gone")).toBe("PendingDeletion");
    world.pass(1);
    const gone = `NotFoundException: Key '${arn}' does not exist`;
    for (const operation of ["DescribeKey", "EnableKey", "CancelKeyDeletion", "ListResourceTags"]) {
      expect(await outcome(world.call(HOME, operation, { KeyId: keyId }))).toBe(gone);
    }
    expect(await outcome(world.describe(HOME, "alias/it"))).toBe(
      "NotFoundException: Alias arn:aws:kms:us-east-1:111122223333:alias/it is not found.",
    );
    expect(await outcome(world.decrypt(HOME, blob))).toMatch(/^AccessDeniedException: /);
    const { Keys } = await world.call<{ Keys: { KeyId: string }[] }>(HOME, "ListKeys");
    expect(Keys.map((key) => key.KeyId)).not.toContain(keyId);
  });

  test("Creating, replication done: Enabled", async () => {
    const { world, keyId } = await sceneOf("Creating", "any");
    world.pass(2 * SECOND);
    expect(await stateOf(world, AWAY, keyId)).toBe("Enabled");
  });

  test("Enabled primary and chosen replica, UpdatePrimaryRegion: Updating both; others keep their state", async () => {
    const world = new World();
    const KeyId = await world.createSet(HOME, AWAY, THIRD);
    await world.call(THIRD, "DisableKey", { KeyId });
    await world.call(HOME, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: AWAY });
    expect(await stateOf(world, HOME, KeyId)).toBe("Updating");
    expect(await stateOf(world, AWAY, KeyId)).toBe("Updating");
    expect(await stateOf(world, THIRD, KeyId)).toBe("Disabled");
  });

  test("Updating, update done: Enabled", async () => {
    const { world, keyId } = await sceneOf("Updating", "any");
    world.pass(1999);
    expect(await stateOf(world, AWAY, keyId)).toBe("Updating");
    world.pass(1);
    expect(await stateOf(world, HOME, keyId)).toBe("Enabled");
    expect(await stateOf(world, AWAY, keyId)).toBe("Enabled");
  });

  /** A key of origin EXTERNAL that loses its material in one of two ways. */
  const losses = ["DeleteImportedKeyMaterial", "material expires"] as const;
  async function losing(loss: (typeof losses)[number], before: readonly string[]) {
    const world = new World();
    const { KeyId } = await world.createKey(HOME, { Origin: "EXTERNAL" });
    const expiry = loss === "material expires" ? inDays(world, 3) : NO_EXPIRY;
    await importMaterial(world, HOME, KeyId, MATERIAL, expiry);
    for (const operation of before) await world.call(HOME, operation, { KeyId });
    if (loss === "material expires") world.pass(3 * DAY);
    else await world.call(HOME, loss, { KeyId });
    return { world, KeyId };
  }

  test.for(losses)("Enabled and Disabled, %s: PendingImport", async (loss) => {
    for (const before of [[], ["DisableKey"]]) {
      const { world, KeyId } = await losing(loss, before);
      expect(await stateOf(world, HOME, KeyId)).toBe("PendingImport");
    }
  });

  test.for(losses)("PendingDeletion, %s: PendingDeletion", async (loss) => {
    const { world, KeyId } = await losing(loss, ["ScheduleKeyDeletion"]);
    expect(await stateOf(world, HOME, KeyId)).toBe("PendingDeletion");
  });

  test("an enabled key that lacks its material is PendingImport", async () => {
    const before = ["ScheduleKeyDeletion"];
    const { world, KeyId } = await losing("DeleteImportedKeyMaterial", before);
    await world.call(HOME, "CancelKeyDeletion", { KeyId });
    expect(await stateOf(world, HOME, KeyId)).toBe("Disabled");
    await world.call(HOME, "EnableKey", { KeyId });
    expect(await stateOf(world, HOME, KeyId)).toBe("PendingImport");
  });

  test("PendingImport, ImportKeyMaterial of all materials: Enabled", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(HOME, { Origin: "EXTERNAL" });
    const second = MATERIAL.map(() => 1);
    await importMaterial(world, HOME, KeyId, MATERIAL);
    await importMaterial(world, HOME, KeyId, second, { ImportType: "NEW_KEY_MATERIAL" });
    await world.call(HOME, "RotateKeyOnDemand", { KeyId });
    world.pass(SECOND);
    for (const { KeyMaterialId } of await world.rotations(HOME, KeyId, {
      IncludeKeyMaterial: "ALL_KEY_MATERIAL",
    })) {
      await world.call(HOME, "DeleteImportedKeyMaterial", { KeyId, KeyMaterialId });
    }
    await importMaterial(world, HOME, KeyId, MATERIAL);
    expect(await stateOf(world, HOME, KeyId)).toBe("PendingImport");
    await importMaterial(world, HOME, KeyId, second);
    expect(await stateOf(world, HOME, KeyId)).toBe("Enabled");
  });

  test("Disabled, ImportKeyMaterial: Disabled", async () => {
    const { world, KeyId } = await losing("DeleteImportedKeyMaterial", ["ScheduleKeyDeletion"]);
    await world.call(HOME, "CancelKeyDeletion", { KeyId });
    for (let count = 0; count < 2; count += 1) {
      await importMaterial(world, HOME, KeyId, MATERIAL);
      expect(await stateOf(world, HOME, KeyId)).toBe("Disabled");
    }
  });

  describe("of a key in a custom key store", () => {
    const change = async (world: World, CustomKeyStoreId: string, operation: string) => {
      await world.call(HOME, operation, { CustomKeyStoreId });
      world.pass(world.connectingMs);
    };
    const keyIn = async (world: World) => {
      const CustomKeyStoreId = await connectedStore(world, HOME);
      const { KeyId } = await world.createKey(HOME, { Origin: "AWS_CLOUDHSM", CustomKeyStoreId });
      return { CustomKeyStoreId, KeyId };
    };

    test.for([
      ["Enabled", null, "Enabled"],
      ["Disabled", null, "Disabled"],
      ["Enabled", "DisableKey", "Disabled"],
      ["Disabled", "EnableKey", "Enabled"],
      ["Enabled", "EnableKey", "Enabled"],
      ["Disabled", "DisableKey", "Disabled"],
    ] as const)(
      "%s, DisconnectCustomKeyStore: Unavailable; with %s meanwhile, ConnectCustomKeyStore: %s",
      async ([before, meanwhile, after]) => {
        const world = new World();
        const { CustomKeyStoreId, KeyId } = await keyIn(world);
        if (before === "Disabled") await world.call(HOME, "DisableKey", { KeyId });
        await change(world, CustomKeyStoreId, "DisconnectCustomKeyStore");
        expect(await stateOf(world, HOME, KeyId)).toBe("Unavailable");
        if (meanwhile) await world.call(HOME, meanwhile, { KeyId });
        expect(await stateOf(world, HOME, KeyId)).toBe("Unavailable");
        await change(world, CustomKeyStoreId, "ConnectCustomKeyStore");
        expect(await stateOf(world, HOME, KeyId)).toBe(after);
      },
    );

    test("Unavailable, whatever is changed of it, and it comes back", async () => {
      const world = new World();
      const { CustomKeyStoreId, KeyId } = await keyIn(world);
      await change(world, CustomKeyStoreId, "DisconnectCustomKeyStore");
      await world.call(HOME, "UpdateKeyDescription", { KeyId, Description: "new" });
      expect(await stateOf(world, HOME, KeyId)).toBe("Unavailable");
      await change(world, CustomKeyStoreId, "ConnectCustomKeyStore");
      expect(await world.describe(HOME, KeyId)).toMatchObject({
        KeyState: "Enabled",
        Description: "new",
      });
    });

    test("N13: PendingDeletion stays it while the store is disconnected, and can be cancelled", async () => {
      const world = new World();
      const { CustomKeyStoreId, KeyId } = await keyIn(world);
      await world.call(HOME, "ScheduleKeyDeletion", { KeyId });
      await change(world, CustomKeyStoreId, "DisconnectCustomKeyStore");
      expect(await stateOf(world, HOME, KeyId)).toBe("PendingDeletion");
      await world.call(HOME, "CancelKeyDeletion", { KeyId });
      expect(await stateOf(world, HOME, KeyId)).toBe("Unavailable");
      await change(world, CustomKeyStoreId, "ConnectCustomKeyStore");
      expect(await stateOf(world, HOME, KeyId)).toBe("Disabled");
    });

    test("Unavailable, ScheduleKeyDeletion: PendingDeletion, and deleted on its day", async () => {
      const world = new World();
      const { CustomKeyStoreId, KeyId } = await keyIn(world);
      await change(world, CustomKeyStoreId, "DisconnectCustomKeyStore");
      await world.call(HOME, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
      expect(await stateOf(world, HOME, KeyId)).toBe("PendingDeletion");
      world.pass(7 * DAY);
      expect(await outcome(world.describe(HOME, KeyId))).toMatch(/^NotFoundException/);
    });
  });
});

describe("effect of the states on other things", () => {
  test("a disabled key keeps its rotation flag, but does not rotate", async () => {
    const world = new World();
    const { KeyId, CurrentKeyMaterialId } = await world.createKey(HOME);
    await world.call(HOME, "EnableKeyRotation", { KeyId });
    await world.call(HOME, "DisableKey", { KeyId });
    world.pass(400 * DAY);
    expect((await world.rotationStatus(HOME, KeyId)).KeyRotationEnabled).toBe(true);
    const metadata = await world.describe(HOME, KeyId);
    expect(metadata.CurrentKeyMaterialId).toBe(CurrentKeyMaterialId);
  });

  test("enabled again, an overdue key rotates at once, and then a period later", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(HOME);
    await world.call(HOME, "EnableKeyRotation", { KeyId });
    await world.call(HOME, "DisableKey", { KeyId });
    world.pass(400 * DAY);
    await world.call(HOME, "EnableKey", { KeyId });
    world.pass(SECOND);
    const [rotation, ...more] = await world.rotations(HOME, KeyId);
    expect(more).toEqual([]);
    expect(rotation?.RotationDate).toBe((START + 400 * DAY + SECOND) / 1000);
    const { NextRotationDate } = await world.rotationStatus(HOME, KeyId);
    expect(NextRotationDate).toBe((START + 765 * DAY) / 1000);
  });

  test("enabled again before the rotation date, the old schedule goes on", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(HOME);
    await world.call(HOME, "EnableKeyRotation", { KeyId });
    await world.call(HOME, "DisableKey", { KeyId });
    world.pass(300 * DAY);
    await world.call(HOME, "EnableKey", { KeyId });
    const { NextRotationDate } = await world.rotationStatus(HOME, KeyId);
    expect(NextRotationDate).toBe((START + 365 * DAY) / 1000);
  });

  test("rotation reads false while pending deletion; cancelling restores it", async () => {
    const world = new World();
    const { KeyId, Arn } = await world.createKey(HOME);
    await world.call(HOME, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 180 });
    const before = await world.rotationStatus(HOME, KeyId);
    await world.call(HOME, "ScheduleKeyDeletion", { KeyId });
    expect(await world.rotationStatus(HOME, KeyId)).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: false,
    });
    await world.call(HOME, "CancelKeyDeletion", { KeyId });
    expect(await world.rotationStatus(HOME, KeyId)).toEqual(before);
  });

  test("a key pending deletion keeps tags, aliases and policy, and is listed", async () => {
    const { world, keyId } = await sceneOf("Enabled", "any");
    const KeyId = keyId;
    await world.call(HOME, "TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "1" }] });
    const policy = await world.call(HOME, "GetKeyPolicy", { KeyId });
    await world.call(HOME, "ScheduleKeyDeletion", { KeyId });
    expect(await world.call(HOME, "ListResourceTags", { KeyId })).toEqual({
      Tags: [{ TagKey: "a", TagValue: "1" }],
      Truncated: false,
    });
    expect(await world.call(HOME, "GetKeyPolicy", { KeyId })).toEqual(policy);
    const { Keys } = await world.call<{ Keys: { KeyId: string }[] }>(HOME, "ListKeys");
    expect(Keys.map((key) => key.KeyId)).toContain(KeyId);
    expect(await world.call(HOME, "ListAliases", { KeyId })).toMatchObject({
      Aliases: [{ AliasName: "alias/it", TargetKeyId: KeyId }],
    });
  });
});
