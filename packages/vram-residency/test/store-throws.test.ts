import { store } from "vram-simulator/tamper";
import { expect, it } from "vitest";
import { openWorkplace, patternBytes } from "./fixture.js";

// The only test of its file: on a GPU the process has no context any more after this.
it("where native code stores into the weights and fn then throws, the error is fn's own, and the worker is stopped all the same", async () => {
  const { residency } = await openWorkplace();
  const shard = await residency.seal(patternBytes(5000));
  const mine = new TypeError("mine");
  const running = residency.execute(shard, (lease) => {
    store(lease.view({ offset: 0, byteLength: 5000 }));
    throw mine;
  });
  await expect(running).rejects.toBe(mine);
  expect(residency.state).toBe("stopped");
  expect(residency.signal.reason).toMatchObject({ code: "DEVICE_LOST" });
});
