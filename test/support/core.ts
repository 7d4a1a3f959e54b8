// KMS's pure core without a platform: the same steps as the edge and the Durable Objects take, over
// maps instead of storage, at a time that tests set. Nothing here waits.

import { type AliasesOf, fetchedFor } from "../../src/api/fetched.ts";
import { attested } from "../../src/api/recipient.ts";
import { addressForStep, addressOfCiphertext, arnOfKey } from "../../src/api/route.ts";
import { generateKeyPair } from "../../src/crypto/key-pair.ts";
import {
  type Alias,
  announce,
  type Directory,
  type DirectoryEntry,
  takeIn,
} from "../../src/domain/directory.ts";
import { assertKeySet, type KeySet } from "../../src/domain/key-set.ts";
import { LastUsages } from "../../src/domain/last-usage.ts";
import type { Delays, Moment, NewKeyPair } from "../../src/domain/moment.ts";
import type { Principal, RequestContext } from "../../src/domain/principal.ts";
import { awsQuotas, type Quotas } from "../../src/domain/quota.ts";
import type { Region } from "../../src/domain/region.ts";
import { KmsError } from "../../src/errors.ts";
import { directoryOperations, operations } from "../../src/operations/index.ts";
import type { KeyAddress } from "../../src/operations/key-address.ts";
import { keyStoreQuestion, withKeyStore } from "../../src/operations/open-key-store.ts";
import type { Caller, Edge, Output } from "../../src/operations/operation.ts";
import {
  atMoment,
  type Call,
  loading,
  newKeyRegion,
  perform,
  prepare,
  rehearse,
  type Step,
} from "../../src/operations/perform.ts";
import {
  admitKey,
  keyStoreNow,
  performOnKeyStores,
} from "../../src/operations/perform-on-key-stores.ts";
import { namesAliases } from "../../src/operations/permission.ts";
import { readInput } from "../../src/operations/shape.ts";
import type { Proxies } from "../../src/xks/proxies.ts";
import { MemoryKeyStores, noProxies } from "./key-stores.ts";
import { MemoryRetirableGrants } from "./retirable-grants.ts";

declare global {
  /** The Workers runtime types have this global, and those of Node do not. */
  type CryptoKey = import("node:crypto").webcrypto.CryptoKey;
}

export const ACCOUNT = "111122223333";
export const START = Date.UTC(2026, 0, 1);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

export const arnOf = (region: string, keyId: string, accountId = ACCOUNT) =>
  `arn:aws:kms:${region}:${accountId}:key/${keyId}`;

export const base64 = (text: string) => Buffer.from(text).toString("base64");
export const unbase64 = (text: string) => Buffer.from(text, "base64").toString();

/** The JSON of a key's metadata, as far as tests read it. */
export interface KeyMetadata {
  readonly AWSAccountId: string;
  readonly KeyId: string;
  readonly Arn: string;
  readonly CreationDate: number;
  readonly Enabled: boolean;
  readonly Description: string;
  readonly KeyState: string;
  readonly KeySpec: string;
  readonly KeyUsage: string;
  readonly KeyManager: string;
  readonly Origin: string;
  readonly DeletionDate?: number;
  readonly PendingDeletionWindowInDays?: number;
  readonly MultiRegion: boolean;
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: string;
    readonly PrimaryKey: RelatedKey;
    readonly ReplicaKeys: readonly RelatedKey[];
  };
  readonly CurrentKeyMaterialId?: string;
}

export interface RelatedKey {
  readonly Arn: string;
  readonly Region: string;
}

export interface Decrypted {
  readonly KeyId: string;
  readonly Plaintext: string;
  readonly EncryptionAlgorithm: string;
  readonly KeyMaterialId: string;
}

export interface DataKey {
  readonly CiphertextBlob: string;
  readonly Plaintext: string;
  readonly KeyId: string;
  readonly KeyMaterialId: string;
}

export interface RotationStatus {
  readonly KeyId: string;
  readonly KeyRotationEnabled: boolean;
  readonly RotationPeriodInDays?: number;
  readonly NextRotationDate?: number;
  readonly OnDemandRotationStartDate?: number;
}

