// Random imports, losses and rotations of imported key material in several Regions, against a model.
// Replay a failure with the seed it prints: MODEL_SEED=… .

import assert from "node:assert/strict";
import { constants, createPrivateKey, createPublicKey, publicEncrypt } from "node:crypto";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { toBase64 } from "../../src/crypto/base64.ts";
import { generateKeyPair } from "../../src/crypto/key-pair.ts";
import { sealImportToken } from "../../src/domain/import-token.ts";
import type { Region } from "../../src/domain/region.ts";
import { KmsError } from "../../src/errors.ts";
import { type Decrypted, type KeyMetadata, type Rotation, seededRandom } from "../support/core.ts";
import { ImportModel, type ImportType } from "./import-model.ts";
import { ACCOUNT, System } from "./system.ts";

const RUNS = 60;
const STEPS = { minLength: 40, maxLength: 80 };
const DAY_MS = 86_400_000;
const regions = ["ap-south-1", "eu-west-1", "us-east-1"] as const satisfies readonly Region[];

const acts = [
  ["import", 20],
  ["delete", 3],
  ["rotate", 6],
  ["replicate", 3],
  ["updatePrimary", 2],
  ["enable", 3],
  ["disable", 2],
  ["encrypt", 5],
  ["pass", 12],
  ["alarm", 3],
  ["evict", 3],
] as const;

