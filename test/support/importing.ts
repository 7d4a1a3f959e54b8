// Imports key material into a key of a World, as its owner would: asks for a wrapping key, wraps the
// material with another implementation than ours, and sends it.

import { encryptionAlgorithms } from "../../src/crypto/algorithms.ts";
import { loadAll } from "../../src/crypto/libraries.ts";
import { nodePeer } from "../crypto/peers/node-crypto.ts";
import { DAY, World } from "./core.ts";

export interface ImportParameters {
  readonly KeyId: string;
  readonly ImportToken: string;
  readonly PublicKey: string;
  readonly ParametersValidTo: number;
}

export interface Imported {
  readonly KeyId: string;
  readonly KeyMaterialId?: string;
}

interface Wrapping {
  readonly WrappingAlgorithm?: string;
  readonly WrappingKeySpec?: string;
}

const STANDARD = { WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" } as const;

export const NO_EXPIRY = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" } as const;

export const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

export const parameters = (
  world: World,
  region: string,
  KeyId: string,
  wrapping: Wrapping = {},
): Promise<ImportParameters> =>
  world.call(region, "GetParametersForImport", { KeyId, ...STANDARD, ...wrapping });

/** Key material as it is sent, in base64. */
export async function wrap(
  publicKey: string,
  material: Uint8Array,
  { WrappingAlgorithm = STANDARD.WrappingAlgorithm }: Wrapping = {},
): Promise<string> {
  if (WrappingAlgorithm === "SM2PKE") {
    await loadAll(encryptionAlgorithms.SM2PKE.libraries);
    const wrapped = encryptionAlgorithms.SM2PKE.encrypt({ publicKey }, material);
    return Buffer.from(wrapped).toString("base64");
  }
  const spki = Buffer.from(publicKey, "base64").toString("hex");
  const digits = Buffer.from(material).toString("hex");
  const wrapped = await nodePeer.ask("wrap", WrappingAlgorithm, spki, digits);
  return Buffer.from(wrapped, "hex").toString("base64");
}

/** The whole way; without an expiry where `more` does not say. */
export async function importMaterial(
  world: World,
  region: string,
  KeyId: string,
  material: Uint8Array,
  more: object = NO_EXPIRY,
  wrapping: Wrapping = {},
): Promise<Imported> {
  const { ImportToken, PublicKey } = await parameters(world, region, KeyId, wrapping);
  const EncryptedKeyMaterial = await wrap(PublicKey, material, wrapping);
  const expiry = "ValidTo" in more || "ExpirationModel" in more ? {} : NO_EXPIRY;
  const input = { KeyId, ImportToken, EncryptedKeyMaterial, ...expiry, ...more };
  return world.call(region, "ImportKeyMaterial", input);
}

/** Members of an import that expires so many days from the world's now. */
export const inDays = (world: World, days: number) => ({
  ValidTo: (world.now + days * DAY) / 1000,
});

/** A new key of origin EXTERNAL, alone in its world, and what one does with it. */
export async function externalKey(input: object = {}, region = "us-east-1") {
  const world = new World();
  const { KeyId, Arn } = await world.createKey(region, { Origin: "EXTERNAL", ...input });
  const call = <T>(operation: string, more: object = {}) =>
    world.call<T>(region, operation, { KeyId, ...more });
  return {
    world,
    KeyId,
    Arn,
    call,
    send: (material: Uint8Array, more?: object) =>
      importMaterial(world, region, KeyId, material, more),
    remove: (more: object = {}) => call<Imported>("DeleteImportedKeyMaterial", more),
    /** Rotates to the material that waits for it, to the end. */
    async rotate() {
      await call("RotateKeyOnDemand");
      world.pass(world.delays.rotatingMs);
    },
    describe: () => world.describe(region, KeyId),
    state: async () => (await world.describe(region, KeyId)).KeyState,
    /** All of its materials, as they are listed. */
    materials: () => world.rotations(region, KeyId, { IncludeKeyMaterial: "ALL_KEY_MATERIAL" }),
  };
}

export type ExternalKey = Awaited<ReturnType<typeof externalKey>>;

/** A symmetric key with a first material that does not expire. */
export async function importedKey() {
  const key = await externalKey();
  const first = random(32);
  const { KeyMaterialId: firstId = "" } = await key.send(first);
  return { ...key, first, firstId };
}
