// Whether a role may be assumed: its trust policy, and the policies of who asks, by the same
// evaluation as everything else.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservicests.html

import type { Role } from "../configuration/configuration.ts";
import { authorizeOnRole } from "../domain/policy/authorize.ts";
import type { Decision } from "../domain/policy/decision.ts";
import type { ConditionContext, ContextValue } from "../domain/policy/variables.ts";
import type { Principal, RequestContext } from "../domain/principal.ts";
import type { Region } from "../domain/region.ts";
import { contextOf } from "../operations/condition-keys.ts";
import { identityPolicy, trustPolicy } from "../operations/known-policies.ts";

/** What AssumeRole may take, in the order in which it is asked. */
export const assumeActions = ["AssumeRole", "TagSession", "SetSourceIdentity"] as const;

/** What is asked of a role. */
export interface AssumeRequest {
  readonly action: (typeof assumeActions)[number];
  readonly roleArn: string;
  readonly roleAccountId: string;
  readonly caller: Principal;
  readonly region: Region;
  readonly request: RequestContext;
  /** Real time, in ms since the epoch. */
  readonly now: number;
  readonly sessionName: string;
  readonly externalId?: string | undefined;
  /** What the request asks for, and not what the caller's session has. */
  readonly sourceIdentity?: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
  readonly transitiveTagKeys: readonly string[];
}

/** Whether the caller may do this to the role; `null` is one that no configuration names. */
export function mayAssume(
  role: Pick<Role, "trust" | "tags"> | null,
  asked: AssumeRequest,
): Decision {
  const { action, roleArn, roleAccountId, caller } = asked;
  const policy = trustPolicy(role?.trust ?? TRUSTS_EVERYONE);
  const context = assumeContext(asked, role?.tags ?? {});
  const request = { action, resource: roleArn, caller, context };
  return authorizeOnRole(request, { accountId: roleAccountId, policy }, identityPolicy);
}

/** So that policies that name a role can be tried without writing one down. */
const TRUSTS_EVERYONE = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: "*", Action: assumeActions.map((action) => `sts:${action}`) },
  ],
});

/** The values of condition keys, by names in lower case: those of STS, then those of everyone. */
function assumeContext(asked: AssumeRequest, roleTags: Role["tags"]): ConditionContext {
  const { caller, region, request, now, tags } = asked;
  const shared = contextOf({
    action: "AssumeRole",
    region,
    caller,
    request,
    now,
    input: {},
    key: null,
  });
  const own = new Map<string, ContextValue>([
    ["sts:rolesessionname", asked.sessionName],
    ["sts:externalid", asked.externalId],
    ["sts:sourceidentity", asked.sourceIdentity],
    ["sts:transitivetagkeys", asked.transitiveTagKeys],
    ["aws:tagkeys", [...tags.keys()]],
    ["aws:resourceaccount", asked.roleAccountId],
  ]);
  for (const [key, value] of tags) own.set(`aws:requesttag/${key.toLowerCase()}`, value);
  for (const [key, value] of Object.entries(roleTags)) {
    own.set(`aws:resourcetag/${key.toLowerCase()}`, value);
    own.set(`iam:resourcetag/${key.toLowerCase()}`, value);
  }
  return {
    ...shared,
    valueOf(name) {
      const lower = name.toLowerCase();
      if (own.has(lower)) return own.get(lower);
      return lower.startsWith("aws:") ? shared.valueOf(name) : undefined;
    },
  };
}
