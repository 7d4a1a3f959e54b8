// Key policies: checks the documents that AWS KMS takes and prints them as AWS KMS gives them back.
// Knows no caller and no key: the evaluation of requests is built on the typed document, elsewhere.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

import { assert } from "../assert.ts";
import { KmsError } from "../errors.ts";

/** The quota "Key policy document size"; the model's own limit of 131,072 is checked earlier. */
export const MAX_KEY_POLICY_BYTES = 32_768;

/** A key policy that has passed every check but the lockout safety check. */
export interface KeyPolicy {
  readonly version: "2008-10-17" | "2012-10-17";
  readonly id: string | null;
  readonly statements: readonly Statement[];
  /** The whole document in the order it was sent in, accounts named by ARN; what is printed. */
  readonly members: JsonObject;
}

/**
 * `null` for `action` or `resource`: the statement has neither form of it. KMS takes it and it has
 * no effect, says the API reference; a notice of AWS in 2025 said it would be refused.
 */
export interface Statement {
  readonly sid: string | null;
  readonly effect: "Allow" | "Deny";
  readonly principal: Scope<Principal>;
  readonly action: Scope<string> | null;
  readonly resource: Scope<string> | null;
  readonly conditions: readonly Condition[];
}

/** One element or its negation: `Action` or, with `except`, `NotAction`. */
export interface Scope<T> {
  readonly except: boolean;
  readonly values: readonly T[];
}

/** `{ type: "AWS", id: "*" }` is everyone; an account is the ARN of its root. */
export interface Principal {
  readonly type: "AWS" | "Service" | "Federated" | "CanonicalUser";
  readonly id: string;
}

/** One key of a condition block, e.g. `ForAnyValue:StringLikeIfExists`. Values may be unquoted. */
export interface Condition {
  readonly quantifier: "ForAllValues" | "ForAnyValue" | null;
  readonly operator: string;
  readonly ifExists: boolean;
  readonly key: string;
  readonly values: readonly string[];
}

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
 * back the text to store and to answer GetKeyPolicy with. LimitExceededException when it is longer
 * than MAX_KEY_POLICY_BYTES, MalformedPolicyDocumentException for everything else.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 */
export function acceptKeyPolicy(
  text: string,
  to: { partition: string; accountId: string; bypassLockoutCheck: boolean },
): string {
  requireSize(text);
  const policy = parseKeyPolicy(text, to.partition);
  if (!to.bypassLockoutCheck) requireNoLockout(policy, to.accountId, to.partition);
  return printKeyPolicy(policy);
}

/**
 * The typed document in `text`, its ARNs being of `partition`; MalformedPolicyDocumentException
 * when AWS KMS would not take it. Whether principals exist is not known here.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html#key-policy-elements
 */
export function parseKeyPolicy(text: string, partition: string): KeyPolicy {
  const members = objectIn(nameAccounts(readJson(text), partition), "the document");
  requireKnown(members, documentMembers);
  const list = members.get("Statement") ?? [];
  const statements = listIn(list).map((item) => statementIn(item, partition));
  if (statements.length === 0) throw syntaxError("it has no statement");
  requireUniqueSids(statements);
  return {
    version: versionIn(members.get("Version")),
    id: optionalTextIn(members, "Id"),
    statements,
    members,
  };
}

/**
 * The document in the form in which GetKeyPolicy gives it: that of Jackson's DefaultPrettyPrinter,
 * members in the order sent.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
 */
export function printKeyPolicy(policy: KeyPolicy): string {
  return print(policy.members, "");
}

/**
 * The lockout safety check: MalformedPolicyDocumentException unless somebody in the account may
 * call PutKeyPolicy under this policy. Conditions are taken to be satisfiable, and an allowed
 * account to have an IAM policy. AWS asks whether the caller may, which needs the evaluator.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key
 */
export function requireNoLockout(policy: KeyPolicy, accountId: string, partition: string): void {
  const home: Home = { partition, accountId, root: rootArn(partition, accountId) };
  const relevant = policy.statements.filter(({ action }) => includesPutKeyPolicy(action));
  const denials = relevant.filter((statement) => alwaysDenies(statement, home));
  const editors = relevant
    .filter(({ effect, resource }) => effect === "Allow" && mayReachKey(resource, home))
    .flatMap(({ principal }) => editorsIn(principal, home));
  const isDenied = (id: string) => denials.some(({ principal }) => denies(principal, id, home));
  if (editors.every(isDenied)) throw malformed(LOCKOUT);
}

// Refusals. The first five texts are AWS's: three seen in many public issues, that of the condition
// keys in awsdocs/aws-kms-developer-guide#47, OverlyPermissiveCondition in the guide. The texts of
// Sids, actions and resources, and the start of syntax errors, are IAM's, as KMS's are not known.

