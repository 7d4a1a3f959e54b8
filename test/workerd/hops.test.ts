// Whom a call asks that is signed and evaluated: the key's own object, and a directory only where a
// policy of the caller's names aliases.

import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { handle } from "../../src/api/handle.ts";
import { readConfiguration } from "../../src/configuration/document.ts";
import { DirectoryObject } from "../../src/objects/directory-object.ts";
import { KeySetObject } from "../../src/objects/key-set-object.ts";
import { DEFAULT_GENERATION } from "../../src/objects/names.ts";
import { TenantObject } from "../../src/objects/tenant-object.ts";
import { workerSettingsFrom } from "../../src/settings.ts";
import { ACCOUNT, alice, bob, kmsCall } from "../support/people.ts";
import { allow, policy } from "../support/principals.ts";
import { type Signing, signed } from "../support/signer.ts";
import { tenant, useTestClock } from "./account.ts";

const URL = "http://localhost";

useTestClock();

async function kms(who: Signing, operation: string, input: object) {
  const { path, method, headers, body } = signed(kmsCall(URL, operation, input), who);
  const request = new Request(URL + path, { method, headers: headers as [string, string][], body });
  const settings = { ...workerSettingsFrom(env), auth: "required" as const };
  const service = { env, settings, generation: DEFAULT_GENERATION };
  const text = await (await handle(request, service)).text();
  return JSON.parse(text || "{}") as Record<string, unknown>;
}

const keyOf = ({ accessKeyId: id, secret }: typeof alice) => ({ accessKeys: [{ id, secret }] });

test("the key's object alone, and a directory where a policy names aliases", async () => {
  const aliases = { "ForAnyValue:StringLike": { "kms:ResourceAliases": "alias/app*" } };
  const users = {
    alice: { ...keyOf(alice), policies: [policy(allow("kms:*"))] },
    bob: { ...keyOf(bob), policies: [policy(allow("kms:Encrypt", { Condition: aliases }))] },
  };
  const configuration = JSON.stringify({ accounts: { [ACCOUNT]: { users } } });
  await tenant().putConfiguration(await readConfiguration(configuration));
  const made = await kms(alice, "CreateKey", {});
  const { KeyId } = made.KeyMetadata as { KeyId: string };
  await kms(alice, "CreateAlias", { AliasName: "alias/app", TargetKeyId: KeyId });

  const hops = vi.spyOn(KeySetObject.prototype, "perform");
  const others = [
    vi.spyOn(DirectoryObject.prototype, "perform"),
    vi.spyOn(DirectoryObject.prototype, "resolveAlias"),
    vi.spyOn(TenantObject.prototype, "configuration"),
  ];
  const fetched = vi.spyOn(DirectoryObject.prototype, "aliasesOf");
  const encrypt = { KeyId, Plaintext: btoa("text") };

  expect(await kms(alice, "Encrypt", encrypt)).toHaveProperty("CiphertextBlob");
  expect(hops).toHaveBeenCalledTimes(1);
  expect(fetched).not.toHaveBeenCalled();
  expect(await kms(bob, "Encrypt", encrypt)).toHaveProperty("CiphertextBlob");
  expect(hops).toHaveBeenCalledTimes(2);
  expect(fetched).toHaveBeenCalledTimes(1);
  for (const other of others) expect(other).not.toHaveBeenCalled();
});
