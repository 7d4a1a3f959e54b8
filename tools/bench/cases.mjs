// What the bench sends: a row per operation, and the keys they use.

import { randomBytes } from "node:crypto";
import { headersOf } from "./load.mjs";

const PLAINTEXT = randomBytes(1024).toString("base64");
const REGIONS = [
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-central-1",
  "eu-north-1",
  "eu-south-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "ca-central-1",
  "sa-east-1",
  "ap-south-1",
  "ap-east-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "me-south-1",
  "me-central-1",
  "af-south-1",
  "il-central-1",
  "ca-west-1",
  "mx-central-1",
];

/** Requests a second that a row of `once` bodies is prepared for. */
const ONCE_RATE = 900;

/** The rows; `bodies` says what is sent, round and round, or once each where a key serves once. */
export const rows = [
  row("Encrypt 1 KiB by key ID", "Encrypt", ({ keyId }) => ({
    KeyId: keyId,
    Plaintext: PLAINTEXT,
  })),
  row("Encrypt 1 KiB by alias", "Encrypt", () => ({ KeyId: "alias/bench", Plaintext: PLAINTEXT })),
  row("Decrypt 1 KiB", "Decrypt", ({ ciphertext }) => ({ CiphertextBlob: ciphertext })),
  row("GenerateDataKey", "GenerateDataKey", ({ keyId }) => ({ KeyId: keyId, KeySpec: "AES_256" })),
  row("DescribeKey by key ID", "DescribeKey", ({ keyId }) => ({ KeyId: keyId })),
  row("DescribeKey by alias", "DescribeKey", () => ({ KeyId: "alias/bench" })),
  row("CreateKey", "CreateKey", () => ({})),
  { name: "ReplicateKey", target: "ReplicateKey", once: true },
];

function row(name, target, body) {
  return { name, target, once: false, bodies: (keys) => [JSON.stringify(body(keys))] };
}

/** Sends one request and returns its answer; throws what KMS refuses. */
export async function call(url, operation, input, region) {
  const response = await fetch(url, {
    method: "POST",
    headers: headersOf(operation, region),
    body: JSON.stringify(input),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation}: ${text}`);
  return text ? JSON.parse(text) : {};
}

/** A key with an alias and a ciphertext of 1 KiB. */
export async function prepare(url) {
  const { KeyMetadata } = await call(url, "CreateKey", {});
  const keyId = KeyMetadata.KeyId;
  await call(url, "CreateAlias", { AliasName: "alias/bench", TargetKeyId: keyId });
  const { CiphertextBlob } = await call(url, "Encrypt", { KeyId: keyId, Plaintext: PLAINTEXT });
  return { keyId, ciphertext: CiphertextBlob };
}

/** The bodies of a row; those of ReplicateKey need a new key for every 25 of them. */
export async function bodiesOf(row, keys, url, seconds) {
  if (!row.once) return row.bodies(keys, url);
  const count = Math.ceil((ONCE_RATE * seconds) / REGIONS.length);
  const keyIds = [];
  for (let made = 0; made < count; made++) {
    const { KeyMetadata } = await call(url, "CreateKey", { MultiRegion: true });
    keyIds.push(KeyMetadata.KeyId);
  }
  return REGIONS.flatMap((region) =>
    keyIds.map((keyId) => JSON.stringify({ KeyId: keyId, ReplicaRegion: region })),
  );
}
