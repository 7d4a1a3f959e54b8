// What time does to custom key stores, and which clusters belong together.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Clusters, historyOf, withFacts } from "../../src/domain/cloudhsm-cluster.ts";
import {
  advanceKeyStores,
  type CloudHsmKeyStore,
  type Connection,
  type KeyStores,
  withStore,
} from "../../src/domain/custom-key-store.ts";

const at = (now: number) => ({
  now,
  random: (length: number) => new Uint8Array(length).fill(7),
  connectingMs: 2000,
});

const store = (id: string, connection: Connection, password = "password"): CloudHsmKeyStore => ({
  type: "AWS_CLOUDHSM",
  id,
  name: id,
  createdAt: 0,
  connection,
  clusterId: `cluster-${id}`,
  trustAnchorCertificate: "CA",
  password,
});

const connecting = (endsAt: number): Connection => ({ state: "CONNECTING", endsAt, error: null });

const keyStores = (clusters: Clusters, ...stores: CloudHsmKeyStore[]): KeyStores =>
  stores.reduce(withStore, { stores: {}, clusters, endpointServices: {} } as KeyStores);

const said = (facts: Parameters<typeof withFacts>[2], id = "cluster-a", before: Clusters = {}) =>
  withFacts(before, id, facts) as Clusters;

describe("advanceKeyStores", () => {
  test("the same object where nothing is due", () => {
    const before = keyStores({}, store("a", connecting(10)), store("b", { state: "CONNECTED" }));
    expect(advanceKeyStores(before, at(9))).toBe(before);
    expect(advanceKeyStores(before, at(10))).not.toBe(before);
  });

  test("in two steps as in one, for any two instants", () => {
    const connection = fc.oneof(
      fc.record({
        state: fc.constantFrom("CONNECTING", "DISCONNECTING"),
        endsAt: fc.nat(100),
        error: fc.constant(null),
      }),
      fc.constantFrom({ state: "CONNECTED" }, { state: "FAILED", error: "NETWORK_ERRORS" }),
    ) as fc.Arbitrary<Connection>;
    const clusters = said({ password: "the-true-one" });
    fc.assert(
      fc.property(
        fc.tuple(connection, connection, connection),
        fc.constantFrom("the-true-one", "a-wrong-one"),
        fc.nat(100),
        fc.nat(100),
        (connections, password, first, more) => {
          const stores = connections.map((each, n) => store("abc".charAt(n), each, password));
          const begun = keyStores(clusters, ...stores);
          const split = advanceKeyStores(advanceKeyStores(begun, at(first)), at(first + more));
          expect(split).toEqual(advanceKeyStores(begun, at(first + more)));
        },
      ),
    );
  });

  test("KMS changes a password that it used, and knows the new one", () => {
    const clusters = said({ password: "the-true-one" });
    const begun = keyStores(clusters, store("a", connecting(1), "the-true-one"));
    const ended = advanceKeyStores(begun, at(1));
    expect(ended.stores.a).toMatchObject({
      connection: { state: "CONNECTED" },
      password: "07".repeat(16),
    });
    expect(ended.clusters["cluster-a"]?.password).toBe("07".repeat(16));
  });
});

describe("backup histories", () => {
  test("go back to the oldest cluster", () => {
    const b = said({ backupOf: "cluster-a" }, "cluster-b");
    const c = said({ backupOf: "cluster-b" }, "cluster-c", b);
    expect(["cluster-a", "cluster-b", "cluster-c"].map((id) => historyOf(c, id))).toEqual(
      Array(3).fill("cluster-a"),
    );
    expect(historyOf(c, "cluster-d")).toBe("cluster-d");
  });

  test("have a beginning", () => {
    expect(withFacts({}, "cluster-a", { backupOf: "cluster-a" })).toBeNull();
    const b = said({ backupOf: "cluster-a" }, "cluster-b");
    expect(withFacts(b, "cluster-a", { backupOf: "cluster-b" })).toBeNull();
    expect(withFacts(b, "cluster-b", { backupOf: "cluster-a", hsms: 3 })).not.toBeNull();
  });
});
