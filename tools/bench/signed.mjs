// What a signature and the policies of a configured user cost: the same requests, signed, to a server
// that verifies them (AUTH=required) and evaluates the user's policies beside the key's own.

import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "./servers.mjs";

const REGION = "us-east-1";
const user = { id: "AKIABENCH00000000001", secret: "the secret of the bench" };

const configuration = {
  accounts: {
    111122223333: {
      users: {
        bench: {
          accessKeys: [user],
          policies: [
            {
              Version: "2012-10-17",
              Statement: [
                { Effect: "Allow", Action: ["kms:Create*", "kms:Encrypt"], Resource: "*" },
                {
                  Effect: "Deny",
                  Action: "kms:*",
                  Resource: "*",
                  Condition: { StringNotEquals: { "aws:RequestedRegion": REGION } },
                },
              ],
            },
          ],
        },
      },
    },
  },
};

/** A server of configured users alone, on a folder of its own. */
export function startSignedServer(folder) {
  const file = join(folder, "edge-kms.json");
  writeFileSync(file, JSON.stringify(configuration));
  return startServer(join(folder, "signed"), ["--config", file], { AUTH: "required" });
}

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** The headers of one body, good for five minutes. */
export function signedHeaders(url, target, body) {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    host: new URL(url).host,
    "x-amz-date": date,
    "x-amz-target": `TrentService.${target}`,
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const request = ["POST", "/", "", lines, names.join(";"), sha256(body)].join("\n");
  const scope = [date.slice(0, 8), REGION, "kms", "aws4_request"];
  const key = scope.reduce(hmac, `AWS4${user.secret}`);
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), sha256(request)].join("\n");
  const signature = hmac(key, text).toString("hex");
  const credential = `${user.id}/${scope.join("/")}`;
  const { host: _sentByItself, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

/** Sends one signed request and returns its answer. */
export async function callSigned(url, target, input) {
  const body = JSON.stringify(input);
  const response = await fetch(url, {
    method: "POST",
    headers: signedHeaders(url, target, body),
    body,
  });
  if (!response.ok) throw new Error(`${target}: ${await response.text()}`);
  return response.json();
}
