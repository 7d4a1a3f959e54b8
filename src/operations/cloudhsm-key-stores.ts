// What KMS asks of the CloudHSM cluster behind a key store, at each step.
// https://docs.aws.amazon.com/kms/latest/developerguide/create-keystore.html#before-keystore

import { type Clusters, clusterOf, historyOf } from "../domain/cloudhsm-cluster.ts";
import { type CloudHsmKeyStore, type KeyStores, storesOf } from "../domain/custom-key-store.ts";
import type { UpdateInput } from "./key-store-properties.ts";
import {
  clusterInUse,
  clusterNeedsHsms,
  clusterNotActive,
  clusterNotFound,
  clusterNotRelated,
  incorrectTrustAnchor,
} from "./key-store-refusals.ts";

type ClusterProperties = Pick<
  CloudHsmKeyStore,
  "type" | "clusterId" | "trustAnchorCertificate" | "password"
>;

/** The cluster of a new store: active, of two HSMs, of no other store, and what its owner says. */
export function newCluster(properties: ClusterProperties, keyStores: KeyStores): ClusterProperties {
  const { clusterId, trustAnchorCertificate } = properties;
  const { clusters } = keyStores;
  requireUsable(clusters, clusterId);
  requireUnused(keyStores, clusterId, null);
  const certificate =
    clusterOf(clusters, clusterId).certificate ??
    clusterOf(clusters, historyOf(clusters, clusterId)).certificate;
  if (certificate !== null && !sameText(certificate, trustAnchorCertificate)) {
    throw incorrectTrustAnchor(clusterId);
  }
  return properties;
}

/** The store's cluster after a change: itself, or one that shares its backup history. */
export function relatedCluster(
  { CloudHsmClusterId, KeyStorePassword }: UpdateInput,
  store: CloudHsmKeyStore,
  keyStores: KeyStores,
): Pick<CloudHsmKeyStore, "clusterId" | "password"> {
  const { clusters } = keyStores;
  const clusterId = CloudHsmClusterId ?? store.clusterId;
  if (CloudHsmClusterId !== undefined) {
    requireUsable(clusters, clusterId);
    if (historyOf(clusters, clusterId) !== historyOf(clusters, store.clusterId)) {
      throw clusterNotRelated(clusterId);
    }
    requireUnused(keyStores, clusterId, store.id);
  }
  return { clusterId, password: KeyStorePassword ?? store.password };
}

/**
 * Refuses at once what KMS sees at a glance; a cluster that is gone, it looks for. Returns no error:
 * how an attempt to connect ends is found when it ends.
 */
export function connectableCluster({ clusterId }: CloudHsmKeyStore, clusters: Clusters): null {
  const { state, hsms } = clusterOf(clusters, clusterId);
  if (state === "DELETED") return null;
  if (state !== "ACTIVE") throw clusterNotActive(clusterId);
  if (hsms < 1) throw clusterNeedsHsms(clusterId, 1);
  return null;
}

/** Throws unless a new key can be made in the cluster; CreateKey has one exception for all of it. */
export function requireRoomForKey({ clusterId }: CloudHsmKeyStore, clusters: Clusters): void {
  const { state, hsms } = clusterOf(clusters, clusterId);
  if (state !== "ACTIVE" || hsms < 2) throw clusterNeedsHsms(clusterId, 2);
}

/** Throws unless the cluster is there, active, and has two active HSMs. */
function requireUsable(clusters: Clusters, id: string): void {
  const { state, hsms } = clusterOf(clusters, id);
  if (state === "DELETED") throw clusterNotFound(id);
  if (state !== "ACTIVE") throw clusterNotActive(id);
  if (hsms < 2) throw clusterNeedsHsms(id, 2);
}

/** Throws where another store is backed by the cluster or one that shares its backup history. */
function requireUnused(keyStores: KeyStores, clusterId: string, exceptStore: string | null): void {
  const history = historyOf(keyStores.clusters, clusterId);
  const used = storesOf(keyStores).some(
    (store) =>
      store.type === "AWS_CLOUDHSM" &&
      store.id !== exceptStore &&
      historyOf(keyStores.clusters, store.clusterId) === history,
  );
  if (used) throw clusterInUse(clusterId);
}

/** Line ends and blanks say nothing in PEM. */
const sameText = (a: string, b: string) => a.replace(/\s/g, "") === b.replace(/\s/g, "");
