// One suite, with AWS's own SDK, against each of the servers that edge-kms can be.

import { afterAll, beforeAll, describe } from "vitest";
import { type Server, startMiniflare, startRaw, startWrangler } from "../support/servers.ts";
import { accounts } from "./suite/accounts.ts";
import { deletion } from "./suite/deletion.ts";
import { encryption } from "./suite/encryption.ts";
import { encryptionSdk } from "./suite/encryption-sdk.ts";
import { grants } from "./suite/grants.ts";
import { imports } from "./suite/imports.ts";
import { lastUsage } from "./suite/last-usage.ts";
import { policies } from "./suite/policies.ts";
import { primaryChange } from "./suite/primary-change.ts";
import { recipient } from "./suite/recipient.ts";
import { replication } from "./suite/replication.ts";
import { resources } from "./suite/resources.ts";
import { rotation } from "./suite/rotation.ts";
import { simultaneous } from "./suite/simultaneous.ts";
import { newStage, stageSettings } from "./suite/stage.ts";

const servers = [
  ["npm start (workerd)", startRaw],
  ["Miniflare", startMiniflare],
  ["wrangler dev", startWrangler],
] as const;

/** Moving the clock reaches every account so far, so what moves it most comes first. */
const parts = {
  rotation,
  deletion,
  imports,
  "primary change": primaryChange,
  replication,
  encryption,
  "AWS Encryption SDK": encryptionSdk,
  resources,
  recipient,
  "last usage": lastUsage,
  grants,
  accounts,
  policies,
  simultaneous,
};

// The servers side by side; on each, one test after the other, as they share its clock.
describe.each(servers)("%s", { concurrent: true }, (_name, start) => {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await start(stageSettings);
  });
  afterAll(() => server?.stop());
  describe.each(Object.entries(parts))("%s", { concurrent: false }, (_part, play) =>
    play(() => newStage(server?.url ?? "")),
  );
});
