// Keys whose material comes from outside or stays there: imported key material, custom key stores.

import { constants, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { expect } from "vitest";
import { refuses } from "../../support/clients.ts";
import { described, type Stage } from "../suite/stage.ts";
import { home, newKey, P, type Stories, there } from "./story.ts";

async function importParameters(stage: Stage) {
  const keyId = await newKey(stage, { Origin: "EXTERNAL" });
  const parameters = await home(stage).getParametersForImport({
    KeyId: keyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  return { keyId, parameters };
}

/** The ID of a key that has material. */
async function importedKey(stage: Stage): Promise<string> {
  const { keyId, parameters } = await importParameters(stage);
  const { PublicKey, ImportToken } = parameters;
  const der = { key: Buffer.from(there(PublicKey)), format: "der", type: "spki" } as const;
  const wrapping = {
    key: createPublicKey(der),
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: "sha256",
  };
  await home(stage).importKeyMaterial({
    KeyId: keyId,
    ImportToken,
    EncryptedKeyMaterial: publicEncrypt(wrapping, randomBytes(32)),
    ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
  });
  return keyId;
}

let stores = 0;

async function newStore(stage: Stage) {
  stores += 1;
  const name = `store-${stores}`;
  const { CustomKeyStoreId } = await home(stage).createCustomKeyStore({
    CustomKeyStoreName: name,
    CloudHsmClusterId: `cluster-${"a".repeat(10)}${String.fromCharCode(96 + stores)}`,
    KeyStorePassword: "password",
    TrustAnchorCertificate: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
  });
  return { CustomKeyStoreId: there(CustomKeyStoreId), name };
}

async function storeOf(stage: Stage, CustomKeyStoreId: string) {
  const { CustomKeyStores } = await home(stage).describeCustomKeyStores({ CustomKeyStoreId });
  return there(CustomKeyStores?.[0]);
}

export const outside: Stories = {
  async GetParametersForImport(stage) {
    const { keyId, parameters } = await importParameters(stage);
    expect(parameters.KeyId).toBe(stage.arn(P, keyId));
    expect(parameters.PublicKey).toHaveLength(294); // A SubjectPublicKeyInfo of RSA_2048.
    expect(parameters.ParametersValidTo).toBeInstanceOf(Date);
  },

  async ImportKeyMaterial(stage) {
    const KeyId = await importedKey(stage);
    expect((await described(home(stage), KeyId)).KeyState).toBe("Enabled");
    await home(stage).encrypt({ KeyId, Plaintext: new Uint8Array(1) });
  },

  async DeleteImportedKeyMaterial(stage) {
    const KeyId = await importedKey(stage);
    const answer = await home(stage).deleteImportedKeyMaterial({ KeyId });
    expect(answer.KeyId).toBe(stage.arn(P, KeyId));
    expect((await described(home(stage), KeyId)).KeyState).toBe("PendingImport");
  },

  async CreateCustomKeyStore(stage) {
    const { CustomKeyStoreId } = await newStore(stage);
    expect(CustomKeyStoreId).toMatch(/^cks-[0-9a-f]{17}$/);
  },

  async DescribeCustomKeyStores(stage) {
    const { CustomKeyStoreId, name } = await newStore(stage);
    expect(await storeOf(stage, CustomKeyStoreId)).toMatchObject({
      CustomKeyStoreName: name,
      CustomKeyStoreType: "AWS_CLOUDHSM",
      ConnectionState: "DISCONNECTED",
    });
  },

  async UpdateCustomKeyStore(stage) {
    const { CustomKeyStoreId, name } = await newStore(stage);
    const NewCustomKeyStoreName = `${name}-new`;
    await home(stage).updateCustomKeyStore({ CustomKeyStoreId, NewCustomKeyStoreName });
    const { CustomKeyStoreName } = await storeOf(stage, CustomKeyStoreId);
    expect(CustomKeyStoreName).toBe(NewCustomKeyStoreName);
  },

  async ConnectCustomKeyStore(stage) {
    const { CustomKeyStoreId } = await newStore(stage);
    await home(stage).connectCustomKeyStore({ CustomKeyStoreId });
    await stage.settle();
    expect((await storeOf(stage, CustomKeyStoreId)).ConnectionState).toBe("CONNECTED");
  },

  async DisconnectCustomKeyStore(stage) {
    const { CustomKeyStoreId } = await newStore(stage);
    await home(stage).connectCustomKeyStore({ CustomKeyStoreId });
    await stage.settle();
    await home(stage).disconnectCustomKeyStore({ CustomKeyStoreId });
    await stage.settle();
    expect((await storeOf(stage, CustomKeyStoreId)).ConnectionState).toBe("DISCONNECTED");
  },

  async DeleteCustomKeyStore(stage) {
    const { CustomKeyStoreId } = await newStore(stage);
    await home(stage).deleteCustomKeyStore({ CustomKeyStoreId });
    await refuses(storeOf(stage, CustomKeyStoreId), "CustomKeyStoreNotFoundException");
  },
};
