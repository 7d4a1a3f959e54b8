// What makes the RSA key pairs of a pool. It takes from a tenth of a second to several, in which a
// whole process of workerd does nothing else: so locally the launcher makes them, in a process of
// its own. Where there is no launcher the pool's isolate does, as on Cloudflare, where that is not
// the isolate of the requests.

import { attempt } from "../crypto/attempt.ts";
import { fromBase64 } from "../crypto/base64.ts";
import type { KeyPair } from "../crypto/key.ts";
import { generateKeyPair, type KeyPairSpec, modulusLengthOf } from "../crypto/key-pair.ts";
import type { Source } from "./key-pair-pool.ts";

declare global {
  interface Env {
    /** The launcher's service (cli/key-pair-server.ts), where there is a launcher. */
    readonly KEY_PAIR_SERVICE?: Fetcher;
  }
}

type Service = Pick<Fetcher, "fetch">;

/** Far more than a pair takes on a busy machine; less than clients wait for an answer. */
const PATIENCE_MS = 50_000;

/** The best source there is for the pairs of a key spec. */
export const keyPairSource = (spec: KeyPairSpec, service: Service | undefined): Source<KeyPair> =>
  service
    ? { make: () => fetchKeyPair(spec, service), ahead: 8, atOnce: 4, rest }
    : { make: () => ownKeyPair(spec), ahead: 2, atOnce: 1, rest };

/** Longer than CreateKey takes, shorter than anyone makes keys by hand. */
const REST_MS = 100;
const rest = () => new Promise<void>((rested) => setTimeout(rested, REST_MS));

async function fetchKeyPair(spec: KeyPairSpec, service: Service): Promise<KeyPair> {
  const response = await service.fetch(`http://launcher/rsa/${modulusLengthOf(spec)}`, {
    method: "POST",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  // Not thrown by JSON.parse, whose message shows a part of the text.
  const pair = response.ok && attempt(() => JSON.parse(text) as Record<keyof KeyPair, string>);
  if (!pair) throw new Error(`the launcher answers ${response.status}, without a key pair`);
  return { privateKey: fromBase64(pair.privateKey), publicKey: fromBase64(pair.publicKey) };
}

/** Others have their turn before it: what is waiting to be sent would wait for the pair as well. */
async function ownKeyPair(spec: KeyPairSpec): Promise<KeyPair> {
  await new Promise((turn) => setTimeout(turn, 0));
  return generateKeyPair(spec);
}
