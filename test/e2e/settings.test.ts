// What settings change in what a server does; that they are read is tested with the launcher.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { attest, type Chain, recipientKeys } from "../attestation/support/authority.ts";
import type { Bytes } from "../attestation/support/der-writer.ts";
import { certificatePem } from "../attestation/support/openssl.ts";
import { kms, moveClock, serverTime } from "../support/clients.ts";
import { type Server, type ServerOptions, startMiniflare, startRaw } from "../support/servers.ts";
import { chainOfToday } from "./suite/recipient.ts";
import { created, described, encrypted } from "./suite/stage.ts";
import { post } from "./wire.ts";

const servers: Server[] = [];

afterAll(() => Promise.all(servers.map((server) => server.stop())));

async function serverWith(options: ServerOptions): Promise<Server> {
  const server = await startRaw({ auth: "open", ...options });
  servers.push(server);
  return server;
}

test("delays of 0: replicas, new primaries and new material are there at once", async () => {
  const { url } = await serverWith({ creatingMs: 0, updatingMs: 0, rotatingMs: 0 });
  const [us, eu] = [kms(url, "us-east-1"), kms(url, "eu-west-1")];
  const KeyId = created(await us.createKey({ MultiRegion: true }));
  await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
  expect(await described(eu, KeyId)).toMatchObject({ KeyState: "Enabled" });
  await encrypted(eu, KeyId, "x");
  await us.updatePrimaryRegion({ KeyId, PrimaryRegion: "eu-west-1" });
  expect(await described(us, KeyId)).toMatchObject({ KeyState: "Enabled" });
  const before = (await described(us, KeyId)).CurrentKeyMaterialId;
  await eu.rotateKeyOnDemand({ KeyId });
  expect((await described(us, KeyId)).CurrentKeyMaterialId).not.toBe(before);
});

test("a replica is Creating for two seconds of the clock by default", async () => {
  const { url } = await serverWith({ movableClock: true });
  const [us, eu] = [kms(url, "us-east-1"), kms(url, "eu-west-1")];
  const KeyId = created(await us.createKey({ MultiRegion: true }));
  const answer = await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
  expect(answer.ReplicaKeyMetadata?.KeyState).toBe("Creating");
  await moveClock(url, "PT2S");
  expect(await described(eu, KeyId)).toMatchObject({ KeyState: "Enabled" });
});