const step = fc.record({
  act: fc.oneof(...acts.map(([act, weight]) => ({ arbitrary: fc.constant(act), weight }))),
  region: fc.constantFrom<Region>(...regions),
  material: fc.nat({ max: 7 }),
  type: fc.constantFrom<ImportType>("NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL", undefined),
  number: fc.nat({ max: 10_000 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

// One wrapping key for all: what makes them is tried elsewhere.
const { privateKey } = await generateKeyPair("RSA_2048");
const key = createPublicKey(
  createPrivateKey({ key: Buffer.from(privateKey), format: "der", type: "pkcs8" }),
);
const materials = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => seededRandom(seed)(32));
const wrapped = materials.map((bytes) =>
  publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, bytes),
);

const done = { accepted: 0, refused: 0, decrypted: 0, rotated: 0 };
const arn = (region: Region, keyId: string) => `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`;

interface Ciphertext {
  readonly blob: string;
  readonly material: number;
}

class Run {
  readonly #system = new System();
  readonly #model = new ImportModel(regions[0]);
  readonly #keyId = this.#system.createKey(regions[0], true, { Origin: "EXTERNAL" });
  /** The ID of each material that was ever imported. */
  readonly #ids = new Map<number, string>();
  readonly #ciphertexts: Ciphertext[] = [];
  #ivs = 0;

  async take(taken: Step): Promise<void> {
    await this.#act(taken.number % 4 > 0 ? this.#acceptable(taken) : taken);
    await this.#check();
  }

  /** The same act where it changes something, or nearly everything would be refused. */
  #acceptable(taken: Step): Step {
    const model = this.#model;
    if (taken.act === "enable") {
      const region = regions.find((each) => model.keys.get(each)?.state === "Disabled");
      return region ? { ...taken, region } : taken;
    }
    if (taken.act !== "import") return taken;
    const type = undefined;
    for (const [region, { state, bytes }] of model.keys) {
      const material = model.known.find((each) => !bytes.has(each));
      if (material !== undefined && state !== "Creating") {
        return { ...taken, region, material, type };
      }
    }
    return { ...taken, region: model.primary, type: "NEW_KEY_MATERIAL" };
  }

  async #act({ act, region, material, type, number }: Step): Promise<void> {
    const model = this.#model;
    const there = model.keys.get(region);
    const { now } = this.#system;
    switch (act) {
      case "import": {
        if (!there) return;
        const validTo = number % 3 === 0 ? now + 1 + (number % 7) * DAY_MS : Infinity;
        const refusal = model.importRefusal(region, material, type);
        const input = { ...this.#import(region, material, validTo), ImportType: type };
        if (!this.#change(region, "ImportKeyMaterial", input, refusal)) return;
        model.import(region, material, validTo);
        const id = (await this.#rotations(region)).find(
          ({ KeyMaterialId }) => ![...this.#ids.values()].includes(KeyMaterialId),
        )?.KeyMaterialId;
        if (!this.#ids.has(material)) this.#ids.set(material, id ?? "");
        return;
      }
      case "delete": {
        const KeyMaterialId = this.#ids.get(material);
        if (!there || KeyMaterialId === undefined) return;
        const busy = there.state === "Creating" || there.state === "Updating";
        const unknown = model.known.includes(material) ? null : "NotFoundException";
        const refusal = busy ? "KMSInvalidStateException" : unknown;
        if (this.#change(region, "DeleteImportedKeyMaterial", { KeyMaterialId }, refusal))
          model.lose(region, material);
        return;
      }
      case "rotate":
        if (!this.#change(model.primary, "RotateKeyOnDemand", {}, this.#rotationRefusal())) return;
        model.rotate(now);
        done.rotated += 1;
        return;
      case "replicate": {
        if (there) return;
        const enabled = model.key(model.primary).state === "Enabled";
        const refusal = enabled ? null : this.#refusalOf(model.primary);
        if (this.#change(model.primary, "ReplicateKey", { ReplicaRegion: region }, refusal))
          model.replicate(region, now);
        return;
      }
      case "updatePrimary": {
        if (!there || region === model.primary) return;
        const [from, to] = [model.key(model.primary).state, there.state];
        const wrong = from !== "Enabled" ? model.primary : to !== "Enabled" ? region : null;
        const refusal = wrong && this.#refusalOf(wrong);
        if (this.#change(model.primary, "UpdatePrimaryRegion", { PrimaryRegion: region }, refusal))
          model.updatePrimary(region, now);
        return;
      }
      case "enable":
      case "disable": {
        if (!there) return;
        const switchable = there.state === "Enabled" || there.state === "Disabled";
        const refusal = switchable ? null : "KMSInvalidStateException";
        const operation = act === "enable" ? "EnableKey" : "DisableKey";
        if (!this.#change(region, operation, {}, refusal)) return;
        if (act === "disable") there.state = "Disabled";
        else if (there.state === "Disabled") model.enable(region);
        return;
      }
      case "encrypt": {
        const current = model.materials.at(-1);
        if (!there || current === undefined || there.state !== "Enabled") return;
        const input = { Plaintext: btoa("text") };
        const { CiphertextBlob } = await this.#system.use<{ CiphertextBlob: string }>(
          this.#keyId,
          region,
          "Encrypt",
          input,
        );
        this.#ciphertexts.push({ blob: CiphertextBlob, material: current });
        return;
      }
      case "alarm":
        return this.#system.alarm(this.#keyId);
      case "evict":
        return this.#system.evict(this.#keyId);
      case "pass": {
        const untilDue = this.#system.due(this.#keyId) - now;
        const due = Number.isFinite(untilDue) ? untilDue : 1;
        const spans = [due, Math.max(0, due - 1), number % 2500, (number % 5) * DAY_MS];
        this.#system.pass(spans[number % spans.length] ?? 0);
        model.tick(this.#system.now);
      }
    }
  }

  #import(region: Region, material: number, validTo: number): object {
    const secret = this.#system.truth(this.#keyId)?.importSecret ?? "";
    const token = {
      algorithm: "RSAES_OAEP_SHA_256",
      privateKey: toBase64(privateKey),
      validTo: this.#system.now + 1,
    } as const;
    this.#ivs += 1;
    const random = seededRandom(this.#ivs);
    return {
      ImportToken: sealImportToken(token, secret, arn(region, this.#keyId), random),
      EncryptedKeyMaterial: wrapped[material]?.toString("base64"),
      ...(validTo === Infinity
        ? { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" }
        : { ValidTo: validTo / 1000 }),
    };
  }

  /** What an operation says of a key that would have to be Enabled. */
  #refusalOf(region: Region): string {
    return this.#model.key(region).state === "Disabled"
      ? "DisabledException"
      : "KMSInvalidStateException";
  }

  #rotationRefusal(): string | null {
    const model = this.#model;
    const { state } = model.key(model.primary);
    if (state !== "Enabled" && state !== "Updating") return this.#refusalOf(model.primary);
    if (model.rotating) return "ConflictException";
    return model.isPendingEverywhere ? null : "KMSInvalidStateException";
  }

  #change(region: Region, operation: string, input: object, expected: string | null): boolean {
    const refusal = this.#system.change(this.#keyId, region, operation, input);
    assert.equal(refusal?.type ?? null, expected, `${operation} in ${region}: ${refusal?.message}`);
    if (refusal) done.refused += 1;
    else done.accepted += 1;
    return refusal === null;
  }

  async #check(): Promise<void> {
    this.#system.requireTwin(this.#keyId);
    for (const region of this.#model.keys.keys()) {
      await this.#checkKey(region);
      for (const ciphertext of this.#ciphertexts.slice(-5)) {
        await this.#checkCiphertext(region, ciphertext);
      }
    }
  }

  async #checkKey(region: Region): Promise<void> {
    const model = this.#model;
    const modelKey = model.key(region);
    const { KeyMetadata } = await this.#system.ask<{
      KeyMetadata: KeyMetadata & { ExpirationModel?: string; ValidTo?: number };
    }>(this.#keyId, region, "DescribeKey", {});
    assert.equal(KeyMetadata.KeyState, modelKey.state, `in ${region}`);
    const current = modelKey.state === "Creating" ? undefined : model.materials.at(-1);
    assert.equal(KeyMetadata.CurrentKeyMaterialId, this.#ids.get(current ?? -1));
    const kept = this.#system.truth(this.#keyId)?.keys[region]?.imported ?? {};
    const has = [...modelKey.bytes.keys()].map((material) => this.#ids.get(material));
    assert.deepEqual(Object.keys(kept).sort(), has.sort(), "no bytes are left behind");
    const all = model.hasAll(modelKey);
    assert.equal(KeyMetadata.ExpirationModel !== undefined, all);
    const first = Math.min(...model.materials.map((each) => modelKey.bytes.get(each) ?? Infinity));
    assert.equal(KeyMetadata.ValidTo, all && first !== Infinity ? first / 1000 : undefined);
    const listed = (await this.#rotations(region)).map((entry) => [
      entry.KeyMaterialId,
      entry.KeyMaterialState,
      entry.ImportState,
    ]);
    const expected = model.known.map((material, index) => [
      this.#ids.get(material),
      this.#materialState(index),
      modelKey.bytes.has(material) ? "IMPORTED" : "PENDING_IMPORT",
    ]);
    assert.deepEqual(listed, expected);
  }

  #materialState(index: number): string {
    const model = this.#model;
    const last = model.materials.length - 1;
    if (index <= last) return index === last ? "CURRENT" : "NON_CURRENT";
    const isReady = model.pending === null || model.isPendingEverywhere;
    return isReady ? "PENDING_ROTATION" : "PENDING_MULTI_REGION_IMPORT_AND_ROTATION";
  }

  async #checkCiphertext(region: Region, { blob, material }: Ciphertext) {
    const { state, bytes } = this.#model.key(region);
    const input = { CiphertextBlob: blob };
    const answer = this.#ask<Decrypted>(region, "Decrypt", input);
    const usable = state === "Enabled" || (state === "Updating" && bytes.has(material));
    if (!usable) {
      await assert.rejects(answer, KmsError);
      return;
    }
    const { Plaintext, KeyMaterialId } = await answer;
    assert.equal(atob(Plaintext), "text");
    assert.equal(KeyMaterialId, this.#ids.get(material));
    done.decrypted += 1;
  }

  /** Refusals of the core come before its promise. */
  async #ask<T>(region: Region, operation: string, input: object): Promise<T> {
    return this.#system.ask<T>(this.#keyId, region, operation, input);
  }

  async #rotations(region: Region): Promise<readonly Rotation[]> {
    const input = { IncludeKeyMaterial: "ALL_KEY_MATERIAL" };
    return (await this.#ask<{ Rotations: Rotation[] }>(region, "ListKeyRotations", input))
      .Rotations;
  }
}

const seed = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 0x7fffffff));

afterAll(() => console.log(`MODEL_SEED=${seed}`, JSON.stringify(done)));

test(`any sequence of imports agrees with the model (MODEL_SEED=${seed})`, async () => {
  const sequences = fc.array(step, { ...STEPS, size: "max" });
  const agrees = fc.asyncProperty(sequences, async (steps) => {
    const run = new Run();
    for (const each of steps) await run.take(each);
  });
  await fc.assert(agrees, { seed, numRuns: RUNS, interruptAfterTimeLimit: 40_000 });
  expect(Math.min(done.accepted, done.refused, done.decrypted)).toBeGreaterThan(200);
  expect(done.rotated).toBeGreaterThan(10);
});
