// What the conditions of policies can ask of a request: one row for each condition key, with where
// it has a value and how that is read.
// https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

import { parseKeyReference } from "../domain/arn.ts";
import type { Tag } from "../domain/key-set.ts";
import { limits } from "../domain/limits.ts";
import type { ConditionContext, ContextValue } from "../domain/policy/variables.ts";
import type { KeyFacts, Question, RecipientAttestation } from "./question.ts";

type Read = (
  question: Question,
) => string | number | boolean | readonly string[] | null | undefined;

interface Row {
  /** The permissions whose requests have it; null where every request may. */
  readonly of: ReadonlySet<string> | null;
  readonly read: Read;
}

const of = (actions: string, read: Read): Row => ({ of: new Set(actions.split(" ")), read });
const ofAll = (read: Read): Row => ({ of: null, read });
/** Of everything that is done to a key, and of CreateKey. */
const ofKeys = (read: (key: KeyFacts) => ReturnType<Read>): Row =>
  ofAll(({ key }) => key && read(key));
/** A member of the input, or what KMS takes in its stead. */
const member =
  (name: string, standard?: string | number | boolean): Read =>
  ({ input }) =>
    (input[name] ?? standard) as ReturnType<Read>;

const DAY_MS = 86_400_000;

const encrypting =
  "Decrypt Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext " +
  "GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo";
const dataKeyPairs = "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext";
const withContext = `${encrypting} CreateGrant RetireGrant`;
const takingAliases =
  `${encrypting} Decapsulate DeriveSharedSecret DescribeKey Encapsulate GenerateMac GetPublicKey ` +
  "Sign Verify VerifyMac";
const ofGrants = "CreateGrant ListGrants RevokeGrant";

