// What CreateGrant's request has to be, and the terms of the grant that it asks for.
// https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html

import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { rootArn } from "../domain/arn.ts";
import {
  type GrantConstraints,
  type GrantTerms,
  grantOperations,
  grantOperationsOf,
  MAX_CONSTRAINT_VALUE_LENGTH,
} from "../domain/grant.ts";
import { accountOfPrincipal, isServicePrincipal } from "../domain/grant-principal.ts";
import type { KeySet } from "../domain/key-set.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import { KmsError, validation } from "../errors.ts";
import * as members from "./members.ts";
import type { Caller, Target } from "./operation.ts";
import { type InputOf, list, oneOf, required, structure, text } from "./shape.ts";

/** As the model of 2026 has it; older ones have GranteePrincipal required and none of the services. */
export const newGrantInput = {
  KeyId: required(members.keyId),
  GranteePrincipal: members.principal,
  RetiringPrincipal: members.principal,
  Operations: required(list(oneOf(grantOperations))),
  Constraints: structure({
    EncryptionContextSubset: members.encryptionContext,
    EncryptionContextEquals: members.encryptionContext,
    SourceArn: text({
      min: 20,
      max: 512,
      pattern: "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
    }),
  }),
  GrantTokens: members.grantTokens,
  Name: text({ min: 1, max: 256, pattern: "^[a-zA-Z0-9:/_-]+$" }),
  DryRun: members.dryRun,
  GranteeServicePrincipal: members.servicePrincipal,
  RetiringServicePrincipal: members.servicePrincipal,
};

export type NewGrantInput = InputOf<typeof newGrantInput>;

/** Holds the parameters to what their combination has to be. Throws ValidationException. */
export function requireGrantParameters(input: NewGrantInput): void {
  const { Operations } = input;
  requireOneGrantee(input);
  requireOneAtMost(input, "RetiringPrincipal", "RetiringServicePrincipal");
  if (Operations.length === 0) {
    throw validation(
      "1 validation error detected: Value '[]' at 'operations' failed to satisfy constraint: " +
        "Member must have length greater than or equal to 1",
    );
  }
  if (Operations.every((operation) => operation === "CreateGrant")) {
    // Seen in public logs of AWS.
    throw validation("Grants must not contain only the CreateGrant operation.");
  }
  const contexts = Object.values(encryptionContexts(input));
  // Seen in public logs of AWS.
  if (contexts.length > 1) throw validation("More than one constraint supplied");
  contexts.forEach(requireSmall);
}

/**
 * The constraints on the encryption context. An empty one is none: Terraform's provider sends it beside
 * the other, and passes its own tests on AWS.
 */
