// What LOG=request says of requests, and what it never says.

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Server, startRaw } from "../support/servers.ts";
import { post } from "./wire.ts";

let server: Server | undefined;
beforeAll(async () => {
  server = await startRaw({ auth: "open", log: "request" });
});
afterAll(() => server?.stop());

/** The line of a request, once it is there. */
const lineOf = (requestId: string | null) =>
  vi.waitUntil(() =>
    server
      ?.output()
      .split("\n")
      .find((line) => requestId !== null && line.includes(requestId)),
  );

test("every request to KMS and to STS has a line, with its status and no secrets", async () => {
  const { url = "" } = server ?? {};
  const secret = "c2VjcmV0IHBsYWludGV4dA==";
  const target = "TrentService.Encrypt";
  const kms = await post(url, { "x-amz-target": target }, { KeyId: "k", Plaintext: secret }, null);
  const line = await lineOf(kms.headers.get("x-amzn-requestid"));
  expect(JSON.parse(line ?? "")).toMatchObject({ target, status: 400, error: "NotFoundException" });
  const sts = await fetch(url, {
    method: "POST",
    headers: { "x-amz-security-token": secret },
    body: new URLSearchParams({ Action: "GetCallerIdentity", Version: "2011-06-15" }),
  });
  expect(await sts.text()).toContain("<GetCallerIdentityResult>");
  expect(JSON.parse((await lineOf(sts.headers.get("x-amzn-requestid"))) ?? "")).toMatchObject({
    target: null,
    status: 200,
  });
  expect(server?.output()).not.toContain(secret);
});

test("of a parameter of STS that comes twice the first counts", async () => {
  const answer = await fetch(`${server?.url}/?Action=GetCallerIdentity`, {
    method: "POST",
    body: new URLSearchParams({ Action: "AssumeRole", Version: "2011-06-15" }),
  });
  expect(await answer.text()).toContain("<GetCallerIdentityResult>");
});
