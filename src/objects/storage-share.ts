// What one key set has of its tenant's storage. The tenant is told of each step by which a database
// has grown, and says whether there is any left; where none is, nothing that makes the set larger is
// done until the tenant, asked anew, says otherwise. Uses write nothing and ask nobody.

import type { KeySet } from "../domain/key-set.ts";
import { parseTenantLimits } from "../domain/tenant-limits.ts";
import { KmsError } from "../errors.ts";
import type { WorkerSettings } from "../settings.ts";
import { DEFAULT_GENERATION, objectName } from "./names.ts";
import { isTenantGone } from "./tenant-gone.ts";

/** A database grows by pages of 4 KiB; an empty key set has ten or so. */
const STEP_BYTES = 65_536;

export class StorageShare {
  readonly #state: DurableObjectState;
  readonly #env: Env;
  /** Of the default tenant, where no setting limits it. A named one may be given a limit later. */
  readonly #isUnlimited: boolean;
  #told = 0;
  #isFull = false;

  constructor(
    state: DurableObjectState,
    env: Env,
    { tenantLimits }: Pick<WorkerSettings, "tenantLimits">,
  ) {
    this.#state = state;
    this.#env = env;
    this.#isUnlimited =
      objectName(state.id).generation === DEFAULT_GENERATION &&
      parseTenantLimits(tenantLimits).storage === null;
  }

  /** Whether the tenant was found to be full, so that it has to be asked before a change. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Asks the tenant whether there is room; of one that does not answer, it is as it was. */
  async ask(): Promise<void> {
    if (this.#isUnlimited) return;
    try {
      this.#isFull = await this.#tell(null);
    } catch (cause) {
      if (isTenantGone(cause)) throw cause;
    }
  }

  /** Refuses a change that makes the set larger where no storage is left. */
  requireRoom(before: KeySet | null, after: KeySet | null): void {
    if (!this.#isFull || after === before || after === null) return;
    if (before !== null && JSON.stringify(after).length <= JSON.stringify(before).length) return;
    throw new KmsError(
      "LimitExceededException",
      "The tenant holds as much as its limit of storage allows.",
    );
  }

  /** Tells the tenant, without anyone waiting for it, how large the database now is. */
  saved(): void {
    if (this.#isUnlimited) return;
    const { databaseSize } = this.#state.storage.sql;
    if (this.#told > 0 && databaseSize < this.#told + STEP_BYTES) return;
    this.#told = databaseSize;
    this.#tell(databaseSize).then(
      (isFull) => {
        this.#isFull = isFull;
      },
      () => {
        this.#told = 0; // Told again with the next change.
      },
    );
  }

  /** Nothing is kept any more. */
  async leave(): Promise<void> {
    this.#told = 0;
    if (!this.#isUnlimited) await this.#tell(0);
  }

  #tell(bytes: number | null): Promise<boolean> {
    const { generation, accountId, last } = objectName(this.#state.id);
    return this.#env.TENANTS.getByName(generation).measure(`${accountId}/${last}`, bytes);
  }
}
