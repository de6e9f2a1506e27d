import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setLatency } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { openSimulated } from "./fixture.js";
import { MIB, NOTHING, loadInto, pattern } from "./simulated.js";

interface Outcome {
  readonly footprint: object;
  readonly zeroed: readonly boolean[];
  readonly failures?: readonly unknown[];
}

const program = fileURLToPath(new URL("programs/environment.mjs", import.meta.url));

/** Runs one scene of a program of its own on the built package, and reads the JSON it prints last. */
function runScene(scene: string, ...flags: string[]): Outcome {
  const output = execFileSync(process.execPath, [...flags, program, scene], { encoding: "utf8", timeout: 100_000 });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Outcome;
}

describe("the end of an environment", () => {
  it("CD-6 test_drop_never_panics process.exit with live allocations and a load in flight wipes and frees everything", () => {
    expect(runScene("exit")).toEqual({ footprint: NOTHING, zeroed: [true, true, true] });
  });

  it("the process ends by itself with live allocations, which are wiped and freed", () => {
    expect(runScene("end")).toEqual({ footprint: NOTHING, zeroed: [true, true] });
  });

  it("an uncaught error does not keep allocations from being wiped", () => {
    const { status, stdout } = spawnSync(process.execPath, [program, "throw"], { encoding: "utf8", timeout: 25_000 });
    expect(status).toBe(7);
    expect(JSON.parse(stdout.trim())).toEqual({ footprint: NOTHING, zeroed: [true, true] });
  });

  it("a worker thread that is terminated in the middle of its work wipes and frees its own, and only its own", () => {
    const { footprint, zeroed } = runScene("worker");
    expect(footprint).toEqual({ ...NOTHING, allocatedBytes: 36 * MIB, reservations: 2, contexts: 1, streams: 1, modules: 1 });
    expect(zeroed).toEqual([true, true]);
  });

  it("CD-6 MS-005 test_drop_never_panics worker threads that are terminated while operations settle do not end the process", { timeout: 120_000 }, () => {
    const { footprint, zeroed } = runScene("terminate-often");
    expect(footprint).toEqual(NOTHING);
    expect(zeroed).toHaveLength(8 * 9 + 1);
    expect(zeroed).not.toContain(false);
  });

  it("CD-6 MS-005 an allocation that is collected without a release is wiped and freed", () => {
    const { footprint, zeroed, failures } = runScene("collect", "--expose-gc");
    expect(footprint).toEqual(NOTHING);
    expect(zeroed).toEqual([true, true]);
    expect(failures).toEqual([]);
  });

  it("MS-005 a wipe that fails for a collected allocation is a teardown failure, and close tries again", () => {
    const { footprint, zeroed, failures } = runScene("collect-failing", "--expose-gc");
    expect(failures).toEqual([{ bufferId: expect.stringMatching(/^\d+$/) as string, code: "CUDA_FAILED" }]);
    expect(footprint).toEqual(NOTHING);
    expect(zeroed).toEqual([true, true]);
  });
});

describe("threads", () => {
  it("operations hold neither the event loop nor libuv's pool", async () => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(5000));
    setLatency("cuStreamSynchronize", 300);
    const order: string[] = [];
    const digests = Array.from({ length: 6 }, () => allocation.digest().then(() => order.push("digest")));
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      if (!order.includes("digest")) setImmediate(turn);
    };
    turn();
    const { readFile } = await import("node:fs/promises");
    const reads = Array.from({ length: 6 }, () => readFile(program).then(() => order.push("read")));
    await Promise.all([...digests, ...reads]);
    setLatency("cuStreamSynchronize", 0);
    expect(order.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "read"));
    expect(turns).toBeGreaterThan(20);
  });

  it("staging of a load stays small and is given back", async () => {
    const device = await openSimulated();
    const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
    const allocation = await device.allocate(96 * MIB);
    const chunk = new Uint8Array(MIB);
    await allocation.append(chunk);
    const before = rss();
    for (let i = 1; i < 96; i += 1) await allocation.append(chunk);
    // The simulated device's own 96 MiB lie in this process.
    expect(rss() - before).toBeLessThan(96 + 32);
    await allocation.finishLoad();
  });
});
