// How an answer crosses from a Durable Object to the edge. Refusals and failures travel as values:
// a thrown error would roll nothing back, loses its class on the way, and is logged as uncaught.

import { KmsError, type Refusal } from "../errors.ts";
import type { Output } from "./operation.ts";

export type Reply =
  | { readonly output: Output }
  | { readonly refusal: Refusal }
  /** A bug, with what is known of it; the edge logs it with the request's ID. */
  | { readonly failure: string };

/** What was thrown, as a reply. */
export function replyTo(error: unknown): Reply {
  if (error instanceof KmsError) return { refusal: error.refusal };
  return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** The output of a reply; its refusal or failure is thrown again. */
export function outputOf<T>(reply: Reply): T {
  if ("output" in reply) return reply.output as T;
  if ("refusal" in reply) throw new KmsError(reply.refusal.type, reply.refusal.message);
  throw new Error(reply.failure);
}
