// The errors of STS, which has codes of its own for what KMS calls exceptions.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html

import type { ErrorName } from "../errors.ts";

/** Each code with its status. */
const statuses = {
  AccessDenied: 403,
  ExpiredToken: 403,
  IncompleteSignature: 400,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidParameterValue: 400,
  MalformedInput: 400,
  MalformedPolicyDocument: 400,
  MissingAuthenticationToken: 403,
  PackedPolicyTooLarge: 400,
  RequestEntityTooLarge: 413,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
} as const;

type StsCode = keyof typeof statuses;

/** A refusal that STS would give. */
export class StsError extends Error {
  readonly code: StsCode;
  constructor(code: StsCode, text: string) {
    super(text);
    this.name = code;
    this.code = code;
  }

  get status(): number {
    return statuses[this.code];
  }
}

/** What STS calls the refusals that it shares with KMS. */
const codes: Readonly<Partial<Record<ErrorName, StsCode>>> = {
  ExpiredTokenException: "ExpiredToken",
  IncompleteSignatureException: "IncompleteSignature",
  InvalidSignatureException: "SignatureDoesNotMatch",
  MissingAuthenticationTokenException: "MissingAuthenticationToken",
  RequestEntityTooLargeException: "RequestEntityTooLarge",
  SerializationException: "MalformedInput",
  ThrottlingException: "Throttling",
  UnrecognizedClientException: "InvalidClientTokenId",
  ValidationException: "ValidationError",
};

export const stsCodeOf = (type: ErrorName): StsCode | null => codes[type] ?? null;
