// Whether there may be a principal of an ARN, as far as a configuration says; which managed policies
// there are, and who has them.

import { describe, expect, test } from "vitest";
import type { Configuration } from "../../src/configuration/configuration.ts";
import { readConfiguration } from "../../src/configuration/document.ts";
import { Accounts, sessionPrincipal } from "../../src/identity/accounts.ts";

const trust = {
  Statement: { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" },
};
const text = JSON.stringify({
  accounts: {
    "111122223333": { users: { alice: {}, "team/bob": {} }, roles: { "ops/admin": { trust } } },
    "444455556666": {},
  },
});

test("where an account has principals, only they are", async () => {
  const accounts = new Accounts(await readConfiguration(text));
  const own = (rest: string) => accounts.mayBe(`arn:aws:iam::111122223333:${rest}`);
  expect(
    ["root", "user/alice", "user/team/bob", "role/ops/admin"].filter((each) => !own(each)),
  ).toEqual([]);
  expect(
    ["user/eve", "user/bob", "user/other/bob", "role/admin", "role/alice", "user/__proto__"].filter(
      own,
    ),
  ).toEqual([]);
  const session = (rest: string) => accounts.mayBe(`arn:aws:sts::111122223333:${rest}`);
  expect(session("assumed-role/admin/x")).toBe(true);
  expect(session("assumed-role/other/x")).toBe(false);
  expect(session("federated-user/x")).toBe(true);
});

test("of any other account a well-formed ARN is enough", async () => {
  const accounts = new Accounts(await readConfiguration(text));
  for (const account of ["444455556666", "777788889999"]) {
    expect(accounts.mayBe(`arn:aws:iam::${account}:user/eve`)).toBe(true);
    expect(accounts.mayBe(`arn:aws:sts::${account}:assumed-role/x/y`)).toBe(true);
  }
});

describe("managed policies", () => {
  const document = (Action: string) => ({ Statement: { Effect: "Allow", Action, Resource: "*" } });
  const own = "arn:aws:iam::111122223333:policy/team/Read";
  const admin = "arn:aws:iam::aws:policy/AdministratorAccess";
  const withPolicies = async () =>
    new Accounts(
      await readConfiguration(
        JSON.stringify({
          accounts: {
            "111122223333": {
              users: { alice: { policies: [document("kms:Sign"), own], boundary: admin } },
              roles: { app: { trust, policies: [own], tags: { Team: "a", cost: "1" } } },
              policies: { "team/Read": document("kms:Get*") },
            },
            "444455556666": { policies: { "team/Read": document("kms:List*") } },
          },
        }),
      ),
    );

  test("are an account's own, or AWS's", async () => {
    const accounts = await withPolicies();
    const read = { arn: own, text: JSON.stringify(document("kms:Get*")) };
    expect(accounts.managedPolicy(own, "111122223333")).toEqual(read);
    expect(accounts.managedPolicy(own, "444455556666")).toBeNull();
    expect(accounts.managedPolicy(admin, "777788889999")).toEqual({
      arn: admin,
      text: expect.stringContaining('"Action":"*"'),
    });
    for (const arn of [
      "arn:aws:iam::111122223333:policy/Read",
      "arn:aws:iam::111122223333:policy/team/read",
      "arn:aws:iam::aws:policy/team/Read",
      "arn:aws:iam::111122223333:role/app",
      "",
    ]) {
      expect(accounts.managedPolicy(arn, "111122223333")).toBeNull();
    }
    // It names nobody, so that anybody may be there.
    expect(accounts.mayBe("arn:aws:iam::444455556666:user/eve")).toBe(true);
  });

  test("are with those who name them, in the order in which they are named", async () => {
    const accounts = await withPolicies();
    const read = { arn: own, text: JSON.stringify(document("kms:Get*")) };
    expect(accounts.user("111122223333", "alice")).toMatchObject({
      policies: [{ arn: null, text: JSON.stringify(document("kms:Sign")) }, read],
      boundary: { arn: admin },
    });
    expect(accounts.role("111122223333", "app")).toMatchObject({
      policies: [read],
      boundary: null,
    });
  });

  test("of a session come after its inline policy; one that is gone leaves none", async () => {
    const accounts = await withPolicies();
    const policies = (
      policyArns: string[],
      policy: string | null = null,
      accountId = "111122223333",
    ) => accounts.sessionPolicies({ accountId, policy, policyArns });
    expect(policies([])).toEqual([]);
    expect(policies([admin, own], "{}")?.map(({ arn }) => arn)).toEqual([null, admin, own]);
    expect(policies([admin, `${own}2`], "{}")).toBeNull();
    expect(policies([own], null, "444455556666")).toBeNull();
  });

  test("a configuration that was stored before there were any is one without", () => {
    const stored = { accounts: [{ id: "111122223333", users: [], roles: [] }] };
    const accounts = new Accounts(stored satisfies Configuration);
    expect(accounts.managedPolicy(own, "111122223333")).toBeNull();
  });

  test("a session's tag takes the place of its role's, whatever the case of its key", async () => {
    const accounts = await withPolicies();
    const session = {
      accountId: "111122223333",
      roleName: "app",
      sessionName: "s1",
      tags: { team: "b" },
      sourceIdentity: "ann",
    };
    const role = accounts.role("111122223333", "app");
    expect(sessionPrincipal("us-east-1", session, role, [])).toMatchObject({
      tags: { team: "b", cost: "1" },
      sourceIdentity: "ann",
      userId: expect.stringMatching(/^AROA[A-Z2-7]{17}:s1$/),
      userName: null,
      sessionPolicies: null,
    });
    expect(Object.keys(sessionPrincipal("us-east-1", session, role, []).tags).sort()).toEqual([
      "cost",
      "team",
    ]);
  });
});
