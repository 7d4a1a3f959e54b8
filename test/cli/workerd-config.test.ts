import { describe, expect, test } from "vitest";
import { quoted, serverUrl, socketAddress, workerdConfig } from "../../src/cli/workerd-config.ts";

test.each([
  ["plain", '"plain"'],
  ["", '""'],
  ['say "hi"', String.raw`"say \"hi\""`],
  ["C:\\data", String.raw`"C:\\data"`],
  ["a\nb\tc\0d\x7f", String.raw`"a\x0ab\x09c\x00d\x7f"`],
  ["Schlüssel 🔑", '"Schlüssel 🔑"'],
])("the text literal of %j", (text, literal) => {
  expect(quoted(text)).toBe(literal);
});

describe("an address", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1:80"],
    ["localhost", "localhost:80"],
    ["::1", "[::1]:80"],
    ["[::1]", "[::1]:80"],
  ])("%s is listened on as %s", (host, address) => {
    expect(socketAddress(host, 80)).toBe(address);
  });

  test.each([
    ["127.0.0.1", "http://127.0.0.1:80"],
    ["0.0.0.0", "http://127.0.0.1:80"],
    ["::", "http://[::1]:80"],
    ["::1", "http://[::1]:80"],
  ])("%s is called at %s", (host, url) => {
    expect(serverUrl(host, 80)).toBe(url);
  });
});

describe("the configuration", () => {
  const text = workerdConfig(
    {
      version: "1.2.3",
      compatibilityDate: "2026-01-02",
      compatibilityFlags: ["one", "two"],
      durableObjects: [{ name: "KEY_SETS", className: "KeySetObject" }],
    },
    {
      host: "::1",
      port: 8787,
      bundleName: "worker.mjs",
      stateFolder: '/a "b"/state',
      configFolder: '/a "b"/accounts',
      variables: { DEFAULT_REGION: "us-east-1", LOG: "off" },
    },
  );

  test.each([
    'compatibilityDate = "2026-01-02"',
    'compatibilityFlags = ["one", "two"]',
    '(name = "KEY_SETS", durableObjectNamespace = "KeySetObject")',
    '(className = "KeySetObject", uniqueKey = "edge-kms-KeySetObject", enableSql = true)',
    '(name = "DEFAULT_REGION", text = "us-east-1")',
    '(name = "LOG", text = "off")',
    String.raw`disk = (path = "/a \"b\"/state", writable = true)`,
    'address = "[::1]:8787"',
    String.raw`(name = "config", disk = (path = "/a \"b\"/accounts")),`,
    '(name = "CONFIG", service = "config")',
    'esModule = embed "/worker.mjs"',
  ])("says %s", (part) => {
    expect(text).toContain(part);
  });
});
