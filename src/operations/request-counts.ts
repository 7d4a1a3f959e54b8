// Where the requests of a call are counted. They are those of the account that calls, in the Region
// it calls, whoever's the key is; a custom key store has a quota of its own where it is.

import type { KeySet } from "../domain/key-set.ts";
import type { Region } from "../domain/region.ts";
import {
  countsByKey,
  perSecondOf,
  type RequestQuotas,
  requestQuotaOf,
  type Towards,
  towardsByRequest,
} from "../domain/request-quota.ts";
import { throttled } from "../errors.ts";
import type { ReEncryptTo } from "./encryption.ts";
import type { Caller } from "./operation.ts";
import type { Call } from "./perform.ts";

/** Requests to be counted. */
export interface RequestCount {
  /** What they are counted by: the quota, and whose it is where that is not the account's. */
  readonly name: string;
  readonly perSecond: number;
  readonly requests: number;
}

/** Where requests of an account in a Region are counted. */
export interface RequestCounter {
  /** Whether there is room for them; nothing is counted where there is none. */
  admits(count: RequestCount): Promise<boolean>;
}

/** A count and the account and Region that has it. */
interface PlacedCount {
  readonly accountId: string;
  readonly region: Region;
  readonly count: RequestCount;
}

/** What a request counts by its name and its input; for cryptographic operations see below. */
export function countsOfRequest(
  operation: string,
  input: object,
  { accountId, region }: Caller,
  quotas: RequestQuotas,
): readonly PlacedCount[] {
  const counts = towardsByRequest(operation, input, region);
  const { CustomKeyStoreId } = input as { readonly CustomKeyStoreId?: string };
  return [
    ...counts.flatMap((towards) => placed(towards, accountId, quotas)),
    ...(operation === "GenerateRandom" && CustomKeyStoreId !== undefined
      ? ofKeyStore(CustomKeyStoreId, accountId, region, quotas)
      : []),
  ];
}

/** What a step counts on a key set; null where there is none of that key. */
export function countsOnKey(
  { operation, input, caller, accountId }: Call,
  set: KeySet | null,
  quotas: RequestQuotas,
): readonly PlacedCount[] {
  if (!countsByKey(operation)) return [];
  const { region } = caller;
  const quota = requestQuotaOf(set?.keySpec ?? null);
  const store = set?.customKeyStore;
  return [
    ...(operation === "ReEncryptTo" && quota === quotaOfSource(input)
      ? []
      : placed({ quota, region, requests: 1 }, caller.accountId, quotas)),
    ...(store ? ofKeyStore(store.id, accountId, region, quotas) : []),
  ];
}

/** A ReEncrypt counts once towards a quota, though each of its keys does. */
const quotaOfSource = (input: object) => requestQuotaOf((input as ReEncryptTo).SourceKeySpec);

function placed(
  { quota, region, requests }: Towards,
  accountId: string,
  quotas: RequestQuotas,
  name: string = quota,
): readonly PlacedCount[] {
  const perSecond = perSecondOf(quotas, quota, region);
  if (perSecond === null) return [];
  return [{ accountId, region, count: { name, perSecond, requests } }];
}

const ofKeyStore = (id: string, accountId: string, region: Region, quotas: RequestQuotas) =>
  placed(
    { quota: "CustomKeyStore", region, requests: 1 },
    accountId,
    quotas,
    `CustomKeyStore/${id}`,
  );

/** Counts requests wherever they count. Throws ThrottlingException where there is no room for one. */
export async function requireAdmitted(
  counts: readonly PlacedCount[],
  counterOf: (accountId: string, region: Region) => RequestCounter,
): Promise<void> {
  const admitted = await Promise.all(
    counts.map(({ accountId, region, count }) =>
      counterOf(accountId, region).admits(count).catch(refusedByLoad),
    ),
  );
  if (admitted.includes(false)) throw throttled();
}

/** Who counts may itself have more to do than it can, which is no other answer. */
function refusedByLoad(error: unknown): boolean {
  if ((error as { readonly overloaded?: boolean }).overloaded) return false;
  throw error;
}
