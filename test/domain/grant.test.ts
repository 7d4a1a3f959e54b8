// The list of grants that a key has, the principals they name, and their tokens.

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  type Grant,
  grantById,
  grantChanges,
  grantOperations,
  hasTerms,
  isGrantId,
  withGrant,
  withoutGrant,
} from "../../src/domain/grant.ts";
import {
  accountOfPrincipal,
  isServicePrincipal,
  retiringAccountOf,
} from "../../src/domain/grant-principal.ts";
import {
  type GrantTokenContent,
  grantToken,
  isGenuine,
  readGrantToken,
} from "../../src/domain/grant-token.ts";

const ACCOUNT = "111122223333";

const grantOf = (id: string, more: Partial<Grant> = {}): Grant => ({
  id,
  name: "",
  createdAt: 0,
  granteePrincipal: `arn:aws:iam::${ACCOUNT}:role/App`,
  granteeServicePrincipal: null,
  retiringPrincipal: null,
  retiringServicePrincipal: null,
  issuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
  operations: ["Encrypt"],
  constraints: null,
  ...more,
});

const ids = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{4}$/), { maxLength: 40 });

const listOf = (of: readonly string[]) =>
  of.reduce<readonly Grant[]>((grants, id) => withGrant(grants, grantOf(id)), []);

describe("a key's grants", () => {
  it("are in the order of their IDs, whatever order they came in, and found by them", () => {
    fc.assert(
      fc.property(ids, fc.stringMatching(/^[0-9a-f]{4}$/), (all, other) => {
        const grants = listOf(all);
        expect(grants.map(({ id }) => id)).toEqual(all.toSorted());
        for (const id of all) expect(grantById(grants, id)?.id).toBe(id);
        if (!all.includes(other)) {
          expect(grantById(grants, other)).toBeNull();
          expect(withoutGrant(grants, other)).toBe(grants);
        }
      }),
    );
  });

  it("differ from an earlier list in what came and what went", () => {
    fc.assert(
      fc.property(ids, fc.nat(), fc.nat(), (all, drop, add) => {
        const whole = listOf(all);
        const before = whole.filter((_, index) => index % 3 !== add % 3);
        const after = whole.filter((_, index) => index % 4 !== drop % 4);
        const { added, removed } = grantChanges(before, after);
        expect(new Set(added)).toEqual(new Set(after.filter((grant) => !before.includes(grant))));
        expect(new Set(removed)).toEqual(new Set(before.filter((grant) => !after.includes(grant))));
      }),
    );
  });

  it("that were replaced under the same ID went and came", () => {
    const [old, young] = [grantOf("a"), grantOf("a", { createdAt: 1 })];
    expect(grantChanges([old], [young])).toEqual({ added: [young], removed: [old] });
    expect(grantChanges([old], [old])).toEqual({ added: [], removed: [] });
  });
});

describe("terms", () => {
  const terms = grantOf("a", {
    name: "n",
    operations: ["Encrypt", "Decrypt"],
    constraints: { EncryptionContextEquals: { a: "1", b: "2" } },
  });

  test.for<[string, Partial<Grant>, boolean]>([
    ["the same", {}, true],
    ["operations in another order", { operations: ["Decrypt", "Encrypt"] }, true],
    [
      "pairs in another order",
      { constraints: { EncryptionContextEquals: { b: "2", a: "1" } } },
      true,
    ],
    ["another ID and instant", { id: "b", createdAt: 9 }, true],
    ["another name", { name: "m" }, false],
    ["another account", { issuingAccount: "arn:aws:iam::444455556666:root" }, false],
    [
      "a value for another key",
      { constraints: { EncryptionContextEquals: { a: "2", b: "1" } } },
      false,
    ],
    ["SourceArn", { constraints: { SourceArn: "arn:aws:s3:::b" } }, false],
    ["a service that retires", { retiringServicePrincipal: "s3.amazonaws.com" }, false],
  ])("%s: alike is %s", ([, more, alike]) => {
    expect(hasTerms(terms, { ...terms, ...more })).toBe(alike);
  });
});

