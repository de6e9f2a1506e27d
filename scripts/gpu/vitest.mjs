// What the tests use of Vitest, out of its own packages: its whole has a bundler with it, which is larger than all the rest.
import { ASYMMETRIC_MATCHERS_OBJECT, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState } from "@vitest/expect";
import { getCurrentTest } from "@vitest/runner";
import { fn, spyOn } from "@vitest/spy";
import * as chai from "chai";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, test } from "@vitest/runner";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export function expect(value, message) {
  const assertion = chai.expect(value, message);
  const running = getCurrentTest();
  return running === undefined ? assertion : assertion.withTest(running);
}
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
// The matchers look here for their settings.
globalThis[GLOBAL_EXPECT] = expect;
setState({ assertionCalls: 0 }, expect);

export const vi = { fn, spyOn };
