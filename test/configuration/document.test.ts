// What a configuration file may say, and how a wrong one is refused: with the line, without a value.

import { describe, expect, test } from "vitest";
import { ConfigurationError, readConfiguration } from "../../src/configuration/document.ts";

const YAML = `# The people of one team.
accounts:
  111122223333:
    users:
      alice:
        accessKeys:
          - id: AKIAALICE00000000001
            secret: alice's secret
        policies:
          - Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: kms:*
                Resource: "*"
        tags: {team: orders}
      division/bob: {}
    roles:
      app:
        trust: &trust
          Version: "2012-10-17"
          Statement:
            Effect: Allow
            Principal: {AWS: [arn:aws:iam::111122223333:user/alice, 012345678901]}
            Action: sts:AssumeRole
        boundary: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}'
      other:
        trust: *trust
  000000000012: {}
`;

test("YAML: users with access keys, roles with trust policies; an account keeps its zeros", async () => {
  const { accounts } = await readConfiguration(YAML);
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: ["arn:aws:iam::111122223333:user/alice", "012345678901"] },
      Action: "sts:AssumeRole",
    },
  });
  const nothing = { policies: [], tags: {}, boundary: null };
  expect(accounts).toEqual([
    {
      id: "111122223333",
      users: [
        {
          path: "",
          name: "alice",
          accessKeys: [{ id: "AKIAALICE00000000001", secret: "alice's secret" }],
          policies: [
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}',
          ],
          tags: { team: "orders" },
          boundary: null,
        },
        { path: "division/", name: "bob", accessKeys: [], ...nothing },
      ],
      roles: [
        {
          ...nothing,
          path: "",
          name: "app",
          trust,
          boundary:
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}',
        },
        { ...nothing, path: "", name: "other", trust },
      ],
      policies: [],
    },
    { id: "000000000012", users: [], roles: [], policies: [] },
  ]);
});

const reading = { Effect: "Allow", Action: "kms:Describe*", Resource: "*" };

test("managed policies by name, and those who have them by ARN", async () => {
  const own = "arn:aws:iam::111122223333:policy/team/Read";
  const aws = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
  const china = "arn:aws-cn:iam::111122223333:policy/team/Read";
  const { accounts } = await readConfiguration(
    JSON.stringify({
      accounts: {
        "111122223333": {
          users: { alice: { policies: [own, { Statement: reading }, aws], boundary: own } },
          roles: { app: { trust: { Statement: { ...trusted } }, policies: [china] } },
          policies: {
            "team/Read": { Statement: reading },
            [`${"n".repeat(128)}`]: JSON.stringify({ Statement: [reading] }),
          },
        },
      },
    }),
  );
  expect(accounts).toMatchObject([
    {
      users: [{ policies: [own, JSON.stringify({ Statement: reading }), aws], boundary: own }],
      roles: [{ policies: [china], boundary: null }],
      policies: [
        { path: "team/", name: "Read", text: JSON.stringify({ Statement: reading }) },
        { path: "", name: "n".repeat(128), text: JSON.stringify({ Statement: [reading] }) },
      ],
    },
  ]);
});

