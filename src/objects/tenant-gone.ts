// What an object says that belongs to a tenant which is no longer there. It crosses from an object as
// an exception: nobody who has a tenant ever meets it.

const TEXT = "the tenant is gone";

export const tenantGone = () => new Error(TEXT);

/** Also of one that came by RPC or in a reply, which keep an exception's text and not its class. */
export const isTenantGone = (error: unknown): boolean =>
  error instanceof Error && error.message.replace(/^Error: /, "").startsWith(TEXT);
