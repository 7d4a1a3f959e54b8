// The rows of the bench that come once per key spec. Which specs there are is the SDK's to say, and
// which algorithms a key has, the server's.

import { randomBytes } from "node:crypto";
import { DataKeyPairSpec, KeySpec } from "@aws-sdk/client-kms";
import { call } from "./cases.mjs";

const MESSAGE = randomBytes(1024).toString("base64");
const isMac = (spec) => spec.startsWith("HMAC_");
const signs = (spec) => !isMac(spec) && !/^(ML_KEM|SYMMETRIC)_/.test(spec);
/** SM2 is to be had in China alone. */
const regionOf = (spec) => (spec === "SM2" ? "cn-north-1" : "us-east-1");
const specs = Object.values(KeySpec).sort();

/**
 * Of specs whose pairs take so long that many requests at once would say nothing but that, and of one
 * to compare them with: the pause after each request in ms, in which the pool fills up again.
 */
const pauses = { SYMMETRIC_DEFAULT: 100, RSA_2048: 500, RSA_3072: 1000, RSA_4096: 2500 };

const keyInput = (KeySpec) => {
  if (KeySpec === "SYMMETRIC_DEFAULT") return { KeySpec };
  if (isMac(KeySpec)) return { KeySpec, KeyUsage: "GENERATE_VERIFY_MAC" };
  return { KeySpec, KeyUsage: signs(KeySpec) ? "SIGN_VERIFY" : "ENCAPSULATE_DECAPSULATE" };
};

async function signing(spec, url) {
  const { KeyMetadata } = await call(url, "CreateKey", keyInput(spec), regionOf(spec));
  return {
    KeyId: KeyMetadata.KeyId,
    Message: MESSAGE,
    SigningAlgorithm: KeyMetadata.SigningAlgorithms[0],
  };
}

async function signed(spec, url) {
  const input = await signing(spec, url);
  const { Signature } = await call(url, "Sign", input, regionOf(spec));
  return { ...input, Signature };
}

async function mac(spec, url) {
  const { KeyMetadata } = await call(url, "CreateKey", keyInput(spec));
  return { KeyId: KeyMetadata.KeyId, Message: MESSAGE, MacAlgorithm: KeyMetadata.MacAlgorithms[0] };
}

async function dataKeyPair(spec, url) {
  const { KeyMetadata } = await call(url, "CreateKey", {}, regionOf(spec));
  return { KeyId: KeyMetadata.KeyId, KeyPairSpec: spec };
}

const row = (target, spec, body) => ({
  name: `${target} ${spec}`,
  target,
  region: regionOf(spec),
  once: false,
  bodies: async (_keys, url) => [JSON.stringify(await body(spec, url))],
});

const makers = [
  ...Object.values(DataKeyPairSpec)
    .sort()
    .map((spec) => row("GenerateDataKeyPair", spec, dataKeyPair)),
  ...specs.map((spec) => row("CreateKey", spec, keyInput)),
];
const specOf = ({ name }) => name.split(" ")[1];

/** The rows that are sent as fast as they are answered. */
export const keySpecRows = [
  ...specs.filter(signs).map((spec) => row("Sign", spec, signing)),
  ...specs.filter(signs).map((spec) => row("Verify", spec, signed)),
  ...specs.filter(isMac).map((spec) => row("GenerateMac", spec, mac)),
  ...makers.filter((each) => pauses[specOf(each)] === undefined),
];

/** The rows that are sent one by one, so that those that need a pair find the pool filled. */
export const poolRows = makers
  .filter((each) => pauses[specOf(each)] !== undefined)
  .map((each) => ({ ...each, pauseMs: pauses[specOf(each)] }));
