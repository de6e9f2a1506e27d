import { store } from "vram-simulator/tamper";
import { expect, it } from "vitest";
import { openWorkplace, patternBytes, refusal } from "./fixture.js";

// The only test of its file: on a GPU the process has no context any more after this.
it("native code that stores into the weights is stopped by the read-only mapping; the worker stops with DEVICE_LOST", async () => {
  const place = await openWorkplace();
  const { residency } = place;
  const shard = await residency.seal(patternBytes(5000));
  const results: number[] = [];
  const error = await refusal(
    residency.execute(shard, (lease) => {
      results.push(store(lease.view({ offset: 0, byteLength: 5000 })));
    }),
  );
  expect(results).toEqual([700]);
  expect(error).toMatchObject({ code: "DEVICE_LOST", kind: "fatal" });
  expect(residency.state).toBe("stopped");
  expect(residency.signal.reason).toBe(error);
  await shard.close();
  expect((await place.events()).find(({ type }) => type === "vram.shard.deallocated")).toMatchObject({
    data: { wiped: false, lost: true },
  });
});
