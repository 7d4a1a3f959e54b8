// The pool of one key spec's pairs. They are kept in memory alone: what is stored can be restored,
// and would be given out a second time. Whoever takes a pair stores it.

import { DurableObject } from "cloudflare:workers";
import type { KeyPair } from "../crypto/key.ts";
import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { type Reply, replyTo } from "../operations/reply.ts";
import { KeyPairPool } from "./key-pair-pool.ts";
import { keyPairSource } from "./key-pair-source.ts";
import { logFailure } from "./log-failure.ts";
import { keySpecOfPool } from "./names.ts";

export class KeyPairPoolObject extends DurableObject<Env> {
  readonly #pool = this.#newPool();

  /** A pair that nobody else gets; one that has to be made is waited for. */
  async take(): Promise<Reply> {
    try {
      return { output: await this.#pool.take() };
    } catch (error) {
      return replyTo(error);
    }
  }

  #newPool(): KeyPairPool<KeyPair> {
    const spec = keySpecOfPool(this.ctx.id);
    if (!isKeyPairSpec(spec)) throw new Error(`no key pairs of ${spec}`);
    return new KeyPairPool(keyPairSource(spec, this.env.KEY_PAIR_SERVICE), (cause) =>
      logFailure(this.env, "no key pair was made", cause, { spec }),
    );
  }
}
