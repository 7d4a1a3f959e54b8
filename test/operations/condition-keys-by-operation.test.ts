// Which condition keys a request of each operation has, as the table of KMS in the Service Authorization
// Reference lists them: each is there when a policy asks. Typed from
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
// What is left out has no value in an emulator: kms:ViaService (docs/differences.md).

import { expect, test } from "vitest";
import type { Principal } from "../../src/domain/principal.ts";
import { operations } from "../../src/operations/index.ts";
import { arnOf, base64, outcome, World } from "../support/core.ts";
import { allow, deny, user, userArn } from "../support/principals.ts";

const [P, R] = ["us-east-1", "eu-west-1"];
const EncryptionContext = { App: "x" };
const Constraints = { EncryptionContextSubset: EncryptionContext };
const Message = base64("message");
const kem = { EncapsulationAlgorithm: "ML_KEM" };
const Tags = [{ TagKey: "Team", TagValue: "blue" }];

/** Of every operation on a key, and of CreateKey. */
const ofKeys =
  "kms:CallerAccount kms:KeySpec kms:KeyUsage kms:KeyOrigin kms:MultiRegion " +
  "kms:CustomerMasterKeySpec kms:CustomerMasterKeyUsage aws:ResourceAccount";
const ofAll =
  "aws:RequestedRegion aws:PrincipalArn aws:PrincipalAccount aws:PrincipalTag/team aws:PrincipalType " +
  "aws:SourceIp aws:CurrentTime aws:EpochTime aws:SecureTransport aws:UserAgent aws:userid aws:username";
const existing = "kms:ResourceAliases aws:ResourceTag/Team";
const encrypting =
  "kms:EncryptionAlgorithm kms:EncryptionContext:App kms:EncryptionContextKeys kms:RequestAlias";

interface Names {
  /** Aliases of keys by their kind. */
  readonly symmetric: string;
  readonly signing: string;
  readonly mac: string;
  readonly agreement: string;
  readonly encapsulation: string;
  /** Key IDs. */
  readonly key: string;
  readonly imported: string;
  readonly related: string;
  readonly blob: string;
  readonly grantId: string;
}

type Input = (names: Names) => object;
const onKey: Input = ({ key }) => ({ KeyId: key });
const inContext =
  (more: object): Input =>
  ({ symmetric }) => ({ KeyId: symmetric, EncryptionContext, ...more });
const reEncrypt: Input = ({ symmetric, blob }) => ({
  CiphertextBlob: blob,
  SourceKeyId: symmetric,
  SourceEncryptionContext: EncryptionContext,
  DestinationKeyId: symmetric,
  DestinationEncryptionContext: EncryptionContext,
});

type Row = readonly [permission: string, keys: string, input: Input, operation?: string];

