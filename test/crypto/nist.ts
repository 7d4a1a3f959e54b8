// Samples that NIST publishes: of its validation program (CAVP) the first of each file, of GCM those
// of the specification that was submitted to it. Runs in Node and in workerd alike.
// https://csrc.nist.gov/projects/cryptographic-algorithm-validation-program

import "./all-libraries.ts";
import { expect } from "vitest";
import { keyAgreementAlgorithms, signingAlgorithms } from "../../src/crypto/algorithms.ts";
import { fromHex as hex, toBase64, toHex } from "../../src/crypto/base64.ts";
import { concat } from "../../src/crypto/bytes.ts";
import { type Curve, curves } from "../../src/crypto/curves.ts";
import { derInteger, derOctetString, derSequence } from "../../src/crypto/der.ts";
import { aesGcm } from "../../src/crypto/gcm.ts";
import { unwrapPadded } from "../../src/crypto/import-wrapping.ts";
import { encodePkcs8, encodeSpki } from "../../src/crypto/key-encoding.ts";
import type { Example } from "./standards.ts";

/** A number of a curve in as many bytes as a coordinate has; the files differ in their zeros. */
function coordinate({ coordinateBytes }: Curve, digits: string) {
  const length = 2 * coordinateBytes;
  return hex(digits.padStart(length, "0").slice(-length));
}

const publicKeyOf = (curve: Curve, x: string, y: string) =>
  encodeSpki(
    curve.algorithm,
    concat(new Uint8Array([4]), coordinate(curve, x), coordinate(curve, y)),
  );

interface Signed {
  readonly Msg: string;
  readonly Qx: string;
  readonly Qy: string;
  readonly R: string;
  readonly S: string;
  readonly Result: boolean;
}

const ecdsa = (
  name: "P-256" | "P-384" | "P-521",
  algorithm: "ECDSA_SHA_256" | "ECDSA_SHA_384" | "ECDSA_SHA_512",
  { Msg, Qx, Qy, R, S, Result }: Signed,
): Example => ({
  title: `FIPS 186-4, ECDSA, ${name}, ${Result ? "a signature" : "none"}`,
  async run() {
    const key = { publicKey: toBase64(publicKeyOf(curves[name], Qx, Qy)) };
    const [r, s] = [coordinate(curves[name], R), coordinate(curves[name], S)];
    const signature = derSequence(derInteger(r), derInteger(s));
    const message = { type: "RAW", bytes: hex(Msg) } as const;
    expect(await signingAlgorithms[algorithm].verify(key, message, signature)).toBe(Result);
  },
});

interface Agreed {
  readonly QCAVSx: string;
  readonly QCAVSy: string;
  readonly dIUT: string;
  readonly ZIUT: string;
}

const ecdh = (
  name: "P-256" | "P-384" | "P-521",
  { QCAVSx, QCAVSy, dIUT, ZIUT }: Agreed,
): Example => ({
  title: `SP 800-56A, ECC CDH primitive, ${name}`,
  async run() {
    const curve = curves[name];
    const scalar = derOctetString(coordinate(curve, dIUT));
    const ecPrivateKey = derSequence(derInteger(new Uint8Array([1])), scalar);
    const key = { bytes: toBase64(encodePkcs8(curve.algorithm, ecPrivateKey)) };
    const peer = publicKeyOf(curve, QCAVSx, QCAVSy);
    const secret = await keyAgreementAlgorithms.ECDH.deriveSharedSecret(key, peer);
    expect(toHex(secret ?? new Uint8Array())).toBe(ZIUT);
  },
});

/** `P` is null for what must not be unwrapped. */
const keyWrap = (count: string, K: string, C: string, P: string | null): Example => ({
  title: `SP 800-38F, KWP-AD with AES-256, ${count}`,
  async run() {
    const unwrapped = unwrapPadded(hex(K), hex(C));
    expect(unwrapped && toHex(unwrapped)).toBe(P);
  },
});

interface Sealed {
  readonly K: string;
  readonly IV: string;
  readonly P: string;
  readonly A: string;
  readonly C: string;
  readonly T: string;
}

const gcm = (testCase: number, { K, IV, P, A, C, T }: Sealed): Example => ({
  title: `GCM specification, test case ${testCase}`,
  async run() {
    const cipher = await aesGcm(hex(K));
    expect(toHex(await cipher.seal(hex(IV), hex(A), hex(P)))).toBe(C + T);
    expect(await cipher.open(hex(IV), hex(A), hex(C + T))).toEqual(hex(P));
    expect(await cipher.open(hex(IV), hex(`${A}00`), hex(C + T))).toBe(null);
  },
});

