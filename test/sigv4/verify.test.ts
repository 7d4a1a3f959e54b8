// Signatures as a server reads them: those of AWS's suite are accepted whole, and nothing of them can
// be exchanged. Texts and their order are those recorded on AWS by the authors of dynalite.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  type Authorization,
  authorizationOf,
  type ReceivedRequest,
  sessionTokenOf,
} from "../../src/sigv4/authorization.ts";
import { basicTimestamp } from "../../src/sigv4/sigv4.ts";
import { isSignedWith, SigningKeys } from "../../src/sigv4/verify.ts";
import { type Plain, presigned, SECRET, signed } from "../support/signer.ts";

const keys = new SigningKeys();
const scope = { service: "kms", isRegion: (name: string) => name === "us-east-1" };
const NOW = Date.UTC(2015, 7, 30, 12, 36, 0);
const bytes = (text: string) => new TextEncoder().encode(text);

const received = ({ method, path, query, headers }: Plain): ReceivedRequest => ({
  method,
  path,
  query,
  headers: new Headers(headers.map(([name, value]) => [name, value] as [string, string])),
});

const read = (plain: Plain, nowMs = NOW) => authorizationOf(received(plain), scope, nowMs);

const accepts = async (plain: Plain, nowMs = NOW, secret = SECRET) => {
  const authorization = read(plain, nowMs) as Authorization;
  return isSignedWith(secret, authorization, received(plain), bytes(plain.body), keys);
};

const plain: Plain = {
  method: "POST",
  path: "/",
  query: "",
  headers: [
    ["Host", "kms.us-east-1.amazonaws.com"],
    ["X-Amz-Target", "TrentService.ListKeys"],
    ["Content-Type", "application/x-amz-json-1.1"],
  ],
  body: "{}",
};

const vectors = join(
  process.env.VECTORS ?? fileURLToPath(new URL("../../../shared/vectors", import.meta.url)),
  "sigv4",
);
const cases = existsSync(vectors) ? readdirSync(vectors).sort() : [];

describe.skipIf(cases.length === 0)("AWS's SigV4 test suite (skipped without VECTORS)", () => {
  // A token that is added to a query after signing is the way of services other than KMS and STS;
  // a path that is not normalized is S3's.
  const others = (context: { omit_session_token?: boolean; normalize: boolean }, form: string) =>
    !context.normalize || (context.omit_session_token === true && form === "query");
  let accepted = 0;

  test.each(cases.flatMap((name) => [[name, "header"] as const, [name, "query"] as const]))(
    "%s, signed in the %s",
    async (name, form) => {
      const context = JSON.parse(readFileSync(join(vectors, name, "context.json"), "utf8"));
      const request = parsed(
        readFileSync(join(vectors, name, `${form}-signed-request.txt`), "utf8"),
      );
      if (others(context, form)) return;
      const at = Date.parse(context.timestamp);
      const suite = { service: context.service, isRegion: () => true };
      const authorization = authorizationOf(received(request), suite, at) as Authorization;
      const { secret_access_key: secret, token } = context.credentials;
      const verify = (body: string, key: string) =>
        isSignedWith(key, authorization, received(request), bytes(body), keys);
      expect(await verify(request.body, secret)).toBe(true);
      expect(await verify(request.body, `${secret}x`)).toBe(false);
      expect(await verify(`${request.body}x`, secret)).toBe(false);
      expect(sessionTokenOf(received(request))).toBe(token ?? null);
      accepted++;
    },
  );

  test("nearly all of it is accepted", () => expect(accepted).toBeGreaterThan(60));
});

/** A request of the suite as it goes over the wire. */
function parsed(text: string): Plain {
  const [head = "", body = ""] = text.split(/\n\n(.*)/s);
  const [first = "", ...lines] = head.replace(/\n[ \t]+/g, " ").split("\n");
  const [, method = "", target = ""] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first) ?? [];
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  const headers = lines
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)] as const);
  return { method, path, query, headers, body };
}

