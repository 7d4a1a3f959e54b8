import { describe, expect, test } from "vitest";
import { reachOf, resolveTable } from "../../src/xks/endpoint.ts";

const table = resolveTable([
  "xks.example.com=127.0.0.1:8443",
  "localhost=[::1]:9443",
  "proxy=xks-proxy:443",
]);

describe("an endpoint of a listed host", () => {
  test.each([
    ["https://xks.example.com", "xks.example.com", "127.0.0.1:8443"],
    ["https://XKS.Example.com", "xks.example.com", "127.0.0.1:8443"],
    ["https://localhost", "localhost", "[::1]:9443"],
    ["https://proxy", "proxy", "xks-proxy:443"],
  ])("%s", (endpoint, host, address) => {
    expect(reachOf(endpoint, table)).toEqual({ kind: "listed", host, address });
  });
});

describe("an endpoint of a public host", () => {
  test.each([
    "other.example.com",
    "xn--bcher-kva.example",
    "a.b.c.d.example.com",
    "1.2.3.4.nip.io",
    "my-localhost.com",
    "internal.example.com",
    "3com.com",
  ])("https://%s", (host) => {
    expect(reachOf(`https://${host}`, table)).toEqual({ kind: "public", host });
  });
});

describe("refused", () => {
  test.each([
    "http://xks.example.com",
    "xks.example.com",
    "HTTPS://xks.example.com",
    "https://xks.example.com:443",
    "https://xks.example.com/",
    "https://xks.example.com/kms",
    "https://user@xks.example.com",
    "https://xks.example.com?a",
    "https://xks.example.com\n",
    "https://[::1]",
    "https://",
  ])("%j is no endpoint", (endpoint) => {
    expect(reachOf(endpoint, table)).toEqual({
      kind: "refused",
      reason: "the endpoint is not https:// and a host",
    });
  });

  test.each([
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "8.8.8.8",
    "127.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "example.0x1",
    "example.com.",
    ".example.com",
    "a..example.com",
    "-a.example.com",
    "a-.example.com",
    ".",
    "..",
    "-",
    `${"a".repeat(64)}.com`,
    `${"a.".repeat(126)}com`,
  ])("%s is no domain name", (host) => {
    const reach = reachOf(`https://${host}`, new Map());
    expect(reach).toEqual({ kind: "refused", reason: `${host} is not a domain name` });
  });

  test.each(["localhost", "proxy", "metadata"])("%s is not fully qualified", (host) => {
    expect(reachOf(`https://${host}`, new Map())).toMatchObject({
      reason: `${host} is not a fully qualified domain name`,
    });
  });

  test.each([
    "metadata.google.internal",
    "instance-data.ec2.internal",
    "a.localhost",
    "printer.local",
    "xks.svc.cluster.local",
    "router.home.arpa",
    "wiki.intranet",
    "nas.lan",
  ])("%s is private", (host) => {
    expect(reachOf(`https://${host}`, new Map())).toMatchObject({
      reason: `${host} is not a public name`,
    });
  });
});

// Whatever is let through must be what a URL makes of it, too: a name, and the same one.
test("no public host is an address in disguise", () => {
  for (const host of ["3com.com", "a.b1", "1.2.3.4.nip.io", "x.a0x7f"]) {
    expect(reachOf(`https://${host}`, new Map()).kind).toBe("public");
    expect(new URL(`https://${host}`).hostname).toBe(host);
  }
});

describe("the table", () => {
  test("knows each host once, in lower case", () => {
    expect([...resolveTable(["A.Example.Com=LOCALHOST:1"])]).toEqual([
      ["a.example.com", "localhost:1"],
    ]);
    expect(() => resolveTable(["a.com=1.2.3.4:1", "A.com=1.2.3.4:2"])).toThrow("names a.com twice");
  });

  test.each([
    "",
    "a.com",
    "a.com=",
    "=127.0.0.1:443",
    "a.com=127.0.0.1",
    "a.com=127.0.0.1:",
    "a.com=127.0.0.1:0",
    "a.com=127.0.0.1:65536",
    "a.com=127.0.0.1:4a",
    "a.com=::1:443",
    "a.com=[::1]",
    "a.com=127.0.1:443",
    "a.com=https://b:443",
    "a.com=b_c:443",
    "127.0.0.1=127.0.0.1:443",
    "a..com=127.0.0.1:443",
    "a.com:443=127.0.0.1:443",
    "a.com=127.0.0.1:443,b.com=127.0.0.1:443",
  ])("does not take %j", (entry) => {
    expect(() => resolveTable([entry])).toThrow(
      `expects HOST=ADDRESS:PORT, not ${JSON.stringify(entry)}`,
    );
  });
});
