// What operations ask of the grant tokens that a request brings along.

import { isGenuine, readGrantToken } from "../domain/grant-token.ts";
import { KmsError } from "../errors.ts";
import type { Target } from "./operation.ts";

/** A grant token that is none, or not one of ours. AWS's text is not known. */
export const invalidGrantToken = () => new KmsError("InvalidGrantTokenException");

/** Throws InvalidGrantTokenException unless this key's set gave the token out. */
export function requireGenuine({ set }: Target, token: string): void {
  if (set.grantSecret === undefined || !isGenuine(token, set.grantSecret))
    throw invalidGrantToken();
}

/**
 * Refuses tokens that are malformed, and forged ones for this key. One for another key is not this
 * key's to judge and gives no permission here: clients send one list to several keys, ReEncrypt to
 * both of its own.
 */
export function requireGrantTokens(target: Target, input: object): void {
  const { GrantTokens = [] } = input as { readonly GrantTokens?: readonly string[] | undefined };
  for (const token of GrantTokens) {
    const content = readGrantToken(token);
    if (!content) throw invalidGrantToken();
    const { accountId, keyId } = target.set;
    if (content.accountId === accountId && content.keyId === keyId) requireGenuine(target, token);
  }
}