const NO_PRINCIPAL = "Policy contains a statement with no principal.";
const INVALID_PRINCIPALS = "Policy contains a statement with one or more invalid principals.";
const LOCKOUT = "The new key policy will not allow you to update the key policy in the future.";
const KEYS_NOT_PERMITTED =
  "These condition keys are not permitted in a key policy: " +
  "aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases";
const OVERLY_PERMISSIVE =
  "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition " +
  "key matches requests without the specified [encryption context or tag] or with an unspecified " +
  "[encryption context or tag]. To fix, remove ForAllValues.";
const DUPLICATE_SID = "Statement IDs (SID) in a single policy must be unique.";
const NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const TWO_COLONS = "Actions/Condition can contain only one colon.";

const malformed = (text: string) => new KmsError("MalformedPolicyDocumentException", text);
const syntaxError = (what: string) => malformed(`Syntax errors in policy: ${what}.`);

function requireSize(text: string): void {
  if (new TextEncoder().encode(text).length <= MAX_KEY_POLICY_BYTES) return;
  throw new KmsError(
    "LimitExceededException",
    `The key policy is longer than the limit of ${MAX_KEY_POLICY_BYTES} bytes.`,
  );
}

// JSON that keeps what JSON.parse loses: the order of members, members named twice, and the
// digits of a number.

type Json = string | boolean | null | JsonNumber | Json[] | JsonObject;
type JsonObject = Map<string, Json>;

interface JsonNumber {
  readonly digits: string;
}

/** An array or object whose end is not read yet; `name` is that of the member under way. */
interface Frame {
  readonly into: Json[] | JsonObject;
  name: string | null;
}

/** The tokens of a text that is known to be JSON. */
const jsonTokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

function readJson(text: string): Json {
  requireJson(text);
  const whole: Json[] = [];
  // A stack of our own, so that nesting costs memory of the heap and not of the call stack.
  const frames: Frame[] = [{ into: whole, name: null }];
  for (const [token] of text.matchAll(jsonTokens)) readToken(token, frames);
  const [value] = whole;
  assert(value !== undefined, "a JSON text has a value");
  return value;
}

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw syntaxError("it is not valid JSON");
  }
}

function readToken(token: string, frames: Frame[]): void {
  const frame = frames.at(-1);
  assert(frame, "brackets of a JSON text are paired");
  if (token === ":" || token === ",") return;
  if (token === "}" || token === "]") {
    frames.pop();
  } else if (frame.into instanceof Map && frame.name === null) {
    frame.name = JSON.parse(token);
  } else {
    const value = jsonStartingWith(token);
    place(value, frame);
    if (isObject(value) || Array.isArray(value)) frames.push({ into: value, name: null });
  }
}

function jsonStartingWith(token: string): Json {
  if (token === "{") return new Map();
  if (token === "[") return [];
  return /^[-0-9]/.test(token) ? { digits: token } : JSON.parse(token);
}

function place(value: Json, frame: Frame): void {
  if (Array.isArray(frame.into)) {
    frame.into.push(value);
    return;
  }
  assert(frame.name !== null, "a member has its name before its value");
  if (frame.into.has(frame.name)) throw syntaxError(`it has '${frame.name}' twice in one place`);
  frame.into.set(frame.name, value);
  frame.name = null;
}

/** Only a parsed policy comes here, and its grammar nests six levels deep at most. */
function print(value: Json, indent: string): string {
  if (Array.isArray(value)) return printArray(value.map((item) => print(item, indent)));
  if (isObject(value)) return printObject(value, indent);
  if (isNumber(value)) return value.digits;
  return typeof value === "string" ? printString(value) : String(value);
}

const printArray = (items: string[]) => (items.length === 0 ? "[ ]" : `[ ${items.join(", ")} ]`);

