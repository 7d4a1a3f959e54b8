// The pure core, driven as the Durable Objects drive it: loaded, advanced, changed and saved, with
// alarms that come or do not, and memory that is lost. Beside every set runs a punctual twin, which
// never misses the instant of anything; however late the set itself is, the two have to agree.

import assert from "node:assert/strict";
import { generateKeyPair } from "../../src/crypto/key-pair.ts";
import { announce, type Directory, type DirectoryEntry } from "../../src/domain/directory.ts";
import { assertKeySet, type Key, type KeyMaterial, type KeySet } from "../../src/domain/key-set.ts";
import type { Moment } from "../../src/domain/moment.ts";
import type { Region } from "../../src/domain/region.ts";
import { nextDue } from "../../src/domain/schedule.ts";
import { KmsError } from "../../src/errors.ts";
import { keyOperations, operations } from "../../src/operations/index.ts";
import type { Create } from "../../src/operations/operation.ts";
import { atMoment, type Call, perform } from "../../src/operations/perform.ts";
import { readInput } from "../../src/operations/shape.ts";
import { MemoryDirectory, seededRandom } from "../support/core.ts";
import { delays } from "./model.ts";

export const ACCOUNT = "111122223333";

/** Chance that two copies of a set draw from alike: bytes by a seed and how many were drawn. */
class Chance {
  readonly #seed: number;
  #drawn: number;

  constructor(seed: number, drawn = 0) {
    this.#seed = seed;
    this.#drawn = drawn;
  }

