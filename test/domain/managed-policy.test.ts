// Managed policies: their ARNs, and what AWS's own say of KMS and STS. What each may do is from AWS's
// reference of managed policies, not from the table.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  awsManagedPolicy,
  awsManagedPolicyNames,
  managedPolicyName,
} from "../../src/domain/managed-policy.ts";
import { policyIn } from "../../src/domain/policy/policy.ts";

test("an ARN is of an account's own policy or of AWS's, with a path or without", () => {
  expect(managedPolicyName("arn:aws:iam::111122223333:policy/Read")).toEqual({
    partition: "aws",
    accountId: "111122223333",
    fullName: "Read",
  });
  expect(managedPolicyName("arn:aws-us-gov:iam::aws:policy/job-function/ViewOnlyAccess")).toEqual({
    partition: "aws-us-gov",
    accountId: null,
    fullName: "job-function/ViewOnlyAccess",
  });
});

test.each([
  "",
  "Read",
  "arn:aws:iam::111122223333:role/Read",
  "arn:aws:iam::11112222333:policy/Read",
  "arn:aws:iam::AWS:policy/Read",
  "arn:aws:iam:us-east-1:111122223333:policy/Read",
  "arn:aws:sts::111122223333:policy/Read",
  "arn:aws:iam::111122223333:policy/",
  "arn:aws:iam::111122223333:policy//Read",
  "arn:aws:iam::111122223333:policy/Read ",
  "arn:aws:iam::111122223333:policy/Read\n",
  "arn:aws:iam::111122223333:policy/*",
  `arn:aws:iam::111122223333:policy/${"n".repeat(129)}`,
])("%j is none", (text) => {
  expect(managedPolicyName(text)).toBeNull();
});

/** Whether the one statement of a policy allows it. */
function allows(text: string, permission: string): boolean {
  const [statement, more] = policyIn(text, "identity").statements;
  expect(more).toBeUndefined();
  const context = { valueOf: () => undefined };
  const asked = { action: permission.toLowerCase(), resource: "*", context };
  return statement?.effect === "Allow" && statement.concerns(asked);
}

const permissions =
  "kms:CreateKey kms:DescribeKey kms:GetPublicKey kms:GetKeyPolicy kms:ListKeys kms:ListAliases " +
  "kms:ListResourceTags kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:GenerateRandom kms:TagResource " +
  "kms:PutKeyPolicy sts:AssumeRole sts:GetSessionToken";

test.each<[string, string]>([
  ["AdministratorAccess", permissions],
  ["PowerUserAccess", permissions],
  ["AWSDenyAll", ""],
  [
    "AWSKeyManagementServicePowerUser",
    "kms:CreateKey kms:DescribeKey kms:GetPublicKey kms:GetKeyPolicy kms:ListKeys kms:ListAliases " +
      "kms:ListResourceTags kms:GenerateRandom kms:TagResource",
  ],
  [
    "job-function/SystemAdministrator",
    "kms:CreateKey kms:DescribeKey kms:GetPublicKey kms:GetKeyPolicy kms:ListKeys kms:ListAliases " +
      "kms:ListResourceTags kms:Encrypt kms:ReEncryptFrom kms:GenerateRandom",
  ],
  ["job-function/ViewOnlyAccess", "kms:ListKeys kms:ListResourceTags"],
  [
    "ReadOnlyAccess",
    "kms:DescribeKey kms:GetPublicKey kms:GetKeyPolicy kms:ListKeys kms:ListAliases " +
      "kms:ListResourceTags sts:GetSessionToken",
  ],
  [
    "SecurityAudit",
    "kms:DescribeKey kms:GetPublicKey kms:GetKeyPolicy kms:ListKeys kms:ListAliases " +
      "kms:ListResourceTags",
  ],
])("%s", (name, allowed) => {
  const text = awsManagedPolicy(name) ?? "";
  expect(
    permissions
      .split(" ")
      .filter((each) => allows(text, each))
      .join(" "),
  ).toBe(allowed);
});

test("those are all, and no other name is one", () => {
  expect([...awsManagedPolicyNames].sort()).toEqual([
    "AWSDenyAll",
    "AWSKeyManagementServicePowerUser",
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "job-function/SystemAdministrator",
    "job-function/ViewOnlyAccess",
  ]);
  for (const name of ["ViewOnlyAccess", "readonlyaccess", "__proto__", "constructor", ""]) {
    expect(awsManagedPolicy(name)).toBeNull();
  }
});

test.each(["accounts", "differences"])("docs/%s.md names them all", (page) => {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), "utf8");
  for (const name of awsManagedPolicyNames) expect(text).toContain(name);
});
