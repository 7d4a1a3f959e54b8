// Random operations on several key sets in several Regions, at random times, against a model of a
// few fields per key. Replay a failure with the seed it prints: MODEL_SEED=… .

import assert from "node:assert/strict";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { Region } from "../../src/domain/region.ts";
import { KmsError } from "../../src/errors.ts";
import type { Decrypted, KeyMetadata, Rotation, RotationStatus } from "../support/core.ts";
import { type ModelKey, ModelSet } from "./model.ts";
import { ACCOUNT, System } from "./system.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
const RUNS = 50;
const STEPS = { minLength: 50, maxLength: 100 };
const MAX_LIVE_SETS = 4;
const regions = ["ap-south-1", "eu-west-1", "sa-east-1", "us-east-1"] as const;
/** Keys of the standard partition cannot go there. */
const elsewhere = "cn-north-1";

/** Who may retire grants: of the keys' own account, and of another one. */
const retirers = [ACCOUNT, "444455556666"].map((accountId) => ({
  accountId,
  arn: `arn:aws:iam::${accountId}:user/Retiring`,
}));

const acts = [
  ["create", 2],
  ["replicate", 10],
  ["updatePrimary", 6],
  ["enable", 6],
  ["disable", 3],
  ["schedule", 4],
  ["cancel", 5],
  ["enableRotation", 3],
  ["disableRotation", 1],
  ["rotate", 4],
  ["encrypt", 6],
  ["tag", 2],
  ["untag", 1],
  ["grant", 5],
  ["revoke", 2],
  ["describe", 2],
  ["pass", 14],
  ["alarm", 5],
  ["evict", 5],
  ["deliver", 6],
] as const;
type Act = (typeof acts)[number][0];

interface Step {
  readonly act: Act;
  readonly set: number;
  readonly region: Region;
  readonly to: Region;
  readonly number: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(...acts.map(([act, weight]) => ({ arbitrary: fc.constant(act), weight }))),
  set: fc.nat({ max: 20 }),
  region: fc.constantFrom<Region>(...regions),
  to: fc.oneof(
    { arbitrary: fc.constantFrom<Region>(...regions), weight: 15 },
    { arbitrary: fc.constant<Region>(elsewhere), weight: 1 },
  ),
  number: fc.nat({ max: 100_000 }),
});

interface Ciphertext {
  readonly blob: string;
  readonly text: string;
  readonly context: Record<string, string>;
  readonly materialId: string;
}

/** A set by the model, and all that was ever acknowledged of it that has to stay. */
interface Known {
  readonly keyId: string;
  readonly model: ModelSet;
  readonly ciphertexts: Ciphertext[];
  history: readonly string[];
  /** When that history was looked at. */
  seenAt: number;
}

const done = { steps: 0, accepted: 0, refused: 0, decrypted: 0, sets: 0 };

class Run {
  readonly #system = new System();
  readonly #known: Known[] = [];

  async take(taken: Step): Promise<void> {
    done.steps += 1;
    const live = this.#known.filter(({ model }) => !model.isGone);
    const known = live[taken.set % Math.max(1, live.length)];
    if (!known || (taken.act === "create" && live.length < MAX_LIVE_SETS)) this.#create(taken);
    else await this.#act(known, taken);
    await this.#check(known);
  }