export interface Rotation {
  readonly KeyId: string;
  readonly KeyMaterialId: string;
  readonly KeyMaterialState: string;
  readonly KeyMaterialDescription?: string;
  readonly ImportState?: string;
  readonly RotationDate?: number;
  readonly RotationType?: string;
}

/** Random bytes that come out the same in every run (mulberry32). */
export function seededRandom(seed: number): Moment["random"] {
  let state = seed;
  const word = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return mixed ^ (mixed >>> 14);
  };
  return (length) => Uint8Array.from({ length }, () => word() & 0xff);
}

/** All of one tenant's keys and directories, and its clock. */
export class World {
  now = START;
  /** The time of the real world, which the clock's moves do not change. */
  realNow = START;
  /** As the setting. */
  nitroRoot = "any";
  /** Sees every call as key sets get it. */
  onCall: (call: Call) => void = () => {};
  readonly delays: Delays;
  readonly random = seededRandom(1);
  quotas: Quotas = awsQuotas;
  newKeyPair: NewKeyPair = generateKeyPair;
  /** What conditions may ask of requests; undefined where no policy is evaluated. */
  requestContext: RequestContext | undefined = { sourceIp: null, userAgent: null, secure: true };
  /** Whether every saved set has to be one that can come about. */
  checks = true;
  /** How long connecting and disconnecting a custom key store take. */
  connectingMs = 2000;
  proxies: Proxies = noProxies;
  readonly #sets = new Map<string, KeySet>();
  readonly #usages = new Map<string, LastUsages>();
  #requests = 0;
  readonly #directories = new Map<string, MemoryDirectory>();
  readonly #keyStores = new Map<string, MemoryKeyStores>();

  constructor(delays: Partial<Delays> = {}) {
    this.delays = { creatingMs: 2000, updatingMs: 2000, rotatingMs: 1000, ...delays };
  }

