import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  ALGORITHM,
  basicTimestamp,
  type CredentialScope,
  canonicalRequest,
  payloadHash,
  type SignableRequest,
  scopeText,
  signature,
  signingKey,
  stringToSign,
} from "../../src/sigv4/sigv4.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The credential of AWS's examples. */
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const scope: CredentialScope = { date: "20150830", region: "us-east-1", service: "service" };
const TIMESTAMP = "20150830T123600Z";

describe("the steps, by AWS's example get-vanilla", () => {
  const request: SignableRequest = {
    method: "GET",
    path: "/",
    query: "",
    headers: [
      ["Host", "example.amazonaws.com"],
      ["X-Amz-Date", TIMESTAMP],
    ],
    payloadHash: EMPTY,
  };
  const canonical = canonicalRequest(request, ["host", "x-amz-date"]);
  const toSign = stringToSign(TIMESTAMP, scope, canonical);

  test("canonical request", () => {
    expect(canonical.split("\n")).toEqual([
      "GET",
      "/",
      "",
      "host:example.amazonaws.com",
      `x-amz-date:${TIMESTAMP}`,
      "",
      "host;x-amz-date",
      EMPTY,
    ]);
  });

  test("string to sign", () => {
    expect(toSign.split("\n")).toEqual([
      "AWS4-HMAC-SHA256",
      TIMESTAMP,
      "20150830/us-east-1/service/aws4_request",
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
    ]);
  });

  test("signature", () => {
    expect(signature(signingKey(SECRET, scope), toSign)).toBe(
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
  });
});

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html, the older
// edition of which gives this key.
test("the signing key of AWS's documentation", () => {
  const iam = { date: "20150830", region: "us-east-1", service: "iam" };
  expect(Buffer.from(signingKey(SECRET, iam)).toString("hex")).toBe(
    "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
  );
});

test("the hash of no body", () => {
  expect(payloadHash(new Uint8Array(0))).toBe(EMPTY);
});

test("an instant", () => {
  expect(basicTimestamp(Date.UTC(2015, 7, 30, 12, 36, 0, 999))).toBe(TIMESTAMP);
});

describe("what a path becomes", () => {
  const pathOf = (path: string, normalizePath: boolean) =>
    canonicalRequest({ method: "GET", path, query: "", headers: [], payloadHash: EMPTY }, [], {
      normalizePath,
    }).split("\n")[1];

  test.each([
    ["/", "/", "/"],
    ["//example//", "/example/", "//example//"],
    ["/example/..", "/", "/example/.."],
    ["/a/./b/../c", "/a/c", "/a/./b/../c"],
    ["/a/b/..", "/a/", "/a/b/.."],
    ["/../../a", "/a", "/../../a"],
    ["/a%20b", "/a%2520b", "/a%2520b"],
    ["/a b*(c)", "/a%20b%2A%28c%29", "/a%20b%2A%28c%29"],
    ["/-._~09AZaz", "/-._~09AZaz", "/-._~09AZaz"],
    ["", "/", ""],
  ])("%j, normalized or not", (path, normalized, asItIs) => {
    expect(pathOf(path, true)).toBe(normalized);
    expect(pathOf(path, false)).toBe(asItIs);
  });
});

describe("what a query becomes", () => {
  test.each([
    ["b=2&a=1", "a=1&b=2"],
    ["a=2&a=1", "a=1&a=2"],
    ["a", "a="],
    ["a=b=c", "a=b%3Dc"],
    ["a=%7E%20", "a=~%20"],
    ["a=100%", "a=100%25"],
    ["a-b=1&a=2", "a=2&a-b=1"],
    ["", ""],
  ])("%j", (query, canonical) => {
    const request = { method: "GET", path: "/", query, headers: [], payloadHash: EMPTY };
    expect(canonicalRequest(request, []).split("\n")[2]).toBe(canonical);
  });
});

test("a header's values are trimmed, and joined in their order", () => {
  const headers = [
    ["X-Twice", "  a   b "],
    ["Host", "h"],
    ["x-twice", "c\n   d"],
  ] as const;
  const request = { method: "GET", path: "/", query: "", headers, payloadHash: EMPTY };
  expect(canonicalRequest(request, ["x-twice", "host"]).split("\n").slice(3, 7)).toEqual([
    "host:h",
    "x-twice:a b,c d",
    "",
    "host;x-twice",
  ]);
});

// AWS's own test suite: awslabs/aws-c-auth, tests/aws-signing-test-suite/v4. It is not part of this
// repository; VECTORS names the folder that holds it.
const vectors = join(
  process.env.VECTORS ?? fileURLToPath(new URL("../../../shared/vectors", import.meta.url)),
  "sigv4",
);
const cases = existsSync(vectors) ? readdirSync(vectors).sort() : [];

interface Context {
  readonly credentials: {
    readonly access_key_id: string;
    readonly secret_access_key: string;
    readonly token?: string;
  };
  readonly normalize: boolean;
  readonly region: string;
  readonly service: string;
  readonly sign_body: boolean;
  readonly omit_session_token?: boolean;
  readonly expiration_in_seconds: number;
  readonly timestamp: string;
}

describe.skipIf(cases.length === 0)("AWS's SigV4 test suite (skipped without VECTORS)", () => {
  test("is complete", () => {
    expect(cases.length).toBeGreaterThan(30);
  });

  test.each(cases)("%s", (name) => {
    const file = (part: string) => readFileSync(join(vectors, name, part), "utf8");
    const context: Context = JSON.parse(file("context.json"));
    const at = basicTimestamp(Date.parse(context.timestamp));
    const caseScope = { ...context, date: at.slice(0, 8) };
    const key = signingKey(context.credentials.secret_access_key, caseScope);
    for (const form of ["header", "query"] as const) {
      const plain = parsed(file("request.txt"));
      const request =
        form === "header" ? inHeaders(plain, context, at) : inQuery(plain, context, at);
      const normalizePath = context.normalize;
      const canonical = canonicalRequest(request, headerNames(request), { normalizePath });
      expect(canonical).toBe(file(`${form}-canonical-request.txt`));
      const toSign = stringToSign(at, caseScope, canonical);
      expect(toSign).toBe(file(`${form}-string-to-sign.txt`));
      expect(signature(key, toSign)).toBe(file(`${form}-signature.txt`));
    }
  });
});

/** The request of a suite's text file, as it was before signing. */
function parsed(text: string): SignableRequest {
  const [head = "", body = ""] = text.split(/\n\n(.*)/s);
  const [first = "", ...lines] = head.replace(/\n[ \t]+/g, " ").split("\n");
  const [, method = "", target = ""] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first) ?? [];
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  const headers = lines
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)] as const);
  return { method, path, query, headers, payloadHash: payloadHash(bytes(body)) };
}

