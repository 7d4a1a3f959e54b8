// Lists in pages, and what a marker is good for.

import { describe, expect, test } from "vitest";
import { KmsError } from "../../src/errors.ts";
import { markerPosition, page, pageLimit, pageOf } from "../../src/operations/pages.ts";
import { outcome, World } from "../support/core.ts";

const REGION = "us-east-1";
const INVALID = "InvalidMarkerException";

const size = { standard: 3, max: 5 };

function thrown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof KmsError)
      return error.text === null ? error.type : `${error.type}: ${error.text}`;
    throw error;
  }
  return "ok";
}

describe("the length of a page", () => {
  test("is what is asked for, within the operation's bounds", () => {
    expect(pageLimit({}, size)).toBe(3);
    expect(pageLimit({ Limit: 1 }, size)).toBe(1);
    expect(pageLimit({ Limit: 5 }, size)).toBe(5);
    expect(pageLimit({ Limit: 1000 }, size)).toBe(5);
  });
});

describe("a page", () => {
  const named = (item: string) => item;

  test("with more to come says where to go on", () => {
    const { items, output } = page("List", ["a", "b", "c"], 2, named);
    expect(items).toEqual(["a", "b"]);
    expect(output).toEqual({ Truncated: true, NextMarker: expect.any(String) });
    expect(markerPosition("List", output.NextMarker)).toBe("b");
  });

  test("that is the last, full or not or empty, has no marker", () => {
    for (const items of [["a", "b"], ["a"], []]) {
      expect(page("List", items, 2, named)).toEqual({ items, output: { Truncated: false } });
    }
  });

  test("of a list at hand begins where the last one ended, also past its end", () => {
    const all = [1, 2, 3, 4, 5, 6, 7];
    const first = pageOf("List", all, {}, size);
    expect(first.items).toEqual([1, 2, 3]);
    const second = pageOf("List", all, { Limit: 5, Marker: first.output.NextMarker }, size);
    expect(second).toEqual({ items: [4, 5, 6, 7], output: { Truncated: false } });
    const shorter = pageOf("List", [1, 2], { Marker: first.output.NextMarker }, size);
    expect(shorter).toEqual({ items: [], output: { Truncated: false } });
  });
});

describe("a marker", () => {
  test("is in the characters that markers may have", () => {
    const { output } = page("List", ["ÿ ", "b"], 1, (item) => item);
    expect(output.NextMarker).toMatch(/^[\u0020-\u00FF]{1,1024}$/);
    expect(markerPosition("List", output.NextMarker)).toBe("ÿ ");
  });

  test("that is absent is the beginning", () => {
    expect(markerPosition("List", undefined)).toBe("");
  });

  test.for([" ", "a", "marker", "ÿÿÿÿ", btoa("Other:1"), btoa("List"), btoa("list:1")])(
    "%j is none of the operation",
    (marker) => {
      expect(thrown(() => markerPosition("List", marker))).toBe(INVALID);
    },
  );

  test.for(["-1", "1.5", "1e3", "x", "1 ", "9".repeat(20)])(
    "of the position %j is none of a list at hand",
    (position) => {
      const Marker = btoa(`List:${position}`);
      expect(thrown(() => pageOf("List", [1, 2], { Marker }, size))).toBe(INVALID);
    },
  );
});

describe("the operations with pages", () => {
  const listing = ["ListKeys", "ListAliases", "ListResourceTags", "ListKeyRotations"];

  async function prepared() {
    const world = new World();
    const Tags = ["a", "b"].map((TagKey) => ({ TagKey, TagValue: "" }));
    const { KeyId } = await world.createKey(REGION, { Tags });
    await world.createKey(REGION);
    const list = (operation: string, more: object) => {
      const key = operation === "ListKeys" || operation === "ListAliases" ? {} : { KeyId };
      return world.call<{ NextMarker?: string }>(REGION, operation, { ...key, ...more });
    };
    return { list };
  }

  test.for(listing)(
    "%s refuses markers that it did not give, and lengths out of bounds",
    async (operation) => {
      const { list } = await prepared();
      expect(await outcome(list(operation, { Marker: "marker" }))).toBe(INVALID);
      expect(await outcome(list(operation, { Marker: "" }))).toMatch(
        /^ValidationException: 1 .*'marker'/,
      );
      expect(await outcome(list(operation, { Marker: "Ā" }))).toMatch(
        /^ValidationException: 1 .*'marker'/,
      );
      expect(await outcome(list(operation, { Limit: 0 }))).toBe(
        "ValidationException: 1 validation error detected: Value '0' at 'limit' failed to satisfy " +
          "constraint: Member must have value greater than or equal to 1",
      );
      expect(await outcome(list(operation, { Limit: 1001 }))).toBe(
        "ValidationException: 1 validation error detected: Value '1001' at 'limit' failed to satisfy " +
          "constraint: Member must have value less than or equal to 1000",
      );
    },
  );

  test("ListKeyPolicies has no second page and asks for no marker", async () => {
    const { list } = await prepared();
    for (const more of [{}, { Limit: 1 }, { Marker: "anything" }]) {
      expect(await list("ListKeyPolicies", more)).toEqual({
        PolicyNames: ["default"],
        Truncated: false,
      });
    }
    expect(await outcome(list("ListKeyPolicies", { Limit: 1001 }))).toMatch(/^ValidationException/);
    expect(await outcome(list("ListKeyPolicies", { Marker: "" }))).toMatch(/^ValidationException/);
  });

  test("do not take one another's markers", async () => {
    const { list } = await prepared();
    for (const operation of ["ListKeys", "ListAliases", "ListResourceTags"]) {
      const { NextMarker } = await list(operation, { Limit: 1 });
      expect(NextMarker).toEqual(expect.any(String));
      for (const other of listing.filter((name) => name !== operation)) {
        expect(await outcome(list(other, { Marker: NextMarker }))).toBe(INVALID);
      }
      expect(await outcome(list(operation, { Marker: NextMarker }))).toBe("ok");
    }
  });
});
