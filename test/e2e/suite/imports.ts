// Imported key material: brought, expired, brought again, rotated to in every Region, deleted.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html

import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from "node:crypto";
import type { ImportKeyMaterialCommandInput, KMS } from "@aws-sdk/client-kms";
import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  bytes,
  created,
  decrypted,
  described,
  encrypted,
  keyMaterialId,
  type NewStage,
} from "./stage.ts";

const DAY_MS = 86_400_000;
const FOR_EVER = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" } as const;
const ALL = { IncludeKeyMaterial: "ALL_KEY_MATERIAL" } as const;

export function imports(newStage: NewStage): void {
  test("a symmetric key: imported until a date, gone then, and back with the same bytes", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const { KeyMetadata } = await us.createKey({ Origin: "EXTERNAL" });
    const KeyId = KeyMetadata?.KeyId ?? "";
    const arn = stage.arn("us-east-1", KeyId);
    expect(KeyMetadata).toMatchObject({ KeyState: "PendingImport", Origin: "EXTERNAL" });
    const pending = `${arn} is pending import.`;
    await refuses(encrypted(us, KeyId, "x"), "KMSInvalidStateException", pending);

    const { now } = await stage.moveClock("PT0S");
    const ValidTo = new Date(Math.floor(now.getTime() / 1000) * 1000 + 2 * DAY_MS);
    const material = randomBytes(32);
    const imported = await importInto(us, KeyId, material, { ValidTo });
    expect(imported).toMatchObject({ KeyId: arn, KeyMaterialId: keyMaterialId });
    expect(await described(us, KeyId)).toMatchObject({
      KeyState: "Enabled",
      ExpirationModel: "KEY_MATERIAL_EXPIRES",
      ValidTo,
      CurrentKeyMaterialId: imported.KeyMaterialId,
    });
    const ciphertext = await encrypted(us, KeyId, "kept");

    await stage.moveClock(ValidTo);
    expect((await described(us, KeyId)).KeyState).toBe("PendingImport");
    await refuses(decrypted(us, ciphertext), "KMSInvalidStateException", pending);
    await refuses(
      importInto(us, KeyId, randomBytes(32), FOR_EVER),
      "IncorrectKeyMaterialException",
    );
    await importInto(us, KeyId, material, FOR_EVER);
    expect(await decrypted(us, ciphertext)).toBe("kept");
    expect(await us.deleteImportedKeyMaterial({ KeyId })).toMatchObject({
      KeyId: arn,
      KeyMaterialId: imported.KeyMaterialId,
    });
    await refuses(decrypted(us, ciphertext), "KMSInvalidStateException", pending);
  });

  test("tokens: a day, and one key", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const KeyId = created(await us.createKey({ Origin: "EXTERNAL" }));
    const other = created(await us.createKey({ Origin: "EXTERNAL" }));
    const input = await parametersFor(us, KeyId, randomBytes(32));
    const foreign = { ...input, KeyId: other, ...FOR_EVER };
    await refuses(us.importKeyMaterial(foreign), "InvalidImportTokenException");
    const torn = { ...input, ImportToken: input.ImportToken?.subarray(1), ...FOR_EVER };
    await refuses(us.importKeyMaterial(torn), "InvalidImportTokenException");
    await stage.moveClock("P1D");
    const late = { ...input, ...FOR_EVER };
    await refuses(us.importKeyMaterial(late), "ExpiredImportTokenException");
    await refuses(
      us.getParametersForImport({
        KeyId,
        WrappingAlgorithm: "RSAES_PKCS1_V1_5",
        WrappingKeySpec: "RSA_2048",
      }),
      "UnsupportedOperationException",
    );
  });

  test("in every Region the same bytes, and new ones in three steps", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = created(await us.createKey({ Origin: "EXTERNAL", MultiRegion: true }));
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyMaterialId: firstId } = await importInto(us, KeyId, first, FOR_EVER);
    await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
    await stage.settle();
    expect((await described(eu, KeyId)).KeyState).toBe("PendingImport");
    await refuses(importInto(eu, KeyId, second, FOR_EVER), "IncorrectKeyMaterialException");
    expect(await importInto(eu, KeyId, first, FOR_EVER)).toMatchObject({
      KeyId: stage.arn("eu-west-1", KeyId),
      KeyMaterialId: firstId,
    });
    const ciphertext = await encrypted(us, KeyId, "old");
    expect(await decrypted(eu, ciphertext)).toBe("old");

    const NEW = { ...FOR_EVER, ImportType: "NEW_KEY_MATERIAL" } as const;
    await refuses(importInto(eu, KeyId, second, NEW), "UnsupportedOperationException");
    const { KeyMaterialId: secondId } = await importInto(us, KeyId, second, {
      ...NEW,
      KeyMaterialDescription: "the second",
    });
    const waiting = async (client: KMS) =>
      (await client.listKeyRotations({ KeyId, ...ALL })).Rotations?.at(-1);
    expect(await waiting(eu)).toEqual({
      KeyId,
      KeyMaterialId: secondId,
      KeyMaterialDescription: "the second",
      ImportState: "PENDING_IMPORT",
      KeyMaterialState: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    });
    await refuses(
      us.rotateKeyOnDemand({ KeyId }),
      "KMSInvalidStateException",
      `No available key material pending rotation for the key: ${stage.arn("us-east-1", KeyId)}.`,
    );
    await importInto(eu, KeyId, second, { ...FOR_EVER, ImportType: "EXISTING_KEY_MATERIAL" });
    expect((await waiting(us))?.KeyMaterialState).toBe("PENDING_ROTATION");
    await us.rotateKeyOnDemand({ KeyId });
    await stage.settle();
    for (const client of [us, eu]) {
      expect(await waiting(client)).toMatchObject({
        KeyMaterialId: secondId,
        KeyMaterialState: "CURRENT",
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
        RotationType: "ON_DEMAND",
      });
      expect(await decrypted(client, ciphertext)).toBe("old");
    }
    const young = await encrypted(eu, KeyId, "young");
    expect((await us.decrypt({ CiphertextBlob: young })).KeyMaterialId).toBe(secondId);
  });

  test("RSA and Ed25519 private keys, and an HMAC key", async () => {
    const us = newStage().in("us-east-1");
    const Message = bytes("signed elsewhere");
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ed25519 = generateKeyPairSync("ed25519");
    for (const { pair, KeySpec, SigningAlgorithm, hash } of [
      {
        pair: rsa,
        KeySpec: "RSA_2048",
        SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256",
        hash: "sha256",
      },
      {
        pair: ed25519,
        KeySpec: "ECC_NIST_EDWARDS25519",
        SigningAlgorithm: "ED25519_SHA_512",
        hash: null,
      },
    ] as const) {
      const made = await us.createKey({ Origin: "EXTERNAL", KeySpec, KeyUsage: "SIGN_VERIFY" });
      const KeyId = created(made);
      const material = pair.privateKey.export({ type: "pkcs8", format: "der" });
      await importInto(us, KeyId, material, FOR_EVER, "RSA_AES_KEY_WRAP_SHA_256");
      const { PublicKey = [] } = await us.getPublicKey({ KeyId });
      expect(Buffer.from(PublicKey)).toEqual(
        pair.publicKey.export({ type: "spki", format: "der" }),
      );
      const { Signature = new Uint8Array() } = await us.sign({ KeyId, Message, SigningAlgorithm });
      expect(verify(hash, Message, pair.publicKey, Signature)).toBe(true);
    }
    const KeyId = created(
      await us.createKey({
        Origin: "EXTERNAL",
        KeySpec: "HMAC_384",
        KeyUsage: "GENERATE_VERIFY_MAC",
      }),
    );
    await refuses(
      importInto(us, KeyId, randomBytes(32), FOR_EVER),
      "IncorrectKeyMaterialException",
    );
    await importInto(us, KeyId, randomBytes(48), FOR_EVER);
    const mac = { KeyId, Message, MacAlgorithm: "HMAC_SHA_384" } as const;
    const { Mac } = await us.generateMac(mac);
    expect((await us.verifyMac({ ...mac, Mac })).MacValid).toBe(true);
  });
}

