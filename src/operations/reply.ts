// How an answer crosses from a Durable Object to the edge. Refusals travel as values: a thrown
// error would roll nothing back, loses its class on the way, and is logged as uncaught.

import { KmsError, type Refusal } from "../errors.ts";
import type { Output } from "./operation.ts";

export type Reply =
  | { readonly output: Output; readonly refusal?: undefined }
  | { readonly refusal: Refusal };

/** A KmsError as the reply it is; anything else is a bug and goes on as it came. */
export function replyTo(error: unknown): Reply {
  if (error instanceof KmsError) return { refusal: error.refusal };
  throw error;
}

/** The output of a reply, or its refusal thrown again. */
export function outputOf<T>(reply: Reply): T {
  if (reply.refusal) throw new KmsError(reply.refusal.type, reply.refusal.message);
  return reply.output as T;
}
