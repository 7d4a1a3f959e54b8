// Every operation of the registry, called with success by AWS's own SDK on what `npm start` runs. An
// operation that is added and has no story here fails, as does a story that does not call its own.

import { afterAll, beforeAll, expect, test } from "vitest";
import { operations } from "../../src/operations/index.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { cryptography } from "./stories/cryptography.ts";
import { keys } from "./stories/keys.ts";
import { outside } from "./stories/outside.ts";
import { resources } from "./stories/resources.ts";
import { P, R, type Stories } from "./stories/story.ts";
import { newStage, type Stage, stageSettings } from "./suite/stage.ts";

const families = [keys, cryptography, resources, outside];
const stories: Stories = Object.assign({}, ...families);

let server: Server | undefined;
beforeAll(async () => {
  server = await startRaw(stageSettings);
});
afterAll(() => server?.stop());

test("each operation has one story", () => {
  const told = families.flatMap((family) => Object.keys(family));
  expect(told.sort()).toEqual(Object.keys(operations).sort());
});

test.for(Object.keys(operations).sort())("%s", async (operation) => {
  const stage = newStage(server?.url ?? "");
  const succeeded = successesOf(stage);
  await stories[operation]?.(stage);
  expect([...succeeded]).toContain(operation);
});

/** The operations that the SDK's clients of a stage have called with success, as they come. */
function successesOf(stage: Stage): ReadonlySet<string> {
  const succeeded = new Set<string>();
  for (const region of [P, R]) {
    stage.in(region).middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args);
          succeeded.add((commandName ?? "").replace(/Command$/, ""));
          return answer;
        },
      { step: "initialize" },
    );
  }
  return succeeded;
}
