// Every external key store proxy that there may be, behind one way out: which hosts may be called at
// all is decided here, before anything is sent.

import type { Bytes } from "../crypto/bytes.ts";
import { type ResolveTable, reachOf } from "./endpoint.ts";
import { healthFailure, type ProxyFailure } from "./failures.ts";
import {
  decrypt,
  encrypt,
  getHealthStatus,
  getKeyMetadata,
  type HealthRequest,
  type KeyRequest,
  type ProxyResult,
  type UseRequest,
  type XksProxy,
} from "./proxy-client.ts";
import type { ExternalKeyMetadata, ProxyCiphertext } from "./responses.ts";

/** One proxy, and as whom KMS calls it from which Region. */
export type ProxyAddress = Pick<XksProxy, "uriEndpoint" | "uriPath" | "credential" | "region">;

/** A key in the key manager behind a proxy. */
export interface ProxyKey extends ProxyAddress {
  readonly xksKeyId: string;
}

export interface Proxies {
  /** What keeps a proxy from being used; null for nothing. */
  health(proxy: ProxyAddress, request: HealthRequest): Promise<ProxyFailure | null>;
  keyMetadata(key: ProxyKey, request: KeyRequest): Promise<ProxyResult<ExternalKeyMetadata>>;
  encrypt(
    key: ProxyKey,
    request: UseRequest,
    plaintext: Bytes,
    authenticatedData: Bytes,
  ): Promise<ProxyResult<ProxyCiphertext>>;
  decrypt(
    key: ProxyKey,
    request: UseRequest,
    sealed: ProxyCiphertext,
    authenticatedData: Bytes,
  ): Promise<ProxyResult<Bytes>>;
}

/** The way out, and the hosts that whoever runs the server has listed. */
export interface WayOut extends Pick<XksProxy, "transport" | "now" | "timeoutMs"> {
  readonly listed: ResolveTable;
  /** Told of every failure, for a log. */
  readonly onFailure?: (failure: ProxyFailure) => void;
}

export function proxiesBy({ listed, onFailure, ...way }: WayOut): Proxies {
  async function asked<T>(
    address: ProxyAddress,
    ask: (proxy: XksProxy) => Promise<ProxyResult<T>>,
  ): Promise<ProxyResult<T>> {
    const reach = reachOf(address.uriEndpoint, listed);
    const result: ProxyResult<T> =
      reach.kind === "refused"
        ? { ok: false, failure: { name: "Unreachable", detail: reach.reason } }
        : await ask({ ...way, ...address });
    if (!result.ok) onFailure?.(result.failure);
    return result;
  }
  return {
    async health(address, request) {
      const result = await asked(address, (proxy) => getHealthStatus(proxy, request));
      return result.ok ? healthFailure(result.value) : result.failure;
    },
    keyMetadata: (key, request) =>
      asked(key, (proxy) => getKeyMetadata(proxy, key.xksKeyId, request)),
    encrypt: (key, request, plaintext, data) =>
      asked(key, (proxy) => encrypt(proxy, key.xksKeyId, request, plaintext, data)),
    decrypt: (key, request, sealed, data) =>
      asked(key, (proxy) => decrypt(proxy, key.xksKeyId, request, sealed, data)),
  };
}
