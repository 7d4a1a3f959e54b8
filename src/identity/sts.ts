// What STS does for a caller that is known: who am I, and temporary credentials. Knows no HTTP.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

import type { Principal, RequestContext } from "../domain/principal.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import { type InputOf, integer, list, required, structure, text } from "../operations/shape.ts";
import { type Accounts, sessionPrincipal } from "./accounts.ts";
import { assumeActions, mayAssume } from "./may-assume.ts";
import { type RoleSession, type Session, sealed } from "./session.ts";
import { askedPolicies, packedPercent, requiredPolicies } from "./session-policies.ts";
import { sessionTags } from "./session-tags.ts";
import { StsError } from "./sts-error.ts";
import { sessionAccessKeyId } from "./unique-id.ts";

/** Who asks, and what STS knows. */
export interface StsCaller {
  readonly principal: Principal;
  readonly region: Region;
  readonly request: RequestContext;
  readonly accessKeyId: string | null;
  readonly session: Session | null;
  /** Whether the caller's signature was verified. */
  readonly verified: boolean;
}

export interface StsService {
  readonly accounts: Accounts;
  readonly sessionKey: () => Promise<Uint8Array>;
  /** Real time, in milliseconds since the epoch. */
  readonly now: number;
  readonly random: (length: number) => Uint8Array;
}

/** The members of an answer; nested as its elements are. */
export interface Answer {
  readonly [name: string]: string | number | Answer;
}

// Bounds are those of the published service model of STS.