/** By names in lower case, as the names of condition keys are written in any. */
const rows: Readonly<Record<string, Row>> = {
  "kms:bypasspolicylockoutsafetycheck": of(
    "CreateKey PutKeyPolicy",
    member("BypassPolicyLockoutSafetyCheck", false),
  ),
  "kms:calleraccount": ofAll(({ caller }) => caller.accountId),
  "kms:customermasterkeyspec": ofKeys(({ keySpec }) => keySpec),
  "kms:customermasterkeyusage": ofKeys(({ keyUsage }) => keyUsage),
  "kms:datakeypairspec": of(dataKeyPairs, member("KeyPairSpec")),
  "kms:encryptionalgorithm": of(encrypting, member("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")),
  "kms:encryptioncontextkeys": of(withContext, (question) =>
    Object.keys(encryptionContext(question) ?? {}),
  ),
  "kms:expirationmodel": of("ImportKeyMaterial", member("ExpirationModel", "KEY_MATERIAL_EXPIRES")),
  "kms:grantconstraintsourcearn": of("CreateGrant", ({ input }) => constraintsIn(input).SourceArn),
  "kms:grantconstrainttype": of("CreateGrant RetireGrant", ({ input }) => {
    const given = constraintsIn(input);
    const types = ["EncryptionContextEquals", "EncryptionContextSubset"] as const;
    const [only, more] = types.filter((type) => given[type]);
    return more === undefined ? only : types;
  }),
  // Only a service that calls for its user makes it true.
  "kms:grantisforawsresource": of(ofGrants, () => false),
  "kms:grantoperations": of("CreateGrant", member("Operations")),
  "kms:granteeprincipal": of("CreateGrant", member("GranteePrincipal")),
  "kms:granteeserviceprincipal": of("CreateGrant", member("GranteeServicePrincipal")),
  "kms:keyagreementalgorithm": of("DeriveSharedSecret", member("KeyAgreementAlgorithm")),
  "kms:keyorigin": ofKeys(({ origin }) => origin),
  "kms:keyspec": ofKeys(({ keySpec }) => keySpec),
  "kms:keyusage": ofKeys(({ keyUsage }) => keyUsage),
  "kms:macalgorithm": of("GenerateMac VerifyMac", member("MacAlgorithm")),
  "kms:messagetype": of("Sign Verify", member("MessageType", "RAW")),
  "kms:multiregion": ofKeys(({ multiRegion }) => multiRegion),
  "kms:multiregionkeytype": ofKeys(({ type }) => type),
  "kms:primaryregion": of("UpdatePrimaryRegion", member("PrimaryRegion")),
  "kms:reencryptonsamekey": of("ReEncryptFrom ReEncryptTo", isSameKey),
  "kms:replicaregion": of("ReplicateKey", member("ReplicaRegion")),
  "kms:requestalias": of(takingAliases, ({ input }) => aliasIn(input.KeyId)),
  "kms:resourcealiases": ofKeys(({ aliases }) => aliases),
  "kms:retiringprincipal": of("CreateGrant", member("RetiringPrincipal")),
  "kms:retiringserviceprincipal": of("CreateGrant", member("RetiringServicePrincipal")),
  "kms:rotationperiodindays": of("EnableKeyRotation", member("RotationPeriodInDays", 365)),
  "kms:schedulekeydeletionpendingwindowindays": of(
    "ScheduleKeyDeletion",
    member("PendingWindowInDays", 30),
  ),
  "kms:signingalgorithm": of("Sign Verify", member("SigningAlgorithm")),
  // Of every use a key keeps the instant, so that its tracking began with the key.
  "kms:trailingdayswithoutkeyusage": of("DisableKey ScheduleKeyDeletion", ({ key, now }) =>
    key?.unusedSince === undefined ? null : Math.floor((now - key.unusedSince) / DAY_MS),
  ),
  "kms:validto": of("ImportKeyMaterial", ({ input }) =>
    typeof input.ValidTo === "number" ? instant(input.ValidTo * 1000) : null,
  ),
  "kms:wrappingalgorithm": of("GetParametersForImport", member("WrappingAlgorithm")),
  "kms:wrappingkeyspec": of("GetParametersForImport", member("WrappingKeySpec")),

  "aws:currenttime": ofAll(({ now }) => instant(now)),
  "aws:epochtime": ofAll(({ now }) => Math.floor(now / 1000)),
  "aws:principalaccount": ofAll(({ caller }) => caller.accountId),
  "aws:principalarn": ofAll(({ caller }) => caller.principalArn),
  "aws:principalisawsservice": ofAll(({ caller }) => caller.type === "Service"),
  "aws:principalservicename": ofAll(({ caller }) =>
    caller.type === "Service" ? caller.arn : null,
  ),
  "aws:principaltype": ofAll(({ caller }) => caller.type),
  "aws:requestedregion": ofAll(({ region }) => region),
  "aws:resourceaccount": ofKeys(({ accountId }) => accountId),
  "aws:securetransport": ofAll(({ request }) => request.secure),
  "aws:sourceidentity": ofAll(({ caller }) => caller.sourceIdentity),
  "aws:sourceip": ofAll(({ request }) => request.sourceIp),
  "aws:tagkeys": of(
    "CreateKey TagResource UntagResource",
    ({ input }) =>
      tagsIn(input)?.map(({ TagKey }) => TagKey) ??
      (input.TagKeys as readonly string[] | undefined),
  ),
  "aws:useragent": ofAll(({ request }) => request.userAgent),
  "aws:userid": ofAll(({ caller }) => caller.userId),
  "aws:username": ofAll(({ caller }) => caller.userName),
  // No service calls for a user here, so that kms:ViaService and aws:CalledVia have no value.
  "aws:viaawsservice": ofAll(() => false),
};

interface NamedRow {
  readonly of: ReadonlySet<string> | null;
  readonly read: (question: Question, name: string) => string | null | undefined;
}

const named = (actions: string | null, read: NamedRow["read"]): NamedRow => ({
  of: actions === null ? null : new Set(actions.split(" ")),
  read,
});

const attested = "Decrypt DeriveSharedSecret GenerateDataKey GenerateDataKeyPair GenerateRandom";

/** Keys whose name goes on with one that the caller chose, by the part before it. */
const namedRows: Readonly<Record<string, NamedRow>> = {
  "kms:encryptioncontext:": named(withContext, (question, name) =>
    memberNamed(encryptionContext(question) ?? {}, name),
  ),
  "kms:recipientattestation:": named(
    attested,
    ({ attestation }, name) => attestation && attestedValue(attestation, name),
  ),
  "aws:principaltag/": named(null, ({ caller }, name) => memberNamed(caller.tags, name)),
  "aws:requesttag/": named("CreateKey TagResource", ({ input }, name) =>
    memberNamed(byKey(tagsIn(input) ?? []), name),
  ),
  "aws:resourcetag/": named(null, ({ key }, name) => key && memberNamed(byKey(key.tags), name)),
};

