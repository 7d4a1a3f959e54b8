// Random requests to every operation: whatever is sent, the answer is one of KMS's, and no 5xx.
// FUZZ_SEED repeats a run, FUZZ_RUNS makes it longer.

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kms } from "../support/clients.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { memberNames, operationNames, post, type Sent, signedBy, UUID } from "./wire.ts";

let server: Server | undefined;

beforeAll(async () => {
  server = await startRaw({ auth: "open", creatingMs: 0, updatingMs: 0, rotatingMs: 0 });
});

afterAll(() => server?.stop());

/** Things that are there to be named, in us-east-1. */
interface Names {
  readonly keys: readonly string[];
  readonly ciphertexts: readonly string[];
  readonly markers: readonly string[];
}

async function existingNames(url: string): Promise<Names> {
  const us = kms(url, "us-east-1");
  const made = [];
  for (const MultiRegion of [true, true, true, false, false, false]) {
    made.push(await us.createKey({ MultiRegion }));
  }
  const keys = made.map(({ KeyMetadata }) => KeyMetadata?.Arn ?? "");
  const [KeyId = ""] = keys;
  await us.createAlias({ AliasName: "alias/fuzz", TargetKeyId: KeyId });
  await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
  const blobs = keys.map(async (arn) => {
    const { CiphertextBlob = [] } = await us.encrypt({ KeyId: arn, Plaintext: new Uint8Array(9) });
    return Buffer.from(CiphertextBlob).toString("base64");
  });
  const { NextMarker = "" } = await us.listKeys({ Limit: 1 });
  return { keys, ciphertexts: await Promise.all(blobs), markers: [NextMarker] };
}

type Values = fc.Arbitrary<unknown>;

const text = fc.string({ unit: "binary", maxLength: 40 });
const base64 = fc.uint8Array({ minLength: 1, maxLength: 200 }).map(toBase64);

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Values that can succeed, by the name of the member; what has none is left out as a rule. */
function goodValues({ keys, ciphertexts }: Names): [RegExp, Values][] {
  const ids = keys.map((arn) => arn.slice(arn.indexOf("/") + 1));
  const tag = fc.record({ TagKey: fc.string({ minLength: 1 }), TagValue: fc.string() });
  return [
    [/KeyId$/, fc.constantFrom(...keys, ...ids)],
    [/CiphertextBlob$/, fc.constantFrom(...ciphertexts)],
    [/^AliasName$/, fc.stringMatching(/^alias\/[a-z0-9]{1,3}$/)],
    [/^(ReplicaRegion|PrimaryRegion)$/, fc.constantFrom("eu-west-1", "sa-east-1", "ap-south-1")],
    [/^Limit$/, fc.integer({ min: 1, max: 1000 })],
    [/^NumberOfBytes$/, fc.integer({ min: 1, max: 1024 })],
    [/^PendingWindowInDays$/, fc.integer({ min: 7, max: 30 })],
    [/^RotationPeriodInDays$/, fc.integer({ min: 90, max: 2560 })],
    [/^(MultiRegion|BypassPolicyLockoutSafetyCheck)$/, fc.boolean()],
    [/Context$/, fc.dictionary(text, text, { maxKeys: 5 })],
    [/^Tags$/, fc.uniqueArray(tag, { maxLength: 5, selector: ({ TagKey }) => TagKey })],
    [/^TagKeys$/, fc.array(fc.string({ minLength: 1 }), { maxLength: 5 })],
    [/^Description$/, text],
    [/^Plaintext$/, base64],
  ];
}