function printObject(object: JsonObject, indent: string): string {
  if (object.size === 0) return "{ }";
  const inner = `${indent}  `;
  const lines = [...object].map(
    ([name, value]) => `${inner}${printString(name)} : ${print(value, inner)}`,
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

/** Escapes what a key policy may not contain, so that the printed document can be sent again. */
function printString(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -\u00ff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

const isObject = (value: Json): value is JsonObject => value instanceof Map;

const isNumber = (value: Json): value is JsonNumber =>
  typeof value === "object" && value !== null && "digits" in value;

// The grammar, element by element.

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
function versionIn(value: Json = "2008-10-17"): KeyPolicy["version"] {
  if (value === "2008-10-17" || value === "2012-10-17") return value;
  throw syntaxError("Version is neither 2012-10-17 nor 2008-10-17");
}

function statementIn(value: Json, partition: string): Statement {
  const members = objectIn(value, "a statement");
  requireKnown(members, statementMembers);
  return {
    sid: optionalTextIn(members, "Sid"),
    effect: effectIn(members.get("Effect")),
    principal: principalIn(members, partition),
    action: textScopeIn(members, "Action", requireAction),
    resource: textScopeIn(members, "Resource", requireResource),
    conditions: conditionsIn(members.get("Condition")),
  };
}

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

const listIn = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [value]);

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

// Principals.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

const rootArn = (partition: string, accountId: string) => `arn:${partition}:iam::${accountId}:root`;

/** What an identifier has to look like, by the type of the principal. None may have a wildcard. */
const principalForms: Record<Principal["type"], (id: string, partition: string) => boolean> = {
  AWS: (id, partition) => id === "*" || isUniqueId(id) || isIdentityArn(id, partition),
  Service: (id) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(id),
  // Printable ASCII without `*` and `?`, here as in the paths of users and roles.
  Federated: (id) => /^[!-)+->@-~]+$/.test(id),
  CanonicalUser: (id) => /^[0-9a-f]{64}$/.test(id),
};

function principalIn(members: JsonObject, partition: string): Scope<Principal> {
  const element = elementIn(members, "Principal");
  if (element === null) throw malformed(NO_PRINCIPAL);
  const values = principalsIn(element.value, partition);
  if (values.length === 0) throw malformed(NO_PRINCIPAL);
  return { except: element.except, values };
}

function principalsIn(value: Json, partition: string): Principal[] {
  if (value === "*") return [{ type: "AWS", id: "*" }];
  if (!isObject(value)) throw malformed(INVALID_PRINCIPALS);
  return [...value].flatMap(([type, ids]) =>
    listIn(ids).map((id) => principalOf(type, id, partition)),
  );
}

function principalOf(type: string, id: Json, partition: string): Principal {
  if (isPrincipalType(type) && typeof id === "string" && principalForms[type](id, partition)) {
    return { type, id };
  }
  throw malformed(INVALID_PRINCIPALS);
}

const isPrincipalType = (type: string): type is Principal["type"] =>
  Object.hasOwn(principalForms, type);

/** What KMS shows in place of a user or role that is deleted, e.g. AIDACKCEVSQ6C2EXAMPLE. */
const isUniqueId = (id: string) => /^(?:AIDA|AROA)[A-Z0-9]{12,124}$/.test(id);

/** What an account, user, role, role session or federated user is called after its account ID. */
const identityForms = {
  iam: [/^root$/, /^(?:user|role)\/(?:[!-)+->@-~]*\/)?[\w+=,.@-]{1,64}$/],
  sts: [/^assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/, /^federated-user\/[\w+=,.@-]{2,32}$/],
};

function isIdentityArn(arn: string, partition: string): boolean {
  const [scheme, ofPartition, service, region, account = "", ...rest] = arn.split(":");
  if (scheme !== "arn" || ofPartition !== partition || region !== "") return false;
  if (service !== "iam" && service !== "sts") return false;
  const name = rest.join(":");
  return isAccountId(account) && identityForms[service].some((form) => form.test(name));
}

const isAccountId = (id: string) => /^[0-9]{12}$/.test(id);

/** The document with each principal that is a bare account ID written as the account's root. */
function nameAccounts(document: Json, partition: string): Json {
  const name = (id: Json) =>
    typeof id === "string" && isAccountId(id) ? rootArn(partition, id) : id;
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

// Conditions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html

const orders = "Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals".split(" ");
const otherOperators =
  "StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike " +
  "StringNotLike Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals " +
  "ArnNotLike Null";

const conditionOperators = new Set([
  ...orders.flatMap((order) => [`Numeric${order}`, `Date${order}`]),
  ...otherOperators.split(" "),
]);

function conditionsIn(value: Json | undefined): Condition[] {
  if (value === undefined) return [];
  return [...objectIn(value, "a Condition")].flatMap(([operator, block]) =>
    [...objectIn(block, `the Condition ${operator}`)].map(([key, values]) =>
      conditionOf(operator, key, values),
    ),
  );
}

function conditionOf(operatorText: string, key: string, values: Json): Condition {
  const operator = operatorOf(operatorText);
  requireConditionKey(key.toLowerCase(), operator.quantifier);
  return { ...operator, key, values: listIn(values).map(conditionValueOf) };
}

function operatorOf(text: string): Pick<Condition, "quantifier" | "operator" | "ifExists"> {
  const [, quantifier, test = ""] =
    /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+)$/.exec(text) ?? [];
  const operator = test.replace(/IfExists$/, "");
  const ifExists = operator !== test;
  if (!conditionOperators.has(operator) || test === "NullIfExists") {
    throw syntaxError(`'${text}' is not a condition operator`);
  }
  return {
    quantifier: (quantifier as Condition["quantifier"] | undefined) ?? null,
    operator,
    ifExists,
  };
}

