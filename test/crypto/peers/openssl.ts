// The openssl command (3.0 or newer) as a second opinion. Its files go through a folder of its own.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Peer } from "./peer.ts";

const run = promisify(execFile);

const keyOptions: Readonly<Record<string, readonly string[]>> = {
  RSA_2048: ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  ECC_NIST_P256: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  ECC_NIST_P384: ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  ECC_NIST_P521: ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
  ECC_SECG_P256K1: ["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
  ECC_NIST_EDWARDS25519: ["ED25519"],
  SM2: ["SM2"],
};

const hashOf = (algorithm: string) => `sha${algorithm.slice(algorithm.lastIndexOf("_") + 1)}`;

function signing(algorithm: string): readonly string[] {
  if (algorithm === "SM2DSA") return ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];
  if (algorithm.startsWith("ED25519")) return [];
  const digest = ["-digest", hashOf(algorithm)];
  if (!algorithm.startsWith("RSASSA_PSS")) return digest;
  return [...digest, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"];
}

function encryption(algorithm: string): readonly string[] {
  if (algorithm === "SM2PKE") return [];
  return ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", `rsa_oaep_md:${hashOf(algorithm)}`];
}

/** Null where there is no openssl, or only an older one. */
export async function opensslPeer(): Promise<Peer | null> {
  const version = await run("openssl", ["version"]).catch(() => null);
  if (!version || !/^OpenSSL ([3-9]|\d\d)/.test(version.stdout)) return null;
  const folder = mkdtempSync(join(tmpdir(), "openssl-"));
  let files = 0;
  /** A new file, with bytes in hex put in it. */
  const file = (hex: string | null = null) => {
    files += 1;
    const path = join(folder, String(files));
    if (hex !== null) writeFileSync(path, Buffer.from(hex === "-" ? "" : hex, "hex"));
    return path;
  };
  /** Runs a command that writes its result to a file; the result in hex. */
  const output = async (command: string, ...args: readonly string[]) => {
    const out = file();
    await run("openssl", [command, "-out", out, ...args]);
    return readFileSync(out).toString("hex");
  };

  const privateKey = (hex: string) => ["-inkey", file(hex), "-keyform", "DER"];
  const publicKey = (hex: string) => ["-pubin", "-inkey", file(hex), "-keyform", "DER"];

  const encrypt = (algorithm: string, spki: string, plaintext: string) =>
    output(
      "pkeyutl",
      "-encrypt",
      ...publicKey(spki),
      "-in",
      file(plaintext),
      ...encryption(algorithm),
    );

  async function wrap(algorithm: string, spki: string, material: string) {
    if (!algorithm.startsWith("RSA_AES_KEY_WRAP")) return encrypt(algorithm, spki, material);
    const key = await output("rand", "32");
    const wrapped = await output(
      "enc",
      "-id-aes256-wrap-pad",
      "-K",
      key,
      "-iv",
      "A65959A6",
      "-in",
      file(material),
    );
    return (await encrypt(algorithm, spki, key)) + wrapped;
  }

  async function answer([operation, a = "", b = "", c = "", d = ""]: readonly string[]) {
    switch (operation) {
      case "generate": {
        const key = file(await output("genpkey", "-algorithm", ...(keyOptions[a] ?? [])));
        const pkcs8 = await output("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", key);
        return `${pkcs8} ${await output("pkey", "-pubout", "-outform", "DER", "-in", key)}`;
      }
      case "sign":
        return output(
          "pkeyutl",
          "-sign",
          "-rawin",
          ...privateKey(b),
          "-in",
          file(c),
          ...signing(a),
        );
      case "verify": {
        const given = ["-in", file(c), "-sigfile", file(d)];
        const args = ["pkeyutl", "-verify", "-rawin", ...publicKey(b), ...given, ...signing(a)];
        return run("openssl", args).then(
          () => "true",
          () => "false",
        );
      }
      case "encrypt":
        return encrypt(a, b, c);
      case "decrypt":
        return output("pkeyutl", "-decrypt", ...privateKey(b), "-in", file(c), ...encryption(a));
      case "wrap":
        return wrap(a, b, c);
      case "mac":
        return output(
          "dgst",
          `-${hashOf(a)}`,
          "-binary",
          ...["-mac", "HMAC", "-macopt", `hexkey:${b}`],
          file(c),
        );
      case "derive": {
        const peer = ["-peerkey", file(b), "-peerform", "DER"];
        return output("pkeyutl", "-derive", ...privateKey(a), ...peer);
      }
      default:
        throw new Error(`no operation ${operation}`);
    }
  }

  return {
    ask: (...words) => answer(words),
    stop: () => rmSync(folder, { recursive: true, force: true }),
  };
}
