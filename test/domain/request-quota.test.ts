// AWS's request quotas, and what counts towards each.
// https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html

import { describe, expect, test } from "vitest";
import { dataKeyPairSpecNames, type KeySpec, keySpecNames } from "../../src/domain/key-spec.ts";
import { limits } from "../../src/domain/limits.ts";
import type { Region } from "../../src/domain/region.ts";
import {
  awsRequestQuotas,
  countsByKey,
  parseRequestQuotas,
  perSecondOf,
  type RequestQuotaName,
  requestQuotaOf,
  towardsByRequest,
} from "../../src/domain/request-quota.ts";
import { operations } from "../../src/operations/index.ts";

const P = "us-east-1";

describe("AWS's values", () => {
  test.each([
    ["Symmetric", "us-east-1", 100_000],
    ["Symmetric", "us-west-2", 100_000],
    ["Symmetric", "eu-west-1", 100_000],
    ["Symmetric", "us-east-2", 20_000],
    ["Symmetric", "eu-central-1", 20_000],
    ["Symmetric", "eu-west-2", 20_000],
    ["Symmetric", "ap-northeast-1", 20_000],
    ["Symmetric", "ap-southeast-1", 20_000],
    ["Symmetric", "ap-southeast-2", 20_000],
    ["Symmetric", "eu-west-3", 10_000],
    ["Symmetric", "sa-east-1", 10_000],
    ["RSA", P, 1000],
    ["ECC", P, 1000],
    ["ML_DSA", P, 1000],
    ["CustomKeyStore", P, 1800],
    ["CreateKey", P, 5],
    ["CreateGrant", P, 50],
    ["DescribeKey", P, 2000],
    ["GetParametersForImport", P, 1],
    ["ListKeys", P, 500],
    ["ReplicateKey", P, 5],
    ["TagResource", P, 10],
    ["UpdatePrimaryRegion", P, 5],
    ["GenerateDataKeyPair:ECC_NIST_P256", P, 100],
    ["GenerateDataKeyPair:RSA_2048", P, 20],
    ["GenerateDataKeyPair:RSA_2048", "cn-north-1", 1],
    ["GenerateDataKeyPair:RSA_3072", "eu-west-1", 4],
    ["GenerateDataKeyPair:RSA_3072", "cn-northwest-1", 0.5],
    ["GenerateDataKeyPair:RSA_4096", P, 1],
    ["GenerateDataKeyPair:RSA_4096", "cn-north-1", 0.1],
    ["GenerateDataKeyPair:SM2", "cn-north-1", 25],
  ] as const)("%s in %s", (quota, region, perSecond) => {
    expect(perSecondOf(awsRequestQuotas, quota, region)).toBe(perSecond);
  });

  test.each([
    ["SYMMETRIC_DEFAULT", "Symmetric"],
    ["HMAC_224", "Symmetric"],
    ["HMAC_256", "Symmetric"],
    ["HMAC_384", "Symmetric"],
    ["HMAC_512", "Symmetric"],
    ["RSA_2048", "RSA"],
    ["RSA_3072", "RSA"],
    ["RSA_4096", "RSA"],
    ["ECC_NIST_P256", "ECC"],
    ["ECC_NIST_P384", "ECC"],
    ["ECC_NIST_P521", "ECC"],
    ["ECC_SECG_P256K1", "ECC"],
    ["ECC_NIST_EDWARDS25519", "ECC"],
    ["SM2", "ECC"],
    ["ML_DSA_44", "ML_DSA"],
    ["ML_DSA_65", "ML_DSA"],
    ["ML_DSA_87", "ML_DSA"],
    ["ML_KEM_512", "ML_KEM"],
    ["ML_KEM_768", "ML_KEM"],
    ["ML_KEM_1024", "ML_KEM"],
  ] satisfies [KeySpec, string][])("keys of %s share %s", (spec, quota) => {
    expect(requestQuotaOf(spec)).toBe(quota);
  });

  test("are for every operation and every key spec", () => {
    const inputs = dataKeyPairSpecNames.map((KeyPairSpec) => ({ KeyPairSpec }));
    for (const operation of Object.keys(operations)) {
      // ReEncrypt counts by its two steps.
      if (countsByKey(operation) || operation === "ReEncrypt") continue;
      for (const input of operation.startsWith("GenerateDataKeyPair") ? inputs : [{}]) {
        expect([operation, input, towardsByRequest(operation, input, P).length]).toEqual([
          operation,
          input,
          1,
        ]);
      }
    }
    expect(new Set(keySpecNames.map(requestQuotaOf))).toEqual(
      new Set(["Symmetric", "RSA", "ECC", "ML_DSA", "ML_KEM"]),
    );
  });

  test("are for nothing that does not exist", () => {
    const known = [
      ...Object.keys(operations),
      ...dataKeyPairSpecNames.map((spec) => `GenerateDataKeyPair:${spec}`),
      ...["Symmetric", "RSA", "ECC", "ML_DSA", "ML_KEM", "CustomKeyStore"],
    ];
    expect(Object.keys(limits.request).filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe("what a request counts towards", () => {
  const cases: [string, object, [RequestQuotaName, Region, number][]][] = [
    ["CreateKey", {}, [["CreateKey", P, 1]]],
    ["GenerateRandom", { NumberOfBytes: 1 }, [["Symmetric", P, 1]]],
    [
      "GenerateDataKeyPairWithoutPlaintext",
      { KeyPairSpec: "RSA_2048" },
      [["GenerateDataKeyPair:RSA_2048", P, 1]],
    ],
    [
      "ReplicateKey",
      { ReplicaRegion: "eu-west-1" },
      [
        ["ReplicateKey", P, 1],
        ["CreateKey", "eu-west-1", 2],
      ],
    ],
    ["ReplicateKey", { ReplicaRegion: "mars" }, [["ReplicateKey", P, 1]]],
    [
      "UpdatePrimaryRegion",
      { PrimaryRegion: "eu-west-1" },
      [
        ["UpdatePrimaryRegion", P, 1],
        ["UpdatePrimaryRegion", "eu-west-1", 1],
      ],
    ],
    ["UpdatePrimaryRegion", { PrimaryRegion: P }, [["UpdatePrimaryRegion", P, 1]]],
    // By their keys.
    ["Encrypt", {}, []],
    ["ReEncrypt", {}, []],
    ["toString", {}, []],
  ];
  test.each(cases)("%s %o", (operation, input, expected) => {
    const towards = towardsByRequest(operation, input, P);
    expect(towards.map(({ quota, region, requests }) => [quota, region, requests])).toEqual(
      expected,
    );
  });
});

describe("the setting", () => {
  test("off, AWS's values, AWS's with others, and those that are named alone", () => {
    expect(parseRequestQuotas("off")).toBe(null);
    expect(parseRequestQuotas("aws")).toEqual(awsRequestQuotas);
    const changed = parseRequestQuotas("aws, CreateKey=2,GenerateDataKeyPair:RSA_4096=0.25");
    expect(changed?.get("CreateKey")).toBe(2);
    expect(changed?.get("GenerateDataKeyPair:RSA_4096")).toBe(0.25);
    expect(changed?.get("ListKeys")).toBe(500);
    expect(parseRequestQuotas("Symmetric=0,RSA=3")).toEqual(
      new Map([
        ["Symmetric", 0],
        ["RSA", 3],
      ]),
    );
  });

  test.each([
    ...["", "on", "CreateKey", "CreateKey=", "CreateKey=-1", "CreateKey=1.5", "CreateKey=1e3"],
    ...[
      "createkey=1",
      "Nothing=1",
      "toString=1",
      "CreateKey=1,",
      "off,CreateKey=1",
      "CreateKey=1,aws",
    ],
    ...["CreateKey=0.0001", "CreateKey=1000000000"],
  ])("refuses %j", (text) => {
    expect(() => parseRequestQuotas(text)).toThrow(/^expects off, aws or NAME=NUMBER,….*, not "/);
  });
});