const trusted = { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" };

test("JSON says the same", async () => {
  const json = JSON.stringify(
    { accounts: { "000000000012": { users: { __proto__x: { tags: { a: "b" } } } } } },
    null,
    1,
  );
  expect(await readConfiguration(json)).toMatchObject({
    accounts: [{ id: "000000000012", users: [{ name: "__proto__x", tags: { a: "b" } }] }],
  });
});

test.each(["", "# nothing\n", "{}", "accounts: {}"])("%j names nobody", async (text) => {
  expect(await readConfiguration(text)).toEqual({ accounts: [] });
});

test("__proto__ is a name like any other", async () => {
  for (const text of [
    '{"accounts": {"111122223333": {"users": {"__proto__": {"tags": {"x": "y"}}}}}}',
    "accounts: {111122223333: {users: {__proto__: {tags: {x: y}}}}}",
  ]) {
    const { accounts } = await readConfiguration(text);
    expect(accounts[0]?.users).toMatchObject([{ name: "__proto__", tags: { x: "y" } }]);
  }
  expect({}).not.toHaveProperty("tags");
});

const account = (text: string) => `accounts:\n  111122223333:\n${text}`;

describe("refused with its line:", () => {
  test.each<[what: string, text: string, line: number, message: RegExp]>([
    ["a tab", "accounts:\n\t1: {}", 2, /^is not valid YAML: tab as indent$/],
    ["no value", "accounts:", 1, /^accounts has to be a mapping$/],
    ["a list", "- 1", 1, /^it has to be a mapping$/],
    ["a name twice", "accounts: {}\naccounts: {}", 2, /^is not valid YAML: duplicate key$/],
    ["an unknown name", "accounts: {}\nkeyz: {}", 2, /^keyz is not known$/],
    [
      "an account of 11 digits",
      "accounts:\n  11112222333: {}",
      2,
      /^accounts\.11112222333 has a name that does not match/,
    ],
    [
      "a number for a tag",
      account("    users:\n      a:\n        tags:\n          cost: 5"),
      6,
      /\.tags\.cost has to be text$/,
    ],
    [
      "a key without a secret",
      account("    users:\n      a:\n        accessKeys:\n          - {id: AKIA1}"),
      6,
      /\.accessKeys\.0 lacks secret$/,
    ],
    [
      "an account as an access key",
      account(
        "    users:\n      a:\n        accessKeys:\n          - {id: '111122223333', secret: s}",
      ),
      6,
      /\.id does not match /,
    ],
    [
      "a session's access key",
      account("    users:\n      a:\n        accessKeys:\n          - {id: ASIAX, secret: s}"),
      6,
      /\.id does not match /,
    ],
    [
      "two users of one key",
      account(
        "    users:\n      a: {accessKeys: [{id: AKIA1, secret: s}]}\n      b: {accessKeys: [{id: AKIA1, secret: t}]}",
      ),
      5,
      /users\.b\.accessKeys\.0\.id is another access key's, too$/,
    ],
    [
      "two users of one name",
      account("    users:\n      a: {}\n      x/A: {}"),
      5,
      /users\.x\/A has a name that is taken$/,
    ],
    [
      "two managed policies of one name",
      account(
        "    policies:\n      a: &p {Statement: {Effect: Allow, Action: '*', Resource: '*'}}\n      x/A: *p",
      ),
      5,
      /policies\.x\/A has a name that is taken$/,
    ],
    [
      "a managed policy with a principal",
      account(
        "    policies:\n      a:\n        Statement:\n          Effect: Allow\n          Principal: '*'\n          Action: '*'\n          Resource: '*'",
      ),
      7,
      /policies\.a\.Statement\.Principal is refused: Policy document should not specify a principal\.$/,
    ],
    [
      "a managed policy with a name of 129 characters",
      account(`    policies: {${"n".repeat(129)}: '{}'}`),
      3,
      /\.n+ has a name that does not match/,
    ],
    [
      "a managed policy that is an ARN itself",
      account("    policies: {a: 'arn:aws:iam::aws:policy/AdministratorAccess'}"),
      3,
      /policies\.a is refused: Syntax errors in policy: it is not valid JSON\.$/,
    ],
    [
      "the ARN of a managed policy that is not there",
      account(
        "    policies: {}\n    users:\n      a:\n        policies:\n          - arn:aws:iam::111122223333:policy/Read",
      ),
      7,
      /users\.a\.policies\.0 names a policy that the account does not have$/,
    ],
    [
      "a managed policy without its path",
      account(
        "    policies:\n      x/a: {Statement: {Effect: Allow, Action: '*', Resource: '*'}}\n    users:\n      a:\n        boundary: arn:aws:iam::111122223333:policy/a",
      ),
      7,
      /users\.a\.boundary names a policy that the account does not have$/,
    ],
    [
      "a managed policy of another account",
      account("    users:\n      a: {policies: ['arn:aws:iam::444455556666:policy/Read']}"),
      4,
      /policies\.0 names a policy of another account$/,
    ],
    [
      "a managed policy of AWS's own that is not known",
      account("    users:\n      a: {policies: ['arn:aws:iam::aws:policy/AmazonS3FullAccess']}"),
      4,
      /policies\.0 names a policy of AWS's own that is not known here: write down what it says/,
    ],
    [
      "an ARN of something else",
      account("    users:\n      a: {policies: ['arn:aws:iam::111122223333:role/app']}"),
      4,
      /policies\.0 is not the ARN of a managed policy$/,
    ],
    [
      "a managed policy for a trust policy",
      account("    roles:\n      a: {trust: 'arn:aws:iam::aws:policy/AdministratorAccess'}"),
      4,
      /roles\.a\.trust is refused: Syntax errors in policy: it is not valid JSON\.$/,
    ],
    ["a role without trust", account("    roles:\n      app: {}"), 4, /roles\.app lacks trust$/],
    [
      "a policy that is no JSON",
      account("    users:\n      a:\n        policies:\n          - '{'"),
      6,
      /policies\.0 is refused: Syntax errors in policy: it is not valid JSON\.$/,
    ],
    [
      "a policy of null",
      account("    users:\n      a:\n        policies:\n          - 'null'"),
      6,
      /policies\.0 is refused: Syntax errors in policy: the document is not an object\.$/,
    ],
    [
      "a policy without statements",
      account("    users:\n      a:\n        policies:\n          - Version: 2012-10-17"),
      6,
      /policies\.0 lacks Statement$/,
    ],
    [
      "an unknown effect",
      account(
        "    users:\n      a:\n        policies:\n          - Statement:\n              - Effect: allow\n                Action: '*'\n                Resource: '*'",
      ),
      7,
      /\.Effect has to be one of Allow, Deny$/,
    ],
    [
      "the same in a text",
      account(
        `    users:\n      a:\n        policies:\n          - '{"Statement":{"Effect":"x","Action":"*","Resource":"*"}}'`,
      ),
      6,
      /policies\.0 is refused: Syntax errors in policy: the Effect of a statement is neither/,
    ],
    [
      "an identity policy with a principal",
      account(
        "    users:\n      a:\n        boundary:\n          Statement:\n            Effect: Allow\n            Principal: '*'\n            Action: '*'\n            Resource: '*'",
      ),
      8,
      /\.Statement\.Principal is refused: Policy document should not specify a principal\.$/,
    ],
    [
      "a trust policy without a principal",
      account(
        "    roles:\n      a:\n        trust:\n          Statement:\n            - {Effect: Allow, Action: sts:AssumeRole}",
      ),
      7,
      /\.Statement\.0 is refused: Policy contains a statement with no principal\.$/,
    ],
    [
      "a trust policy with a resource",
      account(
        "    roles:\n      a:\n        trust:\n          Statement:\n            Effect: Allow\n            Principal: '*'\n            Action: '*'\n            Resource: '*'",
      ),
      10,
      /\.Resource is refused: Has prohibited field Resource$/,
    ],
    [
      "a principal that nobody can be",
      account(
        "    roles:\n      a:\n        trust:\n          Statement:\n            - Action: sts:AssumeRole\n              Effect: Allow\n              Principal: {AWS: 'arn:aws:iam::*:root'}",
      ),
      9,
      /\.Statement\.0\.Principal is refused: .* invalid principals\.$/,
    ],
    [
      "an action of nobody's",
      account(
        "    users:\n      a:\n        policies:\n          - Statement:\n              - {Effect: Allow, Action: '*', Resource: '*'}\n              - Effect: Allow\n                Action: Encrypt\n                Resource: '*'",
      ),
      9,
      /\.policies\.0\.Statement\.1\.Action is refused: Actions\/Conditions must be prefaced by a vendor/,
    ],
    [
      "an operator that is none",
      account(
        "    users:\n      a:\n        policies:\n          - Statement:\n              - Effect: Allow\n                Action: '*'\n                Resource: '*'\n                Condition:\n                  StringEqual: {aws:username: x}",
      ),
      10,
      /\.Statement\.0\.Condition is refused: .*'StringEqual' is not a condition operator\.$/,
    ],
    [
      "two statements of one Sid",
      account(
        "    users:\n      a:\n        policies:\n          - Statement:\n              - {Sid: x, Effect: Allow, Action: '*', Resource: '*'}\n              - {Sid: x, Effect: Deny, Action: '*', Resource: '*'}",
      ),
      6,
      /\.Statement is refused: Statement IDs/,
    ],
    [
      "a value that is too deep",
      JSON.stringify({
        accounts: {
          "111122223333": {
            users: {
              a: {
                boundary: {
                  Statement: {
                    Effect: "Allow",
                    Action: "*",
                    Resource: "*",
                    Condition: { StringEquals: { "aws:x": "DEEP" } },
                  },
                },
              },
            },
          },
        },
      }).replace('"DEEP"', `${"[".repeat(50_000)}${"]".repeat(50_000)}`),
      1,
      /is too deep|is not valid YAML/,
    ],
    [
      "a number for a principal",
      '{"accounts": {"111122223333": {"roles": {"a": {"trust": {"Statement":\n{"Effect": "Allow", "Action": "*", "Principal": {\n"AWS": 5}}}}}}}}',
      3,
      /Principal\.AWS has to be text or a list$/,
    ],
    ["JSON", '{\n "accounts": {\n  "1": {}\n }\n}', 3, /^accounts\.1 has a name/],
    ["an alias of nothing", "accounts: *nothing", 1, /^is not valid YAML|too many aliases/],
  ])("%s", async (_what, text, line, message) => {
    const error = await readConfiguration(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ line, message: expect.stringMatching(message) });
  });
});

