// Recipient: an enclave that proves itself with an attestation document, through AWS's client.
// https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html

import type { KMS, RecipientInfo } from "@aws-sdk/client-kms";
import { beforeAll, expect, test } from "vitest";
import { attest, makeChain, recipientKeys, register } from "../../attestation/support/authority.ts";
import type { Bytes } from "../../attestation/support/der-writer.ts";
import { openEnvelope } from "../../attestation/support/enclave-sdk.ts";
import { refuses } from "../../support/clients.ts";
import { bytes, created, encrypted, type NewStage, singleRegionKey } from "./stage.ts";

/** A chain that is good now, on the calendar of this machine. */
export async function chainOfToday() {
  const validity = { notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 3_600_000 };
  return makeChain(3, { 0: validity, 1: validity, 2: validity, 3: validity, 4: validity });
}

export function recipient(newStage: NewStage): void {
  let keys: Awaited<ReturnType<typeof recipientKeys>>;
  let Recipient: RecipientInfo;

  beforeAll(async () => {
    keys = await recipientKeys();
    Recipient = {
      KeyEncryptionAlgorithm: "RSAES_OAEP_SHA_256",
      AttestationDocument: await attest(await chainOfToday(), keys.publicKey),
    };
  });

  const opened = async ({
    CiphertextForRecipient,
  }: {
    CiphertextForRecipient?: Uint8Array | undefined;
  }) => openEnvelope(Uint8Array.from(CiphertextForRecipient ?? []) as Bytes, keys.privateKey);

  const decryptedBy = async (client: KMS, CiphertextBlob: Uint8Array | undefined) =>
    (await client.decrypt({ CiphertextBlob })).Plaintext;

  test("every operation that has it", async () => {
    // What moved the clock so far has not made the certificates any older.
    const us = newStage().in("us-east-1");
    const KeyId = await singleRegionKey(us);

    const CiphertextBlob = await encrypted(us, KeyId, "secret");
    const decrypted = await us.decrypt({ CiphertextBlob, Recipient });
    expect(decrypted.Plaintext).toBeUndefined();
    expect(decrypted.KeyMaterialId).toBeUndefined();
    expect(await opened(decrypted)).toEqual(bytes("secret"));

    const dataKey = await us.generateDataKey({ KeyId, KeySpec: "AES_256", Recipient });
    expect(dataKey.Plaintext).toBeUndefined();
    expect(await opened(dataKey)).toEqual(
      Uint8Array.from((await decryptedBy(us, dataKey.CiphertextBlob)) ?? []),
    );

    const pair = await us.generateDataKeyPair({ KeyId, KeyPairSpec: "ECC_NIST_P256", Recipient });
    expect(pair.PrivateKeyPlaintext).toBeUndefined();
    expect(await opened(pair)).toEqual(
      Uint8Array.from((await decryptedBy(us, pair.PrivateKeyCiphertextBlob)) ?? []),
    );

    const agreement = created(
      await us.createKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" }),
    );
    const { PublicKey } = await us.getPublicKey({ KeyId: agreement });
    const derive = { KeyId: agreement, KeyAgreementAlgorithm: "ECDH", PublicKey } as const;
    const derived = await us.deriveSharedSecret({ ...derive, Recipient });
    expect(derived.SharedSecret).toBeUndefined();
    expect(await opened(derived)).toEqual(
      Uint8Array.from((await us.deriveSharedSecret(derive)).SharedSecret ?? []),
    );

    const random = await us.generateRandom({ NumberOfBytes: 48, Recipient });
    expect(random.Plaintext).toBeUndefined();
    expect(await opened(random)).toHaveLength(48);
  });

  test("a document that nobody signed, and one as long as they may be", async () => {
    const us = newStage().in("us-east-1");
    const { KeyEncryptionAlgorithm, AttestationDocument = new Uint8Array() } = Recipient;
    const refused = (document: Uint8Array, reason: string) =>
      refuses(
        us.generateRandom({
          NumberOfBytes: 1,
          Recipient: { KeyEncryptionAlgorithm, AttestationDocument: document },
        }),
        "ValidationException",
        reason,
      );
    const forged = Uint8Array.from(AttestationDocument);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    await refused(forged, "Invalid attestation document: its signature does not verify.");
    await refused(
      register(0xd2, 262_144),
      "Invalid attestation document: it is not a COSE_Sign1 structure.",
    );
    await refuses(
      us.generateRandom({
        NumberOfBytes: 1,
        Recipient: { AttestationDocument: register(1, 262_145), KeyEncryptionAlgorithm },
      }),
      "ValidationException",
      /at 'recipient.attestationDocument' .* length less than or equal to 262144$/,
    );
  });
}
