// The last line of a test run, in a form that any CI can read.

import type { Reporter, TestCase, TestModule } from "vitest/node";

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