const rows: readonly Row[] = [
  ["Encrypt", encrypting, inContext({ Plaintext: Message })],
  ["Decrypt", encrypting, (names) => ({ ...inContext({})(names), CiphertextBlob: names.blob })],
  ["ReEncryptFrom", `${encrypting} kms:ReEncryptOnSameKey`, reEncrypt, "ReEncrypt"],
  ["ReEncryptTo", `${encrypting} kms:ReEncryptOnSameKey`, reEncrypt, "ReEncrypt"],
  ["GenerateDataKey", encrypting, inContext({ KeySpec: "AES_256" })],
  ["GenerateDataKeyWithoutPlaintext", encrypting, inContext({ KeySpec: "AES_256" })],
  [
    "GenerateDataKeyPair",
    `${encrypting} kms:DataKeyPairSpec`,
    inContext({ KeyPairSpec: "ECC_NIST_P256" }),
  ],
  [
    "GenerateDataKeyPairWithoutPlaintext",
    `${encrypting} kms:DataKeyPairSpec`,
    inContext({ KeyPairSpec: "ECC_NIST_P256" }),
  ],
  [
    "Sign",
    "kms:MessageType kms:SigningAlgorithm kms:RequestAlias",
    ({ signing }) => ({ KeyId: signing, Message, SigningAlgorithm: "ECDSA_SHA_256" }),
  ],
  [
    "Verify",
    "kms:MessageType kms:SigningAlgorithm kms:RequestAlias",
    ({ signing }) => ({
      KeyId: signing,
      Message,
      Signature: Message,
      SigningAlgorithm: "ECDSA_SHA_256",
    }),
  ],
  [
    "GenerateMac",
    "kms:MacAlgorithm kms:RequestAlias",
    ({ mac }) => ({ KeyId: mac, Message, MacAlgorithm: "HMAC_SHA_256" }),
  ],
  [
    "VerifyMac",
    "kms:MacAlgorithm kms:RequestAlias",
    ({ mac }) => ({ KeyId: mac, Message, Mac: Message, MacAlgorithm: "HMAC_SHA_256" }),
  ],
  [
    "DeriveSharedSecret",
    "kms:KeyAgreementAlgorithm kms:RequestAlias",
    ({ agreement }) => ({ KeyId: agreement, PublicKey: Message, KeyAgreementAlgorithm: "ECDH" }),
  ],
  ["Encapsulate", "kms:RequestAlias", ({ encapsulation }) => ({ KeyId: encapsulation, ...kem })],
  [
    "Decapsulate",
    "kms:RequestAlias",
    ({ encapsulation }) => ({
      KeyId: encapsulation,
      SharedSecretCiphertextBlob: Message,
      ...kem,
    }),
  ],
  ["DescribeKey", "kms:RequestAlias", ({ symmetric }) => ({ KeyId: symmetric })],
  ["GetPublicKey", "kms:RequestAlias", ({ signing }) => ({ KeyId: signing })],
  [
    "CreateGrant",
    "kms:EncryptionContext:App kms:EncryptionContextKeys kms:GrantConstraintType " +
      "kms:GranteePrincipal kms:RetiringPrincipal kms:GrantOperations kms:GrantIsForAWSResource",
    ({ key }) => ({
      KeyId: key,
      GranteePrincipal: userArn("carol"),
      RetiringPrincipal: userArn("carol"),
      Operations: ["Encrypt"],
      Constraints,
    }),
  ],
  ["ListGrants", "kms:GrantIsForAWSResource", onKey],
  [
    "RevokeGrant",
    "kms:GrantIsForAWSResource",
    ({ key, grantId }) => ({ KeyId: key, GrantId: grantId }),
  ],
  [
    "RetireGrant",
    "kms:EncryptionContext:App kms:EncryptionContextKeys kms:GrantConstraintType",
    ({ key, grantId }) => ({ KeyId: arnOf(P, key), GrantId: grantId }),
  ],
  [
    "PutKeyPolicy",
    "kms:BypassPolicyLockoutSafetyCheck",
    ({ key }) => ({ KeyId: key, Policy: "{}" }),
  ],
  ["EnableKeyRotation", "kms:RotationPeriodInDays", onKey],
  [
    "ScheduleKeyDeletion",
    "kms:ScheduleKeyDeletionPendingWindowInDays kms:TrailingDaysWithoutKeyUsage",
    onKey,
  ],
  ["DisableKey", "kms:TrailingDaysWithoutKeyUsage", onKey],
  [
    "GetParametersForImport",
    "kms:WrappingAlgorithm kms:WrappingKeySpec",
    ({ imported }) => ({
      KeyId: imported,
      WrappingAlgorithm: "RSAES_OAEP_SHA_256",
      WrappingKeySpec: "RSA_2048",
    }),
  ],
  [
    "ImportKeyMaterial",
    "kms:ExpirationModel kms:ValidTo",
    ({ imported }) => ({
      KeyId: imported,
      ImportToken: Message,
      EncryptedKeyMaterial: Message,
      ValidTo: Date.UTC(2026, 5, 1) / 1000,
    }),
  ],
  [
    "ReplicateKey",
    "kms:ReplicaRegion kms:MultiRegionKeyType",
    ({ related }) => ({ KeyId: related, ReplicaRegion: "ap-south-1" }),
  ],
  [
    "UpdatePrimaryRegion",
    "kms:PrimaryRegion kms:MultiRegionKeyType",
    ({ related }) => ({ KeyId: related, PrimaryRegion: R }),
  ],
  ["TagResource", "aws:RequestTag/Team aws:TagKeys", ({ key }) => ({ KeyId: key, Tags })],
  ["UntagResource", "aws:TagKeys", ({ key }) => ({ KeyId: key, TagKeys: ["Team"] })],
  ...[
    "CancelKeyDeletion",
    "DisableKeyRotation",
    "EnableKey",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "RotateKeyOnDemand",
  ].map((operation): Row => [operation, "", onKey]),
  ["UpdateKeyDescription", "", ({ key }) => ({ KeyId: key, Description: "described" })],
  ["DeleteImportedKeyMaterial", "", ({ imported }) => ({ KeyId: imported })],
];

