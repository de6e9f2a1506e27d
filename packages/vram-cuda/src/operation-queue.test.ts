import { describe, expect, it } from "vitest";
import { OperationQueue } from "./operation-queue.js";

describe("OperationQueue", () => {
  it("starts the first operation before run returns", async () => {
    const queue = new OperationQueue();
    let started = false;
    const running = queue.run(async () => {
      started = true;
      await Promise.resolve();
    });
    expect(started).toBe(true);
    expect(queue.busy).toBe(true);
    await running;
    expect(queue.busy).toBe(false);
  });

  it("runs one at a time, in order, and goes on after a failure", async () => {
    const queue = new OperationQueue();
    const order: number[] = [];
    const running = [1, 2, 3].map((n) =>
      queue.run(async () => {
        await Promise.resolve();
        order.push(n);
        if (n === 2) throw new Error("second");
        return n;
      }),
    );
    expect(await Promise.allSettled(running)).toMatchObject([{ value: 1 }, { reason: { message: "second" } }, { value: 3 }]);
    expect(order).toEqual([1, 2, 3]);
    expect(queue.busy).toBe(false);
  });
});
