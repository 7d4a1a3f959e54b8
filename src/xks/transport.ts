// How a request reaches an external key store proxy, and what a Worker is told when it does not.
// Knows nothing of what is asked.

/** As for `fetch`, of which it is a part. */
export interface ProxyRequest {
  readonly method: "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly redirect: "manual";
  readonly signal: AbortSignal;
}

/**
 * Sends a request over HTTPS to the host of its URL, whose certificate it checks. Rejects with a
 * ConnectionFailure where no answer came; with anything else where the signal cut it short.
 */
export type Transport = (url: string, request: ProxyRequest) => Promise<Response>;

type Reason = "unreachable" | "tls" | "timedOut";

/** No answer: nothing could be reached, it could not be trusted, or it did not come in time. */
export class ConnectionFailure extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, detail: string) {
    super(detail);
    this.name = "ConnectionFailure";
    this.reason = reason;
  }
}

/**
 * A Worker's way out: through the binding made for a host where there is one, else through the
 * network. A binding leads to one address, and what it carries is told from its certificate alone.
 */
export const workerTransport =
  (bindings: ReadonlyMap<string, Transport>, network: Transport): Transport =>
  async (url, request) => {
    const binding = bindings.get(new URL(url).hostname);
    const opaque = binding ? "tls" : "unreachable";
    const response = await (binding ?? network)(url, request).catch((error: unknown) => {
      throw request.signal.aborted ? error : failureOf(error, opaque);
    });
    const reason = edgeReasons[response.status];
    if (reason) throw new ConnectionFailure(reason, `status ${response.status} of the edge`);
    return response;
  };

/**
 * workerd tells its Worker of a refused or broken connection; of everything else it writes the
 * cause to its log and says `internal error; reference = …`. On the way to one address given as
 * numbers, what is left is the TLS handshake; on the way to a name, it may be the look-up too.
 */
function failureOf(error: unknown, opaque: Reason): ConnectionFailure {
  const text = error instanceof Error ? error.message : String(error);
  return new ConnectionFailure(/^internal error\b/.test(text) ? opaque : "unreachable", text);
}

/**
 * Where Cloudflare runs the Worker, its edge makes the connection and answers in the proxy's place.
 * https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
 */
const edgeReasons: Readonly<Record<number, Reason>> = {
  521: "unreachable", // refused
  522: "timedOut", // while connecting
  523: "unreachable", // no route
  524: "timedOut", // while waiting
  525: "tls", // handshake failed
  526: "tls", // certificate not valid
  530: "unreachable", // among others, a name that does not resolve
};
