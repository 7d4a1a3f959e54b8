// What AWS says of keys that it tells a caller nothing about: another account's, and those that only
// a ciphertext names. Seen in public logs of AWS from 2024 to 2026, and in AWS's own guides to its
// services.

const GROUNDS =
  "because the resource does not exist in this Region, no resource-based policies allow access, " +
  "or a resource-based policy explicitly denies access";

const refusal = (caller: string, action: string, on: string) =>
  `User: ${caller} is not authorized to perform: kms:${action} on ${on} ${GROUNDS}`;

/** Of another account's key; `caller` is an ARN. */
export const outOfReach = (caller: string, action: string) =>
  refusal(caller, action, "this resource");

/** Of the key of a ciphertext that came without a KeyId. */
export const ciphertextOutOfReach = (caller: string, action = "Decrypt") =>
  refusal(caller, action, "the resource associated with this ciphertext");