  /** Another world as this one is now; what happens in the one does not in the other. */
  fork(): World {
    const other = new World(this.delays);
    other.now = this.now;
    other.checks = this.checks;
    other.quotas = this.quotas;
    for (const [id, set] of this.#sets) other.#sets.set(id, set);
    for (const [name, known] of this.#directories) other.#directories.set(name, known.fork());
    other.connectingMs = this.connectingMs;
    other.proxies = this.proxies;
    for (const [name, known] of this.#keyStores) {
      const [accountId, region] = name.split("/") as [string, string];
      other.#keyStores.set(name, known.fork(other.#world(accountId, region)));
    }
    return other;
  }

  /** Lets time pass. Nobody is told: what is due happens at the next call. */
  pass(ms: number): void {
    this.now += ms;
  }

  /** Sends one request to a Region, as the root of an account or somebody of it; returns the answer's JSON or throws the KmsError. */
  async call<T = unknown>(
    region: string,
    operation: string,
    input: unknown = {},
    as: string | Principal = ACCOUNT,
  ): Promise<T> {
    const record = operations[operation];
    if (!record) throw new Error(`${operation} is not built`);
    const principal = typeof as === "string" ? {} : { principal: as };
    const accountId = typeof as === "string" ? as : as.accountId;
    const { requestContext: request } = this;
    const caller: Caller = {
      accountId,
      region: region as Region,
      ...(request && { request }),
      ...principal,
    };
    // Through JSON, as it comes and goes over the wire.
    const whole = readInput(record.input, JSON.parse(JSON.stringify(input)));
    const { input: read, recipient } = await attested(whole, this, this.realNow);
    const requestId = `4112f4d6-db54-4af4-ae30-${String(++this.#requests).padStart(12, "0")}`;
    const edge = this.#edge({ caller, requestId, recipient });
    const answer = await this.#perform(operation, record, read, edge);
    return JSON.parse(JSON.stringify(answer)) as T;
  }

  async createKey(region: string, input: object = {}): Promise<KeyMetadata> {
    const answer = await this.call<{ KeyMetadata: KeyMetadata }>(region, "CreateKey", input);
    return answer.KeyMetadata;
  }

  /** A new multi-Region primary key, with finished replicas; returns the key ID they share. */
  async createSet(primary: string, ...replicas: readonly string[]): Promise<string> {
    const { KeyId } = await this.createKey(primary, { MultiRegion: true });
    for (const region of replicas) await this.replicate(KeyId, primary, region);
    return KeyId;
  }

  /** Makes a replica and waits until it is `Enabled`. */
  async replicate(KeyId: string, from: string, to: string, input: object = {}): Promise<void> {
    await this.call(from, "ReplicateKey", { KeyId, ReplicaRegion: to, ...input });
    this.pass(this.delays.creatingMs);
  }

  async describe(region: string, KeyId: string): Promise<KeyMetadata> {
    const answer = await this.call<{ KeyMetadata: KeyMetadata }>(region, "DescribeKey", { KeyId });
    return answer.KeyMetadata;
  }

  async encrypt(region: string, KeyId: string, text = "text", more: object = {}): Promise<string> {
    const input = { KeyId, Plaintext: base64(text), ...more };
    const answer = await this.call<{ CiphertextBlob: string }>(region, "Encrypt", input);
    return answer.CiphertextBlob;
  }

  decrypt(region: string, CiphertextBlob: string, more: object = {}): Promise<Decrypted> {
    return this.call(region, "Decrypt", { CiphertextBlob, ...more });
  }

  dataKey(region: string, KeyId: string): Promise<DataKey> {
    return this.call(region, "GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  }

  rotationStatus(region: string, KeyId: string): Promise<RotationStatus> {
    return this.call(region, "GetKeyRotationStatus", { KeyId });
  }

  async rotations(region: string, KeyId: string, more: object = {}): Promise<readonly Rotation[]> {
    const input = { KeyId, ...more };
    return (await this.call<{ Rotations: Rotation[] }>(region, "ListKeyRotations", input))
      .Rotations;
  }

  /** All pages of a list, one after another, as `NextMarker` leads through them. */
  async pages<T extends object>(region: string, operation: string, input: object): Promise<T[]> {
    type Page = T & { readonly Truncated: boolean; readonly NextMarker?: string };
    const pages: Page[] = [];
    let last: Page | undefined;
    do {
      if (pages.length === 1000) throw new Error(`${operation} has no last page`);
      last = await this.call<Page>(region, operation, { ...input, Marker: last?.NextMarker });
      if (last.Truncated !== (last.NextMarker !== undefined)) throw new Error("a page is wrong");
      pages.push(last);
    } while (last.Truncated);
    return pages;
  }

  /** The set as it was last saved. */
  saved(keyId: string, accountId = ACCOUNT): KeySet | null {
    return this.#sets.get(`${accountId}/${keyId}`) ?? null;
  }

  /** Puts a set in a state that the operations built so far cannot bring it into. */
  edit(keyId: string, change: (set: KeySet) => KeySet): void {
    const set = this.saved(keyId);
    if (!set) throw new Error(`no key set ${keyId}`);
    this.#sets.set(`${set.accountId}/${keyId}`, change(set));
  }

  directory(region: string, accountId = ACCOUNT): Directory {
    return this.#directory(accountId, region).at(this.now);
  }

  async #perform(
    operation: string,
    record: (typeof operations)[string],
    input: object,
    edge: EdgeOfWorld,
  ): Promise<unknown> {
    switch (record.kind) {
      case "edge":
        return record.run(edge, input);
      case "directory":
        return edge.onDirectory(operation, input);
      case "keyStores":
        return edge.onKeyStores(operation, input);
      case "create": {
        const keyId = record.newKeyId(input, this.random);
        return edge.atAddress({ accountId: edge.caller.accountId, keyId }, operation, input);
      }
      default: {
        const { KeyId, CiphertextBlob } = input as { KeyId?: string; CiphertextBlob?: string };
        if (KeyId !== undefined) return edge.onKey(operation, KeyId, input);
        record.check?.(input);
        return edge.onCiphertextKey(operation, CiphertextBlob ?? "", input);
      }
    }
  }

  #edge(request: OfRequest): EdgeOfWorld {
    const { caller, recipient } = request;
    const resolve = async (accountId: string, name: string) =>
      this.#directory(accountId, caller.region).at(this.now).alias(name)?.keyId ?? null;
    const atAddress = async <T>(address: KeyAddress, operation: string, input: object) =>
      (await this.#onKeySet(address, operation, input, request)) as T;
    return {
      caller,
      recipient,
      random: this.random,
      atAddress,
      async onKey(step, keyId, input) {
        return atAddress(await addressForStep(step, keyId, caller, resolve), step, input);
      },
      arnOf: (keyId) => arnOfKey(keyId, caller, resolve),
      async onCiphertextKey(step, ciphertext, input) {
        return atAddress(addressOfCiphertext(ciphertext), step, input);
      },
      onDirectory: async <T>(operation: string, input: object) => {
        const directory = this.#directory(caller.accountId, caller.region).at(this.now);
        const record = directoryOperations[operation];
        return record?.run(directory, input, caller, this.now, this.quotas) as T;
      },
      onKeyStores: async <T>(operation: string, input: object) => {
        const call = { operation, input, caller, requestId: request.requestId ?? "" };
        const host = this.keyStores(caller.region, caller.accountId);
        return (await performOnKeyStores(call, host)) as T;
      },
    };
  }

  async #onKeySet(
    address: KeyAddress,
    operation: string,
    input: object,
    request: OfRequest,
  ): Promise<Output> {
    const { accountId, keyId } = address;
    const id = `${accountId}/${keyId}`;
    const aliasesOf: AliasesOf = async (of, region) =>
      this.#directory(of.accountId, region)
        .at(this.now)
        .aliases("", this.quotas.ALIASES_PER_KEY, of.keyId)
        .map(({ name }) => name);
    const { caller } = request;
    const fetched = namesAliases(caller)
      ? await fetchedFor(caller, address, input, aliasesOf)
      : undefined;
    const asked: Call = { operation, input, ...request, ...address, ...(fetched && { fetched }) };
    this.onCall(asked);
    const call = await this.#informed(asked, this.#sets.get(id) ?? null);
    await loading(call);
    const at: Moment = {
      now: this.now,
      random: this.random,
      delays: this.delays,
      newKeyPair: this.newKeyPair,
      quotas: this.quotas,
      keysWithoutRoom: this.#keysWithoutRoom(call),
    };
    const before = this.#sets.get(id) ?? null;
    const set = atMoment(before, at);
    const usages = this.#usages.get(id) ?? new LastUsages();
    this.#usages.set(id, usages);
    let step: Step;
    try {
      rehearse(call, at);
      const prepared = await prepare(call, this.newKeyPair);
      step = perform(set, { ...call, prepared }, at, usages);
      this.#save(id, before, step.set);
    } catch (error) {
      this.#save(id, before, set);
      if (call.keyStore && !set) this.keyStores(call.caller.region, accountId).release(keyId);
      throw error;
    }
    const output = await step.output;
    if (step.usage) usages.note(call.caller.region, step.usage);
    return output;
  }

  #keysWithoutRoom(call: Call): number | null {
    const region = newKeyRegion(call);
    if (region === null) return null;
    const count = this.directory(region, call.accountId).keyCount();
    return count < this.quotas.KEYS ? null : count;
  }

  /** The call with the custom key store that it has to know. */
  async #informed(call: Call, set: KeySet | null): Promise<Call> {
    const question = keyStoreQuestion(set, call);
    if (!question) return call;
    const host = this.keyStores(set?.primaryRegion ?? call.caller.region, call.accountId);
    const desk = {
      keyStore: async (id: string) => keyStoreNow(id, host),
      admitKey: (admission: Parameters<typeof admitKey>[0]) => admitKey(admission, host),
    };
    return withKeyStore(call, question, desk, this.proxies);
  }

