// Examples that the standards themselves print. Runs in Node and in workerd alike.

import "./all-libraries.ts";
import { expect } from "vitest";
import {
  encryptionAlgorithms,
  macAlgorithms,
  signingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { fromBase64, fromHex, toBase64, toHex } from "../../src/crypto/base64.ts";
import { sm4Gcm } from "../../src/crypto/gcm.ts";
import { unwrapPadded } from "../../src/crypto/import-wrapping.ts";
import { readKeyPair } from "../../src/crypto/key-pair.ts";

export interface Example {
  readonly title: string;
  run(): Promise<void>;
}

/** Bytes of hex digits with spaces among them. */
const hex = (digits: string) => fromHex(digits.replaceAll(" ", "").toLowerCase());
const ascii = (text: string) => new TextEncoder().encode(text);

/** RFC 8410: what comes before the seed in PKCS #8, and before the key in SubjectPublicKeyInfo. */
const ED25519_PKCS8 = "302e020100300506032b657004220420";
const ED25519_SPKI = "302a300506032b6570032100";

const ed25519 = (
  title: string,
  algorithm: "ED25519_SHA_512" | "ED25519_PH_SHA_512",
  [seed, publicKey, message, signature]: readonly [string, string, string, string],
): Example => ({
  title: `RFC 8032, ${title}`,
  async run() {
    const { sign, verify } = signingAlgorithms[algorithm];
    const pair = await readKeyPair("ECC_NIST_EDWARDS25519", hex(ED25519_PKCS8 + seed));
    expect(toHex(pair?.publicKey ?? new Uint8Array())).toBe(ED25519_SPKI + publicKey);
    const key = {
      bytes: toBase64(hex(ED25519_PKCS8 + seed)),
      publicKey: toBase64(hex(ED25519_SPKI + publicKey)),
    };
    const type = algorithm === "ED25519_SHA_512" ? "RAW" : "DIGEST";
    const form = { type, bytes: hex(message) } as const;
    expect(toHex(await sign(key, form))).toBe(signature);
    expect(await verify(key, form, hex(signature))).toBe(true);
  },
});

const macs = (
  title: string,
  key: Uint8Array,
  message: Uint8Array,
  expected: Readonly<Record<keyof typeof macAlgorithms, string>>,
): Example => ({
  title: `RFC 4231, ${title}`,
  async run() {
    const found = Object.entries(macAlgorithms).map(([name, { generate }]) => [
      name,
      toHex(generate({ bytes: toBase64(key) }, message)),
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
  },
});

const keyWrap = (material: string, wrapped: string): Example => ({
  title: `RFC 5649, ${material.length / 2} octets`,
  async run() {
    const key = hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
    expect(toHex(unwrapPadded(key, hex(wrapped)) ?? new Uint8Array())).toBe(material);
  },
});

/** The key of the examples of GM/T 0003.5. */
const SM2_SCALAR = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const SM2_POINT =
  "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" +
  "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
const SM2_ALGORITHM = "301306072a8648ce3d020106082a811ccf5501822d";
const sm2Key = {
  bytes: toBase64(
    hex(`308187020100${SM2_ALGORITHM}046d306b0201010420${SM2_SCALAR}a144034200${SM2_POINT}`),
  ),
  publicKey: toBase64(hex(`3059${SM2_ALGORITHM}034200${SM2_POINT}`)),
};

/** The DER of two numbers of 32 bytes that both begin with a one. */
const derPair = (r: string, s: string) => hex(`3046022100${r}022100${s}`);

export const examples: readonly Example[] = [
  ed25519("7.1 TEST 1", "ED25519_SHA_512", [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
      "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ]),
  ed25519("7.1 TEST 2", "ED25519_SHA_512", [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ]),
  ed25519("7.1 TEST 3", "ED25519_SHA_512", [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ]),
  // The RFC's message is `abc`; what is signed is its SHA-512, which is made here as in KMS.
  ed25519("7.3 TEST abc, Ed25519ph", "ED25519_PH_SHA_512", [
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "616263",
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41" +
      "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
  ]),
  macs("4.2", new Uint8Array(20).fill(0x0b), ascii("Hi There"), {
    HMAC_SHA_224: "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
    HMAC_SHA_256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    HMAC_SHA_384:
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c" +
      "faea9ea9076ede7f4af152e8b2fa9cb6",
    HMAC_SHA_512:
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde" +
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
  }),
  macs("4.3", ascii("Jefe"), ascii("what do ya want for nothing?"), {
    HMAC_SHA_224: "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
    HMAC_SHA_256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    HMAC_SHA_384:
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e" +
      "8e2240ca5e69e2c78b3239ecfab21649",
    HMAC_SHA_512:
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  }),
  keyWrap(
    "c37b7e6492584340bed12207808941155068f738",
    "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
  ),
  keyWrap("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
  {
    title: "GM/T 0003.5, signature",
    async run() {
      const { verify } = signingAlgorithms.SM2DSA;
      const signature = derPair(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
      );
      const message = { type: "RAW", bytes: ascii("message digest") } as const;
      expect(await verify(sm2Key, message, signature)).toBe(true);
      // e: the SM3 of the signer's ID, the curve, the public key and the message.
      const e = hex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");
      expect(await verify(sm2Key, { type: "DIGEST", bytes: e }, signature)).toBe(true);
    },
  },
  {
    title: "GM/T 0003.5, encryption",
    async run() {
      const x = "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73";
      const y = "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0";
      const c3 = "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766";
      const c2 = "21886ca989ca9c7d58087307ca93092d651efa";
      const ciphertext = hex(`307c0220${x}022100${y}0420${c3}0413${c2}`);
      const plaintext = encryptionAlgorithms.SM2PKE.decrypt(sm2Key, ciphertext);
      expect(plaintext).toEqual(ascii("encryption standard"));
    },
  },
  {
    title: "GM/T 0003.5, key pair",
    async run() {
      const pair = await readKeyPair("SM2", fromBase64(sm2Key.bytes));
      expect(toBase64(pair?.privateKey ?? new Uint8Array())).toBe(sm2Key.bytes);
      expect(toBase64(pair?.publicKey ?? new Uint8Array())).toBe(sm2Key.publicKey);
    },
  },
  {
    title: "RFC 8998, A.1, SM4-GCM",
    async run() {
      const gcm = await sm4Gcm(hex("0123456789ABCDEFFEDCBA9876543210"));
      const iv = hex("00001234567800000000ABCD");
      const data = hex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
      const plaintext = hex(
        "AAAAAAAAAAAAAAAA BBBBBBBBBBBBBBBB CCCCCCCCCCCCCCCC DDDDDDDDDDDDDDDD" +
          "EEEEEEEEEEEEEEEE FFFFFFFFFFFFFFFF EEEEEEEEEEEEEEEE AAAAAAAAAAAAAAAA",
      );
      const sealed = hex(
        "17F399F08C67D5EE 19D0DC9969C4BB7D 5FD46FD375648906 9157B282BB200735" +
          "D82710CA5C22F0CC FA7CBF93D496AC15 A56834CBCF98C397 B4024A2691233B8D" +
          "83DE3541E4C2B581 77E065A9BF7B62EC",
      );
      expect(await gcm.seal(iv, data, plaintext)).toEqual(sealed);
      expect(await gcm.open(iv, data, sealed)).toEqual(plaintext);
      expect(await gcm.open(iv, data.slice(1), sealed)).toBe(null);
      expect(await gcm.open(iv, data, sealed.slice(0, -1))).toBe(null);
      expect(await gcm.open(iv, data, sealed.slice(0, 15))).toBe(null);
    },
  },
];