const tagKey = text({ min: 1, max: 128, pattern: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+" });
const tagValue = text({ max: 256, pattern: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*" });
const serialNumber = text({ min: 9, max: 256, pattern: "[\\w+=/:,.@-]*" });
const tokenCode = text({ min: 6, max: 6, pattern: "[\\d]*" });

export const stsInputs = {
  GetCallerIdentity: {},
  GetSessionToken: {
    DurationSeconds: integer({ min: 900, max: 129_600 }),
    SerialNumber: serialNumber,
    TokenCode: tokenCode,
  },
  AssumeRole: {
    RoleArn: required(text({ min: 20, max: 2048 })),
    RoleSessionName: required(text({ min: 2, max: 64, pattern: "[\\w+=,.@-]*" })),
    // The model has no maximum of these two; the API reference has.
    PolicyArns: list(structure({ arn: text({ min: 20, max: 2048 }) }), { max: 10 }),
    Policy: text({ min: 1, max: 2048, pattern: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" }),
    DurationSeconds: integer({ min: 900, max: 43_200 }),
    Tags: list(structure({ Key: required(tagKey), Value: required(tagValue) }), { max: 50 }),
    TransitiveTagKeys: list(tagKey, { max: 50 }),
    ExternalId: text({ min: 2, max: 1224, pattern: "[\\w+=,.@:\\/-]*" }),
    SerialNumber: serialNumber,
    TokenCode: tokenCode,
    SourceIdentity: text({ min: 2, max: 64, pattern: "[\\w+=,.@-]*" }),
  },
} as const;

export type StsAction = keyof typeof stsInputs;
type Input<Action extends StsAction> = InputOf<(typeof stsInputs)[Action]>;

export const stsActions: {
  readonly [Action in StsAction]: (
    input: Input<Action>,
    caller: StsCaller,
    service: StsService,
  ) => Answer | Promise<Answer>;
} = {
  GetCallerIdentity: (_input, { principal }) => ({
    Arn: principal.arn,
    UserId: principal.userId,
    Account: principal.accountId,
  }),

  async GetSessionToken(input, caller, service) {
    const { principal, session, accessKeyId, verified } = caller;
    if (session) {
      throw new StsError("AccessDenied", "Cannot call GetSessionToken with session credentials");
    }
    refuseMfa(input);
    const isUser = principal.type === "User" && accessKeyId !== null;
    const seconds = input.DurationSeconds ?? 43_200;
    const own = {
      accountId: principal.accountId,
      expiresAt: expiry(service, isUser ? seconds : Math.min(seconds, ONE_HOUR)),
      verified,
      accessKeyId: sessionAccessKeyId(service.random(16)),
    };
    return credentials(
      isUser ? { ...own, kind: "user", byAccessKeyId: accessKeyId } : { ...own, kind: "account" },
      service,
    );
  },

  async AssumeRole(input, caller, service) {
    const { accountId, roleName } = roleIn(input.RoleArn, caller.region);
    refuseMfa(input);
    const session: RoleSession = {
      kind: "role",
      accountId,
      roleName,
      sessionName: input.RoleSessionName,
      ...sessionTags(input, caller),
      ...askedPolicies(input, caller.region),
      sourceIdentity: sourceIdentityOf(input, caller),
      accessKeyId: sessionAccessKeyId(service.random(16)),
      expiresAt: expiry(service, roleSeconds(input, caller)),
      verified: caller.verified,
    };
    requireMayAssume(input, session, caller, service);
    const policies = requiredPolicies(session, service.accounts);
    const packed = packedPercent(session);
    const role = service.accounts.role(accountId, roleName);
    const { arn, userId } = sessionPrincipal(caller.region, session, role, policies);
    return {
      ...(await credentials(session, service)),
      AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
      ...(packed > 0 && { PackedPolicySize: packed }),
      ...(session.sourceIdentity !== null && { SourceIdentity: session.sourceIdentity }),
    };
  },
};

const ONE_HOUR = 3600;

const expiry = ({ now }: StsService, seconds: number) =>
  // STS writes no fractions of a second.
  Math.floor(now / 1000) * 1000 + seconds * 1000;

async function credentials(session: Session, { sessionKey }: StsService): Promise<Answer> {
  const { token, secret } = sealed(session, await sessionKey());
  const Expiration = new Date(session.expiresAt).toISOString().replace(".000Z", "Z");
  const { accessKeyId: AccessKeyId } = session;
  return {
    Credentials: { AccessKeyId, SecretAccessKey: secret, SessionToken: token, Expiration },
  };
}

/** Nobody here has a device; AWS answers a code of an unknown one so. */
function refuseMfa({ SerialNumber, TokenCode }: Input<"GetSessionToken">): void {
  if (SerialNumber === undefined && TokenCode === undefined) return;
  throw new StsError(
    "AccessDenied",
    "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
  );
}

// AssumeRole.

const ROLE_ARN = /^arn:([a-z-]+):iam::(\d{12}):role\/((?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,64})$/;

function roleIn(arn: string, region: Region) {
  const [, partition, accountId, roleName] = ROLE_ARN.exec(arn) ?? [];
  if (!accountId || !roleName || partition !== partitionOf(region)) {
    throw new StsError("ValidationError", "Request ARN is invalid");
  }
  return { accountId, roleName };
}

const CHAINING_TEXT =
  "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";

function roleSeconds({ DurationSeconds = ONE_HOUR }: Input<"AssumeRole">, caller: StsCaller) {
  if (caller.session?.kind === "role" && DurationSeconds > ONE_HOUR) {
    throw new StsError("ValidationError", CHAINING_TEXT);
  }
  return DurationSeconds;
}

/** A session that was given a source identity hands it on, and nobody can change it. */
function sourceIdentityOf(
  { SourceIdentity }: Input<"AssumeRole">,
  { session }: StsCaller,
): string | null {
  const inherited = session?.kind === "role" ? session.sourceIdentity : null;
  if (SourceIdentity === undefined) return inherited;
  if (inherited === null || SourceIdentity === inherited) return SourceIdentity;
  throw new StsError(
    "InvalidParameterValue",
    "The source identity can't be set because it conflicts with that of the calling session.",
  );
}

function requireMayAssume(
  input: Input<"AssumeRole">,
  { accountId, roleName, tags, transitive, sourceIdentity }: RoleSession,
  { principal, request, region, verified }: StsCaller,
  { accounts, now }: StsService,
): void {
  const { RoleArn: roleArn, Tags = [] } = input;
  const role = accounts.role(accountId, roleName);
  const asked = {
    roleArn,
    roleAccountId: accountId,
    caller: principal,
    region,
    request,
    now,
    sessionName: input.RoleSessionName,
    externalId: input.ExternalId,
    sourceIdentity: input.SourceIdentity,
    tags: new Map(Tags.map(({ Key, Value }) => [Key, Value])),
    transitiveTagKeys: transitive,
  };
  // What the caller's session hands on takes its permission, too.
  const isNeeded = {
    AssumeRole: true,
    TagSession: Object.keys(tags).length > 0,
    SetSourceIdentity: sourceIdentity !== null,
  };
  for (const action of assumeActions) {
    if (!isNeeded[action]) continue;
    // Where signatures count a role has to be there; elsewhere it need not be configured.
    if ((role || !verified) && mayAssume(role, { ...asked, action }).allowed) continue;
    throw new StsError(
      "AccessDenied",
      `User: ${principal.arn} is not authorized to perform: sts:${action} on resource: ${roleArn}`,
    );
  }
}
