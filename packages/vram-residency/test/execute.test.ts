import { describe, expect, it } from "vitest";
import { deferred, openWorkplace, patternBytes, refusal } from "./fixture.js";

const MODEL_BYTES = 5 * 4096 + 100;

describe("execute", () => {
  it("verifies, runs fn on a lease and resolves to its result", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(MODEL_BYTES));
    const result = await place.residency.execute(shard, (lease) => lease.tensors.get("")?.byteLength);
    expect(result).toBe(MODEL_BYTES);
  });

  it("release waits for the execution that holds the shard", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(10));
    const order: string[] = [];
    const started = deferred();
    const finish = deferred();
    const running = residency.execute(shard, async () => {
      started.resolve();
      await finish.promise;
      order.push("executed");
    });
    await started.promise;
    const closing = shard.close().then(() => order.push("closed"));
    expect(shard.sealed).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(order).toEqual([]);
    finish.resolve();
    await Promise.all([running, closing]);
    expect(order).toEqual(["executed", "closed"]);
  });

  it("refuses close() inside fn instead of waiting for itself", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(10));
    const errors = await residency.execute(shard, async () => [await refusal(shard.close()), await refusal(residency.close())]);
    expect(errors).toMatchObject([{ code: "INVALID_INPUT" }, { code: "INVALID_INPUT" }]);
    expect(shard.sealed).toBe(true);
  });

  it.each([
    ["no shards", []],
    ["undefined", undefined],
    ["a number", 5],
  ])("refuses %s", async (_, shards) => {
    const { residency } = await openWorkplace();
    const error = await refusal(residency.execute(shards as never, () => undefined));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    expect(residency.state).toBe("ready");
  });
});
