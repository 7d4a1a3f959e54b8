// The registry: every operation of the API that is built, and the steps of those that are composed.

import { aliases, aliasSteps } from "./aliases.ts";
import { customKeyStores, keyStoreSteps } from "./custom-key-stores.ts";
import { dataKeys } from "./data-keys.ts";
import { encryption, reEncryptSteps } from "./encryption.ts";
import { grantSteps, grants } from "./grants.ts";
import { identitySteps } from "./identity-step.ts";
import { imports } from "./imports.ts";
import { keyAgreement } from "./key-agreement.ts";
import { keyDeletion } from "./key-deletion.ts";
import { keys } from "./keys.ts";
import { lastUsage } from "./last-usage.ts";
import { macs } from "./macs.ts";
import { multiRegion } from "./multi-region.ts";
import type { Create, InDirectory, KeyRecord, OnKeyStores, OperationRecord } from "./operation.ts";
import { requireByAccount } from "./permission.ts";
import { policies } from "./policies.ts";
import { publicKeys } from "./public-keys.ts";
import { rotation } from "./rotation.ts";
import { signing } from "./signing.ts";
import { tags } from "./tags.ts";

/** What a caller can name in X-Amz-Target, by the guide's own headings. */
export const operations: Readonly<Record<string, OperationRecord>> = {
  ...keys,
  ...keyDeletion,
  ...multiRegion,
  ...rotation,
  ...imports,
  ...encryption,
  ...dataKeys,
  ...signing,
  ...macs,
  ...keyAgreement,
  ...publicKeys,
  ...grants,
  ...aliases,
  ...tags,
  ...policies,
  ...lastUsage,
  ...customKeyStores,
};

const all: Readonly<Record<string, OperationRecord>> = {
  ...operations,
  ...reEncryptSteps,
  ...grantSteps,
  ...aliasSteps,
  ...keyStoreSteps,
  ...identitySteps,
};

const ofKinds = (...kinds: readonly string[]) =>
  Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(all).filter(([, record]) => kinds.includes(record.kind))),
  );

/** What a key set performs, steps included. */
export const keyOperations: Readonly<Record<string, KeyRecord | Create<unknown>>> = ofKinds(
  "use",
  "change",
  "create",
);

/** What a directory performs, steps included. What callers can name takes IAM's permission. */
export const directoryOperations: Readonly<Record<string, InDirectory<unknown>>> = Object.assign(
  ofKinds("directory"),
  Object.fromEntries(
    Object.entries(operations).flatMap(([action, record]) =>
      record.kind === "directory" ? [[action, withPermission(action, record)]] : [],
    ),
  ),
);

function withPermission(action: string, record: InDirectory<unknown>): InDirectory<unknown> {
  return {
    ...record,
    run(directory, input, caller, now, quotas) {
      requireByAccount({ action, caller, input: input as object, now, resource: "*" });
      return record.run(directory, input, caller, now, quotas);
    },
  };
}

/** What is performed on custom key stores, steps included. */
export const keyStoreOperations: Readonly<Record<string, OnKeyStores<unknown>>> =
  ofKinds("keyStores");
