// What KMS holds the proxy of an external key store to before it calls it: that no two stores share
// one, and that its VPC endpoint service is there.
// https://docs.aws.amazon.com/kms/latest/developerguide/create-xks-keystore.html

import {
  type ConnectionErrorCode,
  type ExternalKeyStore,
  type KeyStores,
  type ProxyConfiguration,
  storesOf,
} from "../domain/custom-key-store.ts";
import { validation } from "../errors.ts";
import { proxyCredential, requireConnectivity, type UpdateInput } from "./key-store-properties.ts";
import {
  endpointServiceInUse,
  endpointServiceInvalid,
  endpointServiceNotFound,
  uriEndpointInUse,
  uriInUse,
} from "./key-store-refusals.ts";
import type { KeyStoresView } from "./operation.ts";

/** The proxy of a new store, which no other store has. */
export function newProxy(proxy: ProxyConfiguration, view: KeyStoresView): ProxyConfiguration {
  requireOwnProxy(proxy, view, null);
  requireEndpointService(proxy, view);
  return proxy;
}

/** The proxy of a store after a change; the same object where nothing of it changes. */
export function changedProxy(
  input: UpdateInput,
  store: ExternalKeyStore,
  view: KeyStoresView,
): ProxyConfiguration {
  const before = store.proxy;
  const changes = changesOf(input, before, view.caller.accountId);
  if (Object.keys(changes).length === 0) return before;
  const after = { ...before, ...changes };
  requireConnectivity(after);
  requireOwnProxy(after, view, store.id);
  if (input.XksProxyVpcEndpointServiceName !== undefined) requireEndpointService(after, view);
  return after;
}

function changesOf(
  input: UpdateInput,
  before: ProxyConfiguration,
  accountId: string,
): Partial<ProxyConfiguration> {
  const {
    XksProxyConnectivity: connectivity = before.connectivity,
    XksProxyUriEndpoint: uriEndpoint,
    XksProxyUriPath: uriPath,
    XksProxyAuthenticationCredential: credential,
    XksProxyVpcEndpointServiceName: vpcEndpointServiceName,
    XksProxyVpcEndpointServiceOwner: vpcEndpointServiceOwner,
  } = input;
  const switches = connectivity !== before.connectivity;
  if (switches && uriEndpoint === undefined) {
    throw validation("A change of XksProxyConnectivity needs a new XksProxyUriEndpoint.");
  }
  return {
    // To a public endpoint: "a null or empty string" for what the other kind had.
    ...(switches && {
      connectivity,
      vpcEndpointServiceName: null,
      vpcEndpointServiceOwner: connectivity === "VPC_ENDPOINT_SERVICE" ? accountId : null,
    }),
    ...(uriEndpoint !== undefined && { uriEndpoint }),
    ...(uriPath !== undefined && { uriPath }),
    ...(credential !== undefined && { credential: proxyCredential(credential) }),
    ...(vpcEndpointServiceName !== undefined && { vpcEndpointServiceName }),
    ...(vpcEndpointServiceOwner !== undefined && { vpcEndpointServiceOwner }),
  };
}

/** Hosts are the same in either case, paths are not. */
const hostOf = ({ uriEndpoint }: ProxyConfiguration) => uriEndpoint.toLowerCase();

const isVpc = ({ connectivity }: ProxyConfiguration) => connectivity === "VPC_ENDPOINT_SERVICE";

function requireOwnProxy(
  proxy: ProxyConfiguration,
  { keyStores }: KeyStoresView,
  exceptStore: string | null,
): void {
  for (const other of otherProxies(keyStores, exceptStore)) {
    const sameHost = hostOf(other) === hostOf(proxy);
    if (sameHost && other.uriPath === proxy.uriPath) {
      throw uriInUse(`${proxy.uriEndpoint}${proxy.uriPath}`);
    }
    // Only public endpoints may be shared, and only among themselves.
    if (sameHost && (isVpc(other) || isVpc(proxy))) throw uriEndpointInUse(proxy.uriEndpoint);
    const service = proxy.vpcEndpointServiceName;
    if (service !== null && other.vpcEndpointServiceName === service) {
      throw endpointServiceInUse(service);
    }
  }
}

const otherProxies = (keyStores: KeyStores, exceptStore: string | null) =>
  storesOf(keyStores).flatMap((store) =>
    store.type === "EXTERNAL_KEY_STORE" && store.id !== exceptStore ? [store.proxy] : [],
  );

function requireEndpointService(proxy: ProxyConfiguration, view: KeyStoresView): void {
  const name = proxy.vpcEndpointServiceName ?? "";
  const error = endpointServiceError(proxy, view);
  if (error === "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND") throw endpointServiceNotFound(name);
  if (error) throw endpointServiceInvalid(name);
}

/** What is wrong with the VPC endpoint service of a proxy; null for nothing, and where it has none. */
export function endpointServiceError(
  { vpcEndpointServiceName: name }: ProxyConfiguration,
  { keyStores: { endpointServices }, caller }: KeyStoresView,
): ConnectionErrorCode | null {
  if (name === null) return null;
  const state = Object.hasOwn(endpointServices, name) ? endpointServices[name]?.state : undefined;
  // com.amazonaws.vpce.us-east-1.vpce-svc-…: the service has to be in the key store's own Region.
  const [, , , region] = name.split(".");
  if (region !== caller.region || state === "NOT_FOUND") {
    return "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND";
  }
  return state === "INVALID_CONFIGURATION"
    ? "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION"
    : null;
}