describe("what was signed cannot be exchanged:", () => {
  const good = signed(plain, { at: NOW });
  const withHeader = (name: string, value: string): Plain => ({
    ...good,
    headers: [
      ...good.headers.filter(([own]) => own.toLowerCase() !== name.toLowerCase()),
      [name, value],
    ],
  });

  test("as it was, it is accepted", async () => expect(await accepts(good)).toBe(true));

  test.each<[string, Plain]>([
    ["the body", { ...good, body: '{"Limit":1}' }],
    ["a body where there was none", { ...signed({ ...plain, body: "" }, { at: NOW }), body: "{}" }],
    ["the target", withHeader("X-Amz-Target", "TrentService.ScheduleKeyDeletion")],
    ["the host", withHeader("Host", "kms.eu-west-1.amazonaws.com")],
    ["any signed header", withHeader("Content-Type", "text/plain")],
    [
      "a second value of one",
      { ...good, headers: [...good.headers, ["Content-Type", "text/plain"]] },
    ],
    [
      "a header's absence",
      { ...good, headers: good.headers.filter(([name]) => name !== "Content-Type") },
    ],
    ["the method", { ...good, method: "GET" }],
    ["the path", { ...good, path: "/x" }],
    ["the query", { ...good, query: "x" }],
    ["the query, with what presigned requests leave out", { ...good, query: "X-Amz-Signature=x" }],
    ["the date", withHeader("X-Amz-Date", basicTimestamp(NOW + 1000))],
  ])("%s", async (_what, exchanged) => {
    expect(await accepts(exchanged)).toBe(false);
  });

  test("one digit of the signature, or its case, or its length", async () => {
    const header = new Map(good.headers).get("Authorization") ?? "";
    const [, signature = ""] = /Signature=(.*)$/.exec(header) ?? [];
    const flipped = signature.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    for (const other of [
      flipped,
      signature.toUpperCase(),
      signature.slice(1),
      `${signature}0`,
      "x".repeat(64),
      "",
    ]) {
      if (other === "") continue;
      const exchanged = withHeader("Authorization", header.replace(signature, other));
      expect(await accepts(exchanged)).toBe(false);
    }
  });

  test("a hash of the body that the client states counts for nothing", async () => {
    const states = (value: string) => ({
      ...plain,
      headers: [...plain.headers, ["X-Amz-Content-Sha256", value] as const],
    });
    const hashOf = (text: string) => signed({ ...plain, body: text }, { at: NOW }).payloadHash;
    expect(await accepts(signed(states(hashOf("{}")), { at: NOW }))).toBe(true);
    const other = { ...signed(states(hashOf("{}")), { at: NOW }), body: "[]" };
    expect(await accepts(other)).toBe(false);
    const unsigned = signed(states("UNSIGNED-PAYLOAD"), {
      at: NOW,
      payloadHash: "UNSIGNED-PAYLOAD",
    });
    expect(await accepts(unsigned)).toBe(false);
  });

  test("a presigned request", async () => {
    const url = presigned({ ...plain, method: "GET", body: "" }, { at: NOW });
    expect(await accepts(url)).toBe(true);
    expect(await accepts({ ...url, query: `${url.query}&Action=Other` })).toBe(false);
    expect(await accepts({ ...url, query: url.query.replace("Expires=900", "Expires=901") })).toBe(
      false,
    );
    expect(await accepts({ ...url, body: "x" })).toBe(false);
  });
});