  copy(): Chance {
    return new Chance(this.#seed, this.#drawn);
  }

  readonly bytes: Moment["random"] = (length) => {
    this.#drawn += 1;
    return seededRandom(this.#seed * 1_000_003 + this.#drawn)(length);
  };
}

/** How far ahead is looked; two waiting periods of 30 days end within it. */
const HORIZON_MS = 100 * 86_400_000;

/** One set as an object keeps it, its twin, and what was said of it to directories. */
interface Kept {
  saved: KeySet | null;
  chance: Chance;
  twin: KeySet | null;
  twinChance: Chance;
  readonly latest: Map<Region, DirectoryEntry>;
  /** What `truth` last found out, and of what. */
  seen: { readonly of: KeySet | null; readonly now: number; readonly truth: KeySet | null } | null;
}

/** What the directory of an account and Region is to hear. */
interface Message {
  readonly to: string;
  readonly tell: (directory: Directory) => void;
}

const addressOf = (accountId: string, region: Region) => `${accountId}/${region}`;

export class System {
  now = Date.UTC(2026, 0, 1);
  /** Every key ID there ever was, in the order of their creation. */
  readonly keyIds: string[] = [];
  readonly #kept = new Map<string, Kept>();
  /** Directories that hear of everything at once, and such that hear of it late and twice. */
  readonly #prompt = new Map<string, MemoryDirectory>();
  readonly #late = new Map<string, MemoryDirectory>();
  readonly #undelivered: Message[] = [];
  readonly #delivered: Message[] = [];
  readonly #ivs = new Chance(1);

  createKey(region: Region, MultiRegion: boolean, more: object = {}): string {
    const chance = new Chance(this.keyIds.length + 2);
    const record = keyOperations.CreateKey as Create<unknown>;
    const keyId = record.newKeyId({ MultiRegion }, chance.bytes);
    const kept: Kept = {
      saved: null,
      chance,
      twin: null,
      twinChance: chance.copy(),
      latest: new Map(),
      seen: null,
    };
    this.#kept.set(keyId, kept);
    this.keyIds.push(keyId);
    this.change(keyId, region, "CreateKey", { MultiRegion, ...more });
    return keyId;
  }

  /** Whether the change was accepted; a refusal has changed nothing but what time did. */
  change(keyId: string, region: Region, operation: string, input: object): KmsError | null {
    const kept = this.#keptOf(keyId);
    const call = callOf(keyId, region, operation, input);
    const at = this.#moment(kept.chance);
    const before = atMoment(kept.saved, at);
    let refusal: KmsError | null = null;
    let after = before;
    try {
      after = perform(before, call, at).set;
    } catch (error) {
      refusal = kmsError(error);
    }
    this.#save(kept, after);
    this.#changeTwin(kept, call, refusal);
    return refusal;
  }

  /** The answer of an operation that uses a key; what time did to the set is saved first. */
  async use<T>(keyId: string, region: Region, operation: string, input: object): Promise<T> {
    const kept = this.#keptOf(keyId);
    this.#save(kept, atMoment(kept.saved, this.#moment(kept.chance)));
    return this.ask(keyId, region, operation, input);
  }

  /** The answer a caller would get now, while nothing is saved. */
  async ask<T>(keyId: string, region: Region, operation: string, input: object): Promise<T> {
    const at = this.#moment(this.#ivs);
    const call = callOf(keyId, region, operation, input);
    const { output } = perform(this.truth(keyId), call, at);
    return JSON.parse(JSON.stringify(await output)) as T;
  }

  /** The set as it is now, whether or not anything has noticed. */
  truth(keyId: string, now = this.now): KeySet | null {
    const kept = this.#keptOf(keyId);
    if (kept.seen?.of === kept.saved && kept.seen.now === now) return kept.seen.truth;
    const truth = atMoment(kept.saved, { ...this.#moment(kept.chance.copy()), now });
    kept.seen = { of: kept.saved, now, truth };
    return truth;
  }

  /** When something next happens to the set by itself. */
  due(keyId: string): number {
    const set = this.truth(keyId);
    return set ? nextDue(set) : Infinity;
  }

  pass(ms: number): void {
    this.now += ms;
    for (const kept of this.#kept.values()) this.#advanceTwin(kept);
  }

  /** An alarm, early or late: it does what is due, which may be nothing. */
  alarm(keyId: string): void {
    const kept = this.#keptOf(keyId);
    const due = kept.saved ? nextDue(kept.saved) : Infinity;
    const after = atMoment(kept.saved, this.#moment(kept.chance));
    assert.equal(after === kept.saved, due > this.now, "an early alarm changes nothing");
    this.#save(kept, after);
  }

  /** Memory is lost: the set comes back from what the store wrote, member by member. */
  evict(keyId: string): void {
    const kept = this.#keptOf(keyId);
    if (!kept.saved) return;
    const loaded = throughStore(kept.saved);
    assert.deepEqual(loaded, kept.saved);
    assertKeySet(loaded);
    kept.saved = loaded;
  }

  /** Delivers one of the messages that are under way, in whatever order; or one a second time. */
  deliver(choice: number, again: boolean): void {
    const from = again ? this.#delivered : this.#undelivered;
    const [message] = from.splice(choice % Math.max(1, from.length), 1);
    if (!message) return;
    this.#delivered.push(message);
    message.tell(directoryIn(this.#late, message.to).at(this.now));
  }

  deliverEverything(choices: readonly number[]): void {
    for (let round = 0; this.#undelivered.length > 0; round += 1) {
      const choice = choices[round % choices.length] ?? 0;
      this.deliver(choice + round, false);
      if (choice % 3 === 0) this.deliver(choice, true);
    }
  }

  /** Set and twin agree, but for how often directories had to be told. */
  requireTwin(keyId: string): void {
    const { twin } = this.#keptOf(keyId);
    const truth = this.truth(keyId);
    assert.deepEqual(truth && { ...truth, version: 0 }, twin && { ...twin, version: 0 });
  }

  /** What was last said to a directory is right now, and will be for as long as nobody calls. */
  requireForetold(keyId: string, regions: readonly Region[]): void {
    const { latest, saved } = this.#keptOf(keyId);
    for (const [region, { present }] of latest) {
      assert.equal(present, saved?.keys[region] !== undefined, "what was noticed was said");
    }
    const foretold = [...latest.values()]
      .map(({ goneAt }) => goneAt ?? 0)
      .filter((goneAt) => goneAt > this.now)
      .flatMap((goneAt) => [goneAt - 1, goneAt]);
    for (const now of new Set([this.now, ...foretold, this.now + HORIZON_MS])) {
      const truth = this.truth(keyId, now);
      for (const region of regions) {
        const entry = latest.get(region);
        const { present = false, goneAt = null } = entry ?? {};
        const said = present && (goneAt === null || now < goneAt);
        const key = truth?.keys[region];
        assert.equal(said, key !== undefined, `${keyId} in ${region}, said ${goneAt}, at ${now}`);
        if (key) assert.equal(entry?.createdAt, key.createdAt);
      }
    }
  }

  /** The directories list the keys that are there; the late ones only when all was delivered. */
  requireListed(regions: readonly Region[], now: number, of: "prompt" | "late"): void {
    for (const region of regions) {
      const listed = this.#directory(ACCOUNT, region, now, of).keys("", Infinity);
      const there = this.keyIds.filter((keyId) => this.truth(keyId, now)?.keys[region]);
      assert.deepEqual(
        listed.map((entry) => entry.keyId),
        there.sort(),
        `the ${of} directory of ${region}`,
      );
    }
  }

  /** A principal of each account can retire what it can retire; the late index at the end alone. */
  requireRetirable(
    principal: { readonly accountId: string; readonly arn: string },
    regions: readonly Region[],
    now: number,
    of: "prompt" | "late",
  ): void {
    for (const region of regions) {
      const { retirable } = this.#directory(principal.accountId, region, now, of);
      const listed = retirable.ofPrincipal(principal.arn, null, Infinity);
      const there = this.keyIds.flatMap((keyId) =>
        (this.truth(keyId, now)?.keys[region]?.grants ?? [])
          .filter((grant) => grant.retiringPrincipal === principal.arn)
          .map((grant) => `${keyId}/${grant.id}`),
      );
      assert.deepEqual(
        listed.map(({ keyId, grant }) => `${keyId}/${grant.id}`),
        there.sort(),
        `the ${of} index of ${principal.arn} in ${region}`,
      );
    }
  }

  #directory(accountId: string, region: Region, now: number, of: "prompt" | "late"): Directory {
    const directories = of === "prompt" ? this.#prompt : this.#late;
    return directoryIn(directories, addressOf(accountId, region)).at(now);
  }

  #changeTwin(kept: Kept, call: Call, refusal: KmsError | null): void {
    this.#advanceTwin(kept);
    try {
      kept.twin = perform(kept.twin, call, this.#moment(kept.twinChance)).set;
      assert.equal(refusal, null, "the twin accepts what the set refuses");
    } catch (error) {
      assert.deepEqual(kmsError(error).refusal, refusal?.refusal);
    }
  }

  #advanceTwin(kept: Kept): void {
    while (kept.twin && nextDue(kept.twin) <= this.now) {
      const now = nextDue(kept.twin);
      kept.twin = atMoment(kept.twin, { ...this.#moment(kept.twinChance), now });
    }
  }

  #save(kept: Kept, after: KeySet | null): void {
    if (after === kept.saved) return;
    const { set, entries, grants } = announce(kept.saved, after);
    if (set) assertKeySet(set);
    kept.saved = set;
    for (const [region, entry] of entries) {
      const before = kept.latest.get(region);
      assert.ok(!before || before.version < entry.version, "versions grow");
      kept.latest.set(region, entry);
      this.#send({
        to: addressOf(ACCOUNT, region),
        tell: (directory) => directory.putKey(entry),
      });
    }
    for (const { accountId, region, about } of grants) {
      this.#send({
        to: addressOf(accountId, region),
        tell: ({ retirable }) => retirable.put(about),
      });
    }
  }

  #send(message: Message): void {
    message.tell(directoryIn(this.#prompt, message.to).at(this.now));
    this.#undelivered.push(message);
  }

  #keptOf(keyId: string): Kept {
    const kept = this.#kept.get(keyId);
    assert.ok(kept, `no set ${keyId}`);
    return kept;
  }

  #moment(chance: Chance): Moment {
    return { now: this.now, random: chance.bytes, delays, newKeyPair: generateKeyPair };
  }
}

/** A set as it comes back from storage: shared properties, materials and members, each as JSON. */
function throughStore(set: KeySet): KeySet {
  const { keys, materials, ...shared } = set;
  const stored = {
    shared: JSON.stringify(shared),
    materials: materials.map((material) => JSON.stringify(material)),
    keys: Object.values(keys)
      .sort((a, b) => (a.region < b.region ? -1 : 1))
      .map((key) => JSON.stringify(key)),
  };
  const members = stored.keys.map((json) => JSON.parse(json) as Key);
  return {
    ...(JSON.parse(stored.shared) as Omit<KeySet, "keys" | "materials">),
    materials: stored.materials.map((json) => JSON.parse(json) as KeyMaterial),
    keys: Object.fromEntries(members.map((key) => [key.region, key])),
  };
}

function callOf(keyId: string, region: Region, operation: string, input: object): Call {
  const record = operations[operation];
  assert.ok(record, `no operation ${operation}`);
  const body = operation === "CreateKey" ? input : { KeyId: keyId, ...input };
  const read = readInput(record.input, JSON.parse(JSON.stringify(body)));
  const caller = { accountId: ACCOUNT, region };
  return { operation, input: read, caller, accountId: ACCOUNT, keyId };
}

function directoryIn(directories: Map<string, MemoryDirectory>, address: string): MemoryDirectory {
  const directory = directories.get(address) ?? new MemoryDirectory();
  directories.set(address, directory);
  return directory;
}

function kmsError(error: unknown): KmsError {
  if (error instanceof KmsError) return error;
  throw error;
}
