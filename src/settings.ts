// Every setting of edge-kms, once: the launcher's flags, the Worker's variables and the README's
// table are all read from here. Knows no KMS rule but the Regions, the limits and the form of a proxy's
// address, and no platform.

import { AWS_QUOTAS, parseQuotas } from "./domain/quota.ts";
import { isRegion, type Region } from "./domain/region.ts";
import { NO_REQUEST_QUOTAS, parseRequestQuotas } from "./domain/request-quota.ts";
import {
  HOSTED_TENANT_LIMITS,
  NO_TENANT_LIMITS,
  parseTenantLimits,
} from "./domain/tenant-limits.ts";
import { parseResolveTable } from "./xks/endpoint.ts";

/** How the text of a setting becomes a value; `parse` throws an Error that names no setting. */
interface Kind<T> {
  readonly parse: (text: string) => T;
  /** What a switch alone stands for; `true` where this is left out. */
  readonly switchedTo?: string;
  /** What stands behind the flag in `--help`; a switch has none. */
  readonly argument: string | null;
  /** Whether the flag may be given several times; its values are joined with commas. */
  readonly repeats?: true;
}

/** One row: a setting with its flag, its environment variable, or both. */
export interface Setting<T = unknown> {
  readonly flag: string | null;
  readonly variable: string | null;
  readonly kind: Kind<T>;
  readonly standard: T;
  readonly about: string;
}

const matching = (pattern: RegExp, what: string, argument: string): Kind<string> => ({
  argument,
  parse(text) {
    if (!pattern.test(text)) throw new Error(`${what}, not ${JSON.stringify(text)}`);
    return text;
  },
});

const text = (argument: string): Kind<string> => matching(/./, "expects a value", argument);

/** A text that may be empty, which is as good as left out; a secret, so no refusal shows it. */
const secret = (argument: string): Kind<string> => ({ argument, parse: (value) => value });

const integer = (max: number, argument: string): Kind<number> => ({
  argument,
  parse(text) {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= max)) {
      throw new Error(`expects a whole number from 0 to ${max}, not ${JSON.stringify(text)}`);
    }
    return value;
  },
});

const oneOf = <const T extends string>(...values: readonly T[]): Kind<T> => ({
  argument: values.join("|"),
  parse(text) {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) {
      throw new Error(`expects one of ${values.join(", ")}, not ${JSON.stringify(text)}`);
    }
    return value;
  },
});

const onOff: Kind<boolean> = {
  argument: null,
  parse(text) {
    if (["true", "1", "on"].includes(text)) return true;
    if (["false", "0", "off", ""].includes(text)) return false;
    throw new Error(`expects true or false, not ${JSON.stringify(text)}`);
  },
};

const setting = <T>(
  flag: string | null,
  variable: string | null,
  kind: Kind<T>,
  standard: T,
  about: string,
): Setting<T> => ({ flag, variable, kind, standard, about });

/** Kept as the text it came in, so that it can be passed on as a variable. */
const resolve: Kind<string> = {
  argument: "HOST=ADDR:PORT",
  repeats: true,
  parse(text) {
    parseResolveTable(text);
    return text;
  },
};

const region: Kind<Region> = {
  argument: "REGION",
  parse(text) {
    if (!isRegion(text)) throw new Error(`expects a Region with KMS, not ${JSON.stringify(text)}`);
    return text;
  },
};
/** Stays text, which `parseQuotas` reads. */
const quotas: Kind<string> = {
  argument: `${AWS_QUOTAS}|NAME=NUMBER,…`,
  parse(text) {
    parseQuotas(text);
    return text;
  },
};
/** Stays text, which `parseRequestQuotas` reads. */
const requestQuotas: Kind<string> = {
  argument: "off|aws|NAME=NUMBER,…",
  parse(text) {
    parseRequestQuotas(text);
    return text;
  },
};
/** Stays text, which `parseTenantLimits` reads. */
const tenantLimits: Kind<string> = {
  argument: `${NO_TENANT_LIMITS}|${HOSTED_TENANT_LIMITS}|NAME=NUMBER,…`,
  parse(text) {
    parseTenantLimits(text);
    return text;
  },
};
const account = matching(/^\d{12}$/, "expects an account of 12 digits", "ACCOUNT");
/** An hour: longer than anyone waits for a state to pass; the clock can be moved past it. */
const durationMs = integer(3_600_000, "MS");

/** What only the launcher reads. */
export const launcherSettings = {
  port: setting("port", null, integer(65_535, "PORT"), 8787, "Port to listen on; 0 picks one"),
  host: setting("host", null, text("ADDRESS"), "127.0.0.1", "Address to listen on"),
  data: setting(
    "data",
    null,
    text("FOLDER"),
    "./.edge-kms",
    "Folder for the state; made if missing",
  ),
  memory: setting(
    "memory",
    null,
    onOff,
    false,
    "Keep the state in a temporary folder, removed at the end",
  ),
  xksCa: setting(
    "xks-ca",
    null,
    text("FILE"),
    "",
    "Certificate authorities to trust besides the public ones, in PEM, for external key store proxies",
  ),
  config: setting(
    "config",
    null,
    text("FILE"),
    "",
    "File with users and roles, in YAML or JSON; read again when it changes",
  ),
};

