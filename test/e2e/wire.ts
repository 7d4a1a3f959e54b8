// Requests to KMS without an SDK.

import { connect } from "node:net";
import * as sdk from "@aws-sdk/client-kms";
import { testAccount } from "../support/clients.ts";
import type { Server } from "../support/servers.ts";

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every operation of the API, by AWS's own SDK. */
export const operationNames: readonly string[] = Object.keys(sdk)
  .filter((name) => /^[A-Z]\w+Command$/.test(name))
  .map((name) => name.slice(0, -"Command".length));

/** Text, bytes and streams are sent as they are, any other object as JSON. */
export type Sent = string | Uint8Array | ReadableStream<Uint8Array> | object;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, `{}` for an empty one. */
  readonly json: unknown;
}

interface Signer {
  readonly accessKey?: string;
  readonly region?: string;
  readonly service?: string;
}

/** An Authorization header of the form that AWS's SDKs send. */
export function signedBy(signer: Signer = {}): string {
  const { accessKey = testAccount, region = "us-east-1", service = "kms" } = signer;
  const scope = `${accessKey}/20261122/${region}/${service}/aws4_request`;
  return (
    `AWS4-HMAC-SHA256 Credential=${scope}, ` +
    `SignedHeaders=host;x-amz-date;x-amz-target, Signature=${"0".repeat(64)}`
  );
}

/** Sends `POST /`; throws where the answer's body is no JSON. */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  sent: Sent,
  authorization: string | null = signedBy(),
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      ...(authorization !== null && { authorization }),
      ...headers,
    },
    body: bodyOf(sent),
    ...(sent instanceof ReadableStream && { duplex: "half" }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text === "" ? {} : JSON.parse(text),
  };
}

/** A function that calls an operation on the server there is by then. */
export function caller(server: () => Server | undefined) {
  return (operation: string, body: Sent = {}, headers: Readonly<Record<string, string>> = {}) =>
    post(server()?.url ?? "", { "x-amz-target": `TrentService.${operation}`, ...headers }, body);
}

/** An answer's status and whole body. */
export const refused = ({ status, json }: Answer) => ({ status, ...(json as object) });

/** Sends text over a connection of its own, says that no more comes, and returns the answer. */
export function exchange(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done, failed) => {
    const socket = connect(Number(port), hostname, () => socket.end(text));
    let answer = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => done(answer)).on("error", failed);
  });
}

function bodyOf(sent: Sent) {
  if (typeof sent === "string" || sent instanceof ReadableStream) return sent;
  return sent instanceof Uint8Array ? Uint8Array.from(sent) : JSON.stringify(sent);
}

/** The input members of an operation, by AWS's own SDK; empty where it takes none. */
export function memberNames(operation: string): readonly string[] {
  const schema = (sdk as Record<string, unknown>)[`${operation}Request$`];
  return Array.isArray(schema) ? (schema[4] as string[]) : [];
}
