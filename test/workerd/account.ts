// An account of the emulator as its tests see it: the API from without, and its Durable Objects from
// within. Storage lasts for a whole test file, so each test takes an account of its own.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type {
  DirectoryObject,
  KeyPairPoolObject,
  KeySetObject,
  TenantObject,
  TenantRegistryObject,
} from "../../src/index.ts";
import { DEFAULT_GENERATION, directoryName, keySetName } from "../../src/objects/names.ts";

export const SECOND_MS = 1000;
export const DAY_MS = 86_400_000;
/** So far ahead that no alarm goes off unless a test lets it. */
const START = Date.UTC(2040, 0, 1);

/** Tests set the time; every test begins at the same instant. */
export function useTestClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(START);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}

/** Lets time pass. No alarm goes off by itself. */
export const pass = (ms: number) => void vi.setSystemTime(Date.now() + ms);

export interface Answer {
  readonly status: number;
  readonly requestId: string;
  readonly text: string;
}

export interface KeyMetadata {
  readonly KeyId: string;
  readonly KeyState: string;
  readonly CreationDate: number;
  readonly DeletionDate?: number;
  readonly CurrentKeyMaterialId?: string;
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: string;
    readonly PrimaryKey: { readonly Region: string };
    readonly ReplicaKeys: readonly { readonly Region: string }[];
  };
}

let accounts = 0;

export class Account {
  readonly id = String(++accounts).padStart(12, "0");

