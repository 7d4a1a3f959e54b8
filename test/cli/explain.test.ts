import { expect, test } from "vitest";
import { readCommandLine } from "../../src/cli/command-line.ts";
import { explainHelp } from "../../src/cli/explain.ts";
import { explanationText } from "../../src/cli/explanation-text.ts";
import { cleanEnvironment, outcome } from "./command.ts";

const who = ["--principal", "111122223333", "--action", "kms:Encrypt"];
const read = (args: string[], environment = {}) =>
  readCommandLine(["explain", ...args], environment);

test("options become the question", () => {
  expect(
    read([
      ...who,
      ...["--key=alias/a", "--region=eu-west-1", "--context", "a=b=c", "--context", "__proto__=d"],
      ...["--condition", "aws:TagKeys=x", "--condition", "aws:TagKeys=y", "--condition=aws:x="],
      ...["--source-ip=::1", "--input", '{"a":1}', "--session-policy={}", "--session-tag=t=u"],
      ...["--session-policy-arn=arn:1", "--session-policy-arn", "arn:2", "--source-identity=ann"],
      ...["--url=http://h:1/t/x/", "--token=t", "--json"],
    ]),
  ).toEqual({
    name: "explain",
    url: "http://h:1/t/x",
    token: "t",
    json: true,
    question: {
      principal: "111122223333",
      action: "kms:Encrypt",
      key: "alias/a",
      region: "eu-west-1",
      encryptionContext: Object.fromEntries([
        ["a", "b=c"],
        ["__proto__", "d"],
      ]),
      conditions: { "aws:TagKeys": ["x", "y"], "aws:x": "" },
      sourceIp: "::1",
      input: { a: 1 },
      sessionPolicy: {},
      sessionPolicyArns: ["arn:1", "arn:2"],
      sessionTags: { t: "u" },
      sourceIdentity: "ann",
    },
  });
});

test("the server and the token come from the environment", () => {
  const environment = { AWS_ENDPOINT_URL_KMS: "http://h:2", ADMIN_TOKEN: "t" };
  expect(read(who, environment)).toMatchObject({ url: "http://h:2", token: "t" });
  expect(read(who)).toMatchObject({ url: "http://127.0.0.1:8787", token: null, json: false });
});

test("help names every option", () => {
  expect(read([...who, "--help"])).toEqual({ name: "help", text: explainHelp() });
  expect(explainHelp()).toContain("  --context NAME=VALUE ");
});

test.each([
  [[], "explain needs --principal; see explain --help"],
  [["--principal", "x"], "explain needs --action; see explain --help"],
  [[...who, "--kex=1"], "unknown option --kex; see edge-kms explain --help"],
  [[...who, "--__proto__=1"], "unknown option --__proto__; see edge-kms explain --help"],
  [[...who, "key"], 'unexpected argument "key"'],
  [[...who, "--key"], "--key takes a value"],
  [[...who, "--json=1"], "--json takes no value"],
  [[...who, "--context=x"], 'expects NAME=VALUE, not "x"'],
  [[...who, "--input={"], "--input and --session-policy expect JSON"],
])("%j is refused", (args, message) => {
  expect(() => read(args)).toThrow(message);
});

test("where nobody answers it ends with 2, and so it does without a question", async () => {
  const env = cleanEnvironment();
  const nobody = await outcome(["explain", ...who, "--url=http://127.0.0.1:1"], { env });
  expect(nobody).toEqual({
    code: 2,
    stdout: "",
    stderr: "edge-kms: nobody answers at http://127.0.0.1:1\n",
  });
  expect((await outcome(["explain"], { env })).code).toBe(2);
});

test("the text says what decided, and what kept the rest from it", () => {
  const text = explanationText({
    allowed: false,
    principal: "arn:aws:iam::111122223333:user/alice",
    permissions: [
      {
        action: "kms:Encrypt",
        resource: "arn:key",
        allowed: true,
        message: null,
        by: [
          { kind: "statement", of: "resource", policy: 0, statement: 0, sid: "root", document: {} },
          { kind: "grant", grantId: "g1" },
          {
            kind: "statement",
            of: "session",
            policy: 2,
            arn: "arn:policy/p",
            statement: 1,
            sid: null,
          },
        ],
        considered: {
          policies: [
            {
              of: "identity",
              policy: 1,
              statements: [
                { statement: 0, sid: null, effect: "Deny", differs: "action" },
                {
                  statement: 1,
                  sid: "x",
                  effect: "Allow",
                  differs: { operator: "Bool", key: "aws:x", values: ["true"], actual: null },
                },
              ],
            },
            { of: "identity", policy: 2, arn: "arn:policy/i", statements: [] },
            { of: "boundary", policy: 0, arn: "arn:policy/b", statements: [] },
          ],
          grants: [{ grantId: "g2", differs: "constraints" }],
        },
      },
      {
        action: "kms:ListKeys",
        resource: "*",
        allowed: false,
        message: "User: …",
        by: [],
        considered: { policies: [], grants: [] },
      },
    ],
  });
  expect(text).toBe(`DENIED  arn:aws:iam::111122223333:user/alice

allowed: kms:Encrypt on arn:key
  by statement 1 (root) of the key policy
    {}
  by the grant g1
  by statement 2 of session policy arn:policy/p
  looked at:
    identity-based policy 2
      statement 1: Deny, does not apply: another action
      statement 2 (x): Allow, does not apply: Bool aws:x ["true"], which is not there
    identity-based policy arn:policy/i
    the permissions boundary arn:policy/b
    grant g2: has constraints that the request does not meet

denied: kms:ListKeys on *
  User: …
`);
});
