// OpenSSL's command line as a second opinion, where it is installed.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bytes } from "./der-writer.ts";

const isInstalled = (() => {
  try {
    return /^OpenSSL [3-9]/.test(execFileSync("openssl", ["version"], { encoding: "utf8" }));
  } catch {
    return false;
  }
})();

/** Whether OpenSSL is asked: where it is installed, and where it has to be, so that tests fail. */
export const asksOpenssl = isInstalled || process.env.REQUIRE_CLIENTS === "1";

/** The name of a test that needs OpenSSL. */
export const byOpenssl = (title: string) =>
  asksOpenssl ? title : `${title} (skipped: OpenSSL 3 is not installed)`;

/** Runs openssl in a folder of these files, which is gone afterwards, and returns what it prints. */
function openssl(files: Readonly<Record<string, Uint8Array | string>>, args: readonly string[]) {
  const cwd = mkdtempSync(join(tmpdir(), "attestation-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    return execFileSync("openssl", args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

const pem = (label: string, der: Uint8Array) =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64")}\n-----END ${label}-----\n`;

export const certificatePem = (der: Uint8Array) => pem("CERTIFICATE", der);

/** The way of AWS's guide to NitroTPM: `openssl cms -decrypt -inkey … -inform DER`. */
export async function decryptWithOpenssl(envelope: Bytes, privateKey: CryptoKey): Promise<Buffer> {
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return openssl({ "in.ber": envelope, "key.pem": pem("PRIVATE KEY", pkcs8) }, [
    ..."cms -decrypt -inform DER -in in.ber -inkey key.pem".split(" "),
  ]);
}

/** Throws unless OpenSSL accepts the chain, which goes from the root to the leaf, at `now`. */
export function verifyWithOpenssl(certificates: readonly Bytes[], now: number): void {
  const [root, ...rest] = certificates.map(certificatePem);
  const leaf = rest.pop();
  openssl({ "root.pem": root ?? "", "between.pem": rest.join(""), "leaf.pem": leaf ?? "" }, [
    ..."verify -CAfile root.pem -untrusted between.pem".split(" "),
    ...["-attime", String(Math.floor(now / 1000)), "leaf.pem"],
  ]);
}
