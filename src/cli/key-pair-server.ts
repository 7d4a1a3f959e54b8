// Makes RSA key pairs for workerd, which would answer nobody while it makes one: here they come from
// Node's thread pool. Heard on a Unix socket in a folder that is this user's alone, so neither other
// users nor web pages get to it, and no other process can take its place. Keeps no pair.

import { mkdtempSync, rmSync } from "node:fs";
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Socket } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

export interface KeyPairServer {
  /** Where it listens. */
  readonly socket: string;
  /** The folder made for the socket, to be removed should this process be killed; null for none. */
  readonly folder: string | null;
  close(): void;
}

/** The least that systems allow for the path of a socket, its closing zero not counted (macOS). */
const MAX_SOCKET_BYTES = 103;
/** `POST /rsa/<bits of the modulus>`, of the sizes that AWS KMS has. */
const request = /^\/rsa\/(2048|3072|4096)$/;

/**
 * Starts to serve on a socket in `temporary`, or in a new folder where that is null. Returns null
 * where there can be no such socket; workerd then makes the pairs by itself.
 */
export async function startKeyPairServer(temporary: string | null): Promise<KeyPairServer | null> {
  if (process.platform === "win32") return null; // Node's sockets there are pipes, which workerd does not know.
  let folder: string | null = null;
  const removeFolder = () => {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  };
  try {
    if (temporary === null) folder = mkdtempSync(join(tmpdir(), "edge-kms-"));
    const socket = join(temporary ?? folder ?? "", "key-pairs");
    // Node cuts a longer path off without a word.
    if (Buffer.byteLength(socket) > MAX_SOCKET_BYTES) throw new Error("too long a path");
    const close = await listen(socket);
    return {
      socket,
      folder,
      close() {
        close();
        removeFolder();
      },
    };
  } catch {
    removeFolder();
    return null;
  }
}

async function listen(socket: string): Promise<() => void> {
  const inTurn = turns(makersAtOnce());
  // Loading HTTP takes 5 ms, which the start need not wait for; node:net is there for workerd's pipes.
  let http: HttpServer | undefined;
  const connections = new Set<Socket>();
  const server = createServer(async (connection) => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
    const { createServer: createHttpServer } = await import("node:http");
    http ??= createHttpServer((asked, answer) => {
      serve(asked, answer, inTurn).catch(() => answer.destroy());
    });
    http.emit("connection", connection);
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(socket, listening);
  });
  server.on("error", () => {}); // Whoever was not let in hears of it.
  server.unref();
  return () => {
    server.close();
    for (const connection of connections) connection.destroy();
  };
}

type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

async function serve(asked: IncomingMessage, answer: ServerResponse, inTurn: InTurn) {
  const [, bits] = request.exec(asked.url ?? "") ?? [];
  // A connection each: one kept open might be closed here just when workerd uses it again.
  answer.setHeader("connection", "close");
  if (asked.method !== "POST" || bits === undefined) {
    answer.writeHead(404).end();
    return;
  }
  const pair = await inTurn(() => newKeyPair(Number(bits)));
  answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(pair));
}

/** Both halves in DER, in base64: PKCS #8 and SubjectPublicKeyInfo. */
async function newKeyPair(modulusLength: number) {
  const { generateKeyPair } = await import("node:crypto"); // Not before the first: it takes 2 ms.
  return new Promise<{ privateKey: string; publicKey: string }>((made, failed) => {
    generateKeyPair(
      "rsa",
      {
        modulusLength,
        privateKeyEncoding: { type: "pkcs8", format: "der" },
        publicKeyEncoding: { type: "spki", format: "der" },
      },
      (error, publicKey, privateKey) => {
        if (error) return failed(error);
        made({
          privateKey: privateKey.toString("base64"),
          publicKey: publicKey.toString("base64"),
        });
      },
    );
  });
}

/** A core stays free for workerd; Node's thread pool has four threads. */
const makersAtOnce = () => Math.max(1, Math.min(availableParallelism() - 1, 4));

/** Runs tasks in the order they come, so many at once. */
function turns(atOnce: number): InTurn {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
