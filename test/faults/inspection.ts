// Compares all that a server shows of its keys with the ledger of what it has acknowledged.

import assert from "node:assert/strict";
import { until } from "../cli/until.ts";
import type { Client } from "./client.ts";
import { after, at, type Entry, type KeyView, newEntry, type Region, regions } from "./ledger.ts";

interface Metadata {
  readonly KeyId: string;
  readonly KeyState: string;
  readonly Description: string;
  readonly DeletionDate?: number;
  readonly MultiRegion: boolean;
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: string;
    readonly PrimaryKey: { readonly Region: Region };
    readonly ReplicaKeys: readonly { readonly Region: Region }[];
  };
}

type Aliases = ReadonlyMap<string, readonly string[]>;

/** So many keys are looked at at once. */
const AT_ONCE = 24;

export class Inspection {
  readonly #client: Client;
  readonly #entries: Entry[];
  /** Calls of CreateKey whose answer was lost: so many keys may be there that nobody knows. */
  readonly #lostCreates: number;
  #found = 0;

  constructor(client: Client, entries: Entry[], lostCreates: number) {
    this.#client = client;
    this.#entries = entries;
    this.#lostCreates = lostCreates;
  }

  /** Everything acknowledged is there, once, and what was under way has come to its end. */
  async run(now: number): Promise<void> {
    for (const region of regions) await this.#findUnknown(region, await this.#list(region));
    const aliases = await this.#aliases();
    await inParallel(this.#entries, (entry) => this.#check(entry, aliases, now));
    await this.#checkLists();
  }

  /** Whether every key set has noticed that the time of its keys has come. */
  async areDeletionsDone(now: number): Promise<boolean> {
    const doomed = this.#entries.flatMap(({ keyId, view, unsure, gone }) => {
      const places = new Set(Object.keys(view.deletions) as Region[]);
      if (unsure?.operation === "ScheduleKeyDeletion") places.add(unsure.region);
      return gone ? [] : [...places].map((region) => ({ region, keyId }));
    });
    const keys = await Promise.all(
      doomed.map(({ region, keyId }) => this.#describe(region, keyId)),
    );
    return keys.every((key) => (key?.DeletionDate ?? Infinity) * 1000 > now);
  }

  /** Keys that were made but not acknowledged: as many as answers were lost, at most. */
  async #findUnknown(region: Region, listed: readonly string[]): Promise<void> {
    for (const keyId of listed) {
      if (this.#entries.some((entry) => entry.keyId === keyId)) continue;
      const key = await this.#describe(region, keyId);
      assert.ok(key, `${keyId} is listed in ${region} and not there`);
      this.#entries.push(newEntry(keyId, region, key.MultiRegion));
      this.#found += 1;
    }
    assert.ok(this.#found <= this.#lostCreates, `${this.#found} keys that nobody asked for`);
  }

  async #check(entry: Entry, aliases: Aliases, now: number): Promise<void> {
    const seen = await this.#view(entry, aliases);
    const { view, unsure } = entry;
    const without = entry.gone ? null : at(view, now);
    let expected = without;
    if (unsure && !isSame(seen, expected)) {
      // That it happened is as right as that it did not; a deletion may even be over.
      expected = at(after(view, unsure, seen?.deletions[unsure.region]), now);
    }
    assert.deepEqual(
      seen,
      expected,
      `${entry.keyId} as ${JSON.stringify(without)}, unsure of ${JSON.stringify(unsure)}`,
    );
    entry.unsure = null;
    if (expected) entry.view = expected;
    else entry.gone = true;
  }

