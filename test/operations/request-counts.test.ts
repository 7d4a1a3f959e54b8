// Where the requests of a call are counted, and what becomes of one that is not admitted.

import { describe, expect, test } from "vitest";
import type { KeySet } from "../../src/domain/key-set.ts";
import { parseRequestQuotas, type RequestQuotas } from "../../src/domain/request-quota.ts";
import {
  countsOfRequest,
  countsOnKey,
  type RequestCounter,
  requireAdmitted,
} from "../../src/operations/request-counts.ts";

const [OWNER, GUEST] = ["111122223333", "444455556666"] as const;
const caller = { accountId: GUEST, region: "eu-west-1" } as const;
const aws = parseRequestQuotas("aws") as RequestQuotas;

const shown = (counts: ReturnType<typeof countsOnKey>) =>
  counts.map(({ accountId, region, count }) =>
    [accountId, region, count.name, count.perSecond, count.requests].join(" "),
  );

const onKey = (operation: string, set: Partial<KeySet> | null, input: object = {}) =>
  shown(
    countsOnKey(
      { operation, input, caller, accountId: OWNER, keyId: "k" },
      set as KeySet | null,
      aws,
    ),
  );

const customKeyStore = { id: "cks-1", cloudHsmClusterId: null, xksKeyId: null };

describe("a step on a key counts", () => {
  test.each([
    ["Encrypt", { keySpec: "SYMMETRIC_DEFAULT" }, [`${GUEST} eu-west-1 Symmetric 100000 1`]],
    ["Encrypt", { keySpec: "RSA_4096" }, [`${GUEST} eu-west-1 RSA 1000 1`]],
    ["Encrypt", null, [`${GUEST} eu-west-1 Symmetric 100000 1`]],
    [
      "Decrypt",
      { keySpec: "SYMMETRIC_DEFAULT", customKeyStore },
      [`${GUEST} eu-west-1 Symmetric 100000 1`, `${OWNER} eu-west-1 CustomKeyStore/cks-1 1800 1`],
    ],
    ["DescribeKey", { keySpec: "SYMMETRIC_DEFAULT", customKeyStore }, []],
    ["ReEncryptUndone", { keySpec: "SYMMETRIC_DEFAULT" }, []],
  ] satisfies [string, Partial<KeySet> | null, string[]][])("%s %o", (operation, set, expected) => {
    expect(onKey(operation, set)).toEqual(expected);
  });

  test("once for both keys of a ReEncrypt that are of one type, and in each key store", () => {
    const from = { SourceKeySpec: "HMAC_256" };
    const set: Partial<KeySet> = { keySpec: "SYMMETRIC_DEFAULT" };
    expect(onKey("ReEncryptTo", set, from)).toEqual([]);
    expect(onKey("ReEncryptTo", { ...set, customKeyStore }, from)).toEqual([
      `${OWNER} eu-west-1 CustomKeyStore/cks-1 1800 1`,
    ]);
    expect(onKey("ReEncryptTo", { keySpec: "RSA_2048" }, from)).toEqual([
      `${GUEST} eu-west-1 RSA 1000 1`,
    ]);
  });
});

test("random bytes of a custom key store count there, too", () => {
  const counts = countsOfRequest("GenerateRandom", { CustomKeyStoreId: "cks-1" }, caller, aws);
  expect(shown(counts)).toEqual([
    `${GUEST} eu-west-1 Symmetric 100000 1`,
    `${GUEST} eu-west-1 CustomKeyStore/cks-1 1800 1`,
  ]);
});

describe("a call is admitted", () => {
  const counts = countsOfRequest("ReplicateKey", { ReplicaRegion: "us-east-1" }, caller, aws);
  const asked = (admits: (region: string) => Promise<boolean>) =>
    requireAdmitted(
      counts,
      (_account, region): RequestCounter => ({ admits: () => admits(region) }),
    );

  test("where every counter has room", async () => {
    await asked(async () => true);
  });

  test.each(["us-east-1", "eu-west-1"])("not where that in %s has none", async (full) => {
    const refused = asked(async (region) => region !== full);
    await expect(refused).rejects.toMatchObject({ type: "ThrottlingException" });
  });

  test("not where a counter has too much to do; any other failure is one", async () => {
    const overloaded = Object.assign(new Error("overloaded"), { overloaded: true });
    await expect(asked(() => Promise.reject(overloaded))).rejects.toMatchObject({
      type: "ThrottlingException",
    });
    await expect(asked(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});
