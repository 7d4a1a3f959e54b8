// Everyone who is asked for a second opinion.

import { fileURLToPath } from "node:url";
import { nodePeer } from "./node-crypto.ts";
import { opensslPeer } from "./openssl.ts";
import type { Peer } from "./peer.ts";
import { processPeer } from "./process.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** All of them, by name; null where one cannot run on this machine. */
export async function startPeers() {
  const [python, java, openssl] = await Promise.all([
    processPeer("python3", file("peer.py")),
    processPeer("java", file("Peer.java")),
    opensslPeer(),
  ]);
  return { node: nodePeer, openssl, python, java } satisfies Record<string, Peer | null>;
}