test("no refusal shows a value", async () => {
  const secret = "hunter2-hunter2";
  for (const text of [
    `accounts:\n  1: {users: {a: {accessKeys: [{id: A, secret: ${secret}}]}}}`,
    account(`    users: {a: {accessKeys: [{id: ${secret}-, secret: s}]}}`),
    account(`    users: {a: {accessKeys: {id: x, secret: ${secret}}}}`),
    account(`    users: {a: {accessKeys: [{id: AKIA1, secret: "${secret}`),
    account(`    users:\n      a: *${secret}`),
    account(`    users: {a: {accessKeys: [{id: AKIA1, secret: |x${secret}\n   y}]}}`),
    `{"accounts": {"111122223333": {"users": {"a": {"accessKeys": [{"id": "AK1", "secret": "${secret}", "x": 1}]}}}}}`,
  ]) {
    const error = await readConfiguration(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String((error as Error).stack)).not.toContain(secret);
  }
});

test("what would exhaust the reader is refused", async () => {
  const laughs = ["a: &a0 [x]"];
  for (let n = 1; n < 40; n++) laughs.push(`b${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]`);
  for (const text of [
    laughs.join("\n"),
    "[".repeat(200_000),
    `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
  ]) {
    await expect(readConfiguration(text)).rejects.toThrow(ConfigurationError);
  }
});
