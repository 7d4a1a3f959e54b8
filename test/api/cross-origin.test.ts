// Which web pages may call KMS, and what their browser is told.

import { describe, expect, test } from "vitest";
import { answerTo, preflight } from "../../src/api/cross-origin.ts";

const URL_OF_KMS = "http://127.0.0.1:4566/";
const ASKED = "Content-Type,X-Amz-Target,Authorization,amz-sdk-request,x-amz-security-token";

const from = (origin: string | null, method = "POST", more: Record<string, string> = {}) =>
  new Request(URL_OF_KMS, { method, headers: { ...(origin !== null && { origin }), ...more } });

const asks = (origin: string | null, auth: "open" | "required") =>
  preflight(
    from(origin, "OPTIONS", {
      "access-control-request-method": "POST",
      "access-control-request-headers": ASKED,
    }),
    { auth },
  );

const allowedBy = (origin: string | null, auth: "open" | "required") =>
  answerTo(from(origin), { auth }, new Response("{}")).headers.get("access-control-allow-origin");

// As kms.us-east-1.amazonaws.com was seen to answer.
test("a preflight is told what AWS tells it", async () => {
  const answer = asks("https://foo.example", "required");
  expect(answer?.status).toBe(200);
  expect(await answer?.text()).toBe("");
  const {
    date = "",
    "x-amzn-requestid": requestId,
    ...headers
  } = Object.fromEntries(answer?.headers ?? []);
  expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(5000);
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers).toEqual({
    "access-control-allow-origin": "*",
    "access-control-allow-headers": ASKED,
    "access-control-allow-methods": "POST",
    "access-control-expose-headers": "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date",
    "access-control-max-age": "172800",
    "cache-control": "no-cache, no-store, must-revalidate, private",
    expires: "0",
    pragma: "no-cache",
  });
});

describe("who may call", () => {
  const here = [
    "http://localhost",
    "https://localhost:3000",
    "http://127.0.0.1:8080",
    "http://[::1]",
  ];
  const elsewhere = [
    ...["https://foo.example", "http://localhost.foo.example", "http://127.0.0.1.foo.example"],
    ...["http://192.168.0.1", "file://", "null", "localhost", ""],
  ];

  test("whoever signs, from anywhere", () => {
    for (const origin of [...here, ...elsewhere]) {
      expect(asks(origin, "required"), origin).not.toBeNull();
      expect(allowedBy(origin, "required"), origin).toBe("*");
    }
  });

  test("where nobody signs, pages of this machine", () => {
    for (const origin of here) {
      expect(asks(origin, "open"), origin).not.toBeNull();
      expect(allowedBy(origin, "open"), origin).toBe("*");
    }
    for (const origin of elsewhere) {
      expect(asks(origin, "open"), origin).toBeNull();
      expect(allowedBy(origin, "open"), origin).toBeNull();
    }
  });

  test("what no page sends is answered as ever", () => {
    for (const auth of ["open", "required"] as const) {
      expect(asks(null, auth)).toBeNull();
      expect(allowedBy(null, auth)).toBeNull();
    }
  });
});
