// What a configuration file may hold, as JSON Schema: read by editors (docs/edge-kms.schema.json is
// this object), and by `check.ts`, which knows the keywords that are used here and no others.
// https://json-schema.org/draft/2020-12/schema

/** A schema of the keywords that `check.ts` knows. A keyword says nothing of values of other types. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
}

export type JsonType = "string" | "number" | "boolean" | "object" | "array" | "null";

const policy = (description: string): Schema => ({ $ref: "#/$defs/policy", description });

/** A path, which may be left out, and a name. */
const nameOf = (maxLength: number) => `^([\\w+=,.@-]+/)*[\\w+=,.@-]{1,${maxLength}}$`;
const NAME = nameOf(64);

const tags: Schema = {
  description: "What aws:PrincipalTag is asked for. A value that looks like a number needs quotes.",
  type: "object",
  maxProperties: 50,
  propertyNames: { type: "string", minLength: 1, maxLength: 128 },
  additionalProperties: { type: "string", maxLength: 256 },
};

/** What users and roles have in common. */
const permissions = {
  policies: {
    description:
      "Identity-based policies. Without one nothing is allowed but what key policies and grants allow.",
    type: "array",
    items: policy("An identity-based policy, or the ARN of a managed one."),
  },
  tags,
  boundary: policy("The permissions boundary, or the ARN of the managed policy that is it."),
} satisfies Record<string, Schema>;

const accessKey: Schema = {
  type: "object",
  required: ["id", "secret"],
  additionalProperties: false,
  properties: {
    id: {
      description:
        "AWS_ACCESS_KEY_ID. Not twelve digits, which name an account, and not ASIA…, which are sessions'.",
      type: "string",
      pattern: "^(?!\\d{12}$)(?!ASIA)\\w{3,128}$",
    },
    secret: { description: "AWS_SECRET_ACCESS_KEY", type: "string", minLength: 1, maxLength: 1024 },
  },
};

/** A text, or a list of them. */
const texts: Schema = { type: ["string", "array"], items: { type: "string" } };
const principals: Schema = { type: ["string", "object"], additionalProperties: texts };

const statement = {
  required: ["Effect"],
  additionalProperties: false,
  properties: {
    Sid: { type: "string" },
    Effect: { type: "string", enum: ["Allow", "Deny"] },
    Principal: principals,
    NotPrincipal: principals,
    Action: texts,
    NotAction: texts,
    Resource: texts,
    NotResource: texts,
    Condition: { type: "object", additionalProperties: { type: "object" } },
  },
} satisfies Schema;

/** A policy document as an object. Whether IAM would take it, as a text or not, its grammar says. */
const policySchema = {
  description: "A policy document, as it is or as a text of JSON.",
  type: ["object", "string"],
  required: ["Statement"],
  additionalProperties: false,
  properties: {
    Version: { type: "string", enum: ["2008-10-17", "2012-10-17"] },
    Id: { type: "string" },
    // One statement, or a list of them.
    Statement: {
      type: ["object", "array"],
      ...statement,
      minItems: 1,
      items: { type: "object", ...statement },
    },
  },
} satisfies Schema;

export const configurationSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "edge-kms.yaml",
  description: "The principals of edge-kms, and their policies.",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: { description: "Where editors find this schema.", type: "string" },
    accounts: {
      description: "The accounts that have principals or policies, by their 12 digits.",
      type: "object",
      propertyNames: { type: "string", pattern: "^\\d{12}$" },
      additionalProperties: { $ref: "#/$defs/account" },
    },
  },
  $defs: {
    account: {
      type: "object",
      additionalProperties: false,
      properties: {
        users: {
          description: "IAM users by name, which may have a path before it.",
          type: "object",
          propertyNames: { type: "string", pattern: NAME },
          additionalProperties: { $ref: "#/$defs/user" },
        },
        roles: {
          description: "IAM roles by name, which may have a path before it.",
          type: "object",
          propertyNames: { type: "string", pattern: NAME },
          additionalProperties: { $ref: "#/$defs/role" },
        },
        policies: {
          description:
            "Customer managed policies by name, which may have a path before it. Users, roles and " +
            "sessions of the account name them by ARN: arn:aws:iam::<account>:policy/<name>.",
          type: "object",
          propertyNames: { type: "string", pattern: nameOf(128) },
          additionalProperties: policy("A managed policy."),
        },
      },
    },
    user: {
      type: "object",
      additionalProperties: false,
      properties: {
        accessKeys: {
          description: "What the user signs with.",
          type: "array",
          maxItems: 100,
          items: accessKey,
        },
        ...permissions,
      },
    },
    role: {
      type: "object",
      required: ["trust"],
      additionalProperties: false,
      properties: { trust: policy("The trust policy: who may assume the role."), ...permissions },
    },
    policy: policySchema,
  },
};
