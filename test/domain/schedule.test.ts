// What time does to a key set: that it does not matter when anyone looks, and what happens when.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateKeyPair } from "../../src/crypto/key-pair.ts";
import { assertKeySet, type Key, type KeySet, keyIn, keysOf } from "../../src/domain/key-set.ts";
import type { KeyState } from "../../src/domain/key-state.ts";
import type { Moment } from "../../src/domain/moment.ts";
import type { Region } from "../../src/domain/region.ts";
import { advance, goneAt, nextDue } from "../../src/domain/schedule.ts";

const SECOND = 1000;
const DAY = 86_400_000;
const YEAR = 365 * DAY;
const [P, R, Q, S] = ["us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1"] as const;

const delays = { creatingMs: 2000, updatingMs: 2000, rotatingMs: 1000 };

/** Moments whose randomness counts up, so that the n-th material is the same however it came about. */
function moments(madeBefore = 0, chosen = delays): (now: number) => Moment {
  let drawn = madeBefore;
  const random: Moment["random"] = (length) => {
    drawn += 1;
    return Uint8Array.from({ length }, (_, index) => (index === 0 ? drawn : 0));
  };
  return (now) => ({ now, random, delays: chosen, newKeyPair: generateKeyPair });
}

const key = (region: Region, state: KeyState = "Enabled", more: Partial<Key> = {}): Key => ({
  region,
  state,
  createdAt: 0,
  readyAt: 0,
  deletionAt: null,
  waitingPeriodDays: null,
  description: "",
  policy: "",
  tags: [],
  imported: {},
  grants: [],
  ...more,
});

/** A set whose first key is the primary. */
const setOf = (keys: readonly Key[], more: Partial<KeySet> = {}): KeySet => ({
  accountId: "111122223333",
  keyId: "mrk-1234abcd12ab34cd56ef1234567890ab",
  multiRegion: true,
  keySpec: "SYMMETRIC_DEFAULT",
  keyUsage: "ENCRYPT_DECRYPT",
  origin: "AWS_KMS",
  primaryRegion: keys[0]?.region ?? P,
  update: null,
  pendingMaterial: null,
  materials: [{ id: "0", made: { bytes: "0" }, description: null, rotation: null }],
  rotation: null,
  rotationInProgress: null,
  keys: Object.fromEntries(keys.map((member) => [member.region, member])),
  version: 0,
  ...more,
});

const rotationDates = (set: KeySet | null) =>
  (set?.materials ?? []).flatMap(({ rotation }) => (rotation ? [rotation.completedAt] : []));

const at = moments();

