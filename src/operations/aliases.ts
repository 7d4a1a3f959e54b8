// Aliases: names for keys in one account and Region.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html

import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { aliasArn, keyArn } from "../domain/arn.ts";
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
import { aliasNotFound, KmsError, keyNotFound, keyOutOfReach, validation } from "../errors.ts";
import { requireAliasPermission } from "./identity-step.ts";
import { type KeyAddress, namedKey } from "./key-address.ts";
import { timestamp } from "./key-metadata.ts";
import * as members from "./members.ts";
import { atEdge, type Caller, type Edge, inDirectory, use } from "./operation.ts";
import { markerPosition, page, pageLimit } from "./pages.ts";
import { callerArn } from "./permission.ts";
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
      await requireAliasPermission(edge, "CreateAlias", { AliasName });
      const entry = await edge.onKey<DirectoryEntry>("CreateAliasTarget", TargetKeyId, {});
      return edge.onDirectory("PutNewAlias", { name: AliasName, entry });
    },
  }),

  UpdateAlias: atEdge({
    input: aliasInput,
    async run(edge, { AliasName, TargetKeyId }) {
      requireAliasName(AliasName);
      requireKeyTarget(TargetKeyId);
      await requireAliasPermission(edge, "UpdateAlias", { AliasName });
      const entry = await edge.onKey<DirectoryEntry>("UpdateAliasTarget", TargetKeyId, {});
      return withAliasedKey(edge, AliasName, "UpdateAliasSource", (from) =>
        edge.onDirectory("MoveAlias", { name: AliasName, entry, from }),
      );
    },
  }),

  DeleteAlias: atEdge({
    input: { AliasName: required(members.aliasName) },
    async run(edge, { AliasName }) {
      requireAliasName(AliasName);
      await requireAliasPermission(edge, "DeleteAlias", { AliasName });
      return withAliasedKey(edge, AliasName, "DeleteAliasTarget", (from) =>
        edge.onDirectory("RemoveAlias", { name: AliasName, from }),
      );
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

/**
 * Changes an alias once `step` was allowed on the key it is of: again where the alias has come to
 * another key meanwhile, on which nobody was asked.
 */
async function withAliasedKey(
  edge: Edge,
  name: string,
  step: string,
  change: (keyId: string) => Promise<ChangedAlias>,
): Promise<null> {
  for (;;) {
    const { keyId } = await edge.onDirectory<AliasedKey>("AliasedKey", { name });
    await edge.onKey(step, keyId, {});
    if ((await change(keyId)).done) return null;
  }
}

interface AliasedKey {
  readonly keyId: string;
}

/** Not done where the alias is no longer of the key on which the caller was allowed to. */
interface ChangedAlias {
  readonly done: boolean;
}

interface AliasStep {
  readonly name: string;
  readonly entry: DirectoryEntry;
  /** The key that the alias has to be of. */
  readonly from: string;
}

/** The parts of the operations on aliases: those on keys, and those in the directory. */
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

  /** The key that loses the alias; its state does not matter. */
  UpdateAliasSource: use({
    input: {},
    state: "DeleteAlias",
    action: "UpdateAlias",
    use: () => null,
  }),

  DeleteAliasTarget: use({
    input: {},
    state: "DeleteAlias",
    action: "DeleteAlias",
    use: () => null,
  }),

  AliasedKey: inDirectory({
    input: {},
    run(directory, input, caller) {
      const { name } = input as AliasStep;
      return { keyId: existingAlias(directory, name, caller).keyId };
    },
  }),

  RemoveAlias: inDirectory({
    input: {},
    run(directory, input, caller): ChangedAlias {
      const { name, from } = input as AliasStep;
      const done = existingAlias(directory, name, caller).keyId === from;
      if (done) directory.deleteAlias(name);
      return { done };
    },
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
    run(directory, input, caller, now, quotas): ChangedAlias {
      const { name, entry, from } = input as AliasStep;
      directory.putKey(entry);
      requireLive(directory, entry.keyId, caller);
      const alias = existingAlias(directory, name, caller);
      if (alias.keyId !== from) return { done: false };
      requireSameUse(name, directory.key(alias.keyId), entry);
      if (alias.keyId !== entry.keyId) requireRoom(directory, entry.keyId, caller, quotas);
      directory.putAlias({ ...alias, keyId: entry.keyId, updatedAt: now });
      return { done: true };
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
    throw keyOutOfReach(callerArn(caller), "ListAliases", "named");
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
