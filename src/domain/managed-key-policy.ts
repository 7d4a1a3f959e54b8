// The key policies of AWS managed keys, as AWS gives them to its services' keys in every account.
// Collected from GetKeyPolicy in github.com/FogSecurity/aws-managed-kms-keys; that of Secrets Manager
// is in AWS's guide too: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html

import { rootArn } from "./arn.ts";
import { printKeyPolicy } from "./key-policy.ts";
import type { PolicyDocument } from "./policy/grammar.ts";
import type { Region } from "./region.ts";

/** A statement without what all have in common. */
interface ManagedStatement {
  readonly sid: string;
  readonly effect?: "Deny";
  /** The service's own principal, or `root`: everyone is meant where it is left out. */
  readonly principal?: "root" | { readonly service: string };
  readonly actions: string | readonly string[];
  /** Services by way of which alone it counts, and only for the key's own account. */
  readonly via?: readonly string[];
  /** Counts for callers of the key's own account. */
  readonly ownAccount?: true;
  /** Whatever else it asks. */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What AWS writes into the key policy of one service's key. */
export interface ManagedPolicy {
  readonly id: string;
  readonly statements: readonly ManagedStatement[];
}

/** The service that a condition names as kms:ViaService; `*` for its Region is in every Region. */
export const viaService = (service: string, region: string) => `${service}.${region}.amazonaws.com`;

const use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"];
const read = ["kms:Describe*", "kms:Get*", "kms:List*"];

/** What a service does with its key: uses it itself, and gives grants where it works on later. */
export const uses = {
  directly: [...use, "kms:DescribeKey"],
  withGrants: [...use, "kms:CreateGrant", "kms:DescribeKey"],
  withListedGrants: [...use, "kms:CreateGrant", "kms:ListGrants", "kms:DescribeKey"],
} as const;

export const through = (
  title: string,
  via: readonly string[],
  actions: readonly string[],
  words = "access through",
): ManagedStatement => ({
  sid: `Allow ${words} ${title} for all principals in the account that are authorized to use ${title}`,
  actions,
  via,
});

/** Whoever can have made grants can revoke them. */
export const metadataOf = (statements: readonly ManagedStatement[]): ManagedStatement => ({
  sid: "Allow direct access to key metadata to the account",
  principal: "root",
  actions: statements.some(({ actions }) => actions.includes("kms:CreateGrant"))
    ? [...read, "kms:RevokeGrant"]
    : read,
});

export const described = (service: string, sid: string): ManagedStatement => ({
  sid,
  principal: { service: `${service}.amazonaws.com` },
  actions: read,
});

/** ACM's policy is like no other: it works by grants alone, and on no key but its own. */
export const acmPolicy: ManagedPolicy = {
  id: "auto-acm-4",
  statements: [
    acmGrants("Allow creation of decryption grants", "Decrypt"),
    acmGrants("Allow creation of encryption grant", ["Encrypt", "ReEncryptFrom", "ReEncryptTo"]),
    {
      sid: "Allowed operations for the key owner",
      actions: ["kms:DescribeKey", "kms:ListGrants", "kms:RevokeGrant", "kms:GetKeyPolicy"],
      ownAccount: true,
    },
    {
      sid: "Deny re-encryption to any other key",
      effect: "Deny",
      actions: "kms:ReEncrypt*",
      conditions: { Bool: { "kms:ReEncryptOnSameKey": "false" } },
    },
    { sid: "Allow decrypt", actions: "kms:Decrypt", via: ["acm"] },
  ],
};

function acmGrants(sid: string, operations: string | readonly string[]): ManagedStatement {
  return {
    sid,
    actions: "kms:CreateGrant",
    via: ["acm"],
    conditions: {
      "ForAllValues:StringEquals": { "kms:GrantOperations": operations },
      Bool: { "kms:GrantIsForAWSResource": "true" },
    },
  };
}

/** The policy's text for the key of an account in a Region, as GetKeyPolicy gives it. */
export function managedPolicyText(
  policy: ManagedPolicy,
  accountId: string,
  region: Region,
): string {
  const version = "2012-10-17";
  const { id } = policy;
  const document = {
    Version: version,
    Id: id,
    Statement: policy.statements.map((statement) => written(statement, accountId, region)),
  };
  const members = inMaps(document) as PolicyDocument["members"];
  return printKeyPolicy({ version, id, statements: [], members });
}

/** Objects as maps, which is how documents are printed. */
function inMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inMaps);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([name, member]) => [name, inMaps(member)]));
}

function written(statement: ManagedStatement, accountId: string, region: Region): object {
  const condition = conditionOf(statement, accountId, region);
  return {
    Sid: statement.sid,
    Effect: statement.effect ?? "Allow",
    Principal: principalOf(statement, accountId, region),
    Action: statement.actions,
    Resource: "*",
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

function principalOf({ principal }: ManagedStatement, accountId: string, region: Region): object {
  if (principal === undefined) return { AWS: "*" };
  return principal === "root"
    ? { AWS: rootArn(region, accountId) }
    : { Service: principal.service };
}

function conditionOf(
  { via, ownAccount, conditions }: ManagedStatement,
  accountId: string,
  region: Region,
): object {
  const caller = { "kms:CallerAccount": accountId };
  if (via === undefined) return { ...(ownAccount && { StringEquals: caller }), ...conditions };
  const anyRegion = via.every((service) => service.endsWith(".*"));
  const services = via.map((service) =>
    anyRegion ? `${service}.amazonaws.com` : viaService(service, region),
  );
  const asked = { "kms:ViaService": services.length === 1 ? services[0] : services };
  return anyRegion
    ? { StringEquals: caller, StringLike: asked, ...conditions }
    : { StringEquals: { ...caller, ...asked }, ...conditions };
}