function encryptionContexts({ Constraints }: NewGrantInput) {
  const { EncryptionContextSubset, EncryptionContextEquals } = Constraints ?? {};
  const given = Object.entries({ EncryptionContextSubset, EncryptionContextEquals }).filter(
    ([, context]) => Object.keys(context ?? {}).length > 0,
  );
  return Object.fromEntries(given) as Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** How many pairs the encryption context of its constraint has. */
export const constraintPairs = (input: NewGrantInput) =>
  Math.max(
    0,
    ...Object.values(encryptionContexts(input)).map((pairs) => Object.keys(pairs).length),
  );

function requireOneGrantee(input: NewGrantInput): void {
  const { GranteePrincipal, GranteeServicePrincipal } = input;
  requireOneAtMost(input, "GranteePrincipal", "GranteeServicePrincipal");
  if (GranteeServicePrincipal === undefined) {
    if (GranteePrincipal !== undefined) return;
    // As for a required member; the newer model leaves it optional for the service's sake.
    throw validation(
      "1 validation error detected: Value null at 'granteePrincipal' failed to satisfy constraint: " +
        "Member must not be null",
    );
  }
  if (input.Constraints?.SourceArn === undefined) {
    throw validation("A GranteeServicePrincipal requires a SourceArn constraint.");
  }
  if ((input.RetiringPrincipal ?? input.RetiringServicePrincipal) === undefined) {
    throw validation(
      "A GranteeServicePrincipal requires a RetiringPrincipal or a RetiringServicePrincipal.",
    );
  }
}

/** Refuses two members of which AWS takes one. */
export function requireOneAtMost<I extends object>(input: I, one: keyof I, other: keyof I): void {
  if (input[one] === undefined || input[other] === undefined) return;
  throw validation(`You cannot specify both ${String(one)} and ${String(other)}.`);
}

function requireSmall(context: Readonly<Record<string, string>>): void {
  const values = Object.values(context);
  if (values.some((value) => value.length > MAX_CONSTRAINT_VALUE_LENGTH)) {
    throw validation(
      `A value in a grant constraint has at most ${MAX_CONSTRAINT_VALUE_LENGTH} characters.`,
    );
  }
}

/**
 * The terms of the grant that a request asks for on this key. Throws InvalidArnException for
 * principals that are none, and ValidationException for what the kind of key does not take.
 */
export function grantTerms({ set, key }: Target, input: NewGrantInput, caller: Caller): GrantTerms {
  for (const principal of [input.GranteePrincipal, input.RetiringPrincipal]) {
    if (principal !== undefined) requirePrincipal(principal, key.region, caller);
  }
  for (const service of [input.GranteeServicePrincipal, input.RetiringServicePrincipal]) {
    if (service !== undefined && !isServicePrincipal(service)) {
      throw validation(`${service} is not a service principal.`);
    }
  }
  requireFit(set, input);
  return {
    name: input.Name ?? "",
    granteePrincipal: input.GranteePrincipal ?? null,
    granteeServicePrincipal: input.GranteeServicePrincipal ?? null,
    retiringPrincipal: input.RetiringPrincipal ?? null,
    retiringServicePrincipal: input.RetiringServicePrincipal ?? null,
    issuingAccount: rootArn(caller.region, caller.accountId),
    operations: [...new Set(input.Operations)],
    constraints: constraintsOf(input),
  };
}

/** AWS takes services here, too (acceptance tests of Terraform's provider, which run on AWS). */
function requirePrincipal(principal: string, region: Region, { unknownPrincipals }: Caller): void {
  if (isServicePrincipal(principal)) return;
  requirePrincipalArn(principal, region);
  if (unknownPrincipals?.includes(principal)) throw invalidPrincipal(principal);
}

/** Its form and partition; whether there is such a principal the caller's edge knows. */
export function requirePrincipalArn(principal: string, region: Region): string {
  const account = accountOfPrincipal(principal);
  if (account?.partition === partitionOf(region)) return account.accountId;
  throw invalidPrincipal(principal);
}

/** Seen in public logs of AWS. */
const invalidPrincipal = (principal: string) =>
  new KmsError("InvalidArnException", `ARN does not refer to a valid principal: ${principal}`);

/** Holds operations and constraints to what keys of this kind have. */
function requireFit(set: KeySet, input: NewGrantInput): void {
  const material = materialOf(set);
  if (Object.keys(encryptionContexts(input)).length > 0 && material !== "symmetric") {
    // Seen in a public log of AWS, for operations that such a key does not have, either.
    throw validation(
      "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.",
    );
  }
  const valid = grantOperationsOf(set.keyUsage, material);
  const wrong = input.Operations.filter((operation) => !valid.includes(operation));
  if (wrong.length > 0) {
    // As another emulator has it, and in part a public program that calls AWS.
    throw validation(
      `Operations [${wrong.join(", ")}] are not supported when creating a grant for ` +
        `${material === "pair" ? "an asymmetric" : "a symmetric"} KMS key with key usage ` +
        `${set.keyUsage}. Valid operations are [${valid.join(", ")}]`,
    );
  }
}

function materialOf({ keySpec, keyUsage }: KeySet): "symmetric" | "hmac" | "pair" {
  if (isKeyPairSpec(keySpec)) return "pair";
  return keyUsage === "GENERATE_VERIFY_MAC" ? "hmac" : "symmetric";
}

function constraintsOf(input: NewGrantInput): GrantConstraints | null {
  const SourceArn = input.Constraints?.SourceArn;
  const constraints: GrantConstraints = {
    ...encryptionContexts(input),
    ...(SourceArn !== undefined && { SourceArn }),
  };
  return Object.keys(constraints).length > 0 ? constraints : null;
}
