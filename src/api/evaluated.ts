// The caller as the evaluation of policies takes it.

import type { Caller } from "../operations/operation.ts";
import type { WorkerSettings } from "../settings.ts";
import { requestContext } from "./request-context.ts";

/** The caller with what conditions may ask of the request; without it where policies are off. */
export function evaluated(
  { request: known, ...caller }: Caller,
  request: Request,
  { policies }: WorkerSettings,
): Caller {
  return policies ? { ...caller, request: known ?? requestContext(request) } : caller;
}
