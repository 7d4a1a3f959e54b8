// Key policies: what KMS takes as one, stores, and gives back. The grammar of the document, its
// checks and its evaluation are in policy/.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html

import { KmsError } from "../errors.ts";
import { type PolicyDocument, parseDocument } from "./policy/grammar.ts";
import { type Editor, requireNoLockout } from "./policy/lockout.ts";
import { print } from "./policy/ordered-json.ts";
import { rootArn } from "./policy/principal-grammar.ts";
import { INVALID_PRINCIPALS, malformed } from "./policy/refusals.ts";

/**
 * The document KMS stores when CreateKey or ReplicateKey gives none, as recorded on AWS.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export function defaultKeyPolicy(partition: string, accountId: string): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "${rootArn(partition, accountId)}"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;
}

/**
 * What CreateKey, ReplicateKey and PutKeyPolicy do with a `Policy`: takes the text as sent, gives
 * back the text to store and to answer GetKeyPolicy with. MalformedPolicyDocumentException
 * for what KMS would not take; its length is a quota (requirePolicySize). Without an
 * `editor` the lockout safety check is bypassed.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 */
export function acceptKeyPolicy(
  text: string,
  to: {
    readonly partition: string;
    readonly editor: Editor | null;
    /** ARNs of users and roles that are known not to be. */
    readonly unknownPrincipals?: readonly string[] | undefined;
  },
): string {
  const policy = parseKeyPolicy(text, to.partition);
  requirePrincipals(policy, to.unknownPrincipals ?? []);
  if (to.editor) requireNoLockout(policy, to.editor);
  return printKeyPolicy(policy);
}

/**
 * The typed document in `text`, its ARNs being of `partition`; MalformedPolicyDocumentException
 * when AWS KMS would not take it. Whether principals exist is not known here.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html#key-policy-elements
 */
export function parseKeyPolicy(text: string, partition: string): PolicyDocument {
  return parseDocument(text, "key", partition);
}

/**
 * The document in the form in which GetKeyPolicy gives it: that of Jackson's DefaultPrettyPrinter,
 * members in the order sent.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
 */
export function printKeyPolicy(policy: PolicyDocument): string {
  return print(policy.members);
}

function requirePrincipals(policy: PolicyDocument, unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  const isUnknown = principalArnsOf(policy).some((arn) => unknown.includes(arn));
  if (isUnknown) throw malformed(INVALID_PRINCIPALS);
}

/** Whom a policy names by ARN: `*`, unique IDs and services are not looked up. */
function principalArnsOf({ statements }: PolicyDocument): string[] {
  const named = statements.flatMap(({ principal }) => principal?.values ?? []);
  return named
    .filter(({ type, id }) => type === "AWS" && id.startsWith("arn:"))
    .map(({ id }) => id);
}

/** The same of a text; none of one that KMS would not take, which is refused for that. */
export function principalArnsIn(text: string, partition: string): string[] {
  try {
    return principalArnsOf(parseKeyPolicy(text, partition));
  } catch (error) {
    if (error instanceof KmsError) return [];
    throw error;
  }
}
