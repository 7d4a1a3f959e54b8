// Who calls, and which Region's endpoint: by the signature of a request, or where everyone is served
// by its word alone. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html

import { type Principal, rootPrincipal } from "../domain/principal.ts";
import { isRegion, type Region } from "../domain/region.ts";
import { KmsError } from "../errors.ts";
import { type Accounts, sessionPrincipal, userPrincipal } from "../identity/accounts.ts";
import { type Session, secretOf } from "../identity/session.ts";
import type { Caller } from "../operations/operation.ts";
import type { WorkerSettings } from "../settings.ts";
import {
  authorizationOf,
  namedBy,
  type ReceivedRequest,
  sessionTokenOf,
} from "../sigv4/authorization.ts";
import { isSignedWith, SigningKeys } from "../sigv4/verify.ts";
import { bodyBytes, bodyText } from "./json.ts";
import { type KnownAccounts, knownAccounts } from "./known-accounts.ts";
import { requestContext } from "./request-context.ts";

/** A request whose caller is known. */
export interface SignedRequest {
  readonly caller: Caller;
  readonly body: string;
  /** What was signed with; null where a request names nothing. */
  readonly accessKeyId: string | null;
  /** The session it was signed with. */
  readonly session: Session | null;
}

/** What a request is served with. */
export interface Surroundings {
  readonly env: Env;
  readonly settings: WorkerSettings;
  /** The tenant's. */
  readonly generation: string;
  /** Throws where the tenant makes too many requests; left out where it may make any number. */
  readonly requireRate?: () => void;
}

type ServiceName = "kms" | "sts";

/** Whose name a credential is. */
interface Named {
  readonly accountId: string;
  /** null is the root of the account. */
  readonly principal: Principal | null;
  readonly session: Session | null;
}

/**
 * Reads a request and finds its caller. With `AUTH=required` the signature is verified; with `open`
 * it is not, an access key ID or a session that is known is who it says, any other key of 12 digits
 * is the root of that account, and everyone else that of the default account.
 */
export async function signedRequest(
  request: Request,
  { env, settings, generation, requireRate }: Surroundings,
  service: ServiceName,
): Promise<SignedRequest> {
  requireRate?.();
  const known = knownAccounts(env, settings, generation);
  const received = receivedFrom(request);
  return settings.auth === "open"
    ? claimed(request, received, service, settings, known)
    : verified(request, received, service, known);
}

const expected = (service: ServiceName) => ({ service, isRegion });

// Where everyone is served.

const ACCOUNT = /^\d{12}$/;

async function claimed(
  request: Request,
  received: ReceivedRequest,
  service: ServiceName,
  settings: WorkerSettings,
  known: KnownAccounts,
): Promise<SignedRequest> {
  const named = namedBy(received, expected(service));
  const region = (named?.scope.region ?? settings.region) as Region;
  const accessKeyId = named?.accessKeyId ?? null;
  const who = named && (await claimedBy(named.accessKeyId, received, region, known));
  const accountId = accessKeyId && ACCOUNT.test(accessKeyId) ? accessKeyId : settings.account;
  const root: Named = { accountId, principal: null, session: null };
  const caller = callerFrom(who ?? root, region, request);
  return { caller, body: await bodyText(request), accessKeyId, session: who?.session ?? null };
}

async function claimedBy(
  accessKeyId: string,
  received: ReceivedRequest,
  region: Region,
  known: KnownAccounts,
): Promise<Named | null> {
  const accounts = await known.current();
  const token = sessionTokenOf(received);
  const read = token === null ? null : known.tokens.read(token);
  const session = read?.session;
  if (read && session?.accessKeyId === accessKeyId) {
    // The default tenant's sessions outlive a server that kept nothing; a tenant's are its own.
    if (!known.isDefault && !known.tokens.isGenuine(read, await known.sessionKey())) {
      throw unrecognized();
    }
    requireUnexpired(session);
    return holderOf(session, region, accounts, true);
  }
  return userOf(accessKeyId, region, accounts);
}

// Where signatures are verified.

const signingKeys = new SigningKeys();

async function verified(
  request: Request,
  received: ReceivedRequest,
  service: ServiceName,
  known: KnownAccounts,
): Promise<SignedRequest> {
  const body = await bodyBytes(request);
  const accounts = await known.current();
  const verify = (those: Accounts) => verifiedBy(those, body, request, received, service, known);
  try {
    return await verify(accounts);
  } catch (error) {
    // Before anyone is turned away: it may be that they were let in a moment ago.
    const renewed = error instanceof KmsError ? await known.renewedForRefusal() : accounts;
    if (renewed === accounts) throw error;
    return verify(renewed);
  }
}

