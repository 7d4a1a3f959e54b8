// The last line of a test run, in a form that any CI can read.

import type { Reporter, TestCase, TestModule } from "vitest/node";

// vitest prints failures with it and breaks off where it is not there, as on Node 20, on which vitest
// does not promise to run and this project does.
Map.groupBy ??= <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K) => {
  const groups = new Map<K, T[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map(stateOf));
    const count = (state: string) => states.filter((each) => each === state).length;
    // A file that could not be loaded, and an error outside any test, are failures too.
    const broken = modules.filter(
      (module) => module.state() === "failed" && module.errors().length,
    );
    const failed = count("failed") + count("pending") + broken.length + errors.length;
    process.once("exit", () =>
      console.log(`${count("passed")} passed, ${failed} failed, ${count("skipped")} skipped`),
    );
  }
}

const stateOf = (test: TestCase) => test.result().state;
