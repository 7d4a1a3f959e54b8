// The principals, as an isolate knows them. A configuration is asked for again at most every two
// seconds, by the request that finds it old, so that a request usually asks nobody; and what is
// older than four decides nothing. So a credential that was removed is good for five at most.

import { type Configuration, EMPTY } from "../configuration/configuration.ts";
import { ConfigurationError, readConfiguration } from "../configuration/document.ts";
import { limits } from "../domain/limits.ts";
import { RequestRates } from "../domain/request-rate.ts";
import { Accounts } from "../identity/accounts.ts";
import { KnownTokens } from "../identity/known-tokens.ts";
import { DEFAULT_GENERATION } from "../objects/names.ts";
import type { WorkerSettings } from "../settings.ts";

const FRESH_MS = 2000;
const STALE_MS = 4000;

/** A version of a configuration; `of` tells it from others of the same source. */
interface Version {
  readonly version: number | string;
  readonly configuration: Configuration;
}

/** Where a configuration comes from: what is there, or null where it is the known version. */
type Source = (known: Version["version"] | null) => Promise<Version | null>;

/** Bound by the launcher to the folder in which it keeps the `--config` file, as JSON. */
interface ConfigBinding {
  readonly CONFIG?: Fetcher;
}

export class KnownAccounts {
  /** What `PUT /_edge-kms/accounts` cannot replace, in words; null where it can. */
  readonly elsewhere: string | null;
  readonly isDefault: boolean;
  readonly #source: Source;
  readonly #env: Env;
  readonly #generation: string;
  #accounts = new Accounts(EMPTY);
  #version: Version["version"] | null = null;
  #readAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** How often the source was asked, and the newest of these questions that was answered. */
  #questions = 0;
  #answered = 0;
  readonly #forRefusals = new RequestRates();
  #sessionKey: Uint8Array | null = null;
  /** Tokens that are genuine here are so nowhere else. */
  readonly tokens = new KnownTokens();

  constructor(env: Env, settings: WorkerSettings, generation: string) {
    this.#env = env;
    this.#generation = generation;
    const { CONFIG } = env as ConfigBinding;
    // The file and the variable are the default tenant's: who makes another puts its own there.
    const isDefault = generation === DEFAULT_GENERATION;
    this.isDefault = isDefault;
    if (CONFIG && isDefault) {
      this.elsewhere = "the file that --config names";
      this.#source = fromFile(CONFIG);
    } else if (settings.accounts !== "" && isDefault) {
      this.elsewhere = "the variable ACCOUNTS";
      this.#source = fromVariable(settings.accounts);
    } else {
      this.elsewhere = null;
      this.#source = (known) => this.tenant.configuration(known as number | null);
    }
  }

  get tenant() {
    return this.#env.TENANTS.getByName(this.#generation);
  }

  /** The accounts as they were a moment ago. */
  current(): Accounts | Promise<Accounts> {
    const now = Date.now();
    const age = Math.abs(now - this.#readAt);
    if (age < FRESH_MS) return this.#accounts;
    if (age < STALE_MS && Math.abs(now - this.#askedAt) < FRESH_MS) return this.#accounts;
    return this.renewed();
  }

  /** The accounts as they are now; the same object as before where nothing has changed. */
  async renewed(): Promise<Accounts> {
    const askedAt = Date.now();
    this.#askedAt = askedAt;
    const question = ++this.#questions;
    const loaded = await this.#source(this.#version);
    // Answers may overtake each other: an older one must not bring back who was removed.
    if (question < this.#answered) return this.#accounts;
    this.#answered = question;
    if (loaded && loaded.version !== this.#version) {
      this.#accounts = new Accounts(loaded.configuration);
      this.#version = loaded.version;
    }
    this.#readAt = askedAt;
    return this.#accounts;
  }

  /**
   * The same before a caller is refused, which anyone can bring about: so no more often than the
   * tenant's one object bears. Who was added a moment ago then waits until the next renewal.
   */
  async renewedForRefusal(): Promise<Accounts> {
    return this.#forRefusals.admits("", limits.server.renewals.standard, Date.now())
      ? this.renewed()
      : this.#accounts;
  }

  /** Puts others in their place: here at once, elsewhere within seconds. */
  async replace(configuration: Configuration): Promise<void> {
    await this.tenant.putConfiguration(configuration);
    await this.renewed();
  }

  /** The key of session tokens, which never changes. */
  async sessionKey(): Promise<Uint8Array> {
    this.#sessionKey ??= await this.tenant.sessionKey();
    return this.#sessionKey;
  }
}

/** The launcher has checked the file: what is there is a Configuration. */
const fromFile =
  (folder: Fetcher): Source =>
  async (known) => {
    const response = await folder.fetch("http://config/accounts.json");
    if (!response.ok) throw new Error(`the configuration cannot be read: ${response.status}`);
    const json = await response.text();
    return json === known ? null : { version: json, configuration: JSON.parse(json) };
  };

const fromVariable =
  (text: string): Source =>
  async (known) => {
    if (known !== null) return null;
    try {
      return { version: 1, configuration: await readConfiguration(text) };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new Error(`ACCOUNTS, line ${error.line}: ${error.message}`, { cause: error });
    }
  };

/** More than these are asked for again. */
const MAX_TENANTS = 500;
const known = new Map<string, KnownAccounts>();

/** Those of a tenant in this isolate, whose variables never change. */
export function knownAccounts(
  env: Env,
  settings: WorkerSettings,
  generation: string,
): KnownAccounts {
  const there = known.get(generation);
  if (there) return there;
  for (const [oldest] of known) {
    if (known.size < MAX_TENANTS) break;
    known.delete(oldest);
  }
  const fresh = new KnownAccounts(env, settings, generation);
  known.set(generation, fresh);
  return fresh;
}

/** Nothing of a tenant that is gone is kept in memory. */
export const forgetAccounts = (generation: string): void => void known.delete(generation);
