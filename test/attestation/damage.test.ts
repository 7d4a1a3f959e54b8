// Damaged documents: whatever the damage, the answer is a ValidationException and nothing else.

import { encode } from "cborg";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { parseAttestation } from "../../src/attestation/parse-attestation.ts";
import { rootsFromPem, type TrustedRoots } from "../../src/attestation/roots.ts";
import { KmsError } from "../../src/errors.ts";
import {
  attest,
  type Chain,
  makeChain,
  NOW,
  recipientKeys,
  register,
} from "./support/authority.ts";
import { type Bytes, concat } from "./support/der-writer.ts";
import { certificatePem } from "./support/openssl.ts";
import { refusal } from "./support/refusal.ts";

let chain: Chain;
let publicKey: Bytes;
let document: Bytes;
let roots: TrustedRoots;

beforeAll(async () => {
  [chain, { publicKey }] = await Promise.all([makeChain(0), recipientKeys()]);
  const pcrs = new Map([[0, register(0)]]);
  document = await attest(chain, publicKey, { members: { pcrs }, tag: 18 });
  roots = rootsFromPem(certificatePem(chain.certificates[0] as Bytes));
  await parseAttestation(document, { roots, now: NOW });
});

const refused = (bytes: Uint8Array) => refusal(parseAttestation(bytes, { roots, now: NOW }));

/** The bytes with the one at `position` changed. */
function changed(bytes: Bytes, position: number, by: number): Bytes {
  const copy = bytes.slice();
  copy[position] = (copy[position] ?? 0) ^ by;
  return copy;
}

/** For every position, in batches that keep the threads of WebCrypto busy. */
async function everywhere(length: number, check: (position: number) => Promise<unknown>) {
  for (let start = 0; start < length; start += 64) {
    const batch = Array.from({ length: Math.min(64, length - start) }, (_, at) => start + at);
    await Promise.all(batch.map(check));
  }
}

test("any byte of a document changed", async () => {
  await everywhere(document.length, (position) => {
    const by = 1 + ((position * 7) % 255);
    return refused(changed(document, position, by));
  });
});

test("any bit of what surrounds the payload changed", async () => {
  const header = 12;
  const places = [
    ...Array.from({ length: header }, (_, at) => at),
    ...Array.from({ length: 98 }, (_, at) => document.length - 98 + at),
  ];
  await everywhere(places.length * 8, (index) =>
    refused(changed(document, places[index >> 3] ?? 0, 1 << (index & 7))),
  );
});

test("a byte missing or added anywhere", async () => {
  await everywhere(document.length, async (position) => {
    const [before, after] = [document.subarray(0, position), document.subarray(position)];
    if (position % 3 === 2) await refused(concat(before, after.subarray(1)));
    if (position % 3 === 1) await refused(concat(before, new Uint8Array([position & 255]), after));
    await refused(before);
  });
  await refused(concat(document, new Uint8Array(1)));
});

test("any byte of a certificate changed, in a document that is signed", async () => {
  const [root, leaf] = chain.certificates as [Bytes, Bytes];
  await everywhere(leaf.length, async (position) => {
    const certificate = changed(leaf, position, 1 << (position & 7));
    await refused(await attest(chain, publicKey, { members: { certificate } }));
  });
  await everywhere(root.length >> 2, async (quarter) => {
    const cabundle = [changed(root, 4 * quarter, 1 << (quarter & 7))];
    const bytes = await attest(chain, publicKey, { members: { cabundle } });
    await refusal(parseAttestation(bytes, { roots: "any", now: NOW }));
  });
});

test("any bytes at all", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      await refused(bytes);
    }),
    { numRuns: 500 },
  );
});

test("as many bytes as a request may carry", async () => {
  for (const byte of [0x00, 0x5f, 0x81, 0x9f, 0xa1, 0xbf, 0xc1, 0xd2, 0xff]) {
    await refused(new Uint8Array(262_144).fill(byte));
  }
});

test("any values in a signed payload", async () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, true, 1.5),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
      fc.string(),
      fc.uint8Array({ maxLength: 70 }),
      fc.array(tie("any"), { maxLength: 4 }),
      fc
        .array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie("any")), { maxLength: 4 })
        .map((entries) => new Map(entries as [unknown, unknown][])),
    ),
  })).any;
  const name = fc.constantFrom(
    ...["module_id", "digest", "timestamp", "pcrs", "nitrotpm_pcrs", "certificate", "cabundle"],
    ...["public_key", "user_data", "nonce"],
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 3 }), async (members) => {
      const bytes = await attest(chain, publicKey, { members });
      const outcome = await parseAttestation(bytes, { roots, now: NOW }).catch((error) => error);
      expect(outcome instanceof KmsError || outcome.moduleId !== undefined).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("any value as the whole document", async () => {
  const structure = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.constant(new Map()), fc.integer(), fc.string()),
    { minLength: 3, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(structure, async (parts) => {
      await refused(encode(parts));
    }),
    { numRuns: 300 },
  );
});
