// The same broken inputs as in test/operations/constraints.test.ts, over the wire.

import { afterAll, beforeAll, expect, test } from "vitest";
import { operations } from "../../src/operations/index.ts";
import { brokenInputs, withSortedSets } from "../support/broken-inputs.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { caller } from "./wire.ts";

let server: Server | undefined;
beforeAll(async () => {
  server = await startRaw({ auth: "open" });
});
afterAll(() => server?.stop());

const call = caller(() => server);

test.for(Object.keys(operations).sort())("%s", async (operation) => {
  for (const { name, input, text } of brokenInputs(operation)) {
    const { status, json } = await call(operation, input);
    const { __type, message } = json as { __type?: string; message?: string };
    expect({ name, status, __type, message: message && withSortedSets(message) }).toEqual({
      name,
      status: 400,
      __type: text === null ? "SerializationException" : "ValidationException",
      message: text === null ? expect.any(String) : withSortedSets(text),
    });
  }
});
