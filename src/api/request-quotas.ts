// The request quotas as far as the edge knows what a request counts towards; key sets know the rest.
// docs/decisions/012-request-quotas.md

import {
  NO_REQUEST_QUOTAS,
  parseRequestQuotas,
  type RequestQuotas,
} from "../domain/request-quota.ts";
import { DEFAULT_GENERATION, directoryName } from "../objects/names.ts";
import type { Caller } from "../operations/operation.ts";
import { countsOfRequest, requireAdmitted } from "../operations/request-counts.ts";
import type { WorkerSettings } from "../settings.ts";

/** Counts a request, or throws ThrottlingException. Null where no quotas are held, the usual case. */
export function requireWithinQuotas(
  operation: string,
  input: object,
  caller: Caller,
  env: Env,
  { requestQuotas }: WorkerSettings,
): Promise<void> | null {
  if (requestQuotas === NO_REQUEST_QUOTAS) return null;
  const quotas = read(requestQuotas);
  if (!quotas) return null;
  return requireAdmitted(countsOfRequest(operation, input, caller, quotas), (accountId, region) =>
    env.DIRECTORIES.getByName(directoryName(DEFAULT_GENERATION, accountId, region)),
  );
}

let last: { readonly text: string; readonly quotas: RequestQuotas | null } | undefined;

/** The setting of a Worker never changes while it runs. */
function read(text: string): RequestQuotas | null {
  if (last?.text !== text) last = { text, quotas: parseRequestQuotas(text) };
  return last.quotas;
}
