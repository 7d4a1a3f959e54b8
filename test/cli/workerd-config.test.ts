import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { quoted, serverUrl, socketAddress, workerdConfig } from "../../src/cli/workerd-config.ts";
import { resolveTable } from "../../src/xks/endpoint.ts";

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
  const facts = {
    version: "1.2.3",
    compatibilityDate: "2026-01-02",
    compatibilityFlags: ["one", "two"],
    durableObjects: [
      { name: "KEY_SETS", className: "KeySetObject" },
      { name: "KEY_PAIR_POOLS", className: "KeyPairPoolObject" },
    ],
  };
  const setup = {
    host: "::1",
    port: 8787,
    modules: ["worker.mjs", "worker-a.mjs"],
    stateFolder: '/a "b"/state',
    configFolder: '/a "b"/accounts',
    keyPairSocket: "/tmp/a b/key-pairs",
    variables: { DEFAULT_REGION: "us-east-1", LOG: "off" },
    xksHosts: resolveTable(["xks.example.com=127.0.0.1:8443", "b.example.com=[::1]:9443"]),
    xksAuthorities: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
  };
  const text = workerdConfig(facts, setup);

  test.each([
    'compatibilityDate = "2026-01-02"',
    'compatibilityFlags = ["one", "two"]',
    '(name = "KEY_SETS", durableObjectNamespace = "KeySetObject")',
    '(className = "KeySetObject", uniqueKey = "edge-kms-KeySetObject", enableSql = true)',
    '(className = "KeyPairPoolObject", uniqueKey = "edge-kms-KeyPairPoolObject", enableSql = true, preventEviction = true)',
    '(name = "key-pairs", external = (address = "unix:/tmp/a b/key-pairs", http = ()))',
    '(name = "KEY_PAIR_SERVICE", service = "key-pairs")',
    '(name = "DEFAULT_REGION", text = "us-east-1")',
    '(name = "LOG", text = "off")',
    String.raw`disk = (path = "/a \"b\"/state", writable = true)`,
    'address = "[::1]:8787"',
    String.raw`(name = "config", disk = (path = "/a \"b\"/accounts")),`,
    '(name = "CONFIG", service = "config")',
    'esModule = embed "/worker.mjs"',
    'esModule = embed "/worker-a.mjs"',
    '(name = "XKS_0", service = "XKS_0")',
    '(name = "XKS_1", service = "XKS_1")',
    '(name = "XKS_0", external = (address = "127.0.0.1:8443", https = (',
    'certificateHost = "xks.example.com"',
    '(name = "XKS_1", external = (address = "[::1]:9443", https = (',
    '(name = "internet", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true, ',
    String.raw`trustedCertificates = ["-----BEGIN CERTIFICATE-----\x0aAA==`,
  ])("says %s", (part) => {
    expect(text).toContain(part);
  });

  test("binds no service of key pairs where there is none", () => {
    expect(workerdConfig(facts, { ...setup, keyPairSocket: null })).not.toMatch(
      /key-pairs|SERVICE/,
    );
  });

  test("keeps in memory a class that there is", () => {
    const built = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
    expect(built).toContain('class_name = "KeyPairPoolObject"');
  });
});