async function verifiedBy(
  accounts: Accounts,
  body: Uint8Array,
  request: Request,
  received: ReceivedRequest,
  service: ServiceName,
  known: KnownAccounts,
): Promise<SignedRequest> {
  if (!accounts.hasAccessKeys) throw nobodyServed();
  const authorization = authorizationOf(received, expected(service), Date.now());
  if (!authorization) {
    throw new KmsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const { accessKeyId, scope } = authorization;
  const region = scope.region as Region;
  const token = sessionTokenOf(received);
  const { who, secret } =
    token === null
      ? keyHolder(accessKeyId, region, accounts)
      : await sessionHolder(token, accessKeyId, region, accounts, known);
  if (!(await isSignedWith(secret, authorization, received, body, signingKeys))) {
    throw new KmsError(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your " +
        "AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
  }
  if (who.session) requireUnexpired(who.session);
  const caller = callerFrom(who, region, request);
  return { caller, body: decoder.decode(body), accessKeyId, session: who.session };
}

const decoder = new TextDecoder();

function keyHolder(accessKeyId: string, region: Region, accounts: Accounts) {
  const who = userOf(accessKeyId, region, accounts);
  const secret = accounts.keyHolder(accessKeyId)?.secret;
  if (!who || secret === undefined) throw unrecognized();
  return { who, secret };
}

async function sessionHolder(
  token: string,
  accessKeyId: string,
  region: Region,
  accounts: Accounts,
  known: KnownAccounts,
) {
  const read = known.tokens.read(token);
  if (read?.session.accessKeyId !== accessKeyId || !read.session.verified) throw unrecognized();
  const key = await known.sessionKey();
  if (!known.tokens.isGenuine(read, key)) throw unrecognized();
  const who = holderOf(read.session, region, accounts, false);
  return { who, secret: secretOf(read.json, key) };
}

// Who is meant.

function userOf(accessKeyId: string, region: Region, accounts: Accounts): Named | null {
  const holder = accounts.keyHolder(accessKeyId);
  if (!holder) return null;
  const { accountId, user } = holder;
  return { accountId, principal: userPrincipal(region, accountId, user), session: null };
}

/**
 * Whose session it is. It ends with what it was made from: that of a user with the access key, that
 * of a role with the role, and with the managed policies that limit it. Where everyone is served a
 * role need not be configured.
 */
function holderOf(session: Session, region: Region, accounts: Accounts, isOpen: boolean): Named {
  const { accountId } = session;
  switch (session.kind) {
    case "role": {
      const role = accounts.role(accountId, session.roleName);
      const policies = accounts.sessionPolicies(session);
      if (!policies || (!role && !isOpen)) throw unrecognized();
      return { accountId, principal: sessionPrincipal(region, session, role, policies), session };
    }
    case "user": {
      const who = userOf(session.byAccessKeyId, region, accounts);
      if (who?.accountId !== accountId) throw unrecognized();
      return { ...who, session };
    }
    case "account":
      if (!isOpen) throw unrecognized();
      return { accountId, principal: null, session };
  }
}

/** Sessions end by real time, like signatures: clients look at no other clock. */
function requireUnexpired({ expiresAt }: Session): void {
  if (Date.now() < expiresAt) return;
  throw new KmsError(
    "ExpiredTokenException",
    "The security token included in the request is expired",
  );
}

/** The principal of a caller, who is the root of the account where nobody else is named. */
export const principalOf = ({ principal, region, accountId }: Caller): Principal =>
  principal ?? rootPrincipal(region, accountId);

const unrecognized = () =>
  new KmsError(
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
  );

const nobodyServed = () =>
  new KmsError(
    "UnrecognizedClientException",
    "This edge-kms serves no one: AUTH is required, and no access key is configured. Name users in " +
      "the file of --config, in the variable ACCOUNTS or with PUT /_edge-kms/accounts, or set the " +
      "variable AUTH to open to serve every caller.",
  );

// The request itself.

function receivedFrom({ method, url, headers }: Request): ReceivedRequest {
  const slash = url.indexOf("/", url.indexOf("//") + 2);
  const mark = url.indexOf("?", slash);
  const path = slash < 0 ? "/" : url.slice(slash, mark < 0 ? undefined : mark);
  return { method, path, query: mark < 0 ? "" : url.slice(mark + 1), headers };
}

function callerFrom({ accountId, principal }: Named, region: Region, request: Request): Caller {
  return { accountId, region, ...(principal && { principal }), request: requestContext(request) };
}