/** `key` in lower case, as the names of condition keys are not case-sensitive. */
function requireConditionKey(key: string, quantifier: Condition["quantifier"]): void {
  if (!/^[^:]+:[^:]/.test(key)) throw malformed(NO_VENDOR);
  if (/^(?:(?:aws|kms):resourcetag(?:\/|$)|kms:resourcealiases$)/.test(key)) {
    throw malformed(KEYS_NOT_PERMITTED);
  }
  const isSingleValued = /^(?:kms:encryptioncontext:|aws:requesttag\/)/.test(key);
  if (quantifier === "ForAllValues" && isSingleValued) throw malformed(OVERLY_PERMISSIVE);
}

function conditionValueOf(value: Json): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (isNumber(value)) return value.digits;
  throw syntaxError("a value of a Condition is not a string, number or boolean");
}

// The lockout safety check. The key's Region and ID are not known, so that a Resource may name it
// (enough to allow) or names every key of the account (needed to deny).

interface Home {
  readonly partition: string;
  readonly accountId: string;
  readonly root: string;
}

function alwaysDenies({ effect, resource, conditions }: Statement, home: Home): boolean {
  return effect === "Deny" && conditions.length === 0 && reachesEveryKey(resource, home);
}

function includesPutKeyPolicy(action: Scope<string> | null): boolean {
  if (action === null) return false;
  const isNamed = action.values.some((name) => fits(name.toLowerCase(), "kms:putkeypolicy"));
  return isNamed !== action.except;
}

function mayReachKey(resource: Scope<string> | null, home: Home): boolean {
  if (resource === null) return false;
  const { except, values } = resource;
  if (except) return !values.some((pattern) => namesEveryKey(pattern, home));
  return values.some((pattern) => mayNameKey(pattern, home));
}

function reachesEveryKey(resource: Scope<string> | null, home: Home): boolean {
  if (resource === null) return false;
  const { except, values } = resource;
  if (except) return !values.some((pattern) => mayNameKey(pattern, home));
  return values.some((pattern) => namesEveryKey(pattern, home));
}

function mayNameKey(pattern: string, home: Home): boolean {
  if (pattern === "*") return true;
  const [, partition = "", service = "", region, account = "", ...name] = arnParts(pattern);
  if (!fits(partition, home.partition) || !fits(service, "kms") || region === "") return false;
  return fits(account, home.accountId) && mayStartWith("key/", name.join(":"));
}

function namesEveryKey(pattern: string, home: Home): boolean {
  if (pattern === "*") return true;
  const [, , , region, , ...name] = arnParts(pattern);
  return mayNameKey(pattern, home) && region === "*" && /^(?:key\/)?\*$/.test(name.join(":"));
}

/** The parts of an ARN pattern; a final `*` stands also for the parts that are not written. */
function arnParts(pattern: string): string[] {
  const parts = pattern.split(":");
  const rest = pattern.endsWith("*") ? "*" : "";
  return parts.length < 6 ? [...parts, ...Array<string>(6 - parts.length).fill(rest)] : parts;
}

/** Whether some text with this start fits `pattern`. */
function mayStartWith(start: string, pattern: string): boolean {
  const [literal = ""] = pattern.split(/[*?]/, 1);
  return literal.startsWith(start) || (literal !== pattern && start.startsWith(literal));
}

/** Those of the account who are allowed by a statement; `*` when that is everyone. */
function editorsIn(principal: Scope<Principal>, home: Home): string[] {
  const ids = awsIds(principal);
  if (principal.except) return ids.includes("*") || ids.includes(home.root) ? [] : ["*"];
  return ids.filter((id) => id === "*" || isOfAccount(id, home));
}

/** Denying an account denies everyone in it, and excepting anyone of it leaves it an editor. */
function denies(principal: Scope<Principal>, editor: string, home: Home): boolean {
  const isWhole = editor === "*" || editor === home.root;
  const concerns = (id: string) => id === "*" || id === home.root || id === editor;
  const ids = awsIds(principal);
  if (!principal.except) return ids.some(concerns);
  return !ids.some((id) => concerns(id) || (isWhole && isOfAccount(id, home)));
}

const awsIds = ({ values }: Scope<Principal>) =>
  values.filter(({ type }) => type === "AWS").map(({ id }) => id);

const isOfAccount = (arn: string, home: Home) => arn.split(":")[4] === home.accountId;

/**
 * Whether `text` fits `pattern`, in which `*` stands for any characters and `?` for any one.
 * A mismatch goes back to the last `*` only, so the steps are at most the product of the lengths.
 */
function fits(pattern: string, text: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  for (let read = 0; read < text.length; ) {
    if (pattern[at] === "*") {
      [star, retry] = [at++, read];
    } else if (pattern[at] === "?" || pattern[at] === text[read]) {
      at++;
      read++;
    } else if (star >= 0) {
      [at, read] = [star + 1, ++retry];
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
