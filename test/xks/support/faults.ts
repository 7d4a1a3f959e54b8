// What can go wrong on the way back from an external key store proxy, and how a test says so.

import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that never comes, one that breaks off in the middle, and a connection cut short. */
type NoAnswer = "silence" | "stall" | "hangUp";

/** Turns a genuine answer into what is sent. */
export type Fault = (genuine: Answer) => Answer | NoAnswer;

export const silence: Fault = () => "silence";
export const stall: Fault = () => "stall";
export const hangUp: Fault = () => "hangUp";

/** The proxy refuses, in the words of the specification. */
export const refusal =
  (status: number, errorName: string, errorMessage?: string): Fault =>
  () => ({ status, body: JSON.stringify({ errorName, errorMessage }) });

/** Anything else sent instead. */
export const instead =
  (status: number, body: string | Buffer, headers?: Answer["headers"]): Fault =>
  () => ({ status, body, ...(headers && { headers }) });

/** The genuine answer with members of its JSON replaced; `undefined` takes one away. */
export const withMembers =
  (members: Readonly<Record<string, unknown>>): Fault =>
  (genuine) => ({
    ...genuine,
    body: JSON.stringify({ ...JSON.parse(genuine.body.toString()), ...members }),
  });

/** The same for an answer to Encrypt, whose integrity value is then that of the new members. */
export const resealed =
  (members: Readonly<Record<string, string>>, authenticatedData: Uint8Array): Fault =>
  (genuine) => {
    const answer = { ...JSON.parse(genuine.body.toString()), ...members };
    const hash = createHash("sha256").update(authenticatedData);
    for (const part of [
      answer.ciphertextMetadata ?? "",
      answer.initializationVector,
      answer.ciphertext,
      answer.authenticationTag,
    ]) {
      hash.update(Buffer.from(part, "base64"));
    }
    answer.ciphertextDataIntegrityValue = hash.digest("base64");
    return { ...genuine, body: JSON.stringify(answer) };
  };

export function answerAs(fault: Fault | null, genuine: Answer, response: ServerResponse): void {
  const answer = fault ? fault(genuine) : genuine;
  if (answer === "silence") return;
  if (answer === "hangUp") {
    response.socket?.destroy();
    return;
  }
  const { status, body, headers } = answer === "stall" ? genuine : answer;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  if (answer === "stall") response.write(body.slice(0, 10));
  else response.end(body);
}
