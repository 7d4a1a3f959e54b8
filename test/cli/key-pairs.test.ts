// The launcher's part in making RSA key pairs: the server on its socket, and that a started edge-kms
// has its pairs from there.

import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type KeyPairServer, startKeyPairServer } from "../../src/cli/key-pair-server.ts";
import { asksOpenssl, byOpenssl } from "../attestation/support/openssl.ts";
import { Command, cleanEnvironment, freeze, isAlive, temporaryFolder } from "./command.ts";
import { until } from "./until.ts";

interface Pair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A server on a socket in a folder of the test. */
async function started(): Promise<KeyPairServer> {
  const server = await startKeyPairServer(temporaryFolder());
  if (!server) throw new Error("no server of key pairs");
  onTestFinished(() => server.close());
  return server;
}

function ask(socketPath: string, path: string, method = "POST") {
  return new Promise<{ status: number; text: string }>((answered, failed) => {
    const sending = request({ socketPath, path, method }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => answered({ status: response.statusCode ?? 0, text }));
    });
    sending.on("error", failed).end();
  });
}

/** Holds a pair to everything that AWS says of one; returns its public key, to be compared. */
function examine({ privateKey, publicKey }: Pair, modulusLength: number): string {
  const pkcs8 = Buffer.from(privateKey, "base64");
  const spki = Buffer.from(publicKey, "base64");
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  expect(key.asymmetricKeyType).toBe("rsa");
  expect(key.asymmetricKeyDetails).toEqual({ modulusLength, publicExponent: 65537n });
  const other = createPublicKey({ key: spki, format: "der", type: "spki" });
  expect(createPublicKey(key).equals(other)).toBe(true);
  const message = Buffer.from("message");
  expect(verify("sha256", message, other, sign("sha256", message, key))).toBe(true);
  return publicKey;
}

