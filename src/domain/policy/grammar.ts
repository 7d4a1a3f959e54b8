// The grammar of a policy document, element by element. Knows no caller and no key.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

import { type Condition, conditionsIn } from "./condition-grammar.ts";
import { isObject, type Json, type JsonObject, listIn, readJson } from "./ordered-json.ts";
import { type NamedPrincipal, nameAccounts, principalsIn } from "./principal-grammar.ts";
import {
  DUPLICATE_SID,
  HAS_PRINCIPAL,
  HAS_RESOURCE,
  malformed,
  NO_ACTIONS,
  NO_RESOURCES,
  NO_VENDOR,
  notJson,
  syntaxError,
  TWO_COLONS,
} from "./refusals.ts";

/**
 * What a policy is attached to: a key; a user, a role or a session; or a role, whose trust policy
 * says who may assume it.
 */
export type PolicyKind = "key" | "identity" | "trust";

/** A document that keeps to the grammar of its kind. */
export interface PolicyDocument {
  readonly version: "2008-10-17" | "2012-10-17";
  readonly id: string | null;
  readonly statements: readonly Statement[];
  /** The whole document in the order it was sent in, accounts named by ARN; what is printed. */
  readonly members: JsonObject;
}

/**
 * `null` for `principal`: the policy is attached to whom it is about.
 *
 * `null` for `action` or `resource`: the statement has neither form of it. KMS takes it and it has
 * no effect, says the API reference; a notice of AWS in 2025 said it would be refused.
 */
export interface Statement {
  readonly sid: string | null;
  readonly effect: "Allow" | "Deny";
  readonly principal: Scope<NamedPrincipal> | null;
  readonly action: Scope<string> | null;
  readonly resource: Scope<string> | null;
  readonly conditions: readonly Condition[];
}

/** One element or its negation: `Action` or, with `except`, `NotAction`. */
export interface Scope<T> {
  readonly except: boolean;
  readonly values: readonly T[];
}

/**
 * The document in `text`; MalformedPolicyDocumentException where it is none. `partition` is that of
 * the ARNs that name principals, null for any.
 */
export function parseDocument(
  text: string,
  kind: PolicyKind,
  partition: string | null,
): PolicyDocument {
  const members = objectIn(
    nameAccounts(
      readJson(text, () => notJson(kind)),
      partition,
    ),
    "the document",
  );
  requireKnown(members, documentMembers);
  const list = members.get("Statement") ?? [];
  const statements = listIn(list).map((item) => statementIn(item, kind, partition));
  if (statements.length === 0) throw syntaxError("it has no statement");
  // IAM's rule. AWS's own key policy of aws/secretsmanager has two statements of one Sid.
  if (kind !== "key") requireUniqueSids(statements);
  return {
    version: versionIn(members.get("Version")),
    id: optionalTextIn(members, "Id"),
    statements,
    members,
  };
}

const documentMembers = new Set(["Version", "Id", "Statement"]);
const statementMembers = new Set(
  "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split(" "),
);

function objectIn(value: Json, what: string): JsonObject {
  if (!isObject(value)) throw syntaxError(`${what} is not an object`);
  return value;
}

function requireKnown(members: JsonObject, known: ReadonlySet<string>): void {
  const unknown = [...members.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) throw syntaxError(`'${unknown}' is not an element of a policy`);
}

function optionalTextIn(members: JsonObject, name: string): string | null {
  const value = members.get(name);
  if (value === undefined) return null;
  if (typeof value !== "string") throw syntaxError(`${name} is not a string`);
  return value;
}

/** A policy without a Version has the older one, as the IAM User Guide says. */
function versionIn(value: Json = "2008-10-17"): PolicyDocument["version"] {
  if (value === "2008-10-17" || value === "2012-10-17") return value;
  throw syntaxError("Version is neither 2012-10-17 nor 2008-10-17");
}

function statementIn(value: Json, kind: PolicyKind, partition: string | null): Statement {
  const members = objectIn(value, "a statement");
  requireKnown(members, statementMembers);
  if (kind === "identity") requireIdentityElements(members);
  if (kind === "trust") requireTrustElements(members);
  return {
    sid: optionalTextIn(members, "Sid"),
    effect: effectIn(members.get("Effect")),
    principal: kind === "identity" ? null : principalScopeIn(members, partition),
    action: textScopeIn(members, "Action", requireAction),
    resource: kind === "trust" ? thatRole : textScopeIn(members, "Resource", requireResource),
    conditions: conditionsIn(members.get("Condition"), kind),
  };
}

/** IAM's texts. Unlike KMS it wants actions and resources, and nobody named. */
function requireIdentityElements(members: JsonObject): void {
  if (elementIn(members, "Principal")) throw malformed(HAS_PRINCIPAL);
  if (!elementIn(members, "Action")) throw malformed(NO_ACTIONS);
  if (!elementIn(members, "Resource")) throw malformed(NO_RESOURCES);
}

/** IAM's texts, too. */
function requireTrustElements(members: JsonObject): void {
  if (!elementIn(members, "Action")) throw malformed(NO_ACTIONS);
  if (elementIn(members, "Resource")) throw malformed(HAS_RESOURCE);
}

/** A trust policy is about the role it is attached to. */
const thatRole: Scope<string> = { except: false, values: ["*"] };

/** Statements with an empty Sid count as having none: Terraform writes many of them. */
function requireUniqueSids(statements: readonly Statement[]): void {
  const sids = statements.map(({ sid }) => sid).filter((sid) => sid !== null && sid !== "");
  if (new Set(sids).size < sids.length) throw malformed(DUPLICATE_SID);
}

function effectIn(value: Json | undefined): Statement["effect"] {
  if (value === "Allow" || value === "Deny") return value;
  throw syntaxError("the Effect of a statement is neither Allow nor Deny");
}

/** The element of this name or its `Not` form; null when there is neither. */
function elementIn(members: JsonObject, name: string): { except: boolean; value: Json } | null {
  const value = members.get(name);
  const excepted = members.get(`Not${name}`);
  if (value !== undefined && excepted !== undefined) {
    throw syntaxError(`a statement has both ${name} and Not${name}`);
  }
  if (value !== undefined) return { except: false, value };
  return excepted === undefined ? null : { except: true, value: excepted };
}

function principalScopeIn(members: JsonObject, partition: string | null): Scope<NamedPrincipal> {
  const element = elementIn(members, "Principal");
  const values = principalsIn(element?.value, partition);
  return { except: element?.except ?? false, values };
}

function textScopeIn(
  members: JsonObject,
  name: string,
  require: (value: string) => void,
): Scope<string> | null {
  const element = elementIn(members, name);
  if (element === null) return null;
  const values = listIn(element.value).map((value) => {
    if (typeof value !== "string") throw syntaxError(`${name} is not a string or list of strings`);
    require(value);
    return value;
  });
  return { except: element.except, values };
}

function requireAction(action: string): void {
  if (action === "*") return;
  const [vendor = "", name, more] = action.split(":", 3);
  if (name === undefined) throw malformed(NO_VENDOR);
  if (more !== undefined) throw malformed(TWO_COLONS);
  if (vendor !== "*" && !/^[\w.-]+$/.test(vendor)) throw malformed(`Vendor ${vendor} is not valid`);
}

function requireResource(resource: string): void {
  if (resource === "*" || resource.startsWith("arn:")) return;
  throw malformed(`Resource ${resource} must be in ARN format or "*".`);
}