/** A world with a key of each kind, tagged and under an alias, and their names. */
async function prepared(): Promise<{ readonly world: World; readonly names: Names }> {
  const world = new World();
  world.requestContext = { sourceIp: "203.0.113.9", userAgent: "aws-cli/2.31", secure: true };
  const made: Record<string, string> = {};
  for (const [name, input] of Object.entries({
    symmetric: {},
    signing: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    mac: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    agreement: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
    encapsulation: { KeySpec: "ML_KEM_512", KeyUsage: "ENCAPSULATE_DECAPSULATE" },
    imported: { Origin: "EXTERNAL" },
    related: { MultiRegion: true },
  })) {
    const { KeyId } = await world.createKey(P, { ...input, Tags });
    await world.call(P, "CreateAlias", { AliasName: `alias/${name}`, TargetKeyId: KeyId });
    made[name] = KeyId;
  }
  const { symmetric: key = "", imported = "", related = "" } = made;
  await world.replicate(related, P, R, { Tags });
  await world.call(R, "CreateAlias", { AliasName: "alias/related", TargetKeyId: related });
  const blob = await world.encrypt(P, key, "text", { EncryptionContext });
  const { GrantId: grantId } = await world.call<{ GrantId: string }>(P, "CreateGrant", {
    KeyId: key,
    GranteePrincipal: userArn("carol"),
    Operations: ["Encrypt"],
    Constraints,
  });
  const aliases = {
    symmetric: "alias/symmetric",
    signing: "alias/signing",
    mac: "alias/mac",
    agreement: "alias/agreement",
    encapsulation: "alias/encapsulation",
  };
  return { world, names: { ...aliases, key, imported, related, blob, grantId } };
}

/** Those of the keys that a request has not: a Deny asks for each, together and one by one. */
async function absentFrom(
  permission: string,
  keys: readonly string[],
  call: (caller: Principal) => Promise<string>,
): Promise<readonly string[]> {
  const isDenied = async (...some: readonly string[]) => {
    const no = some.map((key) =>
      deny(`kms:${permission}`, { Condition: { Null: { [key]: "true" } } }),
    );
    const caller = user("alice", { policies: [allow("*"), ...no], tags: { Team: "blue" } });
    return (await call(caller)).startsWith("AccessDenied");
  };
  if (!(await isDenied(...keys))) return [];
  const absent: string[] = [];
  for (const key of keys) if (await isDenied(key)) absent.push(key);
  return absent;
}

const listed = (...lists: readonly string[]) =>
  lists.flatMap((list) => list.split(" ")).filter(Boolean);

test.each(rows.map((row) => [row[0], row] as const))(
  "%s has its condition keys",
  async (_, row) => {
    const [permission, keys, input, operation] = row;
    const { world, names } = await prepared();
    const call = (caller: Principal) =>
      outcome(world.call(P, operation ?? permission, input(names), caller));
    const asked = listed(keys, ofKeys, existing, ofAll);
    expect(await absentFrom(permission, asked, call)).toEqual([]);
  },
);

test("every operation on a key is in the table", () => {
  const onKeys = Object.entries(operations)
    .filter(([, { kind }]) => kind === "use" || kind === "change")
    .map(([name]) => name);
  const inTable = rows.map(([permission, , , operation]) => operation ?? permission);
  expect(inTable.sort()).toEqual([...onKeys, "ReEncrypt", "ReEncrypt", "RetireGrant"].sort());
});

test("CreateKey has its condition keys", async () => {
  const { world } = await prepared();
  const call = (caller: Principal) =>
    outcome(world.call(P, "CreateKey", { Tags, MultiRegion: true }, caller));
  const own =
    "aws:RequestTag/Team aws:TagKeys kms:BypassPolicyLockoutSafetyCheck kms:MultiRegionKeyType";
  expect(await absentFrom("CreateKey", listed(own, ofKeys, ofAll), call)).toEqual([]);
});

test("what a request has not is noticed", async () => {
  const { world, names } = await prepared();
  const call = (caller: Principal) =>
    outcome(world.call(P, "Encrypt", { KeyId: names.key, Plaintext: Message }, caller));
  const asked = listed("kms:KeySpec kms:ViaService kms:RequestAlias kms:ReplicaRegion");
  expect(await absentFrom("Encrypt", asked, call)).toEqual(asked.slice(1));
});
