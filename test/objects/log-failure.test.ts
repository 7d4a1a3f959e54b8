// What LOG=off keeps silent.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { logFailure } from "../../src/objects/log-failure.ts";

afterEach(() => void vi.restoreAllMocks());

test.each([
  [{}, 1],
  [{ LOG: "error" }, 1],
  [{ LOG: "request" }, 1],
  [{ LOG: "off" }, 0],
  [{ LOG: "off", CREATING_MS: "soon" }, 0],
])("with %j a failure has %i lines", (env, lines) => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  logFailure(env, "it failed", new TypeError("why"), { spec: "RSA_2048" });
  const line = { event: "it failed", spec: "RSA_2048", cause: "TypeError: why" };
  expect(log.mock.calls).toEqual(Array.from({ length: lines }, () => [JSON.stringify(line)]));
});

test("objects tell of failures in no other way", () => {
  const folder = fileURLToPath(new URL("../../src/objects/", import.meta.url));
  const telling = readdirSync(folder).filter((file) =>
    readFileSync(folder + file, "utf8").includes("console.error"),
  );
  expect(telling).toEqual(["log-failure.ts"]);
});
