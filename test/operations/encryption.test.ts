// Encrypting, decrypting, re-encrypting, data keys and random bytes, with keys of one Region.

import { describe, expect, test } from "vitest";
import { arnOf, base64, type DataKey, outcome, unbase64, World } from "../support/core.ts";
import { ciphertextOutOfReach } from "../support/out-of-reach.ts";

const REGION = "us-east-1";
const UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab";
const INCORRECT_KEY =
  "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this " +
  "operation.";
const UNREACHABLE = `AccessDeniedException: ${ciphertextOutOfReach(`arn:aws:iam::111122223333:root`)}`;
const DRY_RUN =
  "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";

const bytes = (text: string) => Buffer.from(text, "base64");

async function prepared() {
  const world = new World();
  const { KeyId, Arn, CurrentKeyMaterialId } = await world.createKey(REGION);
  return { world, KeyId, Arn, CurrentKeyMaterialId };
}

describe("Encrypt and Decrypt", () => {
  test("answer what the API reference lists", async () => {
    const { world, KeyId, Arn, CurrentKeyMaterialId } = await prepared();
    const encrypted = await world.call<{ CiphertextBlob: string }>(REGION, "Encrypt", {
      KeyId,
      Plaintext: base64("text"),
    });
    expect(encrypted).toEqual({
      CiphertextBlob: expect.any(String),
      KeyId: Arn,
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    });
    expect(await world.decrypt(REGION, encrypted.CiphertextBlob)).toEqual({
      KeyId: Arn,
      Plaintext: base64("text"),
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      KeyMaterialId: CurrentKeyMaterialId,
    });
  });

  test("give back 1 to 4096 bytes of any value, each time in another ciphertext", async () => {
    const { world, KeyId } = await prepared();
    const blobs = new Set<string>();
    for (const length of [1, 2, 255, 4095, 4096, 4096]) {
      const Plaintext = Buffer.alloc(length, 0xff).toString("base64");
      const { CiphertextBlob } = await world.call<{ CiphertextBlob: string }>(REGION, "Encrypt", {
        KeyId,
        Plaintext,
      });
      expect((await world.decrypt(REGION, CiphertextBlob)).Plaintext).toBe(Plaintext);
      expect(bytes(CiphertextBlob).length).toBeLessThanOrEqual(6144);
      blobs.add(CiphertextBlob);
    }
    expect(blobs.size).toBe(6);
  });

  test("refuse any ciphertext that was changed, in whatever byte, or cut, or lengthened", async () => {
    const { world, KeyId } = await prepared();
    const blob = bytes(await world.encrypt(REGION, KeyId));
    const named = { KeyId };
    for (let index = 0; index < blob.length; index += 1) {
      const changed = Buffer.from(blob);
      changed[index] = (changed[index] as number) ^ 1;
      const answer = await outcome(world.decrypt(REGION, changed.toString("base64"), named));
      expect(`${index} ${answer}`).toBe(`${index} InvalidCiphertextException`);
    }
    for (const other of [blob.subarray(0, -1), blob.subarray(1), Buffer.concat([blob, blob])]) {
      const text = other.toString("base64");
      expect(await outcome(world.decrypt(REGION, text))).toBe("InvalidCiphertextException");
    }
  });

  test("hold to the encryption context: case counts, order does not, empty is none", async () => {
    const { world, KeyId } = await prepared();
    const EncryptionContext = { purpose: "test", stage: "dev" };
    const blob = await world.encrypt(REGION, KeyId, "text", { EncryptionContext });
    const decrypts = (context: object | undefined) =>
      outcome(world.decrypt(REGION, blob, { EncryptionContext: context }));
    expect(await decrypts({ stage: "dev", purpose: "test" })).toBe("ok");
    for (const wrong of [
      undefined,
      {},
      { purpose: "test" },
      { ...EncryptionContext, more: "" },
      { purpose: "Test", stage: "dev" },
      { Purpose: "test", stage: "dev" },
      { purpose: "testst", stage: "dev" },
      { purpose: "dev", stage: "test" },
    ]) {
      expect(await decrypts(wrong)).toBe("InvalidCiphertextException");
    }
    const bare = await world.encrypt(REGION, KeyId, "text", { EncryptionContext: {} });
    expect(await outcome(world.decrypt(REGION, bare))).toBe("ok");
  });

  test("of pairs that only look alike are told apart", async () => {
    const { world, KeyId } = await prepared();
    const blob = await world.encrypt(REGION, KeyId, "text", { EncryptionContext: { a: "bc" } });
    for (const EncryptionContext of [{ ab: "c" }, { abc: "" }, { "": "abc" }]) {
      const answer = await outcome(world.decrypt(REGION, blob, { EncryptionContext }));
      expect(answer).toBe("InvalidCiphertextException");
    }
    const two = await world.encrypt(REGION, KeyId, "text", {
      EncryptionContext: { a: "1", b: "2" },
    });
    for (const gap of ["", "\0", "\0\0\0\0", "\0\0\0\u0001", ",", "="]) {
      const EncryptionContext = { a: `1${gap}b${gap}2` };
      const answer = await outcome(world.decrypt(REGION, two, { EncryptionContext }));
      expect(answer).toBe("InvalidCiphertextException");
    }
  });

  test("a KeyId other than the ciphertext's", async () => {
    const { world, KeyId, Arn } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    const blob = await world.encrypt(REGION, KeyId);
    expect((await world.decrypt(REGION, blob, { KeyId: Arn })).KeyId).toBe(Arn);
    expect(await outcome(world.decrypt(REGION, blob, { KeyId: other }))).toBe(INCORRECT_KEY);
    const gone = await outcome(world.decrypt(REGION, blob, { KeyId: UNKNOWN }));
    expect(gone).toBe(`NotFoundException: Key '${arnOf(REGION, UNKNOWN)}' does not exist`);
  });

  test("a ciphertext of a key that is out of reach, and one of nothing at all", async () => {
    const { world, KeyId } = await prepared();
    const blob = await world.encrypt(REGION, KeyId);
    expect(await outcome(world.decrypt("eu-west-1", blob))).toBe(UNREACHABLE);
    for (const nothing of [base64("nothing"), base64("n".repeat(200)), "AQICAHgAAAA="]) {
      const answer = await outcome(world.decrypt(REGION, nothing));
      expect(answer).toBe("InvalidCiphertextException");
    }
  });

  test("a ciphertext of another account's key", async () => {
    const { world, KeyId } = await prepared();
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    const foreign = world.call(REGION, "Decrypt", { CiphertextBlob }, "444455556666");
    expect(await outcome(foreign)).toMatch(/^AccessDeniedException: /);
  });

  test("algorithms that the key spec has not", async () => {
    const { world, KeyId } = await prepared();
    const blob = await world.encrypt(REGION, KeyId);
    for (const EncryptionAlgorithm of ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"]) {
      const refusal =
        `InvalidKeyUsageException: Algorithm ${EncryptionAlgorithm} is incompatible with key spec ` +
        "SYMMETRIC_DEFAULT.";
      const more = { EncryptionAlgorithm };
      expect(await outcome(world.encrypt(REGION, KeyId, "text", more))).toBe(refusal);
      expect(await outcome(world.decrypt(REGION, blob, more))).toBe(refusal);
    }
    const right = { EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    expect(await outcome(world.decrypt(REGION, blob, right))).toBe("ok");
  });

  test("Decrypt without a ciphertext", async () => {
    const { world, KeyId } = await prepared();
    for (const input of [{}, { KeyId }, { KeyId, DryRun: true }]) {
      expect(await outcome(world.call(REGION, "Decrypt", input))).toBe(
        "ValidationException: 1 validation error detected: Value null at 'ciphertextBlob' failed to " +
          "satisfy constraint: Member must not be null",
      );
    }
  });
});

describe("ReEncrypt", () => {
  interface ReEncrypted {
    readonly CiphertextBlob: string;
  }

  test("answers both keys, and a ciphertext of the one", async () => {
    const { world, KeyId, Arn, CurrentKeyMaterialId } = await prepared();
    const to = await world.createKey(REGION);
    const CiphertextBlob = await world.encrypt(REGION, KeyId, "text", {
      EncryptionContext: { a: "1" },
    });
    const input = {
      CiphertextBlob,
      SourceEncryptionContext: { a: "1" },
      DestinationKeyId: to.KeyId,
      DestinationEncryptionContext: { b: "2" },
    };
    const answer = await world.call<ReEncrypted>(REGION, "ReEncrypt", input);
    expect(answer).toEqual({
      CiphertextBlob: expect.any(String),
      SourceKeyId: Arn,
      KeyId: to.Arn,
      SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      DestinationEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      SourceKeyMaterialId: CurrentKeyMaterialId,
      DestinationKeyMaterialId: to.CurrentKeyMaterialId,
    });
    const decrypted = await world.decrypt(REGION, answer.CiphertextBlob, {
      EncryptionContext: { b: "2" },
    });
    expect(decrypted.KeyId).toBe(to.Arn);
    expect(unbase64(decrypted.Plaintext)).toBe("text");
  });

  test("takes the old ciphertext of a rotated key to its new material", async () => {
    const { world, KeyId, CurrentKeyMaterialId } = await prepared();
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    await world.call(REGION, "RotateKeyOnDemand", { KeyId });
    world.pass(1000);
    const { CurrentKeyMaterialId: current } = await world.describe(REGION, KeyId);
    expect(current).not.toBe(CurrentKeyMaterialId);
    const input = { CiphertextBlob, DestinationKeyId: KeyId };
    expect(await world.call(REGION, "ReEncrypt", input)).toMatchObject({
      SourceKeyMaterialId: CurrentKeyMaterialId,
      DestinationKeyMaterialId: current,
    });
  });

  test("refuses a wrong source", async () => {
    const { world, KeyId } = await prepared();
    const { KeyId: other } = await world.createKey(REGION);
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    const reEncrypt = (input: object) =>
      outcome(world.call(REGION, "ReEncrypt", { DestinationKeyId: other, ...input }));
    expect(await reEncrypt({ CiphertextBlob, SourceKeyId: other })).toBe(INCORRECT_KEY);
    expect(await reEncrypt({ CiphertextBlob, SourceEncryptionContext: { a: "1" } })).toBe(
      "InvalidCiphertextException",
    );
    expect(await reEncrypt({ CiphertextBlob: base64("nothing") })).toBe(
      "InvalidCiphertextException",
    );
    expect(await reEncrypt({})).toMatch(/^ValidationException: 1 .*'ciphertextBlob'/);
  });

  test("refuses a wrong destination", async () => {
    const { world, KeyId } = await prepared();
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    const reEncrypt = (input: object) =>
      outcome(
        world.call(REGION, "ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId, ...input }),
      );
    expect(await reEncrypt({ DestinationKeyId: UNKNOWN })).toMatch(/^NotFoundException: /);
    expect(await reEncrypt({ DestinationEncryptionAlgorithm: "SM2PKE" })).toMatch(
      /^InvalidKeyUsageException: /,
    );
  });
});

describe("data keys", () => {
  test("come in plaintext and encrypted, by spec or by length", async () => {
    const { world, KeyId, Arn, CurrentKeyMaterialId } = await prepared();
    for (const [size, length] of [
      [{ KeySpec: "AES_256" }, 32],
      [{ KeySpec: "AES_128" }, 16],
      [{ NumberOfBytes: 1 }, 1],
      [{ NumberOfBytes: 1024 }, 1024],
    ] as const) {
      const answer = await world.call<DataKey>(REGION, "GenerateDataKey", { KeyId, ...size });
      expect(answer).toEqual({
        CiphertextBlob: expect.any(String),
        Plaintext: expect.any(String),
        KeyId: Arn,
        KeyMaterialId: CurrentKeyMaterialId,
      });
      expect(bytes(answer.Plaintext)).toHaveLength(length);
      const { Plaintext } = await world.decrypt(REGION, answer.CiphertextBlob);
      expect(Plaintext).toBe(answer.Plaintext);
    }
  });

  test("come encrypted alone", async () => {
    const { world, KeyId, Arn, CurrentKeyMaterialId } = await prepared();
    const input = { KeyId, KeySpec: "AES_256", EncryptionContext: { a: "1" } };
    const operation = "GenerateDataKeyWithoutPlaintext";
    const answer = await world.call<DataKey>(REGION, operation, input);
    expect(answer).toEqual({
      CiphertextBlob: expect.any(String),
      KeyId: Arn,
      KeyMaterialId: CurrentKeyMaterialId,
    });
    const { Plaintext } = await world.decrypt(REGION, answer.CiphertextBlob, {
      EncryptionContext: { a: "1" },
    });
    expect(bytes(Plaintext)).toHaveLength(32);
    expect(await outcome(world.decrypt(REGION, answer.CiphertextBlob))).toBe(
      "InvalidCiphertextException",
    );
  });

  test.for(["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"])(
    "%s takes exactly one of KeySpec and NumberOfBytes",
    async (operation) => {
      const { world, KeyId } = await prepared();
      for (const size of [{}, { KeySpec: "AES_256", NumberOfBytes: 32 }]) {
        expect(await outcome(world.call(REGION, operation, { KeyId, ...size }))).toBe(
          "ValidationException: Please specify either number of bytes or key spec.",
        );
      }
    },
  );
});

describe("GenerateRandom", () => {
  test("gives as many bytes as asked for", async () => {
    const world = new World();
    for (const NumberOfBytes of [1, 12, 1024]) {
      const answer = await world.call<DataKey>(REGION, "GenerateRandom", { NumberOfBytes });
      expect(Object.keys(answer)).toEqual(["Plaintext"]);
      expect(bytes(answer.Plaintext)).toHaveLength(NumberOfBytes);
    }
  });

  test("wants to be told how many (recorded on AWS)", async () => {
    const world = new World();
    expect(await outcome(world.call(REGION, "GenerateRandom"))).toBe(
      "ValidationException: NumberOfBytes is required.",
    );
  });
});

describe("DryRun", () => {
  test("answers DryRunOperationException where the call would have worked", async () => {
    const { world, KeyId } = await prepared();
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    for (const [operation, input] of [
      ["Encrypt", { KeyId, Plaintext: "AAAA" }],
      ["Decrypt", { CiphertextBlob }],
      ["ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId }],
      ["GenerateDataKey", { KeyId, KeySpec: "AES_256" }],
      ["GenerateDataKeyWithoutPlaintext", { KeyId, KeySpec: "AES_256" }],
    ] as const) {
      const dry = await outcome(world.call(REGION, operation, { ...input, DryRun: true }));
      expect(`${operation} ${dry}`).toBe(`${operation} ${DRY_RUN}`);
      const wet = await outcome(world.call(REGION, operation, { ...input, DryRun: false }));
      expect(`${operation} ${wet}`).toBe(`${operation} ok`);
    }
  });

  test("answers what the call would have been refused with", async () => {
    const { world, KeyId, Arn } = await prepared();
    const CiphertextBlob = await world.encrypt(REGION, KeyId);
    const { KeyId: other } = await world.createKey(REGION);
    const dry = (operation: string, input: object) =>
      outcome(world.call(REGION, operation, { ...input, DryRun: true }));
    expect(await dry("Decrypt", { CiphertextBlob, KeyId: other })).toBe(INCORRECT_KEY);
    expect(await dry("Decrypt", { CiphertextBlob, EncryptionContext: { a: "1" } })).toBe(
      "InvalidCiphertextException",
    );
    expect(await dry("GenerateDataKey", { KeyId })).toMatch(/^ValidationException: /);
    await world.call(REGION, "DisableKey", { KeyId });
    const disabled = `DisabledException: ${Arn} is disabled.`;
    expect(await dry("Encrypt", { KeyId, Plaintext: "AAAA" })).toBe(disabled);
    expect(await dry("ReEncrypt", { CiphertextBlob, DestinationKeyId: other })).toBe(disabled);
  });

  test("with IGNORE_CIPHERTEXT needs no ciphertext, but the key", async () => {
    const { world, KeyId } = await prepared();
    const ignoring = { DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] };
    const decrypt = (input: object) => outcome(world.call(REGION, "Decrypt", input));
    expect(await decrypt({ ...ignoring, KeyId })).toBe(DRY_RUN);
    expect(await decrypt(ignoring)).toMatch(/^ValidationException: /);
    // It means nothing without DryRun.
    expect(await decrypt({ ...ignoring, KeyId, DryRun: false })).toMatch(/'ciphertextBlob'/);
    const reEncrypt = (input: object) =>
      outcome(world.call(REGION, "ReEncrypt", { ...ignoring, DestinationKeyId: KeyId, ...input }));
    expect(await reEncrypt({ SourceKeyId: KeyId })).toBe(DRY_RUN);
    expect(await reEncrypt({})).toMatch(/^ValidationException: /);
  });
});
