// What STS does for a caller that is known: who am I, and temporary credentials. Knows no HTTP.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

import { sessionPolicyFault } from "../configuration/configuration.ts";
import type { Principal, RequestContext } from "../domain/principal.ts";
import { partitionOf, type Region } from "../domain/region.ts";
import { type InputOf, integer, list, required, structure, text } from "../operations/shape.ts";
import { type Accounts, sessionPrincipal } from "./accounts.ts";
import { mayAssume } from "./may-assume.ts";
import { type RoleSession, type Session, sealed } from "./session.ts";
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
    PolicyArns: list(structure({ arn: text() })),
    // The model has no maximum; the API reference has.
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
    if (input.PolicyArns?.length) throw notBuilt("PolicyArns");
    if (input.SourceIdentity !== undefined) throw notBuilt("SourceIdentity");
    refuseMfa(input);
    const session: RoleSession = {
      kind: "role",
      accountId,
      roleName,
      sessionName: input.RoleSessionName,
      ...sessionTags(input, caller),
      policy: sessionPolicy(input),
      accessKeyId: sessionAccessKeyId(service.random(16)),
      expiresAt: expiry(service, roleSeconds(input, caller)),
      verified: caller.verified,
    };
    requireMayAssume(input, session, caller, service);
    const packed = packedPercent(input);
    const role = service.accounts.role(accountId, roleName);
    const { arn, userId } = sessionPrincipal(caller.region, session, role);
    return {
      ...(await credentials(session, service)),
      AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
      ...(packed > 0 && { PackedPolicySize: packed }),
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

/** The tags that are asked for, and those that the caller's session hands on. */
function sessionTags(
  { Tags = [], TransitiveTagKeys = [] }: Input<"AssumeRole">,
  { session, principal }: StsCaller,
): Pick<RoleSession, "tags" | "transitive"> {
  const inherited = session?.kind === "role" ? session.transitive : [];
  const keys = Tags.map(({ Key }) => Key.toLowerCase());
  if (new Set(keys).size < keys.length) {
    throw new StsError(
      "InvalidParameterValue",
      "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    );
  }
  const asked = new Set(keys);
  if (TransitiveTagKeys.some((key) => !asked.has(key.toLowerCase()))) {
    throw new StsError(
      "InvalidParameterValue",
      "The specified transitive tag key must be included in the requested tags.",
    );
  }
  if (inherited.some((key) => asked.has(key.toLowerCase()))) {
    throw new StsError(
      "InvalidParameterValue",
      "One of the specified transitive tag keys can't be set because it conflicts with a " +
        "transitive tag key from the calling session.",
    );
  }
  const handedOn = inherited.map((key) => [key, ownTag(principal, key)] as const);
  return {
    tags: Object.fromEntries([...handedOn, ...Tags.map(({ Key, Value }) => [Key, Value] as const)]),
    transitive: [...inherited, ...TransitiveTagKeys],
  };
}

/** Where nobody's word is checked a token may hand on a tag that its session has not. */
const ownTag = ({ tags }: Principal, key: string) =>
  Object.hasOwn(tags, key) ? (tags[key] ?? "") : "";

function sessionPolicy({ Policy }: Input<"AssumeRole">): string | null {
  if (Policy === undefined) return null;
  const fault = sessionPolicyFault(Policy);
  if (fault !== null) {
    throw new StsError("MalformedPolicyDocument", fault);
  }
  return Policy;
}

/**
 * How much of the room for session policies and tags is taken. AWS packs them in a form that it does
 * not document; here they are counted as they come.
 */
const MAX_PACKED_BYTES = 4096;

function packedPercent({ Policy = "", Tags = [] }: Input<"AssumeRole">): number {
  const whole = Policy + Tags.map(({ Key, Value }) => Key + Value).join("");
  const percent = Math.ceil((100 * new TextEncoder().encode(whole).length) / MAX_PACKED_BYTES);
  if (percent > 100) {
    throw new StsError(
      "PackedPolicyTooLarge",
      `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
    );
  }
  return percent;
}

function requireMayAssume(
  input: Input<"AssumeRole">,
  { accountId, roleName, transitive }: RoleSession,
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
    tags: new Map(Tags.map(({ Key, Value }) => [Key, Value])),
    transitiveTagKeys: transitive,
  };
  for (const action of ["AssumeRole", "TagSession"] as const) {
    if (action === "TagSession" && Tags.length === 0) continue;
    // Where signatures count a role has to be there; elsewhere it need not be configured.
    if ((role || !verified) && mayAssume(role, { ...asked, action }).allowed) continue;
    throw new StsError(
      "AccessDenied",
      `User: ${principal.arn} is not authorized to perform: sts:${action} on resource: ${roleArn}`,
    );
  }
}

const notBuilt = (what: string) => new StsError("ValidationError", `${what} is not built yet.`);