test("the operations of grants are the model's 17 and the two that came since", () => {
  expect([...grantOperations].sort()).toEqual([
    "CreateGrant",
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
    "Sign",
    "Verify",
    "VerifyMac",
  ]);
});

describe("principals", () => {
  test.for<[string, string | null]>([
    [`arn:aws:iam::${ACCOUNT}:root`, ACCOUNT],
    [`arn:aws-cn:iam::${ACCOUNT}:user/a/b/c`, ACCOUNT],
    [`arn:aws-us-gov:iam::${ACCOUNT}:role/service-role/r`, ACCOUNT],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/r/s@example.com`, ACCOUNT],
    [`arn:aws:sts::${ACCOUNT}:federated-user/f`, ACCOUNT],
    [`arn:aws:iam::${ACCOUNT}:group/g`, null],
    [`arn:aws:iam::${ACCOUNT}:root/x`, null],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/r`, null],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/r/s/t`, null],
    [`arn:aws:iam:us-east-1:${ACCOUNT}:user/a`, null],
    ["arn:aws:iam::1234:user/a", null],
    ["s3.amazonaws.com", null],
    ["*", null],
  ])("%s is of account %s", ([arn, accountId]) => {
    expect(accountOfPrincipal(arn)?.accountId ?? null).toBe(accountId);
    const grant = grantOf("a", { retiringPrincipal: arn });
    expect(retiringAccountOf(grant)).toBe(accountId);
  });

  test.for<[string, boolean]>([
    ["s3.amazonaws.com", true],
    ["dynamodb.us-west-1.amazonaws.com", true],
    ["ec2.cn-north-1.amazonaws.com.cn", true],
    ["amazonaws.com", false],
    [".amazonaws.com", false],
    ["s3.example.com", false],
    ["s3.amazonaws.com.example.com", false],
  ])("%s is a service: %s", ([name, is]) => expect(isServicePrincipal(name)).toBe(is));

  test("nobody's grant is in no account's index", () => {
    expect(retiringAccountOf(grantOf("a"))).toBeNull();
  });
});

describe("tokens", () => {
  const content: GrantTokenContent = {
    accountId: ACCOUNT,
    region: "us-east-1",
    keyId: "mrk-0123456789abcdef0123456789abcdef",
    grantId: "0123456789abcdef".repeat(4),
    nonce: "1",
  };
  const [secret, other] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64")) as [
    string,
    string,
  ];
  const token = grantToken(content, secret);

  test("say what they were made with, and are genuine to their secret alone", () => {
    expect(readGrantToken(token)).toEqual(content);
    expect(isGenuine(token, secret)).toBe(true);
    expect(isGenuine(token, other)).toBe(false);
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test("that are changed anywhere are not genuine", () => {
    const bytes = Buffer.from(token, "base64url");
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 0x20;
      expect(isGenuine(changed.toString("base64url"), secret)).toBe(false);
    }
    expect(isGenuine(token.slice(0, -4), secret)).toBe(false);
    expect(isGenuine(`${token}AAAA`, secret)).toBe(false);
  });

  test("of any other text are none, and nothing is thrown", () => {
    const texts = fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[\w-]{0,400}$/));
    fc.assert(
      fc.property(texts, (text) => {
        expect(readGrantToken(text)).toBeNull();
        expect(isGenuine(text, secret)).toBe(false);
      }),
    );
  });

  test.for<[object]>([
    [{ accountId: "1" }],
    [{ region: "nowhere-1" }],
    [{ keyId: "alias/a" }],
    [{ grantId: "0" }],
    [{ nonce: 1 }],
    [{ accountId: undefined }],
  ])("that say %j are none", ([more]) => {
    const wrong = grantToken({ ...content, ...more } as GrantTokenContent, secret);
    expect(readGrantToken(wrong)).toBeNull();
  });

  test("name grants by IDs of 64 hex digits", () => {
    expect(isGrantId(content.grantId)).toBe(true);
    for (const id of ["", "a".repeat(63), "a".repeat(65), "A".repeat(64)]) {
      expect(isGrantId(id)).toBe(false);
    }
  });
});