/** Values that look right and lead elsewhere. */
function temptingValues({ keys, ciphertexts, markers }: Names): Values {
  const far = keys.map((arn) => arn.replace("us-east-1", "eu-west-1"));
  const foreign = keys.map((arn) => arn.replace(/\d{12}/, "444455556666"));
  const aliases = ["alias/fuzz", "alias/aws/s3", "arn:aws:kms:us-east-1:111122223333:alias/fuzz"];
  const damaged = fc
    .tuple(fc.constantFrom(...ciphertexts), fc.nat(120), fc.constantFrom(..."AZaz09+/="))
    .map(([blob, at, digit]) => blob.slice(0, at) + digit + blob.slice(at + 1));
  return fc.oneof(
    fc.constantFrom(...far, ...foreign, ...aliases, ...markers, ...ciphertexts),
    fc.constantFrom("us-east-1", "cn-north-1", "x-y-1", "SYMMETRIC_DEFAULT", "AES_256", "RSA_2048"),
    fc.constantFrom<unknown>(true, ["IGNORE_CIPHERTEXT"], 1.5, 1001, -1, 1e21),
    damaged,
    base64,
    text,
    fc.json({ stringUnit: "binary" }),
  );
}

/** Any JSON, with names that JavaScript's objects have by themselves. */
const json = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });
const odd: Values = fc.oneof(
  json,
  fc.constantFrom(null, "", "__proto__", "\u0000", "\ud800", "x".repeat(5000)),
  fc.dictionary(fc.constantFrom("__proto__", "constructor", "toString", "a", ""), json),
);

interface RandomRequest {
  readonly operation: string;
  readonly authorization: string;
  readonly body: Sent;
}

/** Requests that are right, nearly right, and plain noise. */
function requests(names: Names): fc.Arbitrary<RandomRequest> {
  const good = goodValues(names);
  const wrong = fc.oneof(temptingValues(names), odd);
  const bodyOf = (operation: string): fc.Arbitrary<Sent> => {
    const members = memberNames(operation);
    const known = members.flatMap((member) => {
      const [, values] = good.find(([name]) => name.test(member)) ?? [];
      return values ? [[member, values] as const] : [];
    });
    const required = known.map(([member]) => member).filter((name) => !/^Tags|Con/.test(name));
    const right = fc.record<Record<string, unknown>>(Object.fromEntries(known), {
      requiredKeys: required,
      noNullPrototype: true,
    });
    const change = fc.tuple(fc.constantFrom("Unknown", ...members), wrong);
    const nearlyRight = fc
      .tuple(right, fc.array(change, { minLength: 1, maxLength: 2 }))
      .map(([body, changes]) => ({ ...body, ...Object.fromEntries(changes) }));
    return fc.oneof(
      { arbitrary: right, weight: 6 },
      { arbitrary: nearlyRight, weight: 10 },
      { arbitrary: odd.map((value) => JSON.stringify(value)), weight: 2 },
      { arbitrary: fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array()), weight: 1 },
    );
  };
  const signer = fc.constantFrom(
    ...[{}, {}, {}, {}],
    ...[{ region: "eu-west-1" }, { accessKey: "444455556666" }, { accessKey: "AKID" }],
  );
  return fc.constantFrom(...operationNames).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      authorization: signer.map(signedBy),
      body: bodyOf(operation),
    }),
  );
}

test("no request is answered by a failure, or by something that is no answer", async () => {
  const url = server?.url ?? "";
  const { FUZZ_SEED, FUZZ_RUNS } = process.env;
  const seed = Number(FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`FUZZ_SEED=${seed}`);
  const statuses = new Map<number, number>();
  const holds = async ({ operation, authorization, body }: RandomRequest) => {
    const headers = { "x-amz-target": `TrentService.${operation}` };
    const answer = await post(url, headers, body, authorization);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    expect([200, 400]).toContain(answer.status);
    expect(answer.headers.get("x-amzn-requestid")).toMatch(UUID);
    expect(answer.headers.get("content-type")).toBe("application/x-amz-json-1.1");
    if (answer.status === 400) {
      expect(answer.json).toMatchObject({ __type: expect.stringMatching(/^[A-Za-z]+Exception$/) });
    }
  };
  const property = fc.asyncProperty(requests(await existingNames(url)), holds);
  await fc.assert(property, { seed, numRuns: Number(FUZZ_RUNS ?? 600) });
  // A fuzzer that only ever meets refusals has found nothing out.
  expect(statuses.get(200)).toBeGreaterThan(20);
  expect(server?.output()).not.toMatch(/error/i);
});
