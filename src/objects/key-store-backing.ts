// What backs custom key stores and is not KMS's: CloudHSM clusters and VPC endpoint services. What
// the control API says of them is taken in here.

import { type ClusterFacts, clusterOf, withFacts } from "../domain/cloudhsm-cluster.ts";
import type { EndpointServices, KeyStores } from "../domain/custom-key-store.ts";
import { type KeyStoresHost, keyStoresOf } from "../operations/perform-on-key-stores.ts";

export type Said =
  | { readonly kind: "cluster"; readonly id: string; readonly facts: ClusterFacts }
  | {
      readonly kind: "endpointService";
      readonly id: string;
      readonly facts: Partial<EndpointServices[string]>;
    };

/** What is known after something was said; null where that cannot be. */
export function sayOfBacking(said: Said, host: KeyStoresHost): object | null {
  const before = keyStoresOf(host);
  const after = withSaid(before, said);
  if (after) host.save(before, after);
  return after && shown(said.kind, said.id, after);
}

export const backingOf = (kind: Said["kind"], id: string, host: KeyStoresHost): object =>
  shown(kind, id, keyStoresOf(host));

function withSaid(keyStores: KeyStores, said: Said): KeyStores | null {
  if (said.kind === "cluster") {
    const clusters = withFacts(keyStores.clusters, said.id, said.facts);
    return clusters && { ...keyStores, clusters };
  }
  const service = { ...serviceOf(keyStores, said.id), ...said.facts };
  return {
    ...keyStores,
    endpointServices: { ...keyStores.endpointServices, [said.id]: service },
  };
}

const serviceOf = ({ endpointServices }: KeyStores, name: string): EndpointServices[string] =>
  (Object.hasOwn(endpointServices, name) ? endpointServices[name] : undefined) ?? {
    state: "AVAILABLE",
  };

/** Whether a cluster has a password of its own is shown, the password is not. */
function shown(kind: Said["kind"], id: string, keyStores: KeyStores): object {
  if (kind === "endpointService") return { id, ...serviceOf(keyStores, id) };
  const { password, ...cluster } = clusterOf(keyStores.clusters, id);
  return { id, ...cluster, passwordSet: password !== null };
}
