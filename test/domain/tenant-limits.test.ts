// What a tenant may have and do: how a setting says it, and what holds for one.

import { describe, expect, test } from "vitest";
import {
  heldLimits,
  hostedTenantLimits,
  noTenantLimits,
  parseTenantLimits,
  tenantLimitsFrom,
} from "../../src/domain/tenant-limits.ts";

describe("the setting", () => {
  test("nothing, a deployment's, a deployment's with others, and those that are named alone", () => {
    expect(parseTenantLimits("off")).toEqual({
      keys: null,
      requestsPerSecond: null,
      storage: null,
    });
    expect(parseTenantLimits("hosted")).toEqual({
      keys: 10_000,
      requestsPerSecond: 200,
      storage: 1_000_000_000,
    });
    expect(parseTenantLimits("hosted, keys=5")).toEqual({ ...hostedTenantLimits, keys: 5 });
    expect(parseTenantLimits("storage=1000000000000,requestsPerSecond=1")).toEqual({
      keys: null,
      requestsPerSecond: 1,
      storage: 1_000_000_000_000,
    });
  });

  test.each([
    ...["", "on", "keys", "keys=", "keys=0", "keys=-1", "keys=1.5", "keys=1e3", "KEYS=1"],
    ...["keys=1,", "keys=1000000000001", "off,keys=1", "keys=1,hosted", "toString=1", "cats=1"],
  ])("%j is none", (text) => {
    expect(() => parseTenantLimits(text)).toThrow(
      /^expects off, hosted or NAME=NUMBER,… .* keys, requestsPerSecond, storage, not "/,
    );
  });
});

describe("of one tenant", () => {
  test("its own hold, and where it has none the setting's", () => {
    const own = { ...noTenantLimits, requestsPerSecond: 5000 };
    expect(heldLimits(own, hostedTenantLimits)).toEqual({
      ...hostedTenantLimits,
      requestsPerSecond: 5000,
    });
    expect(heldLimits(own, noTenantLimits)).toEqual(own);
  });

  test("what is said of it is whole numbers from 1 on, or nothing", () => {
    expect(tenantLimitsFrom({})).toEqual(noTenantLimits);
    expect(tenantLimitsFrom({ keys: 1, storage: null })).toEqual({ ...noTenantLimits, keys: 1 });
    for (const wrong of [0, -1, 1.5, "5", Number.NaN, 1e13, true, {}]) {
      expect([wrong, tenantLimitsFrom({ keys: wrong })]).toEqual([wrong, null]);
    }
  });
});
