// The outcome of an evaluation, with what decided it. Plain data, fit to travel and to be shown.

/** By what it is attached to. */
export type PolicyRole = "identity" | "resource" | "boundary" | "session";

/** What let a caller in, or kept them out. */
export type Reason =
  | {
      readonly kind: "statement";
      readonly of: PolicyRole;
      /** Which of several policies of its role, and which of its statements; from 0. */
      readonly policy: number;
      /** Of a managed policy. */
      readonly arn?: string;
      readonly statement: number;
      readonly sid: string | null;
    }
  | { readonly kind: "grant"; readonly grantId: string }
  /** No configuration names the caller: the account lets them do everything. */
  | { readonly kind: "account"; readonly accountId: string };

export interface Allowed {
  readonly allowed: true;
  /** All that it took: of another account, a statement on each side. */
  readonly by: readonly Reason[];
}

export interface Denied {
  readonly allowed: false;
  /** Which kind of policy denies, or lacks a statement that allows. */
  readonly of: PolicyRole;
  /** The Deny; null where nothing allows. */
  readonly by: Reason | null;
}

export type Decision = Allowed | Denied;

const names: Readonly<Record<PolicyRole, string>> = {
  identity: "identity-based policy",
  resource: "resource-based policy",
  boundary: "permissions boundary",
  session: "session policy",
};

/**
 * The end of AWS's sentence: `because no …` or `with an explicit deny in …`; `action` has its `kms:`.
 * Of a managed policy AWS adds the ARN: seen in public logs of other services, of identity-based
 * policies and permissions boundaries.
 */
export function grounds({ of, by }: Denied, action: string): string {
  const name = names[of];
  if (!by) return `because no ${name} allows the ${action} action`;
  const arn = by.kind === "statement" && by.arn !== undefined ? `: ${by.arn}` : "";
  return `with an explicit deny in ${of === "identity" ? "an" : "a"} ${name}${arn}`;
}