const headerNames = ({ headers }: SignableRequest) =>
  [...new Set([...headers].map(([name]) => name.toLowerCase()))].sort();

/** A token that is to be signed; one that is only sent along comes after signing. */
const signedToken = ({ credentials, omit_session_token }: Context): string | undefined =>
  omit_session_token === true ? undefined : credentials.token;

function inHeaders(request: SignableRequest, context: Context, at: string): SignableRequest {
  const token = signedToken(context);
  const headers = [...request.headers, ["X-Amz-Date", at] as const];
  if (token !== undefined) headers.push(["X-Amz-Security-Token", token]);
  if (context.sign_body) headers.push(["X-Amz-Content-Sha256", request.payloadHash]);
  return { ...request, headers };
}

function inQuery(request: SignableRequest, context: Context, at: string): SignableRequest {
  const token = signedToken(context);
  const scope = scopeText({ ...context, date: at.slice(0, 8) });
  const pairs = new Map([
    ["X-Amz-Algorithm", ALGORITHM],
    ["X-Amz-Credential", `${context.credentials.access_key_id}/${scope}`],
    ["X-Amz-Date", at],
    ["X-Amz-Expires", String(context.expiration_in_seconds)],
    ["X-Amz-SignedHeaders", headerNames(request).join(";")],
  ]);
  if (token !== undefined) pairs.set("X-Amz-Security-Token", token);
  const added = [...pairs].map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return { ...request, query: [request.query, ...added].filter(Boolean).join("&") };
}
