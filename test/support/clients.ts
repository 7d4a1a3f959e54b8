// Who talks to a server in the tests: AWS's own SDK, and the hand on the movable clock.

import { KMS } from "@aws-sdk/client-kms";
import { expect } from "vitest";

/** The account of a client that names none. */
export const testAccount = "111122223333";

interface ClientOptions {
  /** What the client signs with: 12 digits name the account. */
  readonly account?: string;
}

const clients = new Map<string, KMS>();

/** AWS's client for a Region's endpoint. It never repeats a call, so that no failure is hidden. */
export function kms(url: string, region: string, options: ClientOptions = {}): KMS {
  const { account = testAccount } = options;
  const name = [url, region, account].join();
  const known = clients.get(name);
  if (known) return known;
  const client = new KMS({
    endpoint: url,
    region,
    credentials: { accessKeyId: account, secretAccessKey: "edge-kms" },
    maxAttempts: 1,
  });
  clients.set(name, client);
  return client;
}

/** The server's time after a move. */
export interface ServerTime {
  readonly now: Date;
  readonly offsetMs: number;
}

/** Moves the clock forward by an ISO 8601 duration, such as `P8D`, or to an instant. */
export async function moveClock(url: string, to: string | Date): Promise<ServerTime> {
  const move = typeof to === "string" ? { advance: to } : { set: to.toISOString() };
  return clockAnswer(
    await fetch(`${url}/_edge-kms/clock`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(move),
    }),
  );
}

export const serverTime = async (url: string): Promise<ServerTime> =>
  clockAnswer(await fetch(`${url}/_edge-kms/clock`));

async function clockAnswer(response: Response): Promise<ServerTime> {
  const text = await response.text();
  if (!response.ok) throw new Error(`the clock answered ${response.status}: ${text}`);
  const { now, offsetMs } = JSON.parse(text) as { now: string; offsetMs: number };
  return { now: new Date(now), offsetMs };
}

/** Expects a refusal by its name and, where it is given, its text. */
export const refuses = (call: Promise<unknown>, name: string, message?: string | RegExp) =>
  expect(call).rejects.toMatchObject({
    name,
    ...(message !== undefined && {
      message: typeof message === "string" ? message : expect.stringMatching(message),
    }),
  });
