// Grants: permissions on a key that its policy does not have to name.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html

import { toBase64, toHex } from "../crypto/base64.ts";
import { keyArn } from "../domain/arn.ts";
import {
  type Grant,
  grantById,
  hasTerms,
  isGrantId,
  withGrant,
  withoutGrant,
} from "../domain/grant.ts";
import { accountOfPrincipal } from "../domain/grant-principal.ts";
import { GRANT_SECRET_BYTES, grantToken, readGrantToken } from "../domain/grant-token.ts";
import { withKeys } from "../domain/key-set.ts";
import type { Decision } from "../domain/policy/decision.ts";
import { requireQuota } from "../domain/quota.ts";
import { KmsError, validation } from "../errors.ts";
import {
  grantListEntry,
  grantsAfter,
  indexPosition,
  ownPrincipal,
  refuseToPeople,
} from "./grant-lists.ts";
import { invalidGrantToken, requireGenuine } from "./grant-tokens.ts";
import * as members from "./members.ts";
import {
  constraintPairs,
  grantTerms,
  newGrantInput,
  requireGrantParameters,
  requireOneAtMost,
} from "./new-grant.ts";
import {
  atEdge,
  type Caller,
  type Changed,
  change,
  inDirectory,
  type Target,
  use,
} from "./operation.ts";
import { markerPosition, page, pageLimit } from "./pages.ts";
import { decisionOnRetirement, deniedOnKey, type Permission } from "./permission.ts";
import { required, text } from "./shape.ts";

const GRANT_PAGE = { standard: 50, max: 100 };
const GRANT_ID_BYTES = 32;
const NONCE_BYTES = 12;

export const grants = {
  /** A request made before under the same name gets the grant it made then, and a token of its own. */
  CreateGrant: change({
    input: newGrantInput,
    invalidArn: true,
    check: requireGrantParameters,
    change(target, input, at, caller) {
      const { set, key } = target;
      const terms = grantTerms(target, input, caller);
      const made = terms.name === "" ? null : key.grants.find((grant) => hasTerms(grant, terms));
      requireQuota("GRANT_CONSTRAINT_PAIRS", constraintPairs(input), at.quotas);
      if (!made) requireQuota("GRANTS_PER_KEY", key.grants.length + 1, at.quotas, target.arn);
      const id = made?.id ?? toHex(at.random(GRANT_ID_BYTES));
      const secret = set.grantSecret ?? toBase64(at.random(GRANT_SECRET_BYTES));
      const { accountId, keyId } = set;
      const nonce = toHex(at.random(NONCE_BYTES));
      const content = { accountId, region: key.region, keyId, grantId: id, nonce };
      const output = { GrantToken: grantToken(content, secret), GrantId: id };
      if (made) return { set, output };
      const grant: Grant = { id, createdAt: at.now, ...terms };
      const granted = { ...key, grants: withGrant(key.grants, grant) };
      return { set: { ...withKeys(set, granted), grantSecret: secret }, output };
    },
  }),

  ListGrants: use({
    input: {
      Limit: members.limit,
      Marker: members.marker,
      KeyId: required(members.keyId),
      GrantId: members.grantId,
      GranteePrincipal: members.principal,
      GranteeServicePrincipal: members.servicePrincipal,
    },
    invalidArn: true,
    check(input) {
      requireOneAtMost(input, "GranteePrincipal", "GranteeServicePrincipal");
      refuseToPeople(input, "GranteeServicePrincipal");
      if (input.GrantId !== undefined) requireGrantId(input.GrantId);
    },
    use({ key, arn }, input) {
      const limit = pageLimit(input, GRANT_PAGE);
      const after = markerPosition("ListGrants", input.Marker);
      if (after !== "" && !isGrantId(after)) throw new KmsError("InvalidMarkerException");
      const found = grantsAfter(key, after, limit + 1, input);
      const { items, output } = page("ListGrants", found, limit, (grant) => grant.id);
      return { Grants: items.map((grant) => grantListEntry(grant, arn)), ...output };
    },
  }),

  /** On keys of whatever account, by the index that the retiring principal's account has. */
  ListRetirableGrants: inDirectory({
    input: {
      Limit: members.limit,
      Marker: members.marker,
      RetiringPrincipal: members.principal,
      RetiringServicePrincipal: members.servicePrincipal,
    },
    run({ retirable }, input, caller) {
      const principal = ownPrincipal(input, caller);
      const limit = pageLimit(input, GRANT_PAGE);
      const after = indexPosition(markerPosition("ListRetirableGrants", input.Marker));
      const found = retirable.ofPrincipal(principal, after, limit + 1);
      const { items, output } = page("ListRetirableGrants", found, limit, (listed) =>
        [listed.accountId, listed.keyId, listed.grant.id].join("/"),
      );
      const Grants = items.map(({ accountId, keyId, grant }) =>
        grantListEntry(grant, keyArn(caller.region, accountId, keyId)),
      );
      return { Grants, ...output };
    },
  }),

  /** Ends a grant for those who were to have it; the grant itself says who may. */
  RetireGrant: atEdge({
    input: {
      GrantToken: text({ min: 1, max: 8192 }),
      KeyId: members.keyId,
      GrantId: members.grantId,
      DryRun: members.dryRun,
    },
    run(edge, { GrantToken, KeyId, GrantId, DryRun }) {
      if (GrantToken !== undefined && KeyId === undefined && GrantId === undefined) {
        const content = readGrantToken(GrantToken);
        if (content?.region !== edge.caller.region) throw invalidGrantToken();
        const arn = keyArn(content.region, content.accountId, content.keyId);
        const step: RetireStep = { GrantId: content.grantId, GrantToken, DryRun };
        return edge.onKey("RetireGrantOfKey", arn, step);
      }
      if (GrantToken !== undefined || KeyId === undefined || GrantId === undefined) {
        throw validation("Specify either GrantToken, or both KeyId and GrantId.");
      }
      const step: RetireStep = { GrantId, GrantToken, DryRun };
      return edge.onKey("RetireGrantOfKey", KeyId, step);
    },
  }),

  /** Ends a grant for those who manage the key. */
  RevokeGrant: change({
    input: {
      KeyId: required(members.keyId),
      GrantId: required(members.grantId),
      DryRun: members.dryRun,
    },
    invalidArn: true,
    change(target, { GrantId }) {
      requireGrantId(GrantId);
      if (!grantById(target.key.grants, GrantId)) throw grantNotFound(GrantId);
      return withoutGrantOf(target, GrantId);
    },
  }),
};