describe("the server of key pairs", () => {
  test.each([2048, 3072, 4096])("makes pairs of %i bits, a new one each time", async (bits) => {
    const { socket } = await started();
    const answers = await Promise.all([1, 2, 3].map(() => ask(socket, `/rsa/${bits}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const pairs = answers.map(({ text }) => JSON.parse(text) as Pair);
    expect(new Set(pairs.map((pair) => examine(pair, bits))).size).toBe(3);
  });

  test(byOpenssl("makes what OpenSSL finds to be primes that fit"), {
    skip: !asksOpenssl,
  }, async () => {
    const { socket } = await started();
    const { privateKey } = JSON.parse((await ask(socket, "/rsa/2048")).text) as Pair;
    const check = ["rsa", "-inform", "DER", "-noout", "-check"];
    const input = Buffer.from(privateKey, "base64");
    expect(execFileSync("openssl", check, { input, encoding: "utf8" })).toBe("RSA key ok\n");
  });

  test.each([
    ["POST", "/"],
    ["POST", "/rsa/1024"],
    ["POST", "/rsa/20480"],
    ["POST", "/ec/2048"],
    ["GET", "/rsa/2048"],
  ])("has nothing else: %s %s", async (method, path) => {
    const { socket } = await started();
    expect(await ask(socket, path, method)).toEqual({ status: 404, text: "" });
  });

  test("closes its socket, whoever waits for a pair", async () => {
    const server = await started();
    const waiting = ask(server.socket, "/rsa/4096");
    const failure = waiting.then(
      () => null,
      (error: Error) => error,
    );
    await until("the request is there", () => ask(server.socket, "/").then(() => true));
    server.close();
    expect(await failure).toBeInstanceOf(Error);
    expect(existsSync(server.socket)).toBe(false);
  });

  test("makes a folder for its user alone where it is given none, and removes it", async () => {
    const server = await startKeyPairServer(null);
    const folder = server?.folder as string;
    onTestFinished(() => server?.close());
    expect(dirname(server?.socket as string)).toBe(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    server?.close();
    expect(existsSync(folder)).toBe(false);
  });

  test("is not there where the path of its socket would be cut off", async () => {
    const folder = join(temporaryFolder(), "f".repeat(100));
    mkdirSync(folder);
    expect(await startKeyPairServer(folder)).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a started edge-kms", () => {
  interface Answer {
    readonly status: number;
    readonly body: {
      readonly KeyMetadata: { readonly KeyId: string };
      readonly PublicKey: string;
      readonly PrivateKeyPlaintext: string;
      readonly __type: string;
    };
  }

  async function call(url: string, operation: string, input: object = {}): Promise<Answer> {
    const headers = { "x-amz-target": `TrentService.${operation}` };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(input) });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  }

  const createKey = (url: string, KeySpec: string) =>
    call(url, "CreateKey", { KeySpec, KeyUsage: "SIGN_VERIFY" });

  const encrypt = async (url: string, KeyId: string) =>
    (await call(url, "Encrypt", { KeyId, Plaintext: "AAAA" })).status;

  const symmetricKey = async (url: string) => (await call(url, "CreateKey")).body.KeyMetadata.KeyId;

  const memory = (environment?: NodeJS.ProcessEnv) =>
    new Command(["--port", "0", "--memory"], { env: cleanEnvironment(environment) });

  /** Where the socket of a server with --memory is. */
  const socketOf = (server: Command) =>
    join(/\(state in (.+), removed at the end\)/.exec(server.stdout)?.[1] as string, "key-pairs");

  test("gives out pairs that are good, and no two alike", async () => {
    const { url } = await memory().ready();
    const KeyId = await symmetricKey(url);
    for (const bits of [2048, 3072, 4096]) {
      const answers = await Promise.all(
        [1, 2, 3].map(() =>
          call(url, "GenerateDataKeyPair", { KeyId, KeyPairSpec: `RSA_${bits}` }),
        ),
      );
      const publicKeys = answers.map(({ body: { PrivateKeyPlaintext, PublicKey } }) =>
        examine({ privateKey: PrivateKeyPlaintext, publicKey: PublicKey }, bits),
      );
      expect(new Set(publicKeys).size).toBe(3);
    }
  });

  test("has them made by the launcher, and answers others while it waits", async () => {
    const server = memory();
    const { url } = await server.ready();
    const KeyId = await symmetricKey(url);
    await freeze(server.pid);
    let created: Answer | null = null;
    const creating = createKey(url, "RSA_4096").then((answer) => {
      created = answer;
    });
    for (let round = 0; round < 100; round++) expect(await encrypt(url, KeyId)).toBe(200);
    expect(created).toBeNull();
    process.kill(server.pid, "SIGCONT");
    await creating;
    expect(created).toMatchObject({ status: 200 });
  });

  test("refuses what needs a pair while there are none to be had, and nothing else", async () => {
    const server = memory();
    const { url } = await server.ready();
    const KeyId = await symmetricKey(url);
    const socket = socketOf(server);
    renameSync(socket, `${socket}.away`);
    const { status, body } = await createKey(url, "RSA_2048");
    expect([status, body.__type]).toEqual([500, "KMSInternalException"]);
    expect((await createKey(url, "ECC_NIST_P256")).status).toBe(200);
    expect(await encrypt(url, KeyId)).toBe(200);
    renameSync(`${socket}.away`, socket);
    expect((await createKey(url, "RSA_2048")).status).toBe(200);
  });

  test("makes them by itself where there can be no socket", async () => {
    const long = join(temporaryFolder(), "f".repeat(100));
    mkdirSync(long);
    const data = join(temporaryFolder(), "data");
    const env = cleanEnvironment({ TMPDIR: long });
    const { url } = await new Command(["--port", "0", "--data", data], { env }).ready();
    expect(readdirSync(long)).toEqual([]);
    expect((await createKey(url, "RSA_2048")).status).toBe(200);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "leaves no socket behind after %s, even while a pair is made",
    async (signal) => {
      const TMPDIR = temporaryFolder();
      const data = join(temporaryFolder(), "data");
      const env = cleanEnvironment({ TMPDIR });
      const server = new Command(["--port", "0", "--data", data], { env });
      const { url, workerd } = await server.ready();
      expect(readdirSync(TMPDIR)).toHaveLength(1);
      const creating = createKey(url, "RSA_4096").catch(() => null);
      server.child.kill(signal);
      await server.exit;
      await until("all is gone", () => !isAlive(workerd) && readdirSync(TMPDIR).length === 0);
      await creating;
    },
  );
});
