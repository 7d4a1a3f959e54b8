// What a call learns of the custom key store of its key before it comes to the key: one question to
// where key stores are kept, which keys outside custom key stores never ask.

import { keyArn } from "../domain/arn.ts";
import type { KeySet } from "../domain/key-set.ts";
import { KmsError } from "../errors.ts";
import { cryptographicRefusal } from "../xks/failures.ts";
import type { Proxies } from "../xks/proxies.ts";
import type { ProxyResult } from "../xks/proxy-client.ts";
import { dryRunSucceeded } from "./encryption.ts";
import { keyOperations } from "./index.ts";
import type { ExternalKey, KeyStoreOfKey, KeyStoreWanted } from "./key-store-of-key.ts";
import type { Call } from "./perform.ts";
import { type Admission, addressOf, principalArnOf } from "./perform-on-key-stores.ts";

/** Where the key stores of the key's account and Region are asked. */
export interface KeyStoreDesk {
  keyStore(id: string): Promise<KeyStoreOfKey>;
  admitKey(admission: Admission): Promise<KeyStoreOfKey>;
}

/** What a call asks: of the store its key is in, or to be let into one. */
export type KeyStoreQuestion =
  | { readonly kind: "in"; readonly id: string; readonly xksKeyId: string | null }
  | { readonly kind: "into"; readonly wanted: KeyStoreWanted };

/** Null for a call that has to do with no custom key store. Throws what CreateKey refuses. */
export function keyStoreQuestion(set: KeySet | null, call: Call): KeyStoreQuestion | null {
  const record = keyOperations[call.operation];
  if (record?.kind === "create") {
    const wanted = record.keyStore?.(call.input, call.caller) ?? null;
    return wanted && { kind: "into", wanted };
  }
  const place = set?.customKeyStore;
  return place ? { kind: "in", id: place.id, xksKeyId: place.xksKeyId } : null;
}

/** The call with the custom key store it has to know. */
export async function withKeyStore(
  call: Call,
  question: KeyStoreQuestion,
  desk: KeyStoreDesk,
  proxies: Proxies,
): Promise<Call> {
  const { keyId, caller, requestId = "" } = call;
  if (question.kind === "into") {
    const { wanted } = question;
    const keyStore = await desk.admitKey({ keyId, wanted, caller, requestId });
    return { ...call, keyStore: { ...keyStore, externalKey: null } };
  }
  const keyStore = await desk.keyStore(question.id);
  const externalKey = externalKeyOf(call, keyStore, question.xksKeyId, proxies);
  return { ...call, keyStore: { ...keyStore, externalKey } };
}

function externalKeyOf(
  call: Call,
  { proxy }: KeyStoreOfKey,
  xksKeyId: string | null,
  proxies: Proxies,
): ExternalKey | null {
  if (!proxy || xksKeyId === null) return null;
  if ((call.input as { DryRun?: boolean }).DryRun) return untouched;
  const { caller, operation, accountId, keyId, requestId = "" } = call;
  const record = keyOperations[operation];
  const request = {
    awsPrincipalArn: principalArnOf(caller),
    kmsKeyArn: keyArn(caller.region, accountId, keyId),
    kmsOperation: (record && "state" in record && record.state) || operation,
    kmsRequestId: requestId,
  };
  const key = { ...addressOf(proxy, caller), xksKeyId };
  return {
    encrypt: async (plaintext, data) =>
      resultOf(await proxies.encrypt(key, request, plaintext, data)),
    decrypt: async (sealed, data) => resultOf(await proxies.decrypt(key, request, sealed, data)),
  };
}

/** A dry run ends where a proxy would be called. */
const untouched: ExternalKey = {
  encrypt: () => Promise.reject(dryRunSucceeded()),
  decrypt: () => Promise.reject(dryRunSucceeded()),
};

function resultOf<T>(result: ProxyResult<T>): T {
  if (result.ok) return result.value;
  const { type, message } = cryptographicRefusal(result.failure.name);
  throw new KmsError(type, message);
}