  /** The custom key stores of an account in a Region. */
  keyStores(region: string, accountId = ACCOUNT): MemoryKeyStores {
    const name = `${accountId}/${region}`;
    const known = this.#keyStores.get(name) ?? new MemoryKeyStores(this.#world(accountId, region));
    this.#keyStores.set(name, known);
    return known;
  }

  /** What key stores ask of the rest of the world. */
  #world(accountId: string, region: string) {
    return {
      moment: () => ({
        now: this.now,
        random: this.random,
        connectingMs: this.connectingMs,
        quotas: this.quotas,
      }),
      proxies: () => this.proxies,
      hasKey: (keyId: string) => this.directory(region, accountId).key(keyId) !== null,
    };
  }

  #save(id: string, before: KeySet | null, after: KeySet | null): void {
    if (before === after) return;
    const { set, entries, grants } = announce(before, after);
    if (set && this.checks) assertKeySet(set);
    if (set) this.#sets.set(id, set);
    else this.#sets.delete(id);
    const [accountId] = id.split("/") as [string];
    for (const [region, entry] of entries) {
      takeIn(this.#directory(accountId, region).at(this.now), entry);
    }
    for (const { accountId: retiring, region, about } of grants) {
      this.#directory(retiring, region).at(this.now).retirable.put(about);
    }
  }

  #directory(accountId: string, region: string): MemoryDirectory {
    const name = `${accountId}/${region}`;
    const known = this.#directories.get(name) ?? new MemoryDirectory();
    this.#directories.set(name, known);
    return known;
  }
}