type Wrapping = "RSAES_OAEP_SHA_256" | "RSA_AES_KEY_WRAP_SHA_256";

/** A token, and the material wrapped by Node's crypto for it. */
async function parametersFor(
  client: KMS,
  KeyId: string,
  material: Uint8Array,
  WrappingAlgorithm: Wrapping = "RSAES_OAEP_SHA_256",
): Promise<ImportKeyMaterialCommandInput> {
  const answer = await client.getParametersForImport({
    KeyId,
    WrappingAlgorithm,
    WrappingKeySpec: "RSA_2048",
  });
  const { PublicKey = new Uint8Array(), ImportToken } = answer;
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const oaep = (plaintext: Uint8Array) =>
    publicEncrypt({ key, padding, oaepHash: "sha256" }, plaintext);
  return {
    KeyId,
    ImportToken,
    EncryptedKeyMaterial:
      WrappingAlgorithm === "RSAES_OAEP_SHA_256" ? oaep(material) : keyWrapped(material, oaep),
  };
}

/** CKM_RSA_AES_KEY_WRAP: an AES key under RSA, and the material under the AES key (RFC 5649). */
function keyWrapped(material: Uint8Array, oaep: (plaintext: Uint8Array) => Uint8Array) {
  const aesKey = randomBytes(32);
  const cipher = createCipheriv("id-aes256-wrap-pad", aesKey, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([oaep(aesKey), cipher.update(material), cipher.final()]);
}

async function importInto(
  client: KMS,
  KeyId: string,
  material: Uint8Array,
  more: Partial<ImportKeyMaterialCommandInput>,
  wrapping?: Wrapping,
) {
  const input = await parametersFor(client, KeyId, material, wrapping);
  return client.importKeyMaterial({ ...input, ...more });
}
