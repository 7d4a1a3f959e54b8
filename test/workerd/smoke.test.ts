import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

test("health", async () => {
  const response = await exports.default.fetch("http://localhost/health");
  expect(await response.json()).toEqual({ status: "ok" });
});