/** The values of a request's condition keys. Nothing is read before a condition asks for it. */
export const contextOf = (question: Question): ConditionContext => ({
  effort: { left: limits.server.policies.standard },
  valueOf(name) {
    const lower = name.toLowerCase();
    const { supposed } = question;
    if (supposed && Object.hasOwn(supposed, lower)) return supposed[lower];
    const row = Object.hasOwn(rows, lower) ? rows[lower] : undefined;
    if (row) return has(row, question) ? valueIn(row.read(question)) : undefined;
    const length = prefixLength(lower);
    const namedRow = namedRows[lower.slice(0, length)];
    if (!namedRow || !has(namedRow, question)) return undefined;
    return namedRow.read(question, name.slice(length)) ?? undefined;
  },
});

/** Of `kms:EncryptionContext:a:b` and `aws:ResourceTag/a/b` what comes before the chosen name. */
const prefixLength = (lower: string) => lower.indexOf(lower.startsWith("aws:") ? "/" : ":", 4) + 1;

const has = ({ of: actions }: { of: ReadonlySet<string> | null }, { action }: Question) =>
  actions === null || actions.has(action);

function valueIn(value: ReturnType<Read>): ContextValue {
  if (value === null || value === undefined) return undefined;
  return typeof value === "object" ? value : String(value);
}

/** Names are not case-sensitive; where two differ in their case alone, the exact one counts. */
function memberNamed(members: Readonly<Record<string, string>>, name: string): string | undefined {
  if (Object.hasOwn(members, name)) return members[name];
  const found = namesIn(members).get(name.toLowerCase());
  return found === undefined ? undefined : members[found];
}

const knownNames = new WeakMap<object, ReadonlyMap<string, string>>();

/** The first name of each in lower case: found once, however many conditions ask. */
function namesIn(members: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const known = knownNames.get(members);
  if (known) return known;
  const names = new Map<string, string>();
  for (const own of Object.keys(members).reverse()) names.set(own.toLowerCase(), own);
  knownNames.set(members, names);
  return names;
}

/**
 * The encryption context of a request; of CreateGrant the pairs of the new grant's constraints.
 * Null of an operation that has none.
 */
export function encryptionContext({
  action,
  input,
}: Pick<Question, "action" | "input">): Readonly<Record<string, string>> | null {
  if (encryptingActions.has(action))
    return (input.EncryptionContext ?? {}) as Record<string, string>;
  const { EncryptionContextEquals, EncryptionContextSubset } = constraintsIn(input);
  if (!EncryptionContextEquals && !EncryptionContextSubset) return null;
  return { ...EncryptionContextSubset, ...EncryptionContextEquals };
}

const encryptingActions: ReadonlySet<string> = new Set(encrypting.split(" "));

interface Constraints {
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>;
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>;
  readonly SourceArn?: string;
}

const constraintsIn = (input: Question["input"]) => (input.Constraints ?? {}) as Constraints;

const tagsIn = (input: Question["input"]) => input.Tags as readonly Tag[] | undefined;

const byKey = (tags: readonly Tag[]) =>
  Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));

/** Whether ReEncrypt's other key is this one. */
function isSameKey({ action, input, key }: Question): boolean | null {
  if (!key?.arn) return null;
  return (action === "ReEncryptTo" ? input.SourceKeyId : input.DestinationKeyId) === key.arn;
}

/** The name of the alias by which a request calls its key; null where it does not. */
function aliasIn(keyId: unknown): string | null {
  const reference = typeof keyId === "string" ? parseKeyReference(keyId) : null;
  return reference && "aliasName" in reference ? reference.aliasName : null;
}

/** `ImageSha384`, `PCR0` to `PCR31`, `NitroTPMPCR0` to `NitroTPMPCR23`. */
function attestedValue(attestation: RecipientAttestation, name: string): string | undefined {
  if (/^imagesha384$/i.test(name)) return attestation.imageSha384 ?? attestation.pcrs[0];
  const [, tpm, register] = /^(nitrotpm)?pcr(\d{1,2})$/i.exec(name) ?? [];
  if (register === undefined) return undefined;
  return (tpm ? attestation.nitroTpmPcrs : attestation.pcrs)[Number(register)];
}

const instant = (ms: number) => new Date(ms).toISOString();
