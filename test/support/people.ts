// The people of the tests about who is who: a configuration, and what they send.

import { type Plain, presigned, type Signing, signed } from "./signer.ts";

export const ACCOUNT = "111122223333";
export const OTHER_ACCOUNT = "444455556666";

export const alice = { accessKeyId: "AKIAALICE00000000001", secret: "alice's secret" };
export const bob = { accessKeyId: "AKIABOB0000000000001", secret: "bob's secret" };
export const eve = { accessKeyId: "AKIAEVE0000000000001", secret: "eve's secret" };

const everything = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};
const trusting = (AWS: string, more: object = {}) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS },
      Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
      ...more,
    },
  ],
});

/** alice may do everything, bob nothing, eve is of another account. */
export const configuration = {
  accounts: {
    [ACCOUNT]: {
      users: {
        alice: {
          accessKeys: [{ id: alice.accessKeyId, secret: alice.secret }],
          policies: [everything],
          tags: { team: "orders" },
        },
        "division/bob": { accessKeys: [{ id: bob.accessKeyId, secret: bob.secret }] },
      },
      roles: {
        "service/app": { trust: trusting(ACCOUNT), policies: [everything], tags: { app: "shop" } },
        guarded: {
          trust: trusting(`arn:aws:iam::${ACCOUNT}:user/alice`, {
            Condition: { StringEquals: { "sts:ExternalId": "the-id" } },
          }),
        },
        partner: { trust: trusting(OTHER_ACCOUNT) },
      },
      policies: {
        "team/Encrypt": {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "kms:Encrypt", Resource: "*" }],
        },
      },
    },
    [OTHER_ACCOUNT]: {
      users: {
        eve: {
          accessKeys: [{ id: eve.accessKeyId, secret: eve.secret }],
          policies: [everything],
        },
      },
    },
  },
};

export const policyArn = (name: string, account = ACCOUNT) =>
  `arn:aws:iam::${account}:policy/${name}`;
export const roleArn = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/${name}`;

/** What a client sends over the wire to a server at a URL. */
const sent = (url: string, { path, query, method, headers, body }: Plain) =>
  fetch(`${url}${path}${query && `?${query}`}`, {
    method,
    headers: headers.filter(([name]) => name !== "Host") as [string, string][],
    ...(method !== "GET" && { body }),
  });

/** A call of KMS, before it is signed. */
export const kmsCall = (url: string, operation: string, input: object = {}): Plain => ({
  method: "POST",
  path: "/",
  query: "",
  headers: [
    ["Host", new URL(url).host],
    ["Content-Type", "application/x-amz-json-1.1"],
    ["X-Amz-Target", `TrentService.${operation}`],
  ],
  body: JSON.stringify(input),
});

/** A call of STS, before it is signed. */
export const stsCall = (
  url: string,
  action: string,
  input: Record<string, string> = {},
): Plain => ({
  method: "POST",
  path: "/",
  query: "",
  headers: [
    ["Host", new URL(url).host],
    ["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"],
  ],
  body: new URLSearchParams({ Action: action, Version: "2011-06-15", ...input }).toString(),
});

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export async function send(url: string, plain: Plain): Promise<Answer> {
  const response = await sent(url, plain);
  return { status: response.status, text: await response.text() };
}

/** Calls KMS; the answer's JSON with its status. */
export async function callKms(url: string, signing: Signing, operation: string, input?: object) {
  return jsonOf(await send(url, signed(kmsCall(url, operation, input), signing)));
}

export const jsonOf = ({ status, text }: Answer) => ({ status, ...JSON.parse(text || "{}") });

/** Calls STS; the leaves of the answer's XML with its status. */
export async function callSts(
  url: string,
  signing: Signing,
  action: string,
  input: Record<string, string> = {},
) {
  const plain = stsCall(url, action, input);
  return leavesOf(await send(url, signed(plain, { ...signing, service: "sts" })));
}

/** A presigned call of STS, by GET. */
export async function getSts(url: string, signing: Signing, action: string) {
  const plain: Plain = {
    ...stsCall(url, action),
    method: "GET",
    headers: [["Host", new URL(url).host]],
    query: `Action=${action}&Version=2011-06-15`,
    body: "",
  };
  return leavesOf(await send(url, presigned(plain, { ...signing, service: "sts" })));
}

/** Every element without elements in it, by its name. */
export function leavesOf({ status, text }: Answer): Record<string, string | number> {
  const leaves = [...text.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(
    ([, name = "", value = ""]) =>
      [
        name,
        value.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
      ] as const,
  );
  return { status, ...Object.fromEntries(leaves) };
}

/** What an answer of AssumeRole or GetSessionToken is signed with. */
export const signingWith = (
  leaves: Record<string, string | number>,
): Required<Pick<Signing, "accessKeyId" | "secret" | "token">> => ({
  accessKeyId: String(leaves.AccessKeyId),
  secret: String(leaves.SecretAccessKey),
  token: String(leaves.SessionToken),
});
