// Every exception edge-kms answers with, in one table, and the one class that carries them.
// https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html and the errors of each operation.

/** How the body spells its text: most exceptions of KMS write `message`, some `Message`. */
type MessageMember = "message" | "Message";

interface ErrorRow {
  readonly status: number;
  readonly member: MessageMember;
}

const client: ErrorRow = { status: 400, member: "message" };
const fault: ErrorRow = { status: 500, member: "message" };

/**
 * KMS answers every client error with 400, AccessDeniedException too; the three faults of its
 * model are 500. AccessDeniedException alone spells `Message` (seen in public logs). An exception
 * thrown without a text has a body of nothing but `__type`, as recorded for InvalidCiphertext,
 * KMSInvalidSignature and KMSInvalidMac.
 */
export const errorTable = {
  AccessDeniedException: { status: 400, member: "Message" },
  AlreadyExistsException: client,
  CloudHsmClusterInUseException: client,
  CloudHsmClusterInvalidConfigurationException: client,
  CloudHsmClusterNotActiveException: client,
  CloudHsmClusterNotFoundException: client,
  CloudHsmClusterNotRelatedException: client,
  ConflictException: client,
  CustomKeyStoreHasCMKsException: client,
  CustomKeyStoreInvalidStateException: client,
  CustomKeyStoreNameInUseException: client,
  CustomKeyStoreNotFoundException: client,
  DisabledException: client,
  DryRunOperationException: client,
  IncompleteSignatureException: client,
  IncorrectKeyException: client,
  InvalidAliasNameException: client,
  InvalidArnException: client,
  InvalidCiphertextException: client,
  InvalidGrantTokenException: client,
  InvalidKeyUsageException: client,
  InvalidMarkerException: client,
  InvalidSignatureException: client,
  KMSInternalException: fault,
  KMSInvalidMacException: client,
  KMSInvalidSignatureException: client,
  KMSInvalidStateException: client,
  ExpiredImportTokenException: client,
  ExpiredTokenException: client,
  IncorrectKeyMaterialException: client,
  IncorrectTrustAnchorException: client,
  InvalidImportTokenException: client,
  InvalidGrantIdException: client,
  LimitExceededException: client,
  MalformedPolicyDocumentException: client,
  MissingAuthenticationTokenException: client,
  NotAuthorizedException: client,
  NotFoundException: client,
  RequestEntityTooLargeException: { status: 413, member: "message" },
  SerializationException: client,
  TagException: client,
  ThrottlingException: client,
  UnknownOperationException: client,
  UnrecognizedClientException: client,
  UnsupportedOperationException: client,
  ValidationException: client,
  XksKeyAlreadyInUseException: client,
  XksKeyInvalidConfigurationException: client,
  XksKeyNotFoundException: client,
  XksProxyIncorrectAuthenticationCredentialException: client,
  XksProxyInvalidConfigurationException: client,
  XksProxyInvalidResponseException: client,
  XksProxyUriEndpointInUseException: client,
  XksProxyUriInUseException: client,
  XksProxyUriUnreachableException: client,
  XksProxyVpcEndpointServiceInUseException: client,
  XksProxyVpcEndpointServiceInvalidConfigurationException: client,
  XksProxyVpcEndpointServiceNotFoundException: client,
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof errorTable;

/** What crosses from a Durable Object to the edge instead of a thrown error. */
export interface Refusal {
  readonly type: ErrorName;
  readonly message: string | null;
}

/** A refusal that AWS would give; `message` is null where AWS sends no text. */
export class KmsError extends Error {
  readonly type: ErrorName;
  readonly text: string | null;

  constructor(type: ErrorName, text: string | null = null) {
    super(text ?? type);
    this.name = type;
    this.type = type;
    this.text = text;
  }

  /** The same refusal as plain data, fit for RPC. */
  get refusal(): Refusal {
    return { type: this.type, message: this.text };
  }
}

/** The JSON body of a refusal. */
export function errorBody({ type, message }: Refusal): string {
  if (message === null) return JSON.stringify({ __type: type });
  return JSON.stringify({ __type: type, [errorTable[type].member]: message });
}

/** `Key '<arn>' does not exist` (recorded on AWS). */
export const keyNotFound = (keyArn: string) =>
  new KmsError("NotFoundException", `Key '${keyArn}' does not exist`);

/** What KMS says of anything that is no key ID, ARN or alias it takes here (recorded on AWS). */
export const invalidKeyId = (keyId: string) =>
  new KmsError("NotFoundException", `Invalid keyId '${keyId}'`);

/** The same of the key ID in an ARN, which is not quoted (recorded on AWS by floci's authors). */
export const invalidKeyIdOfArn = (keyId: string) =>
  new KmsError("NotFoundException", `Invalid keyId ${keyId}`);

/** An alias, by name or ARN, where only key IDs and key ARNs do (seen in public logs of AWS). */
export const noAliases = () =>
  new KmsError("InvalidArnException", "Key Aliases are not supported for this operation.");

export const aliasNotFound = (aliasArn: string) =>
  new KmsError("NotFoundException", `Alias ${aliasArn} is not found.`);

export const validation = (text: string | null) => new KmsError("ValidationException", text);

/** `<arn> is <state>.`, what KMS says of a state that does not fit. */
export const stateError = (arn: string, state: string) =>
  new KmsError("KMSInvalidStateException", `${arn} is ${state}.`);

/** What KMS says of a key whose origin has no such operation (recorded on AWS). */
export const invalidOrigin = (arn: string, origin: string) =>
  new KmsError(
    "UnsupportedOperationException",
    `${arn} origin is ${origin} which is not valid for this operation.`,
  );

/** More requests than a quota allows (seen in public logs). */
export const throttled = () =>
  new KmsError(
    "ThrottlingException",
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
  );

/**
 * The refusal of a caller by policies: `action` with its `kms:`, `on` what is said of the resource,
 * such as `on resource: <arn>`, `grounds` the policy that decided.
 */
export const notAuthorized = (
  callerArn: string,
  action: string,
  on: string | null,
  grounds: string,
) =>
  new KmsError(
    "AccessDeniedException",
    [
      `User: ${callerArn} is not authorized to perform: ${action}`,
      ...(on ? [on] : []),
      grounds,
    ].join(" "),
  );

/**
 * The refusal that does not tell whether there is such a key: of another account's, or of one that
 * only its ciphertext names (seen in public logs of AWS from 2024 to 2026).
 * `callerArn` is a whole ARN, `action` is without its `kms:`.
 */
export const keyOutOfReach = (callerArn: string, action: string, key: "named" | "ofCiphertext") =>
  notAuthorized(
    callerArn,
    `kms:${action}`,
    key === "named" ? "on this resource" : "on the resource associated with this ciphertext",
    "because the resource does not exist in this Region, no resource-based policies allow access, " +
      "or a resource-based policy explicitly denies access",
  );