/** What goes with every step of a request. */
type OfRequest = Pick<Call, "caller" | "requestId" | "recipient">;

interface EdgeOfWorld extends Edge {
  atAddress<T>(address: KeyAddress, step: string, input: object): Promise<T>;
}

/** A directory's keys and aliases, gone ones included; `at` shows those that are live. */
export class MemoryDirectory {
  readonly #keys = new Map<string, DirectoryEntry>();
  readonly #aliases = new Map<string, Alias>();
  #retirable = new MemoryRetirableGrants();

  fork(): MemoryDirectory {
    const other = new MemoryDirectory();
    for (const [keyId, entry] of this.#keys) other.#keys.set(keyId, entry);
    for (const [name, alias] of this.#aliases) other.#aliases.set(name, alias);
    other.#retirable = this.#retirable.fork();
    return other;
  }

  at(now: number): Directory {
    const keys = this.#keys;
    const aliases = this.#aliases;
    const liveKey = (keyId: string) => {
      const entry = keys.get(keyId);
      const live = entry?.present && (entry.goneAt === null || entry.goneAt > now);
      return live ? entry : null;
    };
    const inOrder = <T>(map: ReadonlyMap<string, T>, after: string) =>
      [...map.keys()]
        .filter((name) => name > after)
        .sort()
        .map((name) => map.get(name) as T);
    const liveAliases = (after: string, keyId: string | null) =>
      inOrder(aliases, after)
        .filter((alias) => liveKey(alias.keyId))
        .filter((alias) => keyId === null || alias.keyId === keyId);
    return {
      keys: (after, limit) =>
        inOrder(keys, after)
          .filter((entry) => liveKey(entry.keyId))
          .slice(0, limit),
      aliases: (after, limit, keyId) => liveAliases(after, keyId).slice(0, limit),
      alias: (name) => liveAliases("", null).find((alias) => alias.name === name) ?? null,
      key: liveKey,
      aliasCount: (keyId) => liveAliases("", keyId).length,
      keyCount: () =>
        [...keys.keys()].filter((keyId) => liveKey(keyId)?.awsAlias === undefined && liveKey(keyId))
          .length,
      putKey(entry) {
        const known = keys.get(entry.keyId);
        if (known && known.version >= entry.version) return;
        if (!entry.present || (known && known.createdAt !== entry.createdAt)) {
          for (const alias of aliases.values()) {
            if (alias.keyId === entry.keyId) aliases.delete(alias.name);
          }
        }
        keys.set(entry.keyId, entry);
      },
      putAlias: (alias) => void aliases.set(alias.name, alias),
      deleteAlias: (name) => void aliases.delete(name),
      retirable: this.#retirable.at(now),
    };
  }
}

/** `ok`, or the refusal as `Name: text`, `Name` alone where it has no text. Bugs are thrown on. */
export async function outcome(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return "ok";
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    return error.text === null ? error.type : `${error.type}: ${error.text}`;
  }
}
