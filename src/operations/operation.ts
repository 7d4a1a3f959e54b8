// What an operation is: one record, which says what it takes and what it does. Five kinds; none
// knows HTTP, storage or Durable Objects.

import type { Directory } from "../domain/directory.ts";
import type { Key, KeySet } from "../domain/key-set.ts";
import type { KeyOperationName } from "../domain/key-state.ts";
import type { Moment, NewKeyPair } from "../domain/moment.ts";
import type { Principal, RequestContext } from "../domain/principal.ts";
import type { Region } from "../domain/region.ts";
import type { KmsError } from "../errors.ts";
import type { KeyIdForms } from "./key-address.ts";
import type { InputOf, Members } from "./shape.ts";

/** The JSON of an answer; null where AWS sends no body. */
export type Output = object | null;

/** Who calls, and the Region whose endpoint is called. */
export interface Caller {
  readonly accountId: string;
  readonly region: Region;
  /** Who of the account it is; its root where this is left out. */
  readonly principal?: Principal;
  /** What conditions may ask of the request; left out where no policy is evaluated. */
  readonly request?: RequestContext;
}

/** What an operation finds: a key of the called Region in its set. */
export interface Target {
  readonly set: KeySet;
  readonly key: Key;
  readonly arn: string;
}

export interface Changed {
  readonly set: KeySet;
  readonly output: Output;
}

interface KeyOperation<I> {
  /** Holds combinations of parameters to the rules that the model cannot state. */
  readonly check?: (input: I) => void;
  /** `primary`: refused on a replica. `multiRegionPrimary`: refused on a single-Region key too. */
  readonly designation?: "primary" | "multiRegionPrimary";
  /** What is held before the key's state is asked. */
  readonly precondition?: (target: Target, input: I) => void;
  /** The row of the key-state table, where it is not that of the operation's own name. */
  readonly state?: KeyOperationName;
  /** The permission it needs, where that is not the operation's own name. */
  readonly action?: string;
  /** Another key that it needs its permission on, where there is one. */
  readonly related?: (target: Target, input: I) => Target | null;
}

/** Uses a key and changes nothing; may await. */
export interface Use<I> extends KeyOperation<I> {
  readonly kind: "use";
  readonly use: (target: Target, input: I, at: Moment) => Output | Promise<Output>;
  /** What to answer when there is no such key; NotFoundException where it is left out. */
  readonly missing?: (input: I) => KmsError | null;
}

/** Changes a key set. Synchronous, so that nothing can come between its check and its write. */
export interface Change<I> extends KeyOperation<I> {
  readonly kind: "change";
  readonly change: (target: Target, input: I, at: Moment, caller: Caller) => Changed;
}

/** Starts a key set from nothing. */
export interface Create<I> {
  readonly kind: "create";
  /** What takes time is made beforehand: it may await, and knows no set. */
  readonly prepare: (input: I, caller: Caller, newKeyPair: NewKeyPair) => Promise<unknown>;
  readonly newKeyId: (input: I, random: Moment["random"]) => string;
  readonly create: (
    keyId: string,
    input: I,
    prepared: unknown,
    caller: Caller,
    at: Moment,
  ) => Changed;
}

/** Reads or changes the directory of the caller's account and Region. */
export interface InDirectory<I> {
  readonly kind: "directory";
  /** It adds to the directory, which the tenant has to know of first. */
  readonly adds?: true;
  readonly run: (directory: Directory, input: I, caller: Caller, now: number) => Output;
}

/** Runs at the edge: alone, or by way of other operations. */
export interface AtEdge<I> {
  readonly kind: "edge";
  readonly run: (edge: Edge, input: I) => Output | Promise<Output>;
}

/** What an operation at the edge may ask for. */
export interface Edge {
  readonly caller: Caller;
  readonly random: Moment["random"];
  /** Performs a step on the key that `keyId` names in any form; returns what the step returns. */
  onKey<T>(step: string, keyId: string, input: object): Promise<T>;
  /** Performs a step on the key that a ciphertext names. */
  onCiphertextKey<T>(step: string, ciphertext: string, input: object): Promise<T>;
  /** Performs a step in the directory of the caller's account and Region. */
  onDirectory<T>(step: string, input: object): Promise<T>;
}

interface Described<M extends Members> {
  readonly input: M;
}

/** How a key operation finds its key. Without KeyId the CiphertextBlob names it. */
type Routed = KeyIdForms;

export type KeyRecord = (Use<unknown> | Change<unknown>) & Described<Members> & Routed;
export type OperationRecord =
  | KeyRecord
  | ((Create<unknown> | InDirectory<unknown> | AtEdge<unknown>) & Described<Members>);

// The constructors tie an input's shape to the function that takes it, then forget the type: the
// registry holds records of every input.

export const use = <M extends Members>(
  record: Described<M> & Routed & Omit<Use<InputOf<M>>, "kind">,
) => ({ kind: "use", ...record }) as unknown as KeyRecord & Use<unknown>;

export const change = <M extends Members>(
  record: Described<M> & Routed & Omit<Change<InputOf<M>>, "kind">,
) => ({ kind: "change", ...record }) as unknown as KeyRecord & Change<unknown>;

export const create = <M extends Members>(
  record: Described<M> & Omit<Create<InputOf<M>>, "kind">,
) => ({ kind: "create", ...record }) as unknown as Create<unknown> & Described<Members>;

export const inDirectory = <M extends Members>(
  record: Described<M> & Omit<InDirectory<InputOf<M>>, "kind">,
) => ({ kind: "directory", ...record }) as unknown as InDirectory<unknown> & Described<Members>;

export const atEdge = <M extends Members>(
  record: Described<M> & Omit<AtEdge<InputOf<M>>, "kind">,
) => ({ kind: "edge", ...record }) as unknown as AtEdge<unknown> & Described<Members>;