test("the Region and the account of who names none", async () => {
  const { url } = await serverWith({ region: "sa-east-1", account: "999988887777" });
  const headers = { "x-amz-target": "TrentService.CreateKey" };
  const { json } = await post(url, headers, {}, null);
  expect(json).toMatchObject({
    KeyMetadata: { Arn: expect.stringMatching(/^arn:aws:kms:sa-east-1:999988887777:key\//) },
  });
});

describe("whom attestation documents are believed of", () => {
  /** GenerateRandom for an enclave whose chain begins with this root; `ok` or the refusal. */
  async function attested(url: string, chain: Chain): Promise<string> {
    const { publicKey } = await recipientKeys();
    const document = await attest(chain, publicKey);
    const headers = { "x-amz-target": "TrentService.GenerateRandom" };
    const { status, json } = await post(url, headers, {
      NumberOfBytes: 1,
      Recipient: {
        KeyEncryptionAlgorithm: "RSAES_OAEP_SHA_256",
        AttestationDocument: Buffer.from(document).toString("base64"),
      },
    });
    const { __type, message } = json as { __type?: string; message?: string };
    return status === 200 ? "ok" : `${__type}: ${message}`;
  }

  const untrusted =
    "ValidationException: Invalid attestation document: its root certificate is not trusted.";

  test("npm start: of anyone, of a file's roots, of AWS alone", async () => {
    const [chain, other] = [await chainOfToday(), await chainOfToday()];
    const folder = mkdtempSync(join(tmpdir(), "edge-kms-roots-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "roots.pem");
    const [foreign, root] = [other, chain].map(({ certificates: [der] }) => der as Bytes);
    writeFileSync(file, `some words\n${certificatePem(root as Bytes)}`);
    const [open, closed, aws] = [
      await serverWith({}),
      await serverWith({ nitroRoot: file }),
      await serverWith({ nitroRoot: "aws" }),
    ];
    expect(await attested(open.url, chain)).toBe("ok");
    expect(await attested(closed.url, chain)).toBe("ok");
    expect(await attested(closed.url, other)).toBe(untrusted);
    expect(await attested(aws.url, chain)).toBe(untrusted);
    writeFileSync(file, certificatePem(root as Bytes) + certificatePem(foreign as Bytes));
    const both = await serverWith({ nitroRoot: file });
    expect(await attested(both.url, chain)).toBe("ok");
    expect(await attested(both.url, other)).toBe("ok");
  });

  test("a deployment: of nobody, unless it says of whom", async () => {
    const chain = await chainOfToday();
    const [silent, told] = [
      await startMiniflare({ auth: "open" }),
      await startMiniflare({
        auth: "open",
        nitroRoot: certificatePem(chain.certificates[0] as Bytes),
      }),
    ];
    servers.push(silent, told);
    expect(await attested(silent.url, chain)).toMatch(
      /^UnsupportedOperationException: .*NITRO_ROOT/,
    );
    expect(await attested(told.url, chain)).toBe("ok");
    expect(await attested(told.url, await chainOfToday())).toBe(untrusted);
  });

  test("a file that holds none is said before anything starts", async () => {
    await expect(startRaw({ nitroRoot: "no/such/file" })).rejects.toThrow(
      "edge-kms: --nitro-root ENOENT",
    );
    await expect(startRaw({ nitroRoot: "package.json" })).rejects.toThrow(
      "edge-kms: --nitro-root package.json: no certificates in PEM form, or a bad one",
    );
  });
});

test("without policies nobody is denied by one, and no other account is let in", async () => {
  const { url } = await serverWith({ policies: false });
  const us = kms(url, "us-east-1");
  const statement = { Effect: "Deny", Principal: "*", Action: "*", Resource: "*" };
  const open = { ...statement, Effect: "Allow" };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement, open] });
  const made = await us.createKey({ Policy, BypassPolicyLockoutSafetyCheck: true });
  const KeyId = made.KeyMetadata?.Arn ?? "";
  await us.disableKey({ KeyId });
  const other = kms(url, "us-east-1", { account: "444455556666" });
  await expect(other.describeKey({ KeyId })).rejects.toThrow(
    "no resource-based policies allow access",
  );
});

test("the clock goes forward only, and is served only where that is set", async () => {
  const { url } = await serverWith({ movableClock: true });
  const before = Date.now();
  const start = await serverTime(url);
  expect(start.offsetMs).toBe(0);
  expect(Math.abs(start.now.getTime() - before)).toBeLessThan(10_000);
  expect(await moveClock(url, "P1DT1H1M1.5S")).toMatchObject({ offsetMs: 90_061_500 });
  const instant = new Date(before + 10 * 86_400_000);
  expect((await moveClock(url, instant)).now.getTime()).toBeGreaterThanOrEqual(instant.getTime());
  await expect(moveClock(url, new Date(before))).rejects.toThrow("400");
  for (const wrong of ["", "8 days", "-P1D", "P1Y", "P", "PT", "P200000D"]) {
    await expect(moveClock(url, wrong)).rejects.toThrow("400");
  }
  for (const body of [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"advance":1}',
    '{"advance":"P1D","set":"x"}',
  ]) {
    const response = await fetch(`${url}/_edge-kms/clock`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect({ body, status: response.status }).toEqual({ body, status: 400 });
    await response.arrayBuffer();
  }
  // A key is of the time it was made at.
  const { KeyMetadata } = await kms(url, "us-east-1").createKey({});
  expect(KeyMetadata?.CreationDate?.getTime()).toBeGreaterThanOrEqual(instant.getTime());

  const still = await serverWith({});
  await expect(serverTime(still.url)).rejects.toThrow("404");
  await expect(moveClock(still.url, "P1D")).rejects.toThrow("404");
});

test("quotas that cannot be read keep the server from starting", async () => {
  await expect(serverWith({ quotas: "KEYS=many" })).rejects.toThrow(
    /QUOTAS expects aws or NAME=NUMBER,… with the names KEYS, .* not "KEYS=many"/,
  );
});
