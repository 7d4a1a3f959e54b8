// The operations on key policies; the documents themselves have their tests in the domain.

import { describe, expect, test } from "vitest";
import { outcome, World } from "../support/core.ts";

const REGION = "us-east-1";

const policyOf = (account: string, Sid = "a") =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid,
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });
const OWN = policyOf("111122223333");
const PRINTED = `{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "a",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;

async function prepared() {
  const world = new World();
  const { KeyId } = await world.createKey(REGION);
  return {
    world,
    KeyId,
    put: (Policy: string, more: object = {}) =>
      world.call(REGION, "PutKeyPolicy", { KeyId, Policy, ...more }),
    get: (more: object = {}) =>
      world.call<{ Policy: string; PolicyName: string }>(REGION, "GetKeyPolicy", {
        KeyId,
        ...more,
      }),
  };
}

describe("PutKeyPolicy", () => {
  test("answers nothing; the policy is read back as AWS prints it", async () => {
    const { put, get } = await prepared();
    expect(await put(OWN)).toBe(null);
    expect(await get()).toEqual({ Policy: PRINTED, PolicyName: "default" });
    expect(await outcome(put(PRINTED, { PolicyName: "default" }))).toBe("ok");
    expect((await get({ PolicyName: "default" })).Policy).toBe(PRINTED);
  });

  test.for<[string, string, object, RegExp]>([
    ["of no JSON", "policy", {}, /^MalformedPolicyDocumentException$/],
    [
      "that locks the account out",
      policyOf("444455556666"),
      {},
      /^MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future\.$/,
    ],
    [
      "longer than 32,768 bytes",
      policyOf("111122223333", "a".repeat(32_768)),
      {},
      /^LimitExceededException: /,
    ],
    [
      "longer than the model has it",
      "a".repeat(131_073),
      {},
      /^ValidationException: 1 .*'policy'.* 131072$/,
    ],
    ["with other characters", '{"Id":"Ā"}', {}, /^ValidationException: 1 .*'policy'.* pattern: /],
    ["under another name", OWN, { PolicyName: "other" }, /^UnsupportedOperationException: /],
    [
      "under a name that can be none",
      OWN,
      { PolicyName: "a b" },
      /^ValidationException: 1 .*'policyName'/,
    ],
  ])("refuses one %s, and keeps the old", async ([, policy, more, refusal]) => {
    const { put, get } = await prepared();
    const before = await get();
    expect(await outcome(put(policy, more))).toMatch(refusal);
    expect(await get()).toEqual(before);
  });

  test("takes one that locks the account out if told to", async () => {
    const { put } = await prepared();
    const more = { BypassPolicyLockoutSafetyCheck: true };
    expect(await outcome(put(policyOf("444455556666"), more))).toBe("ok");
    expect(await outcome(put("policy", more))).toBe("MalformedPolicyDocumentException");
  });
});

describe("GetKeyPolicy", () => {
  test("of another name finds none", async () => {
    const { get } = await prepared();
    expect(await outcome(get({ PolicyName: "other" }))).toBe(
      "NotFoundException: No such policy exists",
    );
  });
});

describe("ListKeyPolicies", () => {
  test("lists the one policy (recorded on AWS)", async () => {
    const { world, KeyId } = await prepared();
    for (const Limit of [undefined, 1, 1000]) {
      const answer = await world.call(REGION, "ListKeyPolicies", { KeyId, Limit });
      expect(answer).toEqual({ PolicyNames: ["default"], Truncated: false });
    }
  });
});