  async end(choices: readonly number[]): Promise<void> {
    for (const known of this.#known) await this.#checkCiphertexts(known, known.ciphertexts);
    this.#system.deliverEverything([...choices, 1]);
    for (const later of [0, DAY_MS, 8 * DAY_MS, 31 * DAY_MS, 400 * DAY_MS]) {
      this.#system.requireListed(regions, this.#system.now + later, "late");
      this.#requireRetirable(this.#system.now + later, "late");
    }
    // With nobody calling any more, whatever was under way comes to its end.
    this.#pass(61 * SECOND_MS);
    await this.#check(undefined);
    for (const { keyId } of this.#known) {
      const truth = this.#system.truth(keyId);
      assert.ok(!truth?.update && !truth?.rotationInProgress, "all comes to an end");
    }
  }

  #create({ region, number }: Step): void {
    const multiRegion = number % 5 > 0;
    const keyId = this.#system.createKey(region, multiRegion);
    const model = new ModelSet(region, multiRegion, this.#system.now);
    this.#known.push({ keyId, model, ciphertexts: [], history: [], seenAt: 0 });
    done.sets += 1;
  }

  async #act(known: Known, taken: Step): Promise<void> {
    const { model, keyId } = known;
    const { act, number } = taken;
    const { now } = this.#system;
    const region = placeFor(model, taken);
    const to =
      act === "updatePrimary" && number % 4 > 0
        ? (model.replicas[number % model.replicas.length] ?? taken.to)
        : taken.to;
    const change = (operation: string, input: object, allowed: boolean) =>
      this.#change(known, region, operation, input, allowed);
    switch (act) {
      case "replicate": {
        const Description = `replica ${number}`;
        const allowed = model.canReplicate(region, to);
        if (!change("ReplicateKey", { ReplicaRegion: to, Description }, allowed)) return;
        model.replicate(to, now);
        model.key(to).description = Description;
        return;
      }
      case "updatePrimary":
        if (
          change("UpdatePrimaryRegion", { PrimaryRegion: to }, model.canUpdatePrimary(region, to))
        )
          model.updatePrimary(to, now);
        return;
      case "enable":
        if (change("EnableKey", {}, model.is(region, "Enabled", "Disabled")))
          model.enable(region, now);
        return;
      case "disable":
        if (change("DisableKey", {}, model.is(region, "Enabled", "Disabled")))
          model.key(region).state = "Disabled";
        return;
      case "schedule": {
        const PendingWindowInDays = 7 + (number % 24);
        if (change("ScheduleKeyDeletion", { PendingWindowInDays }, model.canSchedule(region)))
          model.schedule(region, PendingWindowInDays, now);
        return;
      }
      case "cancel":
        if (change("CancelKeyDeletion", {}, model.canCancel(region))) model.cancel(region);
        return;
      case "enableRotation": {
        const RotationPeriodInDays = 90 + (number % 3) * 100;
        if (change("EnableKeyRotation", { RotationPeriodInDays }, model.canSetRotation(region)))
          model.rotationPeriodDays = RotationPeriodInDays;
        return;
      }
      case "disableRotation":
        if (change("DisableKeyRotation", {}, model.canSetRotation(region)))
          model.rotationPeriodDays = null;
        return;
      case "rotate":
        this.#rotate(known, region);
        return;
      case "encrypt":
        await this.#encrypt(known, region, number);
        return;
      case "tag": {
        const tag = { TagKey: `k${number % 4}`, TagValue: `v${number}` };
        if (!change("TagResource", { Tags: [tag] }, model.canBeEdited(region))) return;
        model.key(region).tags.set(tag.TagKey, tag.TagValue);
        const Description = `d${number}`;
        change("UpdateKeyDescription", { Description }, true);
        model.key(region).description = Description;
        return;
      }
      case "untag": {
        const TagKey = `k${number % 4}`;
        if (change("UntagResource", { TagKeys: [TagKey] }, model.canBeEdited(region)))
          model.key(region).tags.delete(TagKey);
        return;
      }
      case "grant": {
        const Name = `g${number % 6}`;
        const input = {
          Name,
          GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/Grantee`,
          RetiringPrincipal: [...retirers.map((retirer) => retirer.arn), undefined][number % 3],
          Operations: ["Encrypt"],
        };
        if (change("CreateGrant", input, model.canEncrypt(region)))
          model.key(region).grants.add(Name);
        return;
      }
      case "revoke": {
        const there = model.keys.get(region)?.grants ?? new Set();
        const name = [...there][number % Math.max(1, there.size)];
        const GrantId = this.#system
          .truth(keyId)
          ?.keys[region]?.grants.find((grant) => grant.name === name)?.id;
        const input = { GrantId: GrantId ?? "0".repeat(64) };
        if (change("RevokeGrant", input, name !== undefined))
          model.key(region).grants.delete(name ?? "");
        return;
      }
      case "create":
      case "describe":
        await this.#system.use(keyId, model.primary, "DescribeKey", {});
        return;
      case "alarm":
        this.#system.alarm(keyId);
        return;
      case "evict":
        this.#system.evict(keyId);
        return;
      case "deliver":
        this.#system.deliver(number, number % 4 === 0);
        return;
      case "pass":
        await this.#passWithRotations(this.#someTime(known, number));
    }
  }

  /** Some milliseconds, the instant of what comes next or the one before it, hours, days, years. */
  #someTime({ keyId }: Known, number: number): number {
    const untilDue = this.#system.due(keyId) - this.#system.now;
    switch (number % 8) {
      case 0:
        return Number.isFinite(untilDue) ? untilDue : 1;
      case 1:
        return Number.isFinite(untilDue) ? Math.max(0, untilDue - 1) : 0;
      case 2:
        return (number % 10) * DAY_MS;
      case 3:
        return number % 30 === 3 ? (90 + (number % 800)) * DAY_MS : number;
      default:
        return number % 2500;
    }
  }

  #pass(ms: number): void {
    this.#system.pass(ms);
    for (const { model } of this.#known) model.tick(this.#system.now);
  }

  /** Lets time pass; where nothing holds an automatic rotation up, every one of them happens. */
  async #passWithRotations(ms: number): Promise<void> {
    const expected: { keyId: string; count: number }[] = [];
    for (const { keyId, model } of this.#known) {
      if (model.isGone || !model.canEncrypt(model.primary)) continue;
      if (model.replicas.some((region) => model.is(region, "Creating"))) continue;
      const before = this.#system.truth(keyId);
      const { rotation } = before ?? {};
      if (!before || !rotation || before.rotationInProgress) continue;
      const late = this.#system.now + ms - rotation.nextAt;
      const more = late < 0 ? 0 : 1 + Math.floor(late / (rotation.periodDays * DAY_MS));
      expected.push({ keyId, count: rotationsOf(before) + more });
    }
    this.#pass(ms);
    for (const { keyId, count } of expected) {
      const after = this.#system.truth(keyId);
      if (after) assert.equal(rotationsOf(after), count, "automatic rotations");
    }
  }

  /** Whether the system accepted the change, which has to be what the model expects. */
  #change(
    { keyId, model }: Known,
    region: Region,
    operation: string,
    input: object,
    allowed: boolean,
  ): boolean {
    const refusal = this.#system.change(keyId, region, operation, input);
    const state = model.keys.get(region)?.state;
    assert.equal(refusal === null, allowed, `${operation} in ${state}: ${refusal?.message}`);
    if (allowed) done.accepted += 1;
    else done.refused += 1;
    return allowed;
  }

  /** Of rotations under way the model knows nothing; it takes the system's word for a conflict. */
  #rotate({ keyId, model }: Known, region: Region): void {
    const refusal = this.#system.change(keyId, region, "RotateKeyOnDemand", {});
    if (refusal?.type === "ConflictException") {
      const set = this.#system.truth(keyId);
      const soon = (set?.rotation?.nextAt ?? Infinity) - this.#system.now <= 20 * 60 * SECOND_MS;
      assert.ok(set?.rotationInProgress || soon, "a conflict has a reason");
    } else if (refusal?.type !== "LimitExceededException") {
      assert.equal(refusal === null, model.canSetRotation(region), refusal?.message);
    }
    if (refusal) done.refused += 1;
    else model.rotations += 1;
  }

  async #encrypt(known: Known, region: Region, number: number): Promise<void> {
    const { keyId, model, ciphertexts } = known;
    const text = `text ${number}`;
    const context: Record<string, string> = number % 2 ? { number: String(number) } : {};
    const input = { Plaintext: btoa(text), EncryptionContext: context };
    const answer = this.#system.use<{ CiphertextBlob: string }>(keyId, region, "Encrypt", input);
    if (!model.canEncrypt(region)) {
      await refused(answer);
      return;
    }
    const blob = (await answer).CiphertextBlob;
    const materialId = (await this.#describe(keyId, region)).CurrentKeyMaterialId ?? "";
    ciphertexts.push({ blob, text, context, materialId });
  }

  async #check(touched: Known | undefined): Promise<void> {
    for (const known of this.#known) {
      const { keyId, model, ciphertexts } = known;
      this.#system.requireTwin(keyId);
      this.#system.requireForetold(keyId, regions);
      for (const region of regions) {
        if (!model.keys.has(region)) await refused(this.#describe(keyId, region));
      }
      if (model.isGone) continue;
      await this.#checkKeys(known);
      await this.#checkHistory(known);
      const some = known === touched ? ciphertexts.slice(-6) : ciphertexts.slice(0, 1);
      await this.#checkCiphertexts(known, some);
    }
    this.#system.requireListed(regions, this.#system.now, "prompt");
    this.#requireRetirable(this.#system.now, "prompt");
  }

  #requireRetirable(now: number, of: "prompt" | "late"): void {
    for (const retirer of retirers) this.#system.requireRetirable(retirer, regions, now, of);
  }

  async #checkKeys({ keyId, model }: Known): Promise<void> {
    const types: string[] = [];
    for (const [region, key] of model.keys) {
      const metadata = await this.#describe(keyId, region);
      assert.equal(metadata.KeyState, key.state, `${keyId} in ${region}`);
      assert.equal(metadata.Enabled, key.state === "Enabled");
      assert.equal(metadata.Arn, arn(region, keyId));
      assert.equal(metadata.CreationDate, key.createdAt / 1000);
      assert.equal(metadata.Description, key.description);
      requireDeletion(metadata, key);
      assert.equal(metadata.MultiRegion, model.multiRegion);
      const shown = metadata.MultiRegionConfiguration;
      if (model.multiRegion) types.push(shown?.MultiRegionKeyType ?? "none");
      else assert.equal(shown, undefined);
      if (shown && !model.isUpdating) {
        assert.deepEqual(shown.PrimaryKey, related(model.primary, keyId));
        const replicas = model.replicas.map((replica) => related(replica, keyId));
        assert.deepEqual(shown.ReplicaKeys, replicas);
        const type = region === model.primary ? "PRIMARY" : "REPLICA";
        assert.equal(shown.MultiRegionKeyType, type);
      }
      const { Tags } = await this.#system.ask<{
        Tags: { TagKey: string; TagValue: string }[];
      }>(keyId, region, "ListResourceTags", {});
      assert.deepEqual(new Map(Tags.map((tag) => [tag.TagKey, tag.TagValue])), key.tags);
      assert.equal(Tags.length, key.tags.size);
      const { Grants } = await this.#system.ask<{ Grants: { Name: string }[] }>(
        keyId,
        region,
        "ListGrants",
        {},
      );
      assert.deepEqual(Grants.map(({ Name }) => Name).sort(), [...key.grants].sort());
    }
    // While the primary changes, the guide has both keys shown as replicas.
    const primaries = types.filter((type) => type === "PRIMARY").length;
    if (model.multiRegion) assert.equal(primaries, model.isUpdating ? 0 : 1);
  }

  /** One history of materials, of which nothing is ever lost or changed, in every Region. */
  async #checkHistory(known: Known): Promise<void> {
    const { keyId, model } = known;
    const histories = new Set<string>();
    const statuses = new Set<string>();
    for (const [region, key] of model.keys) {
      const input = { IncludeKeyMaterial: "ALL_KEY_MATERIAL", Limit: 1000 };
      const { Rotations } = await this.#system.ask<{ Rotations: Rotation[] }>(
        keyId,
        region,
        "ListKeyRotations",
        input,
      );
      histories.add(JSON.stringify(Rotations));
      const { CurrentKeyMaterialId } = await this.#describe(keyId, region);
      if (key.state === "Creating") assert.equal(CurrentKeyMaterialId, undefined);
      else assert.equal(CurrentKeyMaterialId, Rotations.at(-1)?.KeyMaterialId);
      const pending = key.state.startsWith("Pending");
      const { KeyId, ...status } = await this.#system.ask<RotationStatus>(
        keyId,
        region,
        "GetKeyRotationStatus",
        {},
      );
      assert.equal(KeyId, arn(region, keyId));
      assert.equal(status.KeyRotationEnabled, !pending && model.rotationPeriodDays !== null);
      if (!pending) statuses.add(JSON.stringify(status));
    }
    assert.equal(histories.size, 1, "one history");
    assert.ok(statuses.size <= 1, "one rotation schedule");
    const rotations = JSON.parse([...histories][0] ?? "[]") as Rotation[];
    const ids = rotations.map((rotation) => rotation.KeyMaterialId);
    assert.deepEqual(ids.slice(0, known.history.length), known.history, "nothing is lost");
    assert.equal(new Set(ids).size, ids.length);
    const rotatedSince = rotations.slice(known.history.length);
    for (const { RotationDate } of known.history.length > 0 ? rotatedSince : []) {
      const rotatedAt = (RotationDate ?? 0) * 1000;
      assert.ok(rotatedAt >= known.seenAt, "no rotation is older than a look without it");
    }
    known.history = ids;
    known.seenAt = this.#system.now;
    const dates = rotations.flatMap(({ RotationDate }) => RotationDate ?? []);
    assert.deepEqual(
      dates,
      dates.toSorted((a, b) => a - b),
    );
    assert.ok((dates.at(-1) ?? 0) * 1000 <= this.#system.now);
    const running = this.#system.truth(keyId)?.rotationInProgress?.type === "ON_DEMAND" ? 1 : 0;
    const onDemand = rotations.filter(({ RotationType }) => RotationType === "ON_DEMAND").length;
    assert.equal(onDemand + running, model.rotations, "rotations on demand");
  }

  async #checkCiphertexts({ keyId, model }: Known, some: readonly Ciphertext[]): Promise<void> {
    for (const region of regions) {
      for (const { blob, text, context, materialId } of some) {
        const input = { CiphertextBlob: blob, EncryptionContext: context };
        const answer = this.#system.ask<Decrypted>(keyId, region, "Decrypt", input);
        if (!model.canEncrypt(region)) {
          await refused(answer);
          continue;
        }
        const { Plaintext, KeyId, KeyMaterialId } = await answer;
        assert.equal(atob(Plaintext), text);
        assert.equal(KeyId, arn(region, keyId));
        assert.equal(KeyMaterialId, materialId);
        done.decrypted += 1;
      }
    }
  }

  async #describe(keyId: string, region: Region): Promise<KeyMetadata> {
    const { KeyMetadata } = await this.#system.ask<{ KeyMetadata: KeyMetadata }>(
      keyId,
      region,
      "DescribeKey",
      {},
    );
    return KeyMetadata;
  }
}

/** Mostly a Region where the act can be accepted, or nearly everything would be refused. */
function placeFor(model: ModelSet, { act, region, number }: Step): Region {
  if (number % 10 === 0) return region;
  const there = [...model.keys.keys()];
  const acceptable: Partial<Record<Act, (region: Region) => boolean>> = {
    schedule: model.canSchedule,
    cancel: model.canCancel,
    enable: (there) => model.is(there, "Disabled"),
    encrypt: model.canEncrypt,
    grant: model.canEncrypt,
    revoke: (there) => (model.keys.get(there)?.grants.size ?? 0) > 0,
    tag: model.canBeEdited,
    untag: model.canBeEdited,
    disable: () => true,
  };
  const accepted = there.filter(acceptable[act] ?? ((there) => there === model.primary));
  return accepted[number % accepted.length] ?? there[number % there.length] ?? region;
}

function requireDeletion(metadata: KeyMetadata, key: ModelKey): void {
  const date = key.state === "PendingDeletion" ? key.until / 1000 : undefined;
  assert.equal(metadata.DeletionDate, date);
  const days = key.state === "PendingReplicaDeletion" ? key.waitingPeriodDays : undefined;
  assert.equal(metadata.PendingDeletionWindowInDays, days);
}

/** Rotations that have begun, finished or not. */
const rotationsOf = (set: {
  readonly materials: readonly unknown[];
  readonly rotationInProgress: unknown;
}) => set.materials.length - 1 + (set.rotationInProgress ? 1 : 0);

const arn = (region: Region, keyId: string) => `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`;

const related = (region: Region, keyId: string) => ({ Arn: arn(region, keyId), Region: region });

async function refused(answer: Promise<unknown>): Promise<void> {
  await assert.rejects(answer, KmsError);
}

const seed = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 0x7fffffff));

afterAll(() => console.log(`MODEL_SEED=${seed}`, JSON.stringify(done)));

test(`any sequence of operations agrees with the model (MODEL_SEED=${seed})`, async () => {
  const sequences = fc.array(step, { ...STEPS, size: "max" });
  const choices = fc.array(fc.nat({ max: 1000 }), { minLength: 5, maxLength: 20 });
  const agrees = fc.asyncProperty(sequences, choices, async (steps, order) => {
    const run = new Run();
    for (const each of steps) await run.take(each);
    await run.end(order);
  });
  // Shrinking a failure ends before the test's own time does.
  await fc.assert(agrees, { seed, numRuns: RUNS, interruptAfterTimeLimit: 40_000 });
  expect(done.steps).toBeGreaterThanOrEqual(RUNS * STEPS.minLength);
  expect(Math.min(done.accepted, done.refused, done.decrypted)).toBeGreaterThan(200);
});