describe("nothing due", () => {
  it("gives the same object back", () => {
    const set = setOf([key(P), key(R, "Creating", { readyAt: 10 })]);
    expect(advance(set, at(9))).toBe(set);
    expect(nextDue(set)).toBe(10);
    expect(nextDue(setOf([key(P)]))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a new replica", () => {
  it("is Enabled from its instant on", () => {
    const set = setOf([key(P), key(R, "Creating", { readyAt: 10 })]);
    const ready = advance(set, at(10));
    expect(ready && keyIn(ready, R)?.state).toBe("Enabled");
    expect(ready && keyIn(ready, P)).toBe(keyIn(set, P));
  });

  it("is deleted when its date comes, even where it was scheduled while Creating", () => {
    const set = setOf([key(P), key(R, "PendingDeletion", { readyAt: 10, deletionAt: 7 * DAY })]);
    expect(advance(set, at(10))).toBe(set);
    expect(advance(set, at(7 * DAY))?.keys).toEqual({ [P]: keyIn(set, P) });
  });
});

describe("a change of the primary", () => {
  const update = { from: P, to: R, endsAt: 10 };
  const set = setOf([key(R, "Updating"), key(P, "Updating"), key(Q, "Disabled")], { update });

  it("is complete at its instant, and leaves the other replicas alone", () => {
    const done = advance(set, at(10));
    expect(done?.update).toBe(null);
    expect(done && keysOf(done).map(({ region, state }) => [region, state])).toEqual([
      [R, "Enabled"],
      [P, "Enabled"],
      [Q, "Disabled"],
    ]);
    expect(done?.primaryRegion).toBe(R);
  });
});

describe("deletion", () => {
  const pending = (region: Region, deletionAt: number) =>
    key(region, "PendingDeletion", { deletionAt, waitingPeriodDays: 7 });
  const waiting = key(P, "PendingReplicaDeletion", { waitingPeriodDays: 9 });

  it("takes one replica and leaves the rest", () => {
    const set = setOf([key(P), pending(R, 10), pending(Q, 20)]);
    expect(Object.keys(advance(set, at(10))?.keys ?? {})).toEqual([P, Q]);
    expect(Object.keys(advance(set, at(25))?.keys ?? {})).toEqual([P]);
  });

  it("takes replicas of one instant together", () => {
    const set = setOf([waiting, pending(R, 10), pending(Q, 10)]);
    const after = advance(set, at(10));
    expect(Object.keys(after?.keys ?? {})).toEqual([P]);
    expect(after && keyIn(after, P)?.deletionAt).toBe(10 + 9 * DAY);
  });

  it("of a primary begins when the last replica is gone, though nobody looks for years", () => {
    const set = setOf([waiting, pending(R, 3 * DAY), pending(Q, 5 * DAY)]);
    expect(goneAt(set, P)).toBe(14 * DAY);
    const look = advance(set, at(14 * DAY - 1));
    expect(look && keyIn(look, P)).toMatchObject({
      state: "PendingDeletion",
      deletionAt: 14 * DAY,
      waitingPeriodDays: 9,
    });
    expect(advance(set, at(14 * DAY))).toBe(null);
    expect(advance(set, at(20 * YEAR))).toBe(null);
  });

  it("of a primary waits for ever while one replica is not scheduled", () => {
    const set = setOf([waiting, pending(R, 10), key(Q, "Disabled")]);
    expect(goneAt(set, P)).toBe(null);
    const after = advance(set, at(100 * YEAR));
    expect(after && keyIn(after, P)?.state).toBe("PendingReplicaDeletion");
  });
});

describe("automatic rotation", () => {
  const rotation = { periodDays: 365, nextAt: YEAR };

  it("makes the material at its date, and current when it has spread", () => {
    const set = setOf([key(P), key(R)], { rotation });
    const started = advance(set, at(YEAR));
    expect(started?.materials).toEqual(set.materials);
    expect(started?.rotationInProgress).toMatchObject({
      type: "AUTOMATIC",
      startedAt: YEAR,
      endsAt: YEAR + SECOND,
    });
    expect(started?.rotation?.nextAt).toBe(2 * YEAR);
    const done = started && advance(started, at(YEAR + SECOND));
    expect(done?.rotationInProgress).toBe(null);
    expect(rotationDates(done)).toEqual([YEAR + SECOND]);
    expect(done?.materials.at(-1)?.id).toBe(started?.rotationInProgress?.material.id);
  });

  it("happens ten times in ten years, each at its own date, in one late look", () => {
    const set = setOf([key(P), key(R, "Disabled")], { rotation });
    const years = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const after = advance(set, at(10 * YEAR + 12 * DAY));
    expect(rotationDates(after)).toEqual(years.map((year) => year * YEAR + SECOND));
    expect(after?.rotation?.nextAt).toBe(11 * YEAR);
    expect(new Set(after?.materials.map(({ id }) => id)).size).toBe(11);
  });

  it("does not happen while the primary is disabled, however overdue", () => {
    const set = setOf([key(P, "Disabled"), key(R)], { rotation });
    expect(nextDue(set)).toBe(Number.POSITIVE_INFINITY);
    expect(advance(set, at(5 * YEAR))).toBe(set);
  });

  it("happens while a replica is disabled", () => {
    const set = setOf([key(P), key(R, "Disabled")], { rotation });
    expect(rotationDates(advance(set, at(YEAR + SECOND)))).toEqual([YEAR + SECOND]);
  });

  it("happens while the primary changes", () => {
    const update = { from: P, to: R, endsAt: YEAR + 5 * SECOND };
    const set = setOf([key(R, "Updating"), key(P, "Updating")], { rotation, update });
    expect(rotationDates(advance(set, at(YEAR + SECOND)))).toEqual([YEAR + SECOND]);
  });

  it("waits for every replica that is Creating", () => {
    const creating = (region: Region, readyAt: number) => key(region, "Creating", { readyAt });
    const keys = [key(P), creating(R, YEAR + 5 * SECOND), creating(Q, YEAR + 8 * SECOND)];
    const set = setOf(keys, { rotation });
    const before = advance(set, at(YEAR + 8 * SECOND - 1));
    expect(before?.rotationInProgress).not.toBe(null);
    expect(before && keyIn(before, R)?.state).toBe("Enabled");
    const after = advance(set, at(YEAR + 8 * SECOND));
    expect(rotationDates(after)).toEqual([YEAR + 8 * SECOND]);
    expect(after && keyIn(after, Q)?.state).toBe("Enabled");
  });

  it("that another rotation holds up begins when that one ends", () => {
    const rotationInProgress = {
      type: "ON_DEMAND",
      material: { id: "1", made: { bytes: "1" }, description: null },
      startedAt: YEAR - 1,
      endsAt: YEAR + SECOND,
    } as const;
    const set = setOf([key(P)], { rotation, rotationInProgress });
    const after = advance(set, at(2 * YEAR - 1));
    expect(rotationDates(after)).toEqual([YEAR + SECOND, YEAR + 2 * SECOND]);
    expect(after?.materials.map((material) => material.rotation?.type)).toEqual([
      undefined,
      "ON_DEMAND",
      "AUTOMATIC",
    ]);
  });

  it("set free by an operation happens no earlier than that", () => {
    const rotationInProgress = {
      type: "ON_DEMAND",
      material: { id: "1", made: { bytes: "1" }, description: null },
      startedAt: 0,
      endsAt: SECOND,
    } as const;
    const set = setOf([key(P)], { rotationInProgress });
    expect(rotationDates(advance(set, at(5 * SECOND), 5 * SECOND))).toEqual([5 * SECOND]);
  });
});

/** Instants that meet often, some of them far apart. */
const instant = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.integer({ min: 0, max: 40 }).map((days) => days * DAY),
  fc.integer({ min: 0, max: 12 * YEAR }),
);

const replica = fc.oneof(
  fc.constant({ state: "Enabled" } as const),
  fc.constant({ state: "Disabled" } as const),
  fc.record({ state: fc.constant("Creating" as const), readyAt: instant }),
  fc.record({
    state: fc.constant("PendingDeletion" as const),
    deletionAt: instant,
    waitingPeriodDays: fc.integer({ min: 7, max: 30 }),
  }),
);

const anySet: fc.Arbitrary<KeySet> = fc
  .record({
    primary: fc.constantFrom("Enabled", "Disabled", "Scheduled", "Updating"),
    replicas: fc.array(replica, { maxLength: 3 }),
    days: fc.integer({ min: 7, max: 30 }),
    deletionAt: instant,
    updateEndsAt: instant,
    rotation: fc.option(
      fc.record({ periodDays: fc.integer({ min: 90, max: 2560 }), nextAt: instant }),
    ),
    rotationEndsAt: fc.option(instant),
  })
  .map(({ primary, replicas, days, deletionAt, updateEndsAt, rotation, rotationEndsAt }) => {
    const members = replicas.map(({ state, ...more }, index) =>
      key([R, Q, S][index] ?? S, state, more),
    );
    const rotationInProgress =
      rotationEndsAt === null
        ? null
        : {
            type: "ON_DEMAND" as const,
            material: { id: "1", made: { bytes: "1" }, description: null },
            startedAt: 0,
            endsAt: rotationEndsAt,
          };
    const shared = { rotation, rotationInProgress };
    if (primary === "Scheduled") {
      const scheduled =
        members.length > 0
          ? key(P, "PendingReplicaDeletion", { waitingPeriodDays: days })
          : key(P, "PendingDeletion", { deletionAt, waitingPeriodDays: days });
      return setOf([scheduled, ...members], shared);
    }
    const partner = members.find(({ state }) => state === "Enabled");
    if (primary === "Updating" && partner) {
      const others = members.filter((member) => member !== partner);
      const update = { from: partner.region, to: P, endsAt: updateEndsAt };
      const updating = { ...partner, state: "Updating" as const };
      return setOf([key(P, "Updating"), updating, ...others], { ...shared, update });
    }
    return setOf([key(P, primary === "Disabled" ? "Disabled" : "Enabled"), ...members], shared);
  });

const anyDelays = fc.record({
  creatingMs: fc.constant(0),
  updatingMs: fc.constant(0),
  rotatingMs: fc.constantFrom(0, 1, SECOND, 3_600_000),
});

const FAR = 30 * YEAR;

describe("properties of any set at any time", () => {
  it("looking in between changes nothing", () => {
    fc.assert(
      fc.property(
        anySet,
        fc.array(instant, { minLength: 1, maxLength: 6 }),
        anyDelays,
        (set, looks, chosen) => {
          const times = looks.toSorted((a, b) => a - b);
          const last = times.at(-1) as number;
          const often = moments(1, chosen);
          const seen = times.reduce<KeySet | null>(
            (current, now) => current && advance(current, often(now)),
            set,
          );
          expect(seen).toEqual(advance(set, moments(1, chosen)(last)) ?? null);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("looking at every deadline, exactly then, changes nothing either", () => {
    fc.assert(
      fc.property(anySet, instant, anyDelays, (set, end, chosen) => {
        const stepping = moments(1, chosen);
        let current: KeySet | null = set;
        let now = 0;
        while (current && Math.max(now, nextDue(current)) <= end) {
          now = Math.max(now, nextDue(current));
          current = advance(current, stepping(now));
        }
        expect(current).toEqual(advance(set, moments(1, chosen)(end)));
      }),
      { numRuns: 500 },
    );
  });

  it("what is due has happened afterwards, and is a set as it should be", () => {
    fc.assert(
      fc.property(anySet, instant, (set, now) => {
        const after = advance(set, moments(1)(now));
        if (!after) return;
        expect(nextDue(after)).toBeGreaterThan(now);
        assertKeySet(after);
        for (const member of keysOf(after)) {
          if (member.state === "Creating") expect(member.readyAt).toBeGreaterThan(now);
          if (member.deletionAt !== null) expect(member.deletionAt).toBeGreaterThan(now);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("it is the same object exactly if nothing was due", () => {
    fc.assert(
      fc.property(anySet, instant, (set, now) => {
        expect(advance(set, moments(1)(now)) === set).toBe(nextDue(set) > now);
      }),
    );
  });

  it("a key is gone from goneAt on and not before; without one it never goes by itself", () => {
    fc.assert(
      fc.property(anySet, (set) => {
        for (const { region } of keysOf(set)) {
          const gone = goneAt(set, region);
          const has = (now: number) => {
            const after = advance(set, moments(1)(now));
            return after !== null && keyIn(after, region) !== null;
          };
          expect(has(gone === null ? FAR : gone - 1)).toBe(true);
          if (gone !== null) expect(has(gone)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("goneAt does not change with time", () => {
    fc.assert(
      fc.property(anySet, instant, (set, now) => {
        const after = advance(set, moments(1)(now));
        for (const { region } of after ? keysOf(after) : []) {
          expect(after && goneAt(after, region)).toBe(goneAt(set, region));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("materials are only added, in the order of their dates, none in the future", () => {
    fc.assert(
      fc.property(anySet, instant, anyDelays, (set, now, chosen) => {
        const after = advance(set, moments(1, chosen)(now));
        if (!after) return;
        expect(after.materials.slice(0, set.materials.length)).toEqual(set.materials);
        const dates = rotationDates(after);
        expect(dates).toEqual(dates.toSorted((a, b) => a - b));
        expect(dates.every((date) => date <= now)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("a disabled or pending primary rotates no more", () => {
    fc.assert(
      fc.property(anySet, instant, (set, now) => {
        const state = keyIn(set, P)?.state;
        if (state === "Enabled" || state === "Updating") return;
        const after = advance(set, moments(1)(now));
        const types = after?.materials.map((material) => material.rotation?.type);
        expect(types ?? []).not.toContain("AUTOMATIC");
      }),
    );
  });
});