interface RetireStep {
  readonly GrantId: string;
  /** What named the key, where that was a token. */
  readonly GrantToken: string | undefined;
  readonly DryRun: boolean | undefined;
}

/** RetireGrant, once it is known on which key. No caller reaches it by name. */
export const grantSteps = {
  RetireGrantOfKey: change({
    input: {},
    invalidArn: true,
    state: "RetireGrant",
    action: "RetireGrant",
    ownPermission: true,
    // Nothing vouches for a token whose key is not here.
    missing: (input) =>
      (input as RetireStep).GrantToken === undefined ? null : invalidGrantToken(),
    change(target, input, at, caller) {
      const { GrantId, GrantToken } = input as RetireStep;
      if (GrantToken !== undefined) requireGenuine(target, GrantToken);
      requireGrantId(GrantId);
      const grant = grantById(target.key.grants, GrantId);
      requireMayRetire(grant, target, { action: "RetireGrant", caller, input, now: at.now });
      if (!grant) throw grantNotFound(GrantId);
      return withoutGrantOf(target, GrantId);
    },
  }),
};

function requireMayRetire(grant: Grant | null, target: Target, permission: Permission): void {
  const decision = retirementDecision(grant, target, permission);
  if (decision.allowed) return;
  throw deniedOnKey(permission, decision, target);
}

/** Whether the caller may retire a grant, null being one that is not there. */
export function retirementDecision(
  grant: Grant | null,
  target: Target,
  permission: Permission,
): Decision {
  const { caller } = permission;
  const { principal, request } = caller;
  if (grant && principal && request) {
    return decisionOnRetirement({ ...permission, principal }, target, grant);
  }
  if (!mayRetire(grant, target, caller)) return { allowed: false, of: "resource", by: null };
  return { allowed: true, by: grant ? [{ kind: "grant", grantId: grant.id }] : [] };
}

/**
 * The account that made a grant, its retiring principal, and its grantee where the grant says so.
 * Whether a grant is there is told to nobody else but the key's own account.
 */
function mayRetire(grant: Grant | null, { set }: Target, caller: Caller): boolean {
  if (!grant) return caller.accountId === set.accountId;
  if (accountOfPrincipal(grant.issuingAccount)?.accountId === caller.accountId) return true;
  if (isCaller(grant.retiringPrincipal, caller)) return true;
  return grant.operations.includes("RetireGrant") && isCaller(grant.granteePrincipal, caller);
}

/** A caller of whom no more is known than the account may be any principal of it. */
function isCaller(principal: string | null, { accountId, principal: known }: Caller): boolean {
  if (principal === null) return false;
  const account = accountOfPrincipal(principal)?.accountId;
  if (!known || known.type === "Account") return account === accountId;
  return principal === known.arn || principal === known.principalArn;
}

function withoutGrantOf({ set, key }: Target, grantId: string): Changed {
  const rest = { ...key, grants: withoutGrant(key.grants, grantId) };
  return { set: withKeys(set, rest), output: null };
}

/** AWS's text is not known. */
function requireGrantId(grantId: string): void {
  if (!isGrantId(grantId)) throw new KmsError("InvalidGrantIdException");
}

const grantNotFound = (grantId: string) =>
  new KmsError("NotFoundException", `Grant '${grantId}' does not exist`);
