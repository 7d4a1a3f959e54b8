// The AWS Encryption SDK with its multi-Region keyrings, as an application uses it: encrypted in
// one Region, decrypted in another. https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/configure.html#config-mrks

import {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildAwsKmsMrkAwareDiscoveryMultiKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
  buildClient,
  CommitmentPolicy,
} from "@aws-crypto/client-node";
import { expect, test } from "vitest";
import { described, multiRegionKey, type Stage } from "./stage.ts";

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const [AMERICA, EUROPE, ASIA] = ["us-east-1", "eu-west-1", "ap-northeast-1"] as const;
const context = { tenant: "42", purpose: "e2e" };

type Keyring = Parameters<typeof encrypt>[0];
type Client = ConstructorParameters<typeof AwsKmsMrkAwareSymmetricKeyringNode>[0]["client"];

/** The Encryption SDK's own type of a client is stricter about absent members than AWS's SDK. */
const clientIn = (stage: Stage, region: string) => stage.in(region) as unknown as Client;

/** A keyring for one key, by the ARN of any of the related keys, with a Region's client. */
const strict = (stage: Stage, region: string, keyArn: string) =>
  new AwsKmsMrkAwareSymmetricKeyringNode({ client: clientIn(stage, region), keyId: keyArn });

/** A keyring that finds the key of a ciphertext in its own Region. */
const discovery = (stage: Stage, region: string) =>
  new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({
    client: clientIn(stage, region),
    discoveryFilter: { accountIDs: [stage.account], partition: "aws" },
  });

async function encryptedWith(keyring: Keyring, text: string): Promise<Buffer> {
  const { result } = await encrypt(keyring, text, { encryptionContext: context });
  return result;
}

async function decryptedWith(keyring: Keyring, message: Buffer): Promise<string> {
  const { plaintext, messageHeader } = await decrypt(keyring, message);
  expect(messageHeader.encryptionContext).toMatchObject(context);
  return plaintext.toString();
}

export function encryptionSdk(stageOf: () => Stage): void {
  test("a message of one Region is read in another, by discovery and by the replica's ARN", async () => {
    const stage = stageOf();
    const keyId = await multiRegionKey(stage, AMERICA, EUROPE);
    const [usArn, euArn] = [stage.arn(AMERICA, keyId), stage.arn(EUROPE, keyId)];
    const message = await encryptedWith(strict(stage, AMERICA, usArn), "over the sea");
    for (const keyring of [
      discovery(stage, EUROPE),
      strict(stage, EUROPE, euArn),
      discovery(stage, AMERICA),
      strict(stage, AMERICA, usArn),
    ]) {
      expect(await decryptedWith(keyring, message)).toBe("over the sea");
    }
    const back = await encryptedWith(strict(stage, EUROPE, euArn), "and back");
    expect(await decryptedWith(discovery(stage, AMERICA), back)).toBe("and back");
  });

  test("before and after a rotation and a change of the primary", async () => {
    const stage = stageOf();
    const keyId = await multiRegionKey(stage, AMERICA, EUROPE);
    const [us, eu] = [stage.in(AMERICA), stage.in(EUROPE)];
    const regions: string[] = [AMERICA, EUROPE];
    const messages: Buffer[] = [];
    const write = async () => {
      for (const region of regions) {
        const keyring = strict(stage, region, stage.arn(region, keyId));
        messages.push(await encryptedWith(keyring, `message ${messages.length}`));
      }
    };
    const materials = new Set<string | undefined>();
    const readAll = async () => {
      for (const region of regions) {
        materials.add((await described(stage.in(region), keyId)).CurrentKeyMaterialId);
        const keyring = strict(stage, region, stage.arn(region, keyId));
        for (const [index, message] of messages.entries()) {
          expect(await decryptedWith(discovery(stage, region), message)).toBe(`message ${index}`);
          expect(await decryptedWith(keyring, message)).toBe(`message ${index}`);
        }
      }
    };
    await write();
    await readAll();
    await us.rotateKeyOnDemand({ KeyId: keyId });
    await stage.settle();
    await write();
    await readAll();
    await us.updatePrimaryRegion({ KeyId: keyId, PrimaryRegion: EUROPE });
    await write(); // While both keys are Updating.
    await readAll();
    await stage.settle();
    await eu.rotateKeyOnDemand({ KeyId: keyId });
    await stage.settle();
    await write();
    await readAll();
    // A key made after all that reads everything, even what the first material encrypted.
    await eu.replicateKey({ KeyId: keyId, ReplicaRegion: ASIA });
    await stage.settle();
    regions.push(ASIA);
    await write();
    await readAll();
    expect(materials.size).toBe(3);
    expect(messages).toHaveLength(11);
  });

  test("multi-keyrings, whose clients are made by Region", async () => {
    const stage = stageOf();
    const keyId = await multiRegionKey(stage, AMERICA, EUROPE);
    const other = await multiRegionKey(stage, ASIA);
    const clientProvider = (region: string) => clientIn(stage, region);
    const writer = buildAwsKmsMrkAwareStrictMultiKeyringNode({
      clientProvider,
      generatorKeyId: stage.arn(AMERICA, keyId),
      keyIds: [stage.arn(ASIA, other)],
    });
    const message = await encryptedWith(writer, "twice wrapped");
    const discoveryFilter = { accountIDs: [stage.account], partition: "aws" };
    for (const region of [AMERICA, EUROPE, ASIA]) {
      const regions = [region];
      const reader = buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({
        clientProvider,
        regions,
        discoveryFilter,
      });
      expect(await decryptedWith(reader, message)).toBe("twice wrapped");
    }
  });

  test("a Region without a related key, another account, a disabled replica, a damaged message", async () => {
    const stage = stageOf();
    const keyId = await multiRegionKey(stage, AMERICA, EUROPE);
    const message = await encryptedWith(strict(stage, AMERICA, stage.arn(AMERICA, keyId)), "no");
    await expect(decrypt(discovery(stage, ASIA), message)).rejects.toThrow(
      `Key '${stage.arn(ASIA, keyId)}' does not exist`,
    );
    await expect(decrypt(discovery(stageOf(), EUROPE), message)).rejects.toThrow();
    const damaged = Buffer.from(message);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
    await expect(decrypt(discovery(stage, EUROPE), damaged)).rejects.toThrow();
    await stage.in(EUROPE).disableKey({ KeyId: keyId });
    await expect(decrypt(discovery(stage, EUROPE), message)).rejects.toThrow(
      `${stage.arn(EUROPE, keyId)} is disabled.`,
    );
    expect(await decryptedWith(discovery(stage, AMERICA), message)).toBe("no");
  });
}