  /** The key as the server shows it once no change of its primary is under way. */
  async #view({ keyId, home }: Entry, aliases: Aliases): Promise<KeyView | null> {
    const first = await this.#describe(home, keyId);
    if (!first) return null;
    const describeAll = () => Promise.all(regions.map((region) => this.#describe(region, keyId)));
    await until(`${keyId} is no longer Updating`, async () =>
      (await describeAll()).every((key) => key?.KeyState !== "Updating"),
    );
    const members = await describeAll();
    const present = regions.filter((_, index) => members[index] !== null);
    const primary = primaryOf(keyId, home, members);
    const rotations = await this.#rotations(primary, keyId);
    const { Tags } = await this.#client.call<{ Tags: { TagKey: string; TagValue: string }[] }>(
      home,
      "ListResourceTags",
      { KeyId: keyId },
    );
    const tags = Object.fromEntries(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
    assert.equal(Tags.length, Object.keys(tags).length, "a tag is there once");
    const deletions = members.flatMap((key, index) =>
      key?.DeletionDate === undefined ? [] : [[regions[index], key.DeletionDate]],
    );
    return {
      primary,
      members: present,
      deletions: Object.fromEntries(deletions),
      description: members[regions.indexOf(home)]?.Description ?? "",
      tags,
      aliases: [...(aliases.get(`${home} ${keyId}`) ?? [])].sort(),
      rotations,
    };
  }

  async #rotations(region: Region, KeyId: string): Promise<number> {
    await until(`the rotation of ${KeyId} ends`, async () => {
      const status = await this.#client.call<{ OnDemandRotationStartDate?: number }>(
        region,
        "GetKeyRotationStatus",
        { KeyId },
      );
      return status.OnDemandRotationStartDate === undefined;
    });
    const { Rotations } = await this.#client.call<{ Rotations: { KeyMaterialId: string }[] }>(
      region,
      "ListKeyRotations",
      { KeyId, Limit: 1000 },
    );
    const ids = Rotations.map(({ KeyMaterialId }) => KeyMaterialId);
    assert.equal(new Set(ids).size, ids.length, "a rotation is there once");
    return ids.length;
  }

  /** Lists show each key in each of its Regions, once, and nothing else; in the end. */
  async #checkLists(): Promise<void> {
    for (const region of regions) {
      let listed: readonly string[] = [];
      await until(
        `the keys of ${region} are listed`,
        async () => {
          listed = await this.#list(region);
          // A key that nobody was told of may be listed only when the alarm has told the directory.
          await this.#findUnknown(region, listed);
          return isSame(listed, this.#expectedIn(region));
        },
        30_000,
      ).catch(() => assert.deepEqual(listed, this.#expectedIn(region), `ListKeys in ${region}`));
    }
  }

  #expectedIn(region: Region): readonly string[] {
    return this.#entries
      .filter(({ gone, view }) => !gone && view.members.includes(region))
      .map(({ keyId }) => keyId)
      .sort();
  }

  /** The names of each key's aliases, by Region and key ID. */
  async #aliases(): Promise<Aliases> {
    const names = new Map<string, string[]>();
    for (const region of regions) {
      const all = await this.#pages<{ AliasName: string; TargetKeyId?: string }>(
        region,
        "ListAliases",
        "Aliases",
        100,
      );
      const own = all.filter(({ TargetKeyId }) => TargetKeyId !== undefined);
      assert.equal(new Set(own.map(({ AliasName }) => AliasName)).size, own.length);
      for (const { AliasName, TargetKeyId } of own) {
        const key = `${region} ${TargetKeyId}`;
        names.set(key, [...(names.get(key) ?? []), AliasName]);
      }
    }
    const known = new Set(this.#entries.map(({ home, keyId }) => `${home} ${keyId}`));
    for (const key of names.keys()) assert.ok(known.has(key), `an alias of ${key}`);
    return names;
  }

  async #list(region: Region): Promise<readonly string[]> {
    const keys = await this.#pages<{ KeyId: string }>(region, "ListKeys", "Keys", 1000);
    const keyIds = keys.map(({ KeyId }) => KeyId);
    assert.equal(new Set(keyIds).size, keyIds.length, `a key is listed once in ${region}`);
    return keyIds.sort();
  }

  async #pages<T>(
    region: Region,
    operation: string,
    member: string,
    Limit: number,
  ): Promise<readonly T[]> {
    const items: T[] = [];
    let Marker: string | undefined;
    do {
      const page = await this.#client.call<Record<string, unknown>>(region, operation, {
        Limit,
        Marker,
      });
      items.push(...(page[member] as readonly T[]));
      Marker = page.NextMarker as string | undefined;
    } while (Marker !== undefined);
    return items;
  }

  async #describe(region: Region, KeyId: string): Promise<Metadata | null> {
    const { status, body } = await this.#client.send(region, "DescribeKey", { KeyId });
    if (status === 200) return (body as { KeyMetadata: Metadata }).KeyMetadata;
    assert.equal((body as { __type: string }).__type, "NotFoundException");
    return null;
  }
}

/** The primary that every member names, and which is one of them. */
function primaryOf(keyId: string, home: Region, members: readonly (Metadata | null)[]): Region {
  const views = members.flatMap((key) => key?.MultiRegionConfiguration ?? []);
  const [view] = views;
  if (!view) return home;
  const primary = view.PrimaryKey.Region;
  const present = regions.filter((_, index) => members[index]);
  for (const each of views) {
    assert.equal(each.PrimaryKey.Region, primary, `${keyId} has one primary`);
    const related = [primary, ...each.ReplicaKeys.map(({ Region }) => Region)].sort();
    assert.deepEqual(related, present, `${keyId} knows its members`);
  }
  const primaries = views.filter(({ MultiRegionKeyType }) => MultiRegionKeyType === "PRIMARY");
  assert.equal(primaries.length, 1, `${keyId} has one primary`);
  return primary;
}

const isSame = (a: unknown, b: unknown) => {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
};

async function inParallel<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await each(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
