import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  isStandardSetup,
  quoted,
  serverUrl,
  socketAddress,
  standardSetup,
  workerdConfig,
  workerdOptions,
} from "../../src/cli/workerd-config.ts";
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
    modules: ["worker.mjs", "worker-a.mjs"],
    hasKeyPairs: true,
    hasConfig: true,
    variables: ["DEFAULT_REGION", "LOG"],
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
    '(name = "key-pairs", external = (http = ()))',
    '(name = "KEY_PAIR_SERVICE", service = "key-pairs")',
    '(name = "DEFAULT_REGION", fromEnvironment = "DEFAULT_REGION")',
    '(name = "LOG", fromEnvironment = "LOG")',
    '(name = "disk", disk = (writable = true))',
    '(name = "config", disk = ())',
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
    expect(workerdConfig(facts, { ...setup, hasKeyPairs: false })).not.toMatch(/key-pairs|SERVICE/);
  });

  test("leaves the addresses to the command line", () => {
    const addresses = {
      host: "::1",
      port: 8787,
      stateFolder: '/a "b"/state',
      configFolder: "/a b/accounts",
      keyPairSocket: "/tmp/a b/key-pairs",
    };
    expect(workerdOptions(addresses)).toEqual([
      "--socket-addr=http=[::1]:8787",
      '--directory-path=disk=/a "b"/state',
      "--external-addr=key-pairs=unix:/tmp/a b/key-pairs",
      "--directory-path=config=/a b/accounts",
    ]);
    expect(workerdOptions({ ...addresses, configFolder: null, keyPairSocket: null })).toEqual([
      "--socket-addr=http=[::1]:8787",
      '--directory-path=disk=/a "b"/state',
    ]);
  });

  test("is standard only where nothing else is asked for", () => {
    const standard = standardSetup(setup.modules, setup.variables);
    expect(isStandardSetup(standard)).toBe(true);
    const { xksHosts, xksAuthorities } = setup;
    for (const other of [
      { hasKeyPairs: false },
      { hasConfig: true },
      { xksHosts },
      { xksAuthorities },
    ]) {
      expect(isStandardSetup({ ...standard, ...other })).toBe(false);
    }
  });

  test("keeps in memory a class that there is", () => {
    const built = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
    expect(built).toContain('class_name = "KeyPairPoolObject"');
  });
});
