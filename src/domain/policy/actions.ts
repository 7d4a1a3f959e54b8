// What is particular to some permissions. A permission is called as its operation; ReEncrypt alone
// has two, ReEncryptFrom and ReEncryptTo.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html

/** What a principal of another account may be allowed; everything else is its own account's alone. */
export const crossAccountActions: ReadonlySet<string> = new Set([
  "CreateGrant",
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "DescribeKey",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "GetKeyRotationStatus",
  "GetPublicKey",
  "ListGrants",
  "ReEncryptFrom",
  "ReEncryptTo",
  "RetireGrant",
  "RevokeGrant",
  "Sign",
  "Verify",
  "VerifyMac",
]);
