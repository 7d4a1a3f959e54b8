// The half of a permission that IAM policies alone decide: that on an alias, and those of operations
// that have no key. Asked of the directory, which knows the tenant's time.

import { aliasArn } from "../domain/arn.ts";
import { type Edge, inDirectory } from "./operation.ts";
import { type AccountPermission, isUnlimited, requireByAccount } from "./permission.ts";
import { attestationFacts } from "./question.ts";

type IdentityQuestion = Omit<AccountPermission, "caller" | "now">;

export const identitySteps = {
  RequireByAccount: inDirectory({
    input: {},
    run(_directory, question, caller, now) {
      requireByAccount({ ...(question as IdentityQuestion), caller, now });
      return null;
    },
  }),
};

/** Throws AccessDeniedException; asks nobody where the caller's account lets it do everything. */
export async function requireIdentityPermission(
  edge: Edge,
  action: string,
  input: object,
  resource = "*",
): Promise<void> {
  if (!edge.caller.request || isUnlimited(edge.caller)) return;
  const { recipient } = edge;
  const fetched = recipient && { attestation: attestationFacts(recipient) };
  const question: IdentityQuestion = { action, resource, input, fetched };
  await edge.onDirectory("RequireByAccount", question);
}

/** The same on an alias, which `input` names. */
export function requireAliasPermission(
  edge: Edge,
  action: string,
  input: { readonly AliasName: string },
): Promise<void> {
  const { region, accountId } = edge.caller;
  const resource = aliasArn(region, accountId, input.AliasName);
  return requireIdentityPermission(edge, action, input, resource);
}