describe("refused, as AWS words it:", () => {
  const good = signed(plain, { at: NOW });
  const header = new Map(good.headers).get("Authorization") ?? "";
  const signature = header.slice(header.indexOf("Signature="));
  const date = ["X-Amz-Date", basicTimestamp(NOW)] as const;
  const claiming = (authorization: string): Plain => ({
    ...plain,
    headers: [...plain.headers, date, ["Authorization", authorization]],
  });
  const credential = "Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request";
  const others = `SignedHeaders=content-type;host;x-amz-date;x-amz-target, ${signature}`;
  const scoped = (text: string) => claiming(`AWS4-HMAC-SHA256 Credential=${text}, ${others}`);

  test.each<[string, Plain, type: string, text: string]>([
    [
      "nothing but the algorithm",
      { ...plain, headers: [...plain.headers, ["Authorization", "AWS4-HMAC-SHA256"]] },
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter. Authorization header requires " +
        "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
        "Authorization=AWS4-HMAC-SHA256",
    ],
    [
      "another scheme",
      claiming("Bearer token"),
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter. Authorization header requires " +
        "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
        "Authorization=Bearer token",
    ],
    [
      "no signature",
      claiming(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host`),
      "IncompleteSignatureException",
      "Authorization header requires 'Signature' parameter. " +
        `Authorization=AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host`,
    ],
    [
      "a blank too many",
      claiming(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders, ${signature}`),
      "IncompleteSignatureException",
      "'SignedHeaders' not a valid key=value pair (missing equal-sign) in Authorization header: " +
        `'AWS4-HMAC-SHA256 ${credential}, SignedHeaders, ${signature}'.`,
    ],
    [
      "a date of another form",
      {
        ...plain,
        headers: [...plain.headers, ["X-Amz-Date", "2015-08-30"], ["Authorization", header]],
      },
      "IncompleteSignatureException",
      "Date must be in ISO-8601 'basic format'. Got '2015-08-30'. See http://en.wikipedia.org/wiki/ISO_8601",
    ],
    [
      "a day that is none",
      {
        ...plain,
        headers: [...plain.headers, ["X-Amz-Date", "20150231T000000Z"], ["Authorization", header]],
      },
      "IncompleteSignatureException",
      "Date must be in ISO-8601 'basic format'. Got '20150231T000000Z'. See http://en.wikipedia.org/wiki/ISO_8601",
    ],
    [
      "an unsigned host",
      claiming(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=x-amz-date, ${signature}`),
      "InvalidSignatureException",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      "an unsigned target",
      claiming(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host;x-amz-date, ${signature}`),
      "InvalidSignatureException",
      "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      "another algorithm",
      claiming(`AWS4-HMAC-SHA1 ${credential}, ${others}`),
      "IncompleteSignatureException",
      "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ",
    ],
    [
      "a credential of four parts",
      scoped("a/b/c/d"),
      "IncompleteSignatureException",
      "Credential must have exactly 5 slash-delimited elements, e.g. " +
        "keyid/date/region/service/term, got 'a/b/c/d'",
    ],
    [
      "a scope of which nothing is right",
      scoped("a/b/c/d/e"),
      "InvalidSignatureException",
      "Credential should be scoped to a valid region. " +
        "Credential should be scoped to correct service: 'kms'. " +
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. " +
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: " +
        "'b' != '20150830', from '20150830T123600Z'.",
    ],
    [
      "both places at once",
      { ...good, query: "X-Amz-Algorithm=AWS4-HMAC-SHA256" },
      "InvalidSignatureException",
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    ],
    [
      "a query of nothing but the algorithm",
      { ...plain, query: "X-Amz-Algorithm=AWS4-HMAC-SHA256" },
      "IncompleteSignatureException",
      "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters " +
        "must include 'X-Amz-Signature'. AWS query-string parameters must include " +
        "'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. " +
        "Re-examine the query-string parameters.",
    ],
  ])("%s", (_what, request, type, text) => {
    expect(() => read(request)).toThrow(expect.objectContaining({ type, text }));
  });

  test("the same parameter twice, as of two headers that arrived as one", () => {
    for (const authorization of [
      `${header}, ${header}`,
      `AWS4-HMAC-SHA256 ${credential}, ${credential}, ${others}`,
      `${header}, Signature=0`,
    ]) {
      expect(() => read(claiming(authorization))).toThrow(
        expect.objectContaining({ type: "IncompleteSignatureException" }),
      );
    }
    const url = presigned(plain, { at: NOW });
    for (const name of ["Credential", "Expires", "Date"]) {
      expect(() => read({ ...url, query: `${url.query}&X-Amz-${name}=1` })).toThrow(
        `'X-Amz-${name}' twice`,
      );
    }
  });

  test("a signature is good for five minutes in each direction", async () => {
    const [minute, at] = [60_000, basicTimestamp(NOW)];
    expect(await accepts(good, NOW + 5 * minute)).toBe(true);
    expect(await accepts(good, NOW - 5 * minute)).toBe(true);
    expect(() => read(good, NOW + 5 * minute + 1000)).toThrow(
      `Signature expired: ${at} is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)`,
    );
    expect(() => read(good, NOW - 5 * minute - 1000)).toThrow(
      `Signature not yet current: ${at} is still later than 20150830T123559Z (20150830T123059Z + 5 min.)`,
    );
  });

  test("a presigned request is good for as long as it says, up to a week", async () => {
    const at = basicTimestamp(NOW);
    const url = (expires: string) => presigned(plain, { at: NOW, expires });
    expect(await accepts(url("900"), NOW + 900_000)).toBe(true);
    expect(() => read(url("900"), NOW + 901_000)).toThrow(
      `Signature expired: ${at} is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)`,
    );
    expect(() => read(url("50"), NOW + 51_000)).toThrow(/ - 50 sec\.\)$/);
    expect(() => read(url("900"), NOW - 301_000)).toThrow(/^Signature not yet current: /);
    expect(await accepts(url("604800"), NOW + 604_800_000)).toBe(true);
    expect(() => read(url("604801"))).toThrow(/^X-Amz-Expires must be less than a week/);
    for (const expires of ["-1", "1e3", "x"]) {
      expect(() => read(url(expires))).toThrow("X-Amz-Expires should be a number");
    }
  });
});

test("derived keys are remembered for their secret, and no others for it", async () => {
  const good = signed(plain, { at: NOW });
  const fresh = new SigningKeys();
  const verify = (secret: string) =>
    isSignedWith(secret, read(good) as Authorization, received(good), bytes(good.body), fresh);
  expect(await verify(SECRET)).toBe(true);
  expect(await verify("another")).toBe(false);
  expect(await verify(SECRET)).toBe(true);
  const { scope: own } = read(good) as Authorization;
  expect(await fresh.get(SECRET, own)).toBe(await fresh.get(SECRET, own));
});
