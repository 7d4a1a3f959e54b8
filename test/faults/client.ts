// A KMS client of few words: many kept-alive connections, no retries, and a call whose connection
// breaks is told from one that is refused.

import { Agent, request } from "node:http";

export const ACCOUNT = "111122223333";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The connection broke: whether the call has done anything nobody knows. */
export class LostError extends Error {
  override readonly name = "LostError";
}

export class Client {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, connections: number) {
    this.#url = url;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  send(region: string, operation: string, input: object): Promise<Answer> {
    return this.#request("/", JSON.stringify(input), {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `TrentService.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20300101/${region}/kms/aws4_request, SignedHeaders=host, Signature=0`,
    });
  }

  /** The answer of a call that has to succeed. */
  async call<T>(region: string, operation: string, input: object): Promise<T> {
    const { status, body } = await this.send(region, operation, input);
    if (status !== 200) throw new Error(`${operation}: ${JSON.stringify(body)}`);
    return body as T;
  }

  /** The server's clock in milliseconds since the epoch, after it has been moved where asked. */
  async clock(advance?: string): Promise<number> {
    const body = advance === undefined ? null : JSON.stringify({ advance });
    const answer = await this.#request("/_edge-kms/clock", body, {
      "content-type": "application/json",
    });
    if (answer.status !== 200) throw new Error(`clock: ${JSON.stringify(answer.body)}`);
    return Date.parse((answer.body as { now: string }).now);
  }

  close(): void {
    this.#agent.destroy();
  }

  #request(path: string, body: string | null, headers: Record<string, string>): Promise<Answer> {
    return new Promise((answered, failed) => {
      const lost = (cause: Error) => failed(new LostError(cause.message, { cause }));
      const method = body === null ? "GET" : "POST";
      const sent = request(
        `${this.#url}${path}`,
        { method, agent: this.#agent, headers },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("error", lost);
          response.on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("close", () => {
            if (!response.complete) return lost(new Error("the answer was cut off"));
            const status = response.statusCode ?? 0;
            answered({ status, body: text === "" ? null : JSON.parse(text) });
          });
        },
      );
      sent.on("error", lost);
      sent.end(body ?? undefined);
    });
  }
}
