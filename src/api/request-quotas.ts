// The request quotas as far as the edge knows what a request counts towards; key sets know the rest.
// docs/decisions/012-request-quotas.md

import { parseRequestQuotas, type RequestQuotas } from "../domain/request-quota.ts";
import { directoryName } from "../objects/names.ts";
import type { Caller } from "../operations/operation.ts";
import { countsOfRequest, requireAdmitted } from "../operations/request-counts.ts";
import type { WorkerSettings } from "../settings.ts";

/** Whose requests are counted, and by what. */
interface Served {
  readonly env: Env;
  readonly settings: WorkerSettings;
  /** The tenant's. */
  readonly generation: string;
}

/** Counts a request, or throws ThrottlingException. Called where the setting is not `off`. */
export async function requireWithinQuotas(
  operation: string,
  input: object,
  caller: Caller,
  { env, settings, generation }: Served,
): Promise<void> {
  const quotas = quotasFrom(settings.requestQuotas);
  if (!quotas) return;
  const counts = countsOfRequest(operation, input, caller, quotas);
  await requireAdmitted(counts, (accountId, region) =>
    env.DIRECTORIES.getByName(directoryName(generation, accountId, region)),
  );
}

let last: { readonly text: string; readonly quotas: RequestQuotas | null } | undefined;

/** The setting of a Worker never changes while it runs. */
function quotasFrom(text: string): RequestQuotas | null {
  if (last?.text !== text) last = { text, quotas: parseRequestQuotas(text) };
  return last.quotas;
}
