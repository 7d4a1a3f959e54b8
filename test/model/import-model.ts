// What a multi-Region key with imported material is to its callers: which materials there are, which
// Region has the bytes of which, until when. Materials are known by small numbers.

import type { Region } from "../../src/domain/region.ts";
import { delays } from "./model.ts";

export type ImportType = "NEW_KEY_MATERIAL" | "EXISTING_KEY_MATERIAL" | undefined;

interface ImportedKey {
  state: "Enabled" | "Disabled" | "PendingImport" | "Creating" | "Updating";
  /** When Creating or Updating ends. */
  until: number;
  /** When the bytes of each material expire; Infinity where they do not. */
  readonly bytes: Map<number, number>;
}

export class ImportModel {
  primary: Region;
  readonly keys = new Map<Region, ImportedKey>();
  /** Oldest first; the last one encrypts. */
  readonly materials: number[] = [];
  pending: number | null = null;
  rotating: { readonly material: number; readonly endsAt: number } | null = null;

  constructor(primary: Region) {
    this.primary = primary;
    this.keys.set(primary, { state: "PendingImport", until: Infinity, bytes: new Map() });
  }

  key(region: Region): ImportedKey {
    const key = this.keys.get(region);
    if (!key) throw new Error(`the model has no key in ${region}`);
    return key;
  }

  get next(): number | null {
    return this.pending ?? this.rotating?.material ?? null;
  }

  get known(): readonly number[] {
    return this.next === null ? this.materials : [...this.materials, this.next];
  }

  hasAll = ({ bytes }: ImportedKey) =>
    this.materials.length > 0 && this.materials.every((material) => bytes.has(material));

  /** Whether every key has the material that waits. */
  get isPendingEverywhere(): boolean {
    const { pending } = this;
    return pending !== null && [...this.keys.values()].every(({ bytes }) => bytes.has(pending));
  }

  /** The exception that the import meets, or null. */
  importRefusal(region: Region, material: number, type: ImportType): string | null {
    if (this.key(region).state === "Creating") return "KMSInvalidStateException";
    const isNew = type === "NEW_KEY_MATERIAL";
    if (isNew && region !== this.primary) return "UnsupportedOperationException";
    const known = this.known.includes(material);
    if (isNew || (type === undefined && this.materials.length === 0)) {
      if (known) return "IncorrectKeyMaterialException";
      return this.next === null ? null : "KMSInvalidStateException";
    }
    return known ? null : "IncorrectKeyMaterialException";
  }

  import(region: Region, material: number, validTo: number): void {
    const key = this.key(region);
    if (!this.known.includes(material)) {
      if (this.materials.length === 0) this.materials.push(material);
      else this.pending = material;
    }
    key.bytes.set(material, validTo);
    if (key.state === "PendingImport" && this.hasAll(key)) key.state = "Enabled";
  }

  /** Deletes or expires the bytes of one Region. */
  lose(region: Region, material: number): void {
    if (material === this.pending && region === this.primary) {
      for (const { bytes } of this.keys.values()) bytes.delete(material);
      this.pending = null;
      return;
    }
    const key = this.key(region);
    if (!key.bytes.delete(material) || !this.materials.includes(material)) return;
    if (key.state === "Enabled" || key.state === "Disabled") key.state = "PendingImport";
  }

  rotate(now: number): void {
    if (this.pending === null) throw new Error("nothing is pending");
    this.rotating = { material: this.pending, endsAt: now + delays.rotatingMs };
    this.pending = null;
  }

  enable(region: Region): void {
    const key = this.key(region);
    key.state = this.hasAll(key) ? "Enabled" : "PendingImport";
  }

  replicate(to: Region, now: number): void {
    const until = now + delays.creatingMs;
    this.keys.set(to, { state: "Creating", until, bytes: new Map() });
  }

  updatePrimary(to: Region, now: number): void {
    for (const key of [this.key(this.primary), this.key(to)]) {
      key.state = "Updating";
      key.until = now + delays.updatingMs;
    }
    this.primary = to;
  }

  /** Lets everything happen that happens until `now`, in the order of its instants. */
  tick(now: number): void {
    for (;;) {
      const [first] = this.#events().sort((a, b) => a.at - b.at);
      if (!first || first.at > now) return;
      first.happen();
    }
  }

  #events(): { readonly at: number; readonly happen: () => void }[] {
    const keys = [...this.keys];
    const states = keys.map(([, key]) => ({ at: key.until, happen: () => this.#settle(key) }));
    const expiries = keys.flatMap(([region, { bytes }]) =>
      [...bytes].map(([material, at]) => ({ at, happen: () => this.lose(region, material) })),
    );
    return [...states, { at: this.#rotationEnd(), happen: () => this.#endRotation() }, ...expiries];
  }

  #settle(key: ImportedKey): void {
    key.until = Infinity;
    key.state = this.hasAll(key) ? "Enabled" : "PendingImport";
  }

  /** Not before every replica that is being made is there. */
  #rotationEnd(): number {
    const creating = [...this.keys.values()].filter(({ state }) => state === "Creating");
    const ends = creating.map(({ until }) => until);
    return this.rotating ? Math.max(this.rotating.endsAt, ...ends) : Infinity;
  }

  #endRotation(): void {
    if (this.rotating) this.materials.push(this.rotating.material);
    this.rotating = null;
    for (const key of this.keys.values()) {
      if (key.state === "Enabled" && !this.hasAll(key)) key.state = "PendingImport";
    }
  }
}
