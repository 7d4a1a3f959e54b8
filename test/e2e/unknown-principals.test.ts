// Principals that policies and grants name: where an account has configured ones only they are, elsewhere a
// well-formed ARN is enough.

import { afterAll, beforeAll, expect, test } from "vitest";
import { ACCOUNT, callKms, configuration, roleArn } from "../support/people.ts";
import { type Server, startRaw } from "../support/servers.ts";

let server: Server;
const root = { accessKeyId: ACCOUNT };
const kms = (operation: string, input: object) => callKms(server.url, root, operation, input);

beforeAll(async () => {
  server = await startRaw({ auth: "open", accounts: JSON.stringify(configuration) });
});

afterAll(() => server?.stop());

const naming = (AWS: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: [ACCOUNT, AWS] }, Action: "kms:*", Resource: "*" },
    ],
  });

const unknown = [
  `arn:aws:iam::${ACCOUNT}:user/nobody`,
  `arn:aws:iam::${ACCOUNT}:user/bob`,
  roleArn("app"),
  `arn:aws:sts::${ACCOUNT}:assumed-role/nobody/me`,
];
const known = [
  `arn:aws:iam::${ACCOUNT}:user/division/bob`,
  roleArn("service/app"),
  `arn:aws:sts::${ACCOUNT}:assumed-role/app/me`,
  "arn:aws:iam::777788889999:user/nobody",
];

const malformed = {
  status: 400,
  __type: "MalformedPolicyDocumentException",
  message: "Policy contains a statement with one or more invalid principals.",
};

test("CreateKey, PutKeyPolicy and ReplicateKey", async () => {
  const { KeyMetadata } = await kms("CreateKey", { MultiRegion: true });
  const { KeyId } = KeyMetadata;
  for (const arn of unknown) {
    const Policy = naming(arn);
    expect(await kms("CreateKey", { Policy })).toEqual(malformed);
    expect(await kms("PutKeyPolicy", { KeyId, Policy })).toEqual(malformed);
    const replica = { KeyId, ReplicaRegion: "eu-west-1", Policy };
    expect(await kms("ReplicateKey", replica)).toEqual(malformed);
    // An escape in the text is the same name.
    const escaped = Policy.replace("arn:aws", "\\u0061rn:aws");
    expect(
      await kms("PutKeyPolicy", { KeyId, Policy: escaped.replace("arn:aws", "\\u0061rn:aws") }),
    ).toEqual(malformed);
  }
  for (const arn of known) {
    expect(await kms("PutKeyPolicy", { KeyId, Policy: naming(arn) })).toEqual({ status: 200 });
  }
  const replica = { KeyId, ReplicaRegion: "eu-west-1", Policy: naming(known[0] ?? "") };
  expect(await kms("ReplicateKey", replica)).toMatchObject({ status: 200 });
});

test("CreateGrant: grantee and retiring principal", async () => {
  const { KeyMetadata } = await kms("CreateKey", {});
  const grant = (more: object) =>
    kms("CreateGrant", { KeyId: KeyMetadata.KeyId, Operations: ["Encrypt"], ...more });
  for (const arn of unknown) {
    const invalid = {
      status: 400,
      __type: "InvalidArnException",
      message: `ARN does not refer to a valid principal: ${arn}`,
    };
    expect(await grant({ GranteePrincipal: arn })).toEqual(invalid);
    expect(await grant({ GranteePrincipal: known[0], RetiringPrincipal: arn })).toEqual(invalid);
  }
  for (const GranteePrincipal of known) {
    expect(await grant({ GranteePrincipal })).toMatchObject({ status: 200 });
  }
});
