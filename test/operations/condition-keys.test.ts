// The table of condition keys: where each has a value, typed from "Condition keys for AWS KMS".
// Those of operations whose requests the core's other tests send are decided there as well.

import { describe, expect, test } from "vitest";
import { policyIn } from "../../src/domain/policy/policy.ts";
import type { Principal } from "../../src/domain/principal.ts";
import { contextOf } from "../../src/operations/condition-keys.ts";
import type { Question } from "../../src/operations/question.ts";
import { allow, deny, policy, root, user } from "../support/principals.ts";

const ARN = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";

const ask = (action: string, input: object, more: Partial<Question> = {}) =>
  contextOf({
    action,
    region: "us-east-1",
    caller: user("alice"),
    request: { sourceIp: null, userAgent: null, secure: false },
    now: Date.UTC(2026, 0, 1),
    input: input as Question["input"],
    key: {
      accountId: "111122223333",
      keySpec: "SYMMETRIC_DEFAULT",
      keyUsage: "ENCRYPT_DECRYPT",
      origin: "EXTERNAL",
      multiRegion: true,
      type: "REPLICA",
      tags: [{ TagKey: "Team", TagValue: "blue" }],
      arn: ARN,
    },
    ...more,
  });

const constraints = { EncryptionContextSubset: { App: "x" } };
const grant = {
  GranteePrincipal: "arn:aws:iam::444455556666:role/G",
  RetiringPrincipal: "arn:aws:iam::444455556666:role/R",
  Operations: ["Encrypt", "Decrypt"],
  Constraints: constraints,
};

