// What is believed of a good document and by whom: of our own hypervisor's, and of one AWS signed.

import { encode } from "cborg";
import { beforeAll, describe, expect, test } from "vitest";
import { parseAttestation } from "../../src/attestation/parse-attestation.ts";
import { awsNitroRoots, rootsFromPem, type TrustedRoots } from "../../src/attestation/roots.ts";
import {
  attest,
  type Chain,
  type DocumentChanges,
  makeChain,
  NOW,
  recipientKeys,
  register,
} from "./support/authority.ts";
import { type Bytes, concat, hex } from "./support/der-writer.ts";
import { certificatePem } from "./support/openssl.ts";
import { refusal } from "./support/refusal.ts";

let chain: Chain;
let publicKey: Bytes;

beforeAll(async () => {
  [chain, { publicKey }] = await Promise.all([makeChain(), recipientKeys()]);
});

const parse = (document: Uint8Array, roots: TrustedRoots = "any", now = NOW) =>
  parseAttestation(document, { roots, now });

describe("a good document", () => {
  test("of an enclave", async () => {
    const attestation = await parse(await attest(chain, publicKey));
    expect(attestation).toEqual({
      publicKey,
      pcrs: new Map([
        [0, "a0".repeat(48)],
        [1, "a1".repeat(48)],
        [31, "1f".repeat(48)],
      ]),
      moduleId: "i-1234567890abcdef0-enc0123456789abcdef",
      imageSha384: "a0".repeat(48),
      nitroTpm: false,
    });
    expect(structuredClone(attestation)).toEqual(attestation);
    expect(attestation.publicKey.buffer.byteLength).toBe(publicKey.length);
  });

  test("of an enclave without PCR0 names no image", async () => {
    const pcrs = new Map([[3, register(3)]]);
    const attestation = await parse(await attest(chain, publicKey, { members: { pcrs } }));
    expect(attestation).toMatchObject({ imageSha384: null, nitroTpm: false });
  });

  test("of a NitroTPM names no image", async () => {
    const registers = Array.from({ length: 24 }, (_, index) => [index, register(index)] as const);
    const document = await attest(chain, publicKey, {
      members: { pcrs: undefined, nitrotpm_pcrs: new Map(registers), user_data: register(0, 1024) },
    });
    const attestation = await parse(document);
    expect(attestation).toMatchObject({ imageSha384: null, nitroTpm: true });
    expect(attestation.pcrs.size).toBe(24);
    expect(attestation.pcrs.get(23)).toBe("17".repeat(48));
  });

  const forms: Record<string, DocumentChanges> = {
    "with COSE's tag": { tag: 18 },
    "without optional members": { members: { user_data: undefined, nonce: undefined } },
    "with all members": { members: { user_data: register(1, 512), nonce: register(2, 512) } },
    "with empty data": { members: { user_data: register(1, 0), nonce: register(2, 0) } },
    "with registers of other lengths": {
      members: {
        pcrs: new Map([
          [0, register(0, 32)],
          [1, register(1, 64)],
        ]),
      },
    },
    "with every register": {
      members: { pcrs: new Map(Array.from({ length: 32 }, (_, i) => [i, register(i)])) },
    },
    "with the first timestamp": { members: { timestamp: 1 } },
    "with the last timestamp": { members: { timestamp: 2n ** 64n - 1n } },
  };
  test.each(Object.entries(forms))("%s", async (_name, changes) => {
    await parse(await attest(chain, publicKey, changes));
  });

  test("in an indefinite-length map, as the Nitro Security Module writes it", async () => {
    const { certificates } = chain;
    const payload = indefiniteMap({
      module_id: "i-0",
      digest: "SHA384",
      timestamp: NOW,
      pcrs: new Map([[0, register(7)]]),
      certificate: certificates.at(-1),
      cabundle: certificates.slice(0, -1),
      public_key: publicKey,
      user_data: null,
      nonce: null,
    });
    await parse(await attest(chain, publicKey, { payload }));
  });

  test("from chains of several lengths", async () => {
    for (const intermediates of [0, 3]) {
      const other = await makeChain(intermediates, {
        0: { basicConstraints: { ca: true }, generalizedTime: true },
      });
      await parse(await attest(other, publicKey));
    }
  });
});

const indefiniteMap = (members: Record<string, unknown>) =>
  concat(
    hex("bf"),
    ...Object.entries(members)
      .flat()
      .map((item) => encode(item)),
    hex("ff"),
  );

describe("roots", () => {
  test("the root has to be one of the trusted", async () => {
    const document = await attest(chain, publicKey);
    const other = await makeChain();
    const pem = [other, chain].map(({ certificates: [root] }) => certificatePem(root as Bytes));
    await parse(document, rootsFromPem(pem.join("")));
    for (const roots of [awsNitroRoots, rootsFromPem(pem[0] ?? ""), []]) {
      expect(await refusal(parse(document, roots))).toBe("its root certificate is not trusted");
    }
  });

  test("an intermediate is no root", async () => {
    const roots = rootsFromPem(certificatePem(chain.certificates[1] as Bytes));
    expect(await refusal(parse(await attest(chain, publicKey), roots))).toMatch(/not trusted/);
  });

  test("a PEM file without a certificate is an error of the operator", () => {
    expect(() => rootsFromPem("")).toThrow("There is no certificate in PEM form");
    expect(() => rootsFromPem(certificatePem(hex("3000")))).toThrow(
      "A certificate is not X.509 in DER",
    );
    const broken = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----";
    expect(() => rootsFromPem(broken)).toThrow("A certificate is not in base64");
  });

  test("AWS's root is the one AWS publishes the fingerprint of", async () => {
    const [root] = awsNitroRoots as [Bytes];
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", root)).toString("hex");
    expect(digest).toBe("641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b");
  });
});

describe("the recipient's key", () => {
  test("of 3072 bits", async () => {
    await parse(await attest(chain, (await recipientKeys(3072)).publicKey));
  });

  test("of 1024 bits", async () => {
    const { publicKey: short } = await recipientKeys(1024);
    const reason = await refusal(parse(await attest(chain, short)));
    expect(reason).toBe("its public_key has fewer than 2048 bits");
  });

  test("of another algorithm, or no key", async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, [
      "sign",
      "verify",
    ]);
    const elliptic = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    for (const key of [elliptic, register(4, 65), publicKey.slice(0, -1)]) {
      expect(await refusal(parse(await attest(chain, key)))).toBe(
        "its public_key is not an RSA key",
      );
    }
  });
});
