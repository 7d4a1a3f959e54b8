// One suite, with AWS's own SDK, against each of the servers that edge-kms can be.

import { afterAll, beforeAll, describe } from "vitest";
import { type Server, startMiniflare, startRaw, startWrangler } from "../support/servers.ts";
import { encryption } from "./suite/encryption.ts";
import { replication } from "./suite/replication.ts";
import { newStage, stageSettings } from "./suite/stage.ts";

const servers = [
  ["npm start (workerd)", startRaw],
  ["Miniflare", startMiniflare],
  ["wrangler dev", startWrangler],
] as const;

const parts = { replication, encryption };

describe.each(servers)("%s", (_name, start) => {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await start(stageSettings);
  });
  afterAll(() => server?.stop());
  describe.each(Object.entries(parts))("%s", (_part, play) =>
    play(() => newStage(server?.url ?? "")),
  );
});
