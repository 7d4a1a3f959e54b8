// Writes of every kind, from many connections at once, until the server is gone.

import { until } from "../cli/until.ts";
import { type Client, LostError } from "./client.ts";
import { after, type Call, type Entry, newEntry, type Region, regions } from "./ledger.ts";

/** Of a hundred writes, so many of each kind. */
const mix = {
  CreateKey: 12,
  ReplicateKey: 6,
  UpdatePrimaryRegion: 4,
  CreateAlias: 15,
  TagResource: 24,
  UpdateKeyDescription: 24,
  RotateKeyOnDemand: 8,
  ScheduleKeyDeletion: 7,
} as const;
type Kind = keyof typeof mix;
const kinds = Object.entries(mix).flatMap(([kind, share]) => Array<Kind>(share).fill(kind as Kind));

/** What may be refused because of a call before: a key that is not ready, a rotation under way. */
const expectedRefusals = [
  "KMSInvalidStateException",
  "ConflictException",
  "LimitExceededException",
  "AlreadyExistsException",
];

const any = <T>(items: readonly T[]): T | undefined =>
  items[Math.floor(Math.random() * items.length)];

export class Load {
  readonly entries: Entry[] = [];
  /** Acknowledged writes by kind. */
  readonly acknowledged = new Map<string, number>();
  refused = 0;
  lost = 0;
  /** CreateKey calls whose answer was lost in the round that has just ended. */
  lostCreates = 0;
  #serial = 0;
  #ending = false;

  get writes(): number {
    return [...this.acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Writes from so many connections; fulfilled when all have ended. */
  async run(client: Client, connections: number): Promise<void> {
    this.#ending = false;
    this.lostCreates = 0;
    await Promise.all(Array.from({ length: connections }, () => this.#connection(client)));
  }

  /** From here on a lost connection is no failure. */
  expectLoss(): void {
    this.#ending = true;
  }

  /** Begins a change of some key's primary; fulfilled when it is acknowledged, with the key. */
  async beginUpdate(client: Client): Promise<Entry> {
    return until("a change of a primary has begun", async () => {
      const { entry, call } = this.#plan("UpdatePrimaryRegion") ?? {};
      return entry && call && (await this.#send(client, entry, call)) && entry;
    });
  }

  async #connection(client: Client): Promise<void> {
    try {
      for (;;) {
        const kind = any(kinds) ?? "CreateKey";
        const { entry, call } = kind === "CreateKey" ? {} : (this.#plan(kind) ?? {});
        if (entry && call) await this.#send(client, entry, call);
        else await this.#create(client);
      }
    } catch (error) {
      if (!(error instanceof LostError) || !this.#ending) throw error;
    }
  }

  async #create(client: Client): Promise<void> {
    const region = any(regions) ?? regions[0];
    const MultiRegion = Math.random() < 0.6;
    try {
      const { KeyMetadata } = await client.call<{ KeyMetadata: { KeyId: string } }>(
        region,
        "CreateKey",
        { MultiRegion },
      );
      this.entries.push(newEntry(KeyMetadata.KeyId, region, MultiRegion));
      this.#acknowledge("CreateKey");
    } catch (error) {
      if (error instanceof LostError) this.lostCreates += 1;
      throw error;
    }
  }

  /** Whether the call was acknowledged, rather than refused. */
  async #send(client: Client, entry: Entry, call: Call): Promise<boolean> {
    entry.busy = true;
    try {
      const { status, body } = await client.send(call.region, call.operation, call.input);
      if (status === 200) {
        const { DeletionDate } = (body ?? {}) as { DeletionDate?: number };
        entry.view = after(entry.view, call, DeletionDate);
        this.#acknowledge(call.operation);
        return true;
      }
      const { __type = "none" } = (body ?? {}) as { __type?: string };
      if (!expectedRefusals.includes(__type)) {
        throw new Error(`${call.operation}: ${status} ${JSON.stringify(body)}`);
      }
      this.refused += 1;
      return false;
    } catch (error) {
      if (error instanceof LostError) {
        entry.unsure = call;
        this.lost += 1;
      }
      throw error;
    } finally {
      entry.busy = false;
    }
  }

  #acknowledge(operation: string): void {
    this.acknowledged.set(operation, (this.acknowledged.get(operation) ?? 0) + 1);
  }

  /** A call of this kind to a key that is likely to accept it. */
  #plan(kind: Exclude<Kind, "CreateKey">): { entry: Entry; call: Call } | null {
    const entry = any(this.entries.filter((each) => isOpenTo(kind, each)));
    if (!entry) return null;
    const { keyId: KeyId, home, view } = entry;
    this.#serial += 1;
    const call = (region: Region, input: Record<string, unknown>) => ({
      entry,
      call: { operation: kind, region, input: { KeyId, ...input } },
    });
    switch (kind) {
      case "ReplicateKey":
        return call(view.primary, { ReplicaRegion: any(vacant(entry)) });
      case "UpdatePrimaryRegion":
        return call(view.primary, { PrimaryRegion: any(replicas(entry)) });
      case "RotateKeyOnDemand":
        return call(view.primary, {});
      case "ScheduleKeyDeletion": {
        const region = entry.multiRegion ? any(deletable(entry)) : home;
        return call(region ?? home, { PendingWindowInDays: 7 });
      }
      case "UpdateKeyDescription":
        return call(home, { Description: `description ${this.#serial}` });
      case "TagResource": {
        const TagKey = `tag ${this.#serial % 40}`;
        return call(home, { Tags: [{ TagKey, TagValue: String(this.#serial) }] });
      }
      case "CreateAlias": {
        const AliasName = `alias/${this.#serial}`;
        const input = { AliasName, TargetKeyId: KeyId };
        return { entry, call: { operation: kind, region: home, input } };
      }
    }
  }
}

const replicas = ({ view }: Entry) => view.members.filter((region) => region !== view.primary);

/** Only replicas in other Regions than the first, so that what is kept there stays. */
const deletable = (entry: Entry) => replicas(entry).filter((region) => region !== entry.home);

const vacant = ({ view }: Entry) => regions.filter((region) => !view.members.includes(region));

function isOpenTo(kind: Kind, entry: Entry): boolean {
  const { multiRegion, view } = entry;
  if (entry.busy || entry.gone || Object.keys(view.deletions).length > 0) return false;
  switch (kind) {
    case "ReplicateKey":
      return multiRegion && vacant(entry).length > 0;
    case "UpdatePrimaryRegion":
      return replicas(entry).length > 0;
    case "ScheduleKeyDeletion":
      return multiRegion ? deletable(entry).length > 0 : true;
    case "RotateKeyOnDemand":
      return view.rotations < 20;
    case "CreateAlias":
      return view.aliases.length < 40;
    default:
      return true;
  }
}
