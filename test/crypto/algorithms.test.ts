import { describe, expect, it } from "vitest";
import {
  encryptionAlgorithms,
  keyAgreementAlgorithms,
  keyEncapsulationAlgorithms,
  macAlgorithms,
  signingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { nistExamples } from "./nist.ts";
import { roundTrips } from "./round-trips.ts";
import { examples } from "./standards.ts";

describe("round trips", () => {
  it.each(roundTrips)("$title", ({ run }) => run());

  it("are made with every algorithm", () => {
    const tried = new Set(roundTrips.map(({ title }) => title.split(" ")[0]));
    const tables = [
      signingAlgorithms,
      encryptionAlgorithms,
      macAlgorithms,
      keyAgreementAlgorithms,
      keyEncapsulationAlgorithms,
    ];
    expect([...tried].sort()).toEqual(tables.flatMap((table) => Object.keys(table)).sort());
  });
});

describe("the standards' own examples", () => {
  it.each(examples)("$title", ({ run }) => run());
});

describe("NIST's samples", () => {
  it.each(nistExamples)("$title", ({ run }) => run());
});