/** What the Worker reads; the launcher passes each on from its flag or from its own environment. */
export const workerSettings = {
  region: setting(
    "region",
    "DEFAULT_REGION",
    region,
    "us-east-1",
    "Region of requests that name none",
  ),
  account: setting(
    "account",
    "DEFAULT_ACCOUNT",
    account,
    "000000000000",
    "Account of access keys that are not 12 digits",
  ),
  creatingMs: setting(
    "creating-ms",
    "CREATING_MS",
    durationMs,
    2000,
    "How long a new replica key is `Creating`",
  ),
  updatingMs: setting(
    "updating-ms",
    "UPDATING_MS",
    durationMs,
    2000,
    "How long `UpdatePrimaryRegion` leaves both keys `Updating`",
  ),
  rotatingMs: setting("rotating-ms", "ROTATING_MS", durationMs, 1000, "How long a rotation takes"),
  quotas: setting(
    "quotas",
    "QUOTAS",
    quotas,
    AWS_QUOTAS,
    "Resource quotas: AWS's own, or others for those that are named, as `KEYS=3,TAGS_PER_KEY=60`",
  ),
  requestQuotas: setting(
    "request-quotas",
    "REQUEST_QUOTAS",
    requestQuotas,
    NO_REQUEST_QUOTAS,
    "Requests a second beyond which KMS throttles: `off` none, AWS's own, or those that are named, as `CreateKey=2,Symmetric=0.1` or `aws,CreateKey=2`",
  ),
  tenantLimits: setting(
    "tenant-limits",
    "TENANT_LIMITS",
    tenantLimits,
    HOSTED_TENANT_LIMITS,
    "What the default tenant may have and do, and every other as far as it was made without limits of its own: `off` anything, `hosted` what a deployment allows (docs/hosting.md), or what is named, as `keys=100,requestsPerSecond=50` or `hosted,keys=100` (the launcher sets `off`)",
  ),
  connectingMs: setting(
    "connecting-ms",
    "CONNECTING_MS",
    durationMs,
    2000,
    "How long a custom key store is `CONNECTING`, and how long `DISCONNECTING`",
  ),
  xksResolve: setting(
    "xks-resolve",
    "XKS_RESOLVE",
    resolve,
    "",
    "Where the external key store proxy of a host is; can be given several times",
  ),
  xksTimeoutMs: setting(
    "xks-timeout-ms",
    "XKS_TIMEOUT_MS",
    durationMs,
    250,
    "How long an external key store proxy may take to answer",
  ),
  movableClock: setting(
    "movable-clock",
    "MOVABLE_CLOCK",
    onOff,
    false,
    "Serve `/_edge-kms/clock`, which moves time forward",
  ),
  log: setting(
    "log",
    "LOG",
    oneOf("off", "error", "request"),
    "error",
    "What is logged: nothing, failures of edge-kms itself, or also every request to KMS and STS",
  ),
  nitroRoot: setting(
    "nitro-root",
    "NITRO_ROOT",
    text("FILE|aws|any|none"),
    "none",
    "Whose attestation documents (`Recipient`) are taken: a PEM file's roots (the variable holds its text), AWS's, anyone's, or nobody's (the launcher sets `any`)",
  ),
  oneIsolate: setting(
    null,
    "ONE_ISOLATE",
    onOff,
    false,
    "The Worker and all objects share one isolate, so that a key set in memory is asked without a call to its object (the launcher sets it; a deployment must not)",
  ),
  policies: setting(
    "no-policies",
    "POLICIES",
    { ...onOff, switchedTo: "off" },
    true,
    "Evaluate no policies and no grants; the variable is `off` for that",
  ),
  auth: setting(
    null,
    "AUTH",
    oneOf("open", "required"),
    "required",
    "Who is served: `open` everyone, `required` only who signs with a configured credential (the launcher sets `open`)",
  ),
  accounts: setting(
    null,
    "ACCOUNTS",
    secret("TEXT"),
    "",
    "Users and roles, as the text of a `--config` file; instead of `PUT /_edge-kms/accounts`",
  ),
  adminToken: setting(
    null,
    "ADMIN_TOKEN",
    secret("TOKEN"),
    "",
    "Bearer token of the control API, `/_edge-kms/…`; without one it answers this machine alone, where everyone is served",
  ),
};

/** The values of a table of settings. */
export type ValuesOf<Table extends Record<string, Setting>> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never;
};

export type WorkerSettings = ValuesOf<typeof workerSettings>;
export type LauncherSettings = ValuesOf<typeof launcherSettings>;

/**
 * The Worker's settings from its variables; what is not set has its standard value.
 * Throws an Error naming the variable that cannot be read.
 */
export function workerSettingsFrom(variables: object): WorkerSettings {
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(workerSettings)) {
    const text = row.variable ? (variables as Record<string, unknown>)[row.variable] : undefined;
    try {
      values[name] =
        text === undefined || text === null ? row.standard : row.kind.parse(String(text));
    } catch (cause) {
      throw new Error(`${row.variable} ${(cause as Error).message}`, { cause });
    }
  }
  return values as unknown as WorkerSettings;
}

/** Whether LOG is off; known also where another variable cannot be read. */
export const logsNothing = (variables: object): boolean =>
  Reflect.get(variables, workerSettings.log.variable ?? "") === "off";
