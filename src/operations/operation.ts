// What an operation is: one record, which says what it takes and what it does. Six kinds; none
// knows HTTP, storage or Durable Objects.

import type { Attestation } from "../attestation/parse-attestation.ts";
import type { KeyStores, KeyStoresMoment, ProxyConfiguration } from "../domain/custom-key-store.ts";
import type { Directory } from "../domain/directory.ts";
import type { Key, KeyLastUsage, KeySet } from "../domain/key-set.ts";
import type { KeyUsage } from "../domain/key-spec.ts";
import type { KeyOperationName } from "../domain/key-state.ts";
import type { Moment, NewKeyPair } from "../domain/moment.ts";
import type { Principal, RequestContext } from "../domain/principal.ts";
import type { Quotas } from "../domain/quota.ts";
import type { Region } from "../domain/region.ts";
import type { KmsError } from "../errors.ts";
import type { FailureName } from "../xks/failures.ts";
import type { KeyIdForms } from "./key-address.ts";
import type { KeyStoreOfKey, KeyStoreWanted, OpenKeyStore } from "./key-store-of-key.ts";
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
  /** Of the principals that the request's policy or grant names, those that are known not to be. */
  readonly unknownPrincipals?: readonly string[];
}

/** What an operation finds: a key of the called Region in its set. */
export interface Target {
  readonly set: KeySet;
  readonly key: Key;
  readonly arn: string;
  /** When it was last used; null if never, left out where nothing asks. */
  readonly lastUsage?: KeyLastUsage | null;
  /** The custom key store that the key is in, where it is in one. */
  readonly keyStore?: OpenKeyStore;
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
  /** What is held before the key's usage and state are asked. */
  readonly precondition?: (target: Target, input: I) => void;
  /** The usage that the key has to have, which AWS holds before its state. */
  readonly keyUsage?: KeyUsage;
  /** Loads what it needs and others do not; awaited before the key is looked at. */
  readonly loads?: () => Promise<void>;
  /** The row of the key-state table, where it is not that of the operation's own name. */
  readonly state?: KeyOperationName;
  /** The permission it needs, where that is not the operation's own name. */
  readonly action?: string;
  /** Who may call it is its own rule, whatever policies say. */
  readonly ownPermission?: true;
  /** What to answer when there is no such key; NotFoundException where it is left out. */
  readonly missing?: (input: I, caller: Caller) => KmsError | null;
  /** Another key that it needs its permission on, where there is one. */
  readonly related?: (target: Target, input: I) => Target | null;
}

/** Uses a key and changes nothing; may await. */
export interface Use<I> extends KeyOperation<I> {
  readonly kind: "use";
  readonly use: (target: Target, input: I, at: Moment) => Output | Promise<Output>;
  /** Not a use of the key but the end of one that came to nothing, which then was none. */
  readonly undoesUsage?: boolean;
  /** The member of its answer that a Recipient gets encrypted; it is there if the input has one. */
  readonly forRecipient?: string;
}

/** Changes a key set. Synchronous, so that nothing can come between its check and its write. */
export interface Change<I> extends KeyOperation<I> {
  readonly kind: "change";
  /** The Region in which it makes a key, whose directory is asked for room beforehand. */
  readonly makesKeyIn?: (input: I) => Region | null;
  readonly change: (target: Target, input: I, at: Moment, caller: Caller) => Changed;
}

/** Starts a key set from nothing. */
export interface Create<I> {
  readonly kind: "create";
  /** What takes time is made beforehand: it may await, and knows no set. */
  readonly prepare: (input: I, caller: Caller, newKeyPair: NewKeyPair) => Promise<unknown>;
  /** The custom key store that the new key is to be in; null for most. Refuses what none takes. */
  readonly keyStore?: (input: I, caller: Caller) => KeyStoreWanted | null;
  readonly newKeyId: (input: I, random: Moment["random"]) => string;
  /** Tried with `prepared` null first: what is refused has nothing made for it. */
  readonly create: (
    keyId: string,
    input: I,
    prepared: unknown,
    caller: Caller,
    at: Moment,
    keyStore: KeyStoreOfKey | null,
  ) => Changed;
}

/** Reads or changes the directory of the caller's account and Region. */
export interface InDirectory<I> {
  readonly kind: "directory";
  /** It adds to the directory, which the tenant has to know of first. */
  readonly adds?: true;
  readonly run: (
    directory: Directory,
    input: I,
    caller: Caller,
    now: number,
    quotas: Quotas,
  ) => Output;
}

/** What an operation on custom key stores finds. */
export interface KeyStoresView {
  readonly keyStores: KeyStores;
  readonly keys: KeysInStores;
  readonly caller: Caller;
  readonly at: KeyStoresMoment;
}

/** Which keys are in which custom key store, those included that are being created. */
export interface KeysInStores {
  hasKeys(storeId: string): boolean;
  /** Whether a key of the store is associated with this external key. */
  hasExternalKey(storeId: string, xksKeyId: string): boolean;
}

export interface KeyStoresChanged {
  readonly keyStores: KeyStores;
  readonly output: Output;
}

/** Reads or changes the custom key stores of the caller's account and Region. */
export interface OnKeyStores<I> {
  readonly kind: "keyStores";
  /** It adds to the directory, which the tenant has to know of first. */
  readonly adds?: true;
  /** The proxy whose health has to be known first; null for none. It refuses what `run` refuses. */
  readonly asks?: (input: I, view: KeyStoresView) => ProxyConfiguration | null;
  /** Synchronous, like every change; `failure` is what came of asking the proxy. */
  readonly run: (input: I, view: KeyStoresView, failure: FailureName | null) => KeyStoresChanged;
}

/** Runs at the edge: alone, or by way of other operations. */
export interface AtEdge<I> {
  readonly kind: "edge";
  readonly run: (edge: Edge, input: I) => Output | Promise<Output>;
}

/** What an operation at the edge may ask for. */
export interface Edge {
  readonly caller: Caller;
  /** Who is answered in the caller's stead. */
  readonly recipient?: Attestation | undefined;
  readonly random: Moment["random"];
  /** Performs a step on the key that `keyId` names in any form; returns what the step returns. */
  onKey<T>(step: string, keyId: string, input: object): Promise<T>;
  /** Performs a step on the key that a ciphertext names. */
  onCiphertextKey<T>(step: string, ciphertext: string, input: object): Promise<T>;
  /** Performs a step in the directory of the caller's account and Region. */
  onDirectory<T>(step: string, input: object): Promise<T>;
  /** Performs a step on the custom key stores of the caller's account and Region. */
  onKeyStores<T>(step: string, input: object): Promise<T>;
}

interface Described<M extends Members> {
  readonly input: M;
}

/** How a key operation finds its key. Without KeyId the CiphertextBlob names it. */
type Routed = KeyIdForms;

export type KeyRecord = (Use<unknown> | Change<unknown>) & Described<Members> & Routed;
export type OperationRecord =
  | KeyRecord
  | ((Create<unknown> | InDirectory<unknown> | OnKeyStores<unknown> | AtEdge<unknown>) &
      Described<Members>);

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

export const onKeyStores = <M extends Members>(
  record: Described<M> & Omit<OnKeyStores<InputOf<M>>, "kind">,
) => ({ kind: "keyStores", ...record }) as unknown as OnKeyStores<unknown> & Described<Members>;

export const atEdge = <M extends Members>(
  record: Described<M> & Omit<AtEdge<InputOf<M>>, "kind">,
) => ({ kind: "edge", ...record }) as unknown as AtEdge<unknown> & Described<Members>;