export const nistExamples: readonly Example[] = [
  ecdsa("P-256", "ECDSA_SHA_256", {
    Msg:
      "5905238877c77421f73e43ee3da6f2d9e2ccad5fc942dcec0cbd25482935faaf" +
      "416983fe165b1a045ee2bcd2e6dca3bdf46c4310a7461f9a37960ca672d3feb5" +
      "473e253605fb1ddfd28065b53cb5858a8ad28175bf9bd386a5e471ea7a65c17c" +
      "c934a9d791e91491eb3754d03799790fe2d308d16146d5c9b0d0debd97d79ce8",
    Qx: "1ccbe91c075fc7f4f033bfa248db8fccd3565de94bbfb12f3c59ff46c271bf83",
    Qy: "ce4014c68811f9a21a1fdb2c0e6113e06db7ca93b7404e78dc7ccd5ca89a4ca9",
    R: "f3ac8061b514795b8843e3d6629527ed2afd6b1f6a555a7acabb5e6f79c8c2ac",
    S: "8bf77819ca05a6b2786c76262bf7371cef97b218e96f175a3ccdda2acc058903",
    Result: true,
  }),
  // S was changed.
  ecdsa("P-256", "ECDSA_SHA_256", {
    Msg:
      "e4796db5f785f207aa30d311693b3702821dff1168fd2e04c0836825aefd850d" +
      "9aa60326d88cde1a23c7745351392ca2288d632c264f197d05cd424a30336c19" +
      "fd09bb229654f0222fcb881a4b35c290a093ac159ce13409111ff0358411133c" +
      "24f5b8e2090d6db6558afc36f06ca1f6ef779785adba68db27a409859fc4c4a0",
    Qx: "87f8f2b218f49845f6f10eec3877136269f5c1a54736dbdf69f89940cad41555",
    Qy: "e15f369036f49842fac7a86c8a2b0557609776814448b8f5e84aa9f4395205e9",
    R: "d19ff48b324915576416097d2544f7cbdf8768b1454ad20e0baac50e211f23b0",
    S: "a3e81e59311cdfff2d4784949f7a2cb50ba6c3a91fa54710568e61aca3e847c6",
    Result: false,
  }),
  ecdsa("P-384", "ECDSA_SHA_384", {
    Msg:
      "9dd789ea25c04745d57a381f22de01fb0abd3c72dbdefd44e43213c189583eef" +
      "85ba662044da3de2dd8670e6325154480155bbeebb702c75781ac32e13941860" +
      "cb576fe37a05b757da5b5b418f6dd7c30b042e40f4395a342ae4dce05634c336" +
      "25e2bc524345481f7e253d9551266823771b251705b4a85166022a37ac28f1bd",
    Qx:
      "cb908b1fd516a57b8ee1e14383579b33cb154fece20c5035" +
      "e2b3765195d1951d75bd78fb23e00fef37d7d064fd9af144",
    Qy:
      "cd99c46b5857401ddcff2cf7cf822121faf1cbad9a011bed" +
      "8c551f6f59b2c360f79bfbe32adbcaa09583bdfdf7c374bb",
    R:
      "33f64fb65cd6a8918523f23aea0bbcf56bba1daca7aff817" +
      "c8791dc92428d605ac629de2e847d43cee55ba9e4a0e83ba",
    S:
      "4428bb478a43ac73ecd6de51ddf7c28ff3c2441625a08171" +
      "4337dd44fea8011bae71959a10947b6ea33f77e128d3c6ae",
    Result: true,
  }),
  ecdsa("P-521", "ECDSA_SHA_512", {
    Msg:
      "9ecd500c60e701404922e58ab20cc002651fdee7cbc9336adda33e4c1088fab1" +
      "964ecb7904dc6856865d6c8e15041ccf2d5ac302e99d346ff2f686531d255216" +
      "78d4fd3f76bbf2c893d246cb4d7693792fe18172108146853103a51f824acc62" +
      "1cb7311d2463c3361ea707254f2b052bc22cb8012873dcbb95bf1a5cc53ab89f",
    Qx:
      "061387fd6b95914e885f912edfbb5fb274655027f216c4091ca83e19336740fd" +
      "81aedfe047f51b42bdf68161121013e0d55b117a14e4303f926c8debb77a7fdaad1",
    Qy:
      "0e7d0c75c38626e895ca21526b9f9fdf84dcecb93f2b233390550d2b1463b7ee" +
      "3f58df7346435ff0434199583c97c665a97f12f706f2357da4b40288def888e59e6",
    R:
      "04de826ea704ad10bc0f7538af8a3843f284f55c8b946af9235af5af74f2b76e" +
      "099e4bc72fd79d28a380f8d4b4c919ac290d248c37983ba05aea42e2dd79fdd33e8",
    S:
      "087488c859a96fea266ea13bf6d114c429b163be97a57559086edb64aed4a185" +
      "94b46fb9efc7fd25d8b2de8f09ca0587f54bd287299f47b2ff124aac566e8ee3b43",
    Result: true,
  }),
  // R was changed.
  ecdsa("P-521", "ECDSA_SHA_512", {
    Msg:
      "a0732a605c785a2cc9a3ff84cbaf29175040f7a0cc35f4ea8eeff267c1f92f06" +
      "f46d3b35437195185d322cbd775fd24741e86ee9236ba5b374a2ac29803554d7" +
      "15fa4656ac31778f103f88d68434dd2013d4c4e9848a11198b390c3d600d7128" +
      "93513e179cd3d31fb06c6e2a1016fb96ffd970b1489e36a556ab3b537eb29dff",
    Qx:
      "12a593f568ca2571e543e00066ecd3a3272a57e1c94fe311e5df96afc1b792e5" +
      "862720fc730e62052bbf3e118d3a078f0144fc00c9d8baaaa8298ff63981d09d911",
    Qy:
      "17cea5ae75a74100ee03cdf2468393eef55ddabfe8fd5718e88903eb9fd241e8" +
      "cbf9c68ae16f4a1db26c6352afcb1894a9812da6d32cb862021c86cd8aa483afc26",
    R:
      "1aac7692baf3aa94a97907307010895efc1337cdd686f9ef2fd8404796a74701" +
      "e55b03ceef41f3e6f50a0eeea11869c4789a3e8ab5b77324961d081e1a3377ccc91",
    S:
      "09c1e7d93d056b5a97759458d58c49134a45071854b8a6b8272f9fe7e78e1f3d" +
      "8097e8a6e731f7ab4851eb26d5aa4fdadba6296dc7af835fe3d1b6dba4b031d5f3",
    Result: false,
  }),
  ecdh("P-256", {
    QCAVSx: "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287",
    QCAVSy: "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
    dIUT: "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
    ZIUT: "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b",
  }),
  ecdh("P-384", {
    QCAVSx:
      "a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e76459" +
      "2efda27fe7513272734466b400091adbf2d68c58e0c50066",
    QCAVSy:
      "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b66" +
      "1efedf243451915ed0905a32b060992b468c64766fc8437a",
    dIUT:
      "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b1" +
      "5618b6818a661774ad463b205da88cf699ab4d43c9cf98a1",
    ZIUT:
      "5f9d29dc5e31a163060356213669c8ce132e22f57c9a04f4" +
      "0ba7fcead493b457e5621e766c40a2e3d4d6a04b25e533f1",
  }),
  ecdh("P-521", {
    QCAVSx:
      "00685a48e86c79f0f0875f7bc18d25eb5fc8c0b07e5da4f4370f3a9490340854" +
      "334b1e1b87fa395464c60626124a4e70d0f785601d37c09870ebf176666877a2046d",
    QCAVSy:
      "01ba52c56fc8776d9e8f5db4f0cc27636d0b741bbe05400697942e80b739884a" +
      "83bde99e0f6716939e632bc8986fa18dccd443a348b6c3e522497955a4f3c302f676",
    dIUT:
      "017eecc07ab4b329068fba65e56a1f8890aa935e57134ae0ffcce802735151f4" +
      "eac6564f6ee9974c5e6887a1fefee5743ae2241bfeb95d5ce31ddcb6f9edb4d6fc47",
    ZIUT:
      "005fc70477c3e63bc3954bd0df3ea0d1f41ee21746ed95fc5e1fdf90930d5e13" +
      "6672d72cc770742d1711c3c3a4c334a0ad9759436a4d3c5bf6e74b9578fac148c831",
  }),
  keyWrap(
    "a byte",
    "20e4ff6a88ffa9a2818b81702793d8a016722c2fa1ff445f24b9db293cb12069",
    "85011dc927b167f411b0b8e21b11d819",
    "d2",
  ),
  keyWrap(
    "a byte that was changed",
    "c32cb3e1e41a4b9f4de79989957866f5dd48dba38c22a6ebb80e14c84bdd9534",
    "c29b05c2619a58ecc1d239e7a34273cd",
    null,
  ),
  keyWrap(
    "eight bytes",
    "96503e950d01ee1664de77ef6c0108aea2cffcffd0cf282e58a3fb982914ff9c",
    "e5fa8bf0919d5a7163f2af43b3b549b8",
    "e731cf7c44ac7722",
  ),
  keyWrap(
    "eight bytes that were changed",
    "398444df32841be9e699c64faa92630c834564b8384876dceb471c4056fc8299",
    "30032c9a3ed00d29512d8c725fa86a4b",
    null,
  ),
  gcm(13, {
    K: "00".repeat(32),
    IV: "00".repeat(12),
    P: "",
    A: "",
    C: "",
    T: "530f8afbc74536b9a963b4f1c4cb738b",
  }),
  gcm(14, {
    K: "00".repeat(32),
    IV: "00".repeat(12),
    P: "00".repeat(16),
    A: "",
    C: "cea7403d4d606b6e074ec5d3baf39d18",
    T: "d0d1c8a799996bf0265b98b5d48ab919",
  }),
  gcm(16, {
    K: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    IV: "cafebabefacedbaddecaf888",
    P:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    A: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    C:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
    T: "76fc6ece0f4e1768cddf8853bb2d551b",
  }),
];
