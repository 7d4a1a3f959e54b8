// How keys and aliases are named. https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  aliasArn,
  isKeyId,
  isMultiRegionKeyId,
  keyArn,
  parseKeyReference,
  rootArn,
} from "../../src/domain/arn.ts";
import { isRegion, partitionOf, type Region } from "../../src/domain/region.ts";

const SINGLE = "1234abcd-12ab-34cd-56ef-1234567890ab";
const MULTI = "mrk-1234abcd12ab34cd56ef1234567890ab";

describe("key IDs", () => {
  it("are UUIDs, or mrk- and 32 digits in lower case", () => {
    expect([isKeyId(SINGLE), isMultiRegionKeyId(SINGLE)]).toEqual([true, false]);
    expect(isKeyId(SINGLE.toUpperCase())).toBe(true);
    expect([isKeyId(MULTI), isMultiRegionKeyId(MULTI)]).toEqual([true, true]);
  });

  it.for([
    "",
    "fake-key-id",
    "mrk-fake-key-id",
    SINGLE.replaceAll("-", ""),
    `${SINGLE} `,
    `${SINGLE}\n`,
    `${MULTI}0`,
    MULTI.slice(0, -1),
    MULTI.replace("mrk-", "MRK-"),
    `mrk-${MULTI.slice(4).toUpperCase()}`,
    `mrk-${SINGLE}`,
  ])("%j is none", (text) => {
    expect(isKeyId(text)).toBe(false);
  });
});

describe("ARNs", () => {
  it("of keys, aliases and accounts name the partition of their Region", () => {
    expect(keyArn("us-east-1", "111122223333", MULTI)).toBe(
      `arn:aws:kms:us-east-1:111122223333:key/${MULTI}`,
    );
    expect(keyArn("cn-north-1", "111122223333", SINGLE)).toBe(
      `arn:aws-cn:kms:cn-north-1:111122223333:key/${SINGLE}`,
    );
    expect(aliasArn("us-gov-west-1", "111122223333", "alias/a/b")).toBe(
      "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a/b",
    );
    expect(rootArn("eu-west-1", "111122223333")).toBe("arn:aws:iam::111122223333:root");
    expect(rootArn("cn-north-1", "111122223333")).toBe("arn:aws-cn:iam::111122223333:root");
  });

  it.for<[string, string]>([
    ["ap-southeast-7", "aws"],
    ["mx-central-1", "aws"],
    ["cn-northwest-1", "aws-cn"],
    ["us-gov-east-1", "aws-us-gov"],
    ["us-iso-west-1", "aws-iso"],
    ["us-isob-west-1", "aws-iso-b"],
    ["eu-isoe-west-1", "aws-iso-e"],
    ["us-isof-south-1", "aws-iso-f"],
    ["eusc-de-east-1", "aws-eusc"],
  ])("%s is of the partition %s", ([region, partition]) => {
    expect(isRegion(region)).toBe(true);
    expect(partitionOf(region as Region)).toBe(partition);
  });

  it.for(["", "us-east-9", "US-EAST-1", "global", "toString", "__proto__"])(
    "%j is no Region",
    (name) => {
      expect(isRegion(name)).toBe(false);
    },
  );
});

describe("a KeyId as a caller writes it", () => {
  const arn = { partition: "aws", region: "us-east-1", accountId: "111122223333" };

  it.for([
    [SINGLE, { kind: "keyId", keyId: SINGLE }],
    [MULTI, { kind: "keyId", keyId: MULTI }],
    [`arn:aws:kms:us-east-1:111122223333:key/${MULTI}`, { kind: "keyArn", keyId: MULTI, arn }],
    ["alias/my/key", { kind: "aliasName", aliasName: "alias/my/key" }],
    ["alias/", { kind: "aliasName", aliasName: "alias/" }],
    [
      "arn:aws:kms:us-east-1:111122223333:alias/my/key",
      { kind: "aliasArn", aliasName: "alias/my/key", arn },
    ],
    // The form is that of a key's ARN; that there is no such key is found out later.
    [
      "arn:aws:kms:us-east-1:111122223333:key/fake-key-id",
      { kind: "keyArn", keyId: "fake-key-id", arn },
    ],
    [
      `arn:aws-cn:kms:cn-north-1:111122223333:key/${MULTI}`,
      {
        kind: "keyArn",
        keyId: MULTI,
        arn: { partition: "aws-cn", region: "cn-north-1", accountId: "111122223333" },
      },
    ],
  ] as const)("%s", ([text, reference]) => {
    expect(parseKeyReference(text)).toEqual(reference);
  });

  it.for([
    "arn:",
    "arn:aws:s3:::bucket",
    "arn:aws:kms:us-east-1:1111:key/x",
    `arn:aws:kms:us-east-1:111122223333:${MULTI}`,
    "arn:aws:kms:us-east-1:111122223333:key/",
    `arn:aws:kms::111122223333:key/${MULTI}`,
    `arn:azure:kms:us-east-1:111122223333:key/${MULTI}`,
    `arn:aws:kms:us-east-1:111122223333:grant/${MULTI}`,
  ])("%s is a malformed ARN", (text) => {
    expect(parseKeyReference(text)).toEqual({ kind: "malformed" });
  });

  it.for(["", "fake-key-id", "Alias/a", "ARN:aws", "alias"])("%j is unknown", (text) => {
    expect(parseKeyReference(text)).toEqual({ kind: "unknown" });
  });

  it("of any text at all is read without an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `arn:aws:kms:${text}`),
        ),
        (text) => {
          expect(parseKeyReference(text).kind).toMatch(/^[a-zA-Z]+$/);
        },
      ),
    );
  });

  it("is read back from every ARN that is written", () => {
    const region = fc.constantFrom<Region>(
      "us-east-1",
      "cn-north-1",
      "us-gov-west-1",
      "eusc-de-east-1",
    );
    const account = fc.stringMatching(/^\d{12}$/);
    fc.assert(
      fc.property(region, account, fc.constantFrom(SINGLE, MULTI), (name, accountId, keyId) => {
        expect(parseKeyReference(keyArn(name, accountId, keyId))).toEqual({
          kind: "keyArn",
          keyId,
          arn: { partition: partitionOf(name), region: name, accountId },
        });
      }),
    );
  });
});