  async send(region: string, operation: string, input: object = {}): Promise<Answer> {
    const credential = `${this.id}/20400101/${region}/kms/aws4_request`;
    const response = await exports.default.fetch("http://localhost/", {
      method: "POST",
      headers: {
        "x-amz-target": `TrentService.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    });
    const { status, headers } = response;
    return {
      status,
      requestId: headers.get("x-amzn-requestid") ?? "",
      text: await response.text(),
    };
  }

  /** The answer of a call that has to succeed. */
  async call<T = unknown>(region: string, operation: string, input: object = {}): Promise<T> {
    const { status, text } = await this.send(region, operation, input);
    expect([operation, status, status === 200 ? "" : text]).toEqual([operation, 200, ""]);
    return (text === "" ? null : JSON.parse(text)) as T;
  }

  /** The name of the exception a call is refused with. */
  async refusal(region: string, operation: string, input: object = {}): Promise<string> {
    const { status, text } = await this.send(region, operation, input);
    expect([operation, status, text]).not.toEqual([operation, 200, text]);
    return (JSON.parse(text) as { __type: string }).__type;
  }

  async createKey(region: string, input: object = {}): Promise<string> {
    const answer = await this.call<{ KeyMetadata: KeyMetadata }>(region, "CreateKey", input);
    return answer.KeyMetadata.KeyId;
  }

  /** A multi-Region key with replicas that are still `Creating`. */
  async createSet(primary: string, ...replicas: readonly string[]): Promise<string> {
    const KeyId = await this.createKey(primary, { MultiRegion: true });
    for (const ReplicaRegion of replicas) {
      await this.call(primary, "ReplicateKey", { KeyId, ReplicaRegion });
    }
    return KeyId;
  }

  async describe(region: string, KeyId: string): Promise<KeyMetadata> {
    const answer = await this.call<{ KeyMetadata: KeyMetadata }>(region, "DescribeKey", { KeyId });
    return answer.KeyMetadata;
  }

  /** `KeyState`, or null where there is no such key. */
  async stateOf(region: string, KeyId: string): Promise<string | null> {
    const { status, text } = await this.send(region, "DescribeKey", { KeyId });
    if (status !== 200) return null;
    return (JSON.parse(text) as { KeyMetadata: KeyMetadata }).KeyMetadata.KeyState;
  }

  async encrypt(region: string, KeyId: string, text = "text"): Promise<string> {
    const input = { KeyId, Plaintext: btoa(text) };
    const answer = await this.call<{ CiphertextBlob: string }>(region, "Encrypt", input);
    return answer.CiphertextBlob;
  }

  async decrypt(region: string, CiphertextBlob: string): Promise<string> {
    const answer = await this.call<{ Plaintext: string }>(region, "Decrypt", { CiphertextBlob });
    return atob(answer.Plaintext);
  }

  async listKeys(region: string): Promise<readonly string[]> {
    const answer = await this.call<{ Keys: { KeyId: string }[]; Truncated: boolean }>(
      region,
      "ListKeys",
      { Limit: 1000 },
    );
    expect(answer.Truncated).toBe(false);
    return answer.Keys.map(({ KeyId }) => KeyId);
  }

  /** The account's own aliases with the keys they name. */
  async listAliases(region: string): Promise<Record<string, string>> {
    const { Aliases } = await this.call<{
      Aliases: { AliasName: string; TargetKeyId?: string }[];
    }>(region, "ListAliases", { Limit: 100 });
    return Object.fromEntries(
      Aliases.flatMap(({ AliasName, TargetKeyId }) =>
        TargetKeyId === undefined ? [] : [[AliasName, TargetKeyId]],
      ),
    );
  }

  keySet(keyId: string): DurableObjectStub<KeySetObject> {
    return env.KEY_SETS.getByName(keySetName(DEFAULT_GENERATION, this.id, keyId));
  }

  directory(region: string): DurableObjectStub<DirectoryObject> {
    return env.DIRECTORIES.getByName(directoryName(DEFAULT_GENERATION, this.id, region));
  }
}

export const tenant = (): DurableObjectStub<TenantObject> =>
  env.TENANTS.getByName(DEFAULT_GENERATION);

type AnyStub =
  | DurableObjectStub<KeySetObject>
  | DurableObjectStub<DirectoryObject>
  | DurableObjectStub<KeyPairPoolObject>
  | DurableObjectStub<TenantObject>
  | DurableObjectStub<TenantRegistryObject>;

/** Runs in an object, whatever its class. */
export const inside = <T>(stub: AnyStub, run: (state: DurableObjectState) => T | Promise<T>) =>
  runInDurableObject(stub as DurableObjectStub, (_object: unknown, state) => run(state));

type Row = Record<string, SqlStorageValue>;

/** The rows of a table; none where there is no such table. */
export const rowsOf = <T extends object = Row>(stub: AnyStub, table: string): Promise<T[]> =>
  inside(stub, ({ storage: { sql } }) =>
    tablesIn(sql).includes(table) ? (sql.exec<Row>(`SELECT * FROM ${table}`).toArray() as T[]) : [],
  );

/** Everything that an object keeps. */
export const everythingIn = (stub: AnyStub) =>
  inside(stub, async ({ storage }) => ({
    tables: Object.fromEntries(
      tablesIn(storage.sql).map((table) => [
        table,
        storage.sql.exec<Row>(`SELECT * FROM ${table}`).toArray(),
      ]),
    ),
    alarm: await storage.getAlarm(),
  }));

export const nothing = { tables: {}, alarm: null };

/** How many rows were written since the object was last loaded. */
export const rowsWritten = (stub: AnyStub): Promise<number> =>
  inside(
    stub,
    ({ storage: { sql } }) => sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n,
  );

function tablesIn(sql: SqlStorage): readonly string[] {
  return sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .toArray()
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("_cf_"));
}

export const alarmOf = (stub: AnyStub) => inside(stub, ({ storage }) => storage.getAlarm());

/** The alarm will never go off, and nothing in memory remembers it. */
export async function loseAlarm(stub: AnyStub): Promise<void> {
  await inside(stub, ({ storage }) => storage.deleteAlarm());
  await evictDurableObject(stub);
}

/** The object and all it has in memory are gone; what was under way fails, and so does this stub. */
export async function crash(stub: AnyStub): Promise<void> {
  await inside(stub, (state) => state.abort("crashed by a test")).catch(() => {});
}

/** A key's state as it is stored, which no request has brought to the present. */
export async function storedState(
  stub: DurableObjectStub<KeySetObject>,
  region: string,
): Promise<string | undefined> {
  const rows = await rowsOf<{ region: string; json: string }>(stub, "key");
  const json = rows.find((row) => row.region === region)?.json;
  return json === undefined ? undefined : (JSON.parse(json) as { state: string }).state;
}

/** The properties that related keys share, as they are stored. */
export async function storedShared<T>(stub: DurableObjectStub<KeySetObject>): Promise<T> {
  const [row] = await rowsOf<{ json: string }>(stub, "shared");
  return JSON.parse(row?.json ?? "null") as T;
}

/** What is written to the log of errors; it does not reach the test's output. */
export function errorsLogged(): readonly string[] {
  const lines: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void lines.push(String(line)));
  return lines;
}
