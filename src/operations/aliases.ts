// Aliases: names for keys in one account and Region.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html

import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { aliasArn, keyArn, rootArn } from "../domain/arn.ts";
import {
  type Alias,
  type Directory,
  type DirectoryEntry,
  directoryEntry,
  requireAliasName,
  requireKeyTarget,
} from "../domain/directory.ts";
import { predefinedAliases } from "../domain/managed-key.ts";
import { type Quotas, requireQuota } from "../domain/quota.ts";
import {
  aliasNotFound,
  KmsError,
  keyNotFound,
  notAllowedByResource,
  validation,
} from "../errors.ts";
import { type KeyAddress, namedKey } from "./key-address.ts";
import { timestamp } from "./key-metadata.ts";
import * as members from "./members.ts";
import { atEdge, type Caller, inDirectory, use } from "./operation.ts";
import { markerPosition, page, pageLimit } from "./pages.ts";
import { required } from "./shape.ts";

const ALIAS_PAGE = { standard: 50, max: 100 };

const aliasInput = {
  AliasName: required(members.aliasName),
  TargetKeyId: required(members.keyId),
};

export const aliases = {
  CreateAlias: atEdge({
    input: aliasInput,
    async run(edge, { AliasName, TargetKeyId }) {
      requireAliasName(AliasName);
      requireKeyTarget(TargetKeyId);
      const entry = await edge.onKey<DirectoryEntry>("CreateAliasTarget", TargetKeyId, {});
      return edge.onDirectory("PutNewAlias", { name: AliasName, entry });
    },
  }),

  UpdateAlias: atEdge({
    input: aliasInput,
    async run(edge, { AliasName, TargetKeyId }) {
      requireAliasName(AliasName);
      requireKeyTarget(TargetKeyId);
      const entry = await edge.onKey<DirectoryEntry>("UpdateAliasTarget", TargetKeyId, {});
      return edge.onDirectory("MoveAlias", { name: AliasName, entry });
    },
  }),

  DeleteAlias: inDirectory({
    input: { AliasName: required(members.aliasName) },
    run(directory, { AliasName }, caller) {
      requireAliasName(AliasName);
      existingAlias(directory, AliasName, caller);
      directory.deleteAlias(AliasName);
      return null;
    },
  }),

  /** A fresh account lists the names that AWS keeps for itself, without a key. */
  ListAliases: inDirectory({
    input: { KeyId: members.keyId, Limit: members.limit, Marker: members.marker },
    run(directory, input, caller) {
      const limit = pageLimit(input, ALIAS_PAGE);
      const after = markerPosition("ListAliases", input.Marker);
      const keyId = input.KeyId === undefined ? null : listedKey(directory, input.KeyId, caller);
      const own = directory.aliases(after, limit + 1, keyId);
      const all = keyId === null ? withPredefined(own, after) : own;
      const { items, output } = page("ListAliases", all, limit, (alias) => alias.name);
      return { Aliases: items.map((alias) => aliasListEntry(alias, caller)), ...output };
    },
  }),
};

interface AliasStep {
  readonly name: string;
  readonly entry: DirectoryEntry;
}

