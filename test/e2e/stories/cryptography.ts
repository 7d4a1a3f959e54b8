// Cryptographic operations. What they are worth is shown by vectors and second opinions elsewhere;
// here each is called as a client calls it.

import { createECDH, createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { expect } from "vitest";
import { bytes, decrypted, encrypted } from "../suite/stage.ts";
import { home, newKey, P, type Stories, there } from "./story.ts";

const agreement = { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" } as const;
const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;
const hmac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" } as const;
const encapsulation = { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" } as const;
const EncryptionContext = { purpose: "story" };

export const cryptography: Stories = {
  async Encrypt(stage) {
    const KeyId = await newKey(stage);
    const answer = await home(stage).encrypt({ KeyId, Plaintext: bytes("x"), EncryptionContext });
    expect(answer).toMatchObject({
      KeyId: stage.arn(P, KeyId),
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    });
    expect(answer.CiphertextBlob).toBeInstanceOf(Uint8Array);
  },

  async Decrypt(stage) {
    const ciphertext = await encrypted(home(stage), await newKey(stage), "secret");
    expect(await decrypted(home(stage), ciphertext)).toBe("secret");
  },

  async ReEncrypt(stage) {
    const [source, destination] = [await newKey(stage), await newKey(stage)];
    const answer = await home(stage).reEncrypt({
      CiphertextBlob: await encrypted(home(stage), source, "secret"),
      DestinationKeyId: destination,
    });
    expect(answer).toMatchObject({
      SourceKeyId: stage.arn(P, source),
      KeyId: stage.arn(P, destination),
    });
    expect(await decrypted(home(stage), there(answer.CiphertextBlob))).toBe("secret");
  },

  async GenerateDataKey(stage) {
    const KeyId = await newKey(stage);
    const answer = await home(stage).generateDataKey({ KeyId, KeySpec: "AES_256" });
    expect(answer.Plaintext).toHaveLength(32);
    const CiphertextBlob = there(answer.CiphertextBlob);
    expect((await home(stage).decrypt({ CiphertextBlob })).Plaintext).toEqual(answer.Plaintext);
  },

  async GenerateDataKeyWithoutPlaintext(stage) {
    const input = { KeyId: "alias/aws/ebs", NumberOfBytes: 24 };
    const answer = await home(stage).generateDataKeyWithoutPlaintext(input);
    const CiphertextBlob = there(answer.CiphertextBlob);
    expect((await home(stage).decrypt({ CiphertextBlob })).Plaintext).toHaveLength(24);
  },

  async GenerateDataKeyPair(stage) {
    const input = { KeyId: await newKey(stage), KeyPairSpec: "ECC_NIST_P256" } as const;
    const answer = await home(stage).generateDataKeyPair(input);
    const CiphertextBlob = there(answer.PrivateKeyCiphertextBlob);
    const { Plaintext } = await home(stage).decrypt({ CiphertextBlob });
    expect(Plaintext).toEqual(answer.PrivateKeyPlaintext);
    const key = { key: Buffer.from(there(answer.PublicKey)), format: "der", type: "spki" } as const;
    expect(createPublicKey(key).asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  },

  async GenerateDataKeyPairWithoutPlaintext(stage) {
    const input = { KeyId: await newKey(stage), KeyPairSpec: "ECC_NIST_P384" } as const;
    const answer = await home(stage).generateDataKeyPairWithoutPlaintext(input);
    expect(answer).not.toHaveProperty("PrivateKeyPlaintext");
    expect(answer.PublicKey).toHaveLength(120); // A SubjectPublicKeyInfo of P-384.
  },

  async GenerateRandom(stage) {
    const [one, other] = [
      await home(stage).generateRandom({ NumberOfBytes: 64 }),
      await home(stage).generateRandom({ NumberOfBytes: 64 }),
    ];
    expect(one.Plaintext).toHaveLength(64);
    expect(one.Plaintext).not.toEqual(other.Plaintext);
  },

  async Sign(stage) {
    const KeyId = await newKey(stage, signing);
    const Message = bytes("signed");
    const input = { KeyId, Message, SigningAlgorithm: "ECDSA_SHA_256" } as const;
    const { Signature } = await home(stage).sign(input);
    const { PublicKey } = await home(stage).getPublicKey({ KeyId });
    const key = { key: Buffer.from(there(PublicKey)), format: "der", type: "spki" } as const;
    expect(verify("sha256", Message, createPublicKey(key), there(Signature))).toBe(true);
  },

  async Verify(stage) {
    const KeyId = await newKey(stage, signing);
    const Message = createHash("sha256").update("signed").digest();
    const common = { KeyId, SigningAlgorithm: "ECDSA_SHA_256", MessageType: "DIGEST" } as const;
    const { Signature } = await home(stage).sign({ ...common, Message });
    const answer = await home(stage).verify({ ...common, Message, Signature });
    expect(answer).toMatchObject({ KeyId: stage.arn(P, KeyId), SignatureValid: true });
  },

  async GenerateMac(stage) {
    const input = { KeyId: await newKey(stage, hmac), MacAlgorithm: "HMAC_SHA_256" } as const;
    const answer = await home(stage).generateMac({ ...input, Message: bytes("m") });
    expect(answer.Mac).toHaveLength(32);
  },

  async VerifyMac(stage) {
    const KeyId = await newKey(stage, hmac);
    const input = { KeyId, MacAlgorithm: "HMAC_SHA_256", Message: bytes("m") } as const;
    const { Mac } = await home(stage).generateMac(input);
    expect((await home(stage).verifyMac({ ...input, Mac })).MacValid).toBe(true);
  },

  async DeriveSharedSecret(stage) {
    const KeyId = await newKey(stage, agreement);
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const answer = await home(stage).deriveSharedSecret({
      KeyId,
      KeyAgreementAlgorithm: "ECDH",
      PublicKey: own.publicKey.export({ type: "spki", format: "der" }),
    });
    const { PublicKey } = await home(stage).getPublicKey({ KeyId });
    const ecdh = createECDH("prime256v1");
    ecdh.setPrivateKey(Buffer.from(own.privateKey.export({ format: "jwk" }).d ?? "", "base64url"));
    const point = there(PublicKey).subarray(-65);
    expect(Buffer.from(there(answer.SharedSecret))).toEqual(ecdh.computeSecret(point));
  },

  async Encapsulate(stage) {
    const KeyId = await newKey(stage, encapsulation);
    const input = { KeyId, EncapsulationAlgorithm: "ML_KEM" } as const;
    const answer = await home(stage).encapsulate(input);
    expect(answer.SharedSecret).toHaveLength(32);
    expect(answer.SharedSecretCiphertextBlob).toHaveLength(1088);
  },

  async Decapsulate(stage) {
    const KeyId = await newKey(stage, encapsulation);
    const input = { KeyId, EncapsulationAlgorithm: "ML_KEM" } as const;
    const sent = await home(stage).encapsulate(input);
    const received = await home(stage).decapsulate({
      ...input,
      SharedSecretCiphertextBlob: sent.SharedSecretCiphertextBlob,
    });
    expect(received.SharedSecret).toEqual(sent.SharedSecret);
  },
};
