// The table of key specs says what there is, the tables of the cryptography how it is done: neither
// may have what the other has not.

import { expect, test } from "vitest";
import {
  encryptionAlgorithms,
  keyAgreementAlgorithms,
  keyEncapsulationAlgorithms,
  macAlgorithms,
  signingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { isKeyPairSpec } from "../../src/crypto/key-pair.ts";
import {
  type KeyUsage,
  keySpecNames,
  keySpecRow,
  keyUsageNames,
} from "../../src/domain/key-spec.ts";

test("what has no material of random bytes is a key pair that can be made", () => {
  const pairs = keySpecNames.filter((spec) => keySpecRow(spec).materialBytes === null);
  expect(pairs).toEqual(keySpecNames.filter(isKeyPairSpec));
});

const tables: Readonly<Record<KeyUsage, readonly string[]>> = {
  // Of which the key spec alone tells the cipher.
  ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT", ...Object.keys(encryptionAlgorithms)],
  SIGN_VERIFY: Object.keys(signingAlgorithms),
  GENERATE_VERIFY_MAC: Object.keys(macAlgorithms),
  KEY_AGREEMENT: Object.keys(keyAgreementAlgorithms),
  ENCAPSULATE_DECAPSULATE: Object.keys(keyEncapsulationAlgorithms),
};

test.each(keyUsageNames)(
  "the algorithms of %s are there, and every one has a key spec",
  (usage) => {
    const specs = keySpecNames.flatMap((spec) => keySpecRow(spec).usages[usage] ?? []);
    expect([...new Set<string>(specs)].toSorted()).toEqual(tables[usage].toSorted());
  },
);
