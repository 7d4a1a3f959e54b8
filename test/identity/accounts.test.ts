// Who a configuration names: whether there may be a principal of an ARN, and what a role's session has.

import { expect, test } from "vitest";
import type { Role } from "../../src/configuration/configuration.ts";
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

test("a session's tags take the place of its role's, whose keys are the same in any case", () => {
  const role: Role = {
    path: "",
    name: "app",
    policies: [],
    boundary: null,
    trust: "",
    tags: { Team: "red", stage: "test" },
  };
  const session = { accountId: "111122223333", roleName: "app", sessionName: "s", policy: null };
  const tagsOf = (tags: Record<string, string>) =>
    sessionPrincipal("us-east-1", { ...session, tags }, role).tags;
  expect(tagsOf({ team: "blue" })).toEqual({ team: "blue", stage: "test" });
  expect(tagsOf({ Team: "blue" })).toEqual({ Team: "blue", stage: "test" });
  expect(tagsOf({})).toEqual(role.tags);
});
