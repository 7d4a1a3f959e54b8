// What KMS says of a policy document that it does not take. The first five texts are AWS's: three
// seen in many public issues, that of the condition keys in awsdocs/aws-kms-developer-guide#47,
// OverlyPermissiveCondition in the guide. The texts of Sids, actions and resources, and the start of
// syntax errors, are IAM's, as KMS's are not known.

import { KmsError } from "../../errors.ts";
import type { PolicyKind } from "./grammar.ts";

export const NO_PRINCIPAL = "Policy contains a statement with no principal.";
export const INVALID_PRINCIPALS =
  "Policy contains a statement with one or more invalid principals.";
export const LOCKOUT =
  "The new key policy will not allow you to update the key policy in the future.";
export const KEYS_NOT_PERMITTED =
  "These condition keys are not permitted in a key policy: " +
  "aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases";
export const OVERLY_PERMISSIVE =
  "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition " +
  "key matches requests without the specified [encryption context or tag] or with an unspecified " +
  "[encryption context or tag]. To fix, remove ForAllValues.";
export const DUPLICATE_SID = "Statement IDs (SID) in a single policy must be unique.";
export const HAS_PRINCIPAL = "Policy document should not specify a principal.";
export const HAS_RESOURCE = "Has prohibited field Resource";
export const NO_ACTIONS = "Policy statement must contain actions.";
export const NO_RESOURCES = "Policy statement must contain resources.";
export const NO_VENDOR =
  "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
export const TWO_COLONS = "Actions/Condition can contain only one colon.";

export const malformed = (text: string | null) =>
  new KmsError("MalformedPolicyDocumentException", text);
export const syntaxError = (what: string) => malformed(`Syntax errors in policy: ${what}.`);
/** A text that is no JSON: KMS says nothing of it (aws/aws-sdk-ruby#1784), IAM does. */
export const notJson = (kind: PolicyKind) =>
  kind === "key" ? malformed(null) : syntaxError("it is not valid JSON");