/** The parts of CreateAlias and UpdateAlias: one on the target key, one in the directory. */
export const aliasSteps = {
  CreateAliasTarget: use({
    input: {},
    state: "CreateAlias",
    action: "CreateAlias",
    use: ({ set, key }) => directoryEntry(set, key.region),
  }),

  UpdateAliasTarget: use({
    input: {},
    state: "UpdateAlias",
    action: "UpdateAlias",
    use: ({ set, key }) => directoryEntry(set, key.region),
  }),

  PutNewAlias: inDirectory({
    input: {},
    adds: true,
    run(directory, input, caller, now, quotas) {
      const { name, entry } = input as AliasStep;
      directory.putKey(entry);
      requireLive(directory, entry.keyId, caller);
      if (directory.alias(name)) {
        const arn = aliasArn(caller.region, caller.accountId, name);
        throw new KmsError(
          "AlreadyExistsException",
          `An alias with the name ${arn} already exists`,
        );
      }
      requireRoom(directory, entry.keyId, caller, quotas);
      directory.putAlias({ name, keyId: entry.keyId, createdAt: now, updatedAt: now });
      return null;
    },
  }),

  MoveAlias: inDirectory({
    input: {},
    adds: true,
    run(directory, input, caller, now, quotas) {
      const { name, entry } = input as AliasStep;
      directory.putKey(entry);
      requireLive(directory, entry.keyId, caller);
      const alias = existingAlias(directory, name, caller);
      requireSameUse(name, directory.key(alias.keyId), entry);
      if (alias.keyId !== entry.keyId) requireRoom(directory, entry.keyId, caller, quotas);
      directory.putAlias({ ...alias, keyId: entry.keyId, updatedAt: now });
      return null;
    },
  }),
};

function existingAlias(directory: Directory, name: string, caller: Caller): Alias {
  const alias = directory.alias(name);
  if (!alias) throw aliasNotFound(aliasArn(caller.region, caller.accountId, name));
  return alias;
}

/** The key may have gone between its own answer and now. */
function requireLive(directory: Directory, keyId: string, caller: Caller): void {
  if (!directory.key(keyId)) throw keyNotFound(keyArn(caller.region, caller.accountId, keyId));
}

function requireRoom(
  directory: Directory,
  keyId: string,
  { region, accountId }: Caller,
  quotas: Quotas,
): void {
  const wanted = directory.aliasCount(keyId) + 1;
  requireQuota("ALIASES_PER_KEY", wanted, quotas, keyArn(region, accountId, keyId));
}

/** An alias stays with keys of one kind and usage, so that what uses it goes on working. */
function requireSameUse(name: string, from: DirectoryEntry | null, to: DirectoryEntry): void {
  if (!from) return;
  if (from.keyUsage !== to.keyUsage) {
    throw validation(
      `Alias ${name} cannot be changed from a CMK with key usage ${from.keyUsage} to a CMK with key ` +
        `usage ${to.keyUsage}. The key usage of the current CMK and the new CMK must be the same.`,
    );
  }
  if (isKeyPairSpec(from.keySpec) !== isKeyPairSpec(to.keySpec)) {
    throw validation(
      `Alias ${name} cannot be changed from a CMK with key spec ${from.keySpec} to a CMK with key ` +
        `spec ${to.keySpec}. Both must be symmetric or both asymmetric.`,
    );
  }
}

/** The key that ListAliases is asked about: one of the caller's own. */
function listedKey(directory: Directory, keyId: string, caller: Caller): string {
  const named = namedKey(keyId, { invalidArn: true }, caller) as KeyAddress;
  const arn = keyArn(caller.region, named.accountId, named.keyId);
  if (named.accountId !== caller.accountId) {
    throw notAllowedByResource(rootArn(caller.region, caller.accountId), "ListAliases", arn);
  }
  if (!directory.key(named.keyId)) throw keyNotFound(arn);
  return named.keyId;
}

/** The account's own aliases with AWS's reserved ones among them, in the order of names. */
function withPredefined(own: readonly Alias[], after: string): readonly (Alias | NamedOnly)[] {
  const associated = new Set(own.map((alias) => alias.name));
  const predefined = predefinedAliases
    .filter((name) => name > after && !associated.has(name))
    .map((name) => ({ name }));
  return [...own, ...predefined].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface NamedOnly {
  readonly name: string;
}

function aliasListEntry(alias: Alias | NamedOnly, { region, accountId }: Caller): object {
  const named = {
    AliasName: alias.name,
    AliasArn: aliasArn(region, accountId, alias.name),
  };
  if (!("keyId" in alias)) return named;
  return {
    ...named,
    TargetKeyId: alias.keyId,
    CreationDate: timestamp(alias.createdAt),
    LastUpdatedDate: timestamp(alias.updatedAt),
  };
}
