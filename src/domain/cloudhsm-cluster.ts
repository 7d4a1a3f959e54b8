// AWS CloudHSM clusters, as far as KMS looks at them. There is none here: every well-formed ID is an
// active cluster with two HSMs that takes any password, until something else is said of it.
// https://docs.aws.amazon.com/cloudhsm/latest/APIReference/API_Cluster.html

import type { ConnectionErrorCode } from "./custom-key-store.ts";

export const clusterStates = [
  "CREATE_IN_PROGRESS",
  "UNINITIALIZED",
  "INITIALIZE_IN_PROGRESS",
  "INITIALIZED",
  "ACTIVE",
  "UPDATE_IN_PROGRESS",
  "MODIFY_IN_PROGRESS",
  "ROLLBACK_IN_PROGRESS",
  "DELETE_IN_PROGRESS",
  "DELETED",
  "DEGRADED",
] as const;

export interface CloudHsmCluster {
  readonly state: (typeof clusterStates)[number];
  /** Active HSMs, each in an Availability Zone of its own. */
  readonly hsms: number;
  /** customerCA.crt, with which the cluster was initialized; null takes whatever KMS is told. */
  readonly certificate: string | null;
  /** The password of the crypto user `kmsuser`; null lets any in. */
  readonly password: string | null;
  /** The cluster from whose backup it was made; both have one backup history. */
  readonly backupOf: string | null;
  /** What the next attempts to connect run into, whatever else is right. */
  readonly connectionError: ConnectionErrorCode | null;
  /** Log-ins of `kmsuser` that failed since its password was set. */
  readonly failedLogins: number;
}

const unmentioned: CloudHsmCluster = {
  state: "ACTIVE",
  hsms: 2,
  certificate: null,
  password: null,
  backupOf: null,
  connectionError: null,
  failedLogins: 0,
};

/** What was said of clusters, by their IDs. */
export interface Clusters {
  readonly [clusterId: string]: CloudHsmCluster;
}

/** How many wrong passwords lock `kmsuser` out, until its password is set anew. */
const MAX_FAILED_LOGINS = 5;

export function clusterOf(clusters: Clusters, id: string): CloudHsmCluster {
  return (Object.hasOwn(clusters, id) ? clusters[id] : undefined) ?? unmentioned;
}

/** The oldest cluster of a backup history, which stands for all of it. */
export function historyOf(clusters: Clusters, id: string): string {
  const seen = new Set<string>();
  let oldest = id;
  for (let next: string | null = id; next !== null && !seen.has(next); ) {
    seen.add(next);
    oldest = next;
    next = clusterOf(clusters, next).backupOf;
  }
  return oldest;
}

/** What is said of a cluster; members that are left out stay as they were. */
export type ClusterFacts = Partial<Omit<CloudHsmCluster, "failedLogins">>;

/**
 * The clusters after something was said of one; null where that makes it the backup of itself. A
 * password that is set unlocks `kmsuser`.
 */
export function withFacts(clusters: Clusters, id: string, facts: ClusterFacts): Clusters | null {
  if (facts.backupOf && historyOf(clusters, facts.backupOf) === historyOf(clusters, id)) {
    if (clusterOf(clusters, id).backupOf !== facts.backupOf) return null;
  }
  const before = clusterOf(clusters, id);
  const failedLogins = facts.password === undefined ? before.failedLogins : 0;
  return { ...clusters, [id]: { ...before, ...facts, failedLogins } };
}

/** An attempt of KMS to log in: how it ended, and what it leaves behind. */
export interface LogIn {
  readonly error: ConnectionErrorCode | null;
  readonly cluster: CloudHsmCluster;
  /** What KMS knows as the password from now on. */
  readonly password: string;
}

/**
 * The end of an attempt to connect: KMS finds the cluster, logs in as `kmsuser` and changes the
 * password to one that only it knows, `nextPassword`.
 * https://docs.aws.amazon.com/kms/latest/developerguide/fix-keystore.html#fix-keystore-failed
 */
export function logIn(cluster: CloudHsmCluster, password: string, nextPassword: string): LogIn {
  const failed = (error: ConnectionErrorCode, failedLogins = cluster.failedLogins): LogIn => ({
    error,
    cluster: { ...cluster, failedLogins },
    password,
  });
  if (cluster.state === "DELETED") return failed("CLUSTER_NOT_FOUND");
  if (cluster.connectionError) return failed(cluster.connectionError);
  if (cluster.hsms < 1) return failed("INSUFFICIENT_CLOUDHSM_HSMS");
  if (cluster.failedLogins >= MAX_FAILED_LOGINS) return failed("USER_LOCKED_OUT");
  if (cluster.password === null) return { error: null, cluster, password };
  if (cluster.password !== password) {
    return failed("INVALID_CREDENTIALS", cluster.failedLogins + 1);
  }
  const changed = { ...cluster, password: nextPassword, failedLogins: 0 };
  return { error: null, cluster: changed, password: nextPassword };
}
