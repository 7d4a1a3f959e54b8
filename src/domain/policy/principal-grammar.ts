// Who a statement of a key policy can name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

import { isObject, type Json, listIn } from "./ordered-json.ts";
import { INVALID_PRINCIPALS, malformed, NO_PRINCIPAL } from "./refusals.ts";

/** `{ type: "AWS", id: "*" }` is everyone; an account is the ARN of its root. */
export interface NamedPrincipal {
  readonly type: "AWS" | "Service" | "Federated" | "CanonicalUser";
  readonly id: string;
}

/** The ARN of an account's root; partitions are not held to KMS's own here. */
export const rootArn = (partition: string, accountId: string) =>
  `arn:${partition}:iam::${accountId}:root`;

/** What an identifier has to look like, by the type of the principal. None may have a wildcard. */
const principalForms: Record<
  NamedPrincipal["type"],
  (id: string, partition: string | null) => boolean
> = {
  AWS: (id, partition) => id === "*" || isUniqueId(id) || isIdentityArn(id, partition),
  Service: (id) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(id),
  // Printable ASCII without `*` and `?`, here as in the paths of users and roles.
  Federated: (id) => /^[!-)+->@-~]+$/.test(id),
  CanonicalUser: (id) => /^[0-9a-f]{64}$/.test(id),
};

/** Those that a Principal element names; MalformedPolicyDocumentException where it names no one. */
export function principalsIn(
  element: Json | undefined,
  partition: string | null,
): NamedPrincipal[] {
  if (element === undefined) throw malformed(NO_PRINCIPAL);
  const principals = namedIn(element, partition);
  if (principals.length === 0) throw malformed(NO_PRINCIPAL);
  return principals;
}

function namedIn(value: Json, partition: string | null): NamedPrincipal[] {
  if (value === "*") return [{ type: "AWS", id: "*" }];
  if (!isObject(value)) throw malformed(INVALID_PRINCIPALS);
  return [...value].flatMap(([type, ids]) =>
    listIn(ids).map((id) => principalOf(type, id, partition)),
  );
}

function principalOf(type: string, id: Json, partition: string | null): NamedPrincipal {
  if (isPrincipalType(type) && typeof id === "string" && principalForms[type](id, partition)) {
    return { type, id };
  }
  throw malformed(INVALID_PRINCIPALS);
}

const isPrincipalType = (type: string): type is NamedPrincipal["type"] =>
  Object.hasOwn(principalForms, type);

/** What KMS shows in place of a user or role that is deleted, e.g. AIDACKCEVSQ6C2EXAMPLE. */
const isUniqueId = (id: string) => /^(?:AIDA|AROA)[A-Z0-9]{12,124}$/.test(id);

/** What an account, user, role, role session or federated user is called after its account ID. */
const identityForms = {
  iam: [/^root$/, /^(?:user|role)\/(?:[!-)+->@-~]*\/)?[\w+=,.@-]{1,64}$/],
  sts: [/^assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/, /^federated-user\/[\w+=,.@-]{2,32}$/],
};

function isIdentityArn(arn: string, partition: string | null): boolean {
  const [scheme, ofPartition, service, region, account = "", ...rest] = arn.split(":");
  if (scheme !== "arn" || region !== "") return false;
  if (
    partition === null ? !/^aws(?:-[a-z]+)*$/.test(ofPartition ?? "") : ofPartition !== partition
  ) {
    return false;
  }
  if (service !== "iam" && service !== "sts") return false;
  const name = rest.join(":");
  return isAccountId(account) && identityForms[service].some((form) => form.test(name));
}

const isAccountId = (id: string) => /^[0-9]{12}$/.test(id);

/** The document with each principal that is a bare account ID written as the account's root. */
export function nameAccounts(document: Json, partition: string | null): Json {
  const name = (id: Json) =>
    typeof id === "string" && isAccountId(id) ? rootArn(partition ?? "aws", id) : id;
  const inPrincipal = (principal: Json) => withMember(principal, "AWS", name);
  return withMember(document, "Statement", (statement) =>
    withMember(withMember(statement, "Principal", inPrincipal), "NotPrincipal", inPrincipal),
  );
}

/** `value`, if it is an object, with this member changed: each item of it where it is a list. */
function withMember(value: Json, name: string, change: (item: Json) => Json): Json {
  const member = isObject(value) ? value.get(name) : undefined;
  if (!isObject(value) || member === undefined) return value;
  return new Map(value).set(name, Array.isArray(member) ? member.map(change) : change(member));
}