describe("a condition key has its value", () => {
  test.each<[string, string, object, unknown]>([
    ["CreateGrant", "kms:GranteePrincipal", grant, "arn:aws:iam::444455556666:role/G"],
    ["CreateGrant", "kms:RetiringPrincipal", grant, "arn:aws:iam::444455556666:role/R"],
    ["CreateGrant", "kms:GrantOperations", grant, ["Encrypt", "Decrypt"]],
    ["CreateGrant", "kms:GrantConstraintType", grant, "EncryptionContextSubset"],
    ["CreateGrant", "kms:GrantIsForAWSResource", grant, "false"],
    ["ListGrants", "kms:GrantIsForAWSResource", {}, "false"],
    ["RevokeGrant", "kms:GrantIsForAWSResource", {}, "false"],
    ["CreateGrant", "kms:EncryptionContext:App", grant, "x"],
    ["CreateGrant", "kms:EncryptionContextKeys", grant, ["App"]],
    [
      "CreateGrant",
      "kms:GranteeServicePrincipal",
      { GranteeServicePrincipal: "s3.amazonaws.com" },
      "s3.amazonaws.com",
    ],
    [
      "CreateGrant",
      "kms:RetiringServicePrincipal",
      { RetiringServicePrincipal: "s3.amazonaws.com" },
      "s3.amazonaws.com",
    ],
    [
      "CreateGrant",
      "kms:GrantConstraintSourceArn",
      { Constraints: { SourceArn: "arn:aws:s3:::b" } },
      "arn:aws:s3:::b",
    ],
    ["ImportKeyMaterial", "kms:ExpirationModel", {}, "KEY_MATERIAL_EXPIRES"],
    [
      "ImportKeyMaterial",
      "kms:ExpirationModel",
      { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" },
      "KEY_MATERIAL_DOES_NOT_EXPIRE",
    ],
    ["ImportKeyMaterial", "kms:ValidTo", { ValidTo: 1_767_225_600 }, "2026-01-01T00:00:00.000Z"],
    [
      "GetParametersForImport",
      "kms:WrappingAlgorithm",
      { WrappingAlgorithm: "RSAES_OAEP_SHA_256" },
      "RSAES_OAEP_SHA_256",
    ],
    ["GetParametersForImport", "kms:WrappingKeySpec", { WrappingKeySpec: "RSA_4096" }, "RSA_4096"],
    ["DeriveSharedSecret", "kms:KeyAgreementAlgorithm", { KeyAgreementAlgorithm: "ECDH" }, "ECDH"],
    ["ListGrants", "kms:KeyOrigin", {}, "EXTERNAL"],
    ["ListGrants", "kms:MultiRegion", {}, "true"],
    ["ListGrants", "kms:MultiRegionKeyType", {}, "REPLICA"],
    ["ListGrants", "kms:CustomerMasterKeyUsage", {}, "ENCRYPT_DECRYPT"],
    ["ListGrants", "aws:ResourceTag/Team", {}, "blue"],
    ["ListGrants", "aws:ResourceAccount", {}, "111122223333"],
    ["ListGrants", "aws:ViaAWSService", {}, "false"],
  ])("%s %s", (action, key, input, expected) => {
    expect(ask(action, input).valueOf(key)).toEqual(expected);
    expect(ask(action, input).valueOf(key.toLowerCase())).toEqual(expected);
  });

  test.each<[string, string, object]>([
    ["Encrypt", "kms:GranteePrincipal", grant],
    ["DescribeKey", "kms:EncryptionContext:App", { EncryptionContext: { App: "x" } }],
    ["DescribeKey", "kms:EncryptionAlgorithm", {}],
    ["Sign", "kms:EncryptionContextKeys", {}],
    ["Encrypt", "kms:ReplicaRegion", { ReplicaRegion: "eu-west-1" }],
    ["ReplicateKey", "kms:PrimaryRegion", { PrimaryRegion: "eu-west-1" }],
    ["DisableKey", "kms:RequestAlias", { KeyId: "alias/a" }],
    ["Encrypt", "aws:RequestTag/Team", { Tags: [{ TagKey: "Team", TagValue: "blue" }] }],
    ["Encrypt", "kms:ViaService", {}],
    ["Encrypt", "aws:CalledVia", {}],
    ["Encrypt", "aws:SourceIp", {}],
    ["Encrypt", "kms:ResourceAliases", {}],
    ["ImportKeyMaterial", "kms:ValidTo", {}],
    ["Encrypt", "kms:", {}],
    ["Encrypt", "constructor", {}],
    ["Encrypt", "aws:PrincipalTag/__proto__", {}],
    ["Encrypt", "kms:EncryptionContext:constructor", { EncryptionContext: {} }],
  ])("%s has no %s", (action, key, input) => {
    expect(ask(action, input).valueOf(key)).toBeUndefined();
  });

  test("of names that differ in case alone the exact one counts", () => {
    const input = { EncryptionContext: { app: "1", APP: "2" } };
    expect(ask("Encrypt", input).valueOf("kms:EncryptionContext:APP")).toBe("2");
    expect(ask("Encrypt", input).valueOf("kms:EncryptionContext:app")).toBe("1");
  });

  test("the root is of type Account and has no name", () => {
    const context = ask("Encrypt", {}, { caller: root() });
    expect(context.valueOf("aws:PrincipalType")).toBe("Account");
    expect(context.valueOf("aws:username")).toBeUndefined();
  });

  test("a service is one", () => {
    const caller: Principal = { ...root(), type: "Service", arn: "logs.amazonaws.com" };
    const context = ask("Encrypt", {}, { caller });
    expect(context.valueOf("aws:PrincipalIsAWSService")).toBe("true");
    expect(context.valueOf("aws:PrincipalServiceName")).toBe("logs.amazonaws.com");
  });
});

describe("what callers write", () => {
  const given = JSON.parse('{"__proto__":"x","Constructor":"y"}');

  test("may be called like members of every object", () => {
    const context = ask("Encrypt", { EncryptionContext: given });
    expect(context.valueOf("kms:EncryptionContext:__proto__")).toBe("x");
    expect(context.valueOf("kms:EncryptionContext:constructor")).toBe("y");
    expect(context.valueOf("kms:EncryptionContext:toString")).toBeUndefined();
    expect(context.valueOf("kms:EncryptionContextKeys")).toEqual(["__proto__", "Constructor"]);
    const inGrant = { ...grant, Constraints: { EncryptionContextSubset: given } };
    expect(ask("CreateGrant", inGrant).valueOf("kms:EncryptionContext:__proto__")).toBe("x");
    const tags = { Tags: [{ TagKey: "__proto__", TagValue: "z" }] };
    expect(ask("CreateKey", tags).valueOf("aws:RequestTag/__proto__")).toBe("z");
  });

  test("together takes no longer than the evaluation has time", () => {
    const long = "a".repeat(900_000);
    const keys = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, "v"]));
    for (const [Condition, EncryptionContext] of [
      [{ StringLike: { "kms:EncryptionContext:a": Array(4000).fill("*a?c*") } }, { a: long }],
      [
        { StringEqualsIgnoreCase: { "kms:EncryptionContext:a": Array(4000).fill("b") } },
        { a: long },
      ],
      [
        {
          StringLike: {
            "kms:EncryptionContext:b": Array(1000).fill(`$\{kms:EncryptionContext:a}?`),
          },
        },
        { a: "a".repeat(8000), b: "b".repeat(8001) },
      ],
      [
        { "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": Array(4000).fill("x") } },
        keys,
      ],
    ] as const) {
      const text = policy(deny("kms:*", { Condition }));
      const statement = policyIn(text, "identity").statements[0];
      const context = ask("Encrypt", { EncryptionContext });
      const started = performance.now();
      expect(() => statement?.concerns({ action: "kms:encrypt", resource: "*", context })).toThrow(
        "The policies take too long to evaluate.",
      );
      expect(performance.now() - started).toBeLessThan(1500);
    }
    const names = Array.from({ length: 1000 }, (_, at) => [`kms:EncryptionContext:x${at}`, "v"]);
    const Condition = { StringNotEquals: Object.fromEntries(names) };
    const [statement] = policyIn(policy(allow("kms:*", { Condition })), "identity").statements;
    const context = ask("Encrypt", { EncryptionContext: keys });
    const started = performance.now();
    expect(statement?.concerns({ action: "kms:encrypt", resource: "*", context })).toBe(true);
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe("an attestation document", () => {
  const attestation = { pcrs: { 0: "aa", 8: "bb" }, nitroTpmPcrs: { 4: "cc" } };

  test.each([
    ["ImageSha384", "aa"],
    ["PCR0", "aa"],
    ["pcr8", "bb"],
    ["PCR1", undefined],
    ["NitroTPMPCR4", "cc"],
    ["NitroTPMPCR8", undefined],
    ["PCR123", undefined],
  ])("kms:RecipientAttestation:%s", (name, expected) => {
    const key = `kms:RecipientAttestation:${name}`;
    expect(ask("Decrypt", {}, { attestation }).valueOf(key)).toBe(expected);
    expect(ask("Encrypt", {}, { attestation }).valueOf(key)).toBeUndefined();
    expect(ask("Decrypt", {}).valueOf(key)).toBeUndefined();
  });

  test("may give the image's hash itself", () => {
    const context = ask("Decrypt", {}, { attestation: { ...attestation, imageSha384: "dd" } });
    expect(context.valueOf("kms:RecipientAttestation:ImageSha384")).toBe("dd");
  });
});
