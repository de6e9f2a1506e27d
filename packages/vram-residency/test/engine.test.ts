import { linear } from "engine-addon";
import { simulatorStats } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import type { Lease } from "../src/index.js";
import { onGpu, openWorkplace } from "./fixture.js";
import { f32, safetensors } from "./safetensors.js";
import type { FileTensor } from "./safetensors.js";

/** What the example's kernel computes, on this processor. */
function linearOnHost(weights: Float32Array, x: Float32Array): Float32Array {
  return Float32Array.from({ length: weights.length / x.length }, (_, row) =>
    x.reduce((sum, element, column) => Math.fround(sum + Math.fround((weights[row * x.length + column] ?? NaN) * element)), 0),
  );
}

/** F32 from a fixed seed, over the whole range of exponents that do not overflow at once. */
function randomFloats(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 2 ** (state % 40 - 20);
  });
}

const matrix = (rows: number, columns: number, values: Float32Array): FileTensor => ({
  dtype: "F32",
  shape: [rows, columns],
  data: new Uint8Array(values.buffer),
});

/** An NaN is any NaN; all else is bit for bit. */
const bits = (values: Float32Array): string[] => [...values].map((value) => (Object.is(value, -0) ? "-0" : String(value)));

function viewOf(lease: Lease, name: string): ReturnType<Lease["view"]> {
  const tensor = lease.tensors.get(name);
  if (tensor === undefined) throw new Error("no such tensor");
  return lease.view(tensor);
}

async function openEngine(tensors: Readonly<Record<string, FileTensor>>) {
  const { residency } = await openWorkplace();
  const shard = await residency.seal(safetensors(tensors), { shardId: "w", format: "safetensors" });
  const run = (name: string, x: unknown): Promise<Float32Array> =>
    residency.execute(shard, (lease) => linear(viewOf(lease, name), x as Float32Array));
  return { residency, shard, run };
}

describe("the example engine", () => {
  it("computes on the device, from the view, what this processor computes from the file", async () => {
    const shapes = [[1, 1], [3, 5], [128, 64], [257, 129]] as const;
    const weights = shapes.map(([rows, columns], index) => randomFloats(rows * columns, index + 1));
    const { run } = await openEngine(
      Object.fromEntries(shapes.map(([rows, columns], k) => [`w${k}`, matrix(rows, columns, weights[k] ?? new Float32Array())])),
    );
    for (const [k, [, columns]] of shapes.entries()) {
      const x = randomFloats(columns, 100 + k);
      expect(bits(await run(`w${k}`, x))).toEqual(bits(linearOnHost(weights[k] ?? new Float32Array(), x)));
    }
  });

  it("does so for infinities, NaN, subnormals and zeros of both signs", async () => {
    const edges = [0, -0, 1, -1, 1e-45, -1e-45, 1.1754942e-38, 3.4028235e38, -3.4028235e38, Infinity, -Infinity, NaN];
    const weights = Float32Array.from(edges.flatMap((a) => edges.map((b) => [a, b])).flat());
    const { run } = await openEngine({ w: matrix(weights.length / 2, 2, weights) });
    for (const x of edges.map((edge) => Float32Array.of(edge, 0.5))) {
      expect(bits(await run("w", x))).toEqual(bits(linearOnHost(weights, x)));
    }
  });

  it("refuses another type, another shape, another x, an ended view and what is no view, and leaves nothing behind", async () => {
    const { residency, shard, run } = await openEngine({
      w: matrix(2, 3, randomFloats(6, 1)),
      flat: f32(1, 2, 3),
      whole: { dtype: "I32", shape: [1, 1], data: new Uint8Array(4) },
      empty: matrix(0, 3, new Float32Array()),
    });
    const held = () => {
      const { allocatedBytes, contexts, modules, reservations, streams } = simulatorStats();
      return { allocatedBytes, contexts, modules, reservations, streams };
    };
    const before = onGpu ? undefined : held();
    await expect(run("whole", Float32Array.of(1))).rejects.toThrow("view must hold F32");
    await expect(run("flat", Float32Array.of(1, 2, 3))).rejects.toThrow("row-major matrix");
    await expect(run("empty", Float32Array.of(1, 2, 3))).rejects.toThrow("rows and columns");
    await expect(run("w", Float32Array.of(1, 2))).rejects.toThrow("x must have as many elements");
    await expect(run("w", [1, 2, 3])).rejects.toThrow("x must be a Float32Array");
    await expect(run("w", undefined)).rejects.toThrow("x must be a Float32Array");
    for (const value of [{}, null, 7, "view", new Float32Array(3)]) {
      expect(() => linear(value as never, Float32Array.of(1))).toThrow("view must be what lease.view() gave");
    }
    expect(() => (linear as () => unknown)()).toThrow();
    const view = await residency.execute(shard, (lease) => viewOf(lease, "w"));
    expect(() => linear(view, Float32Array.of(1, 2, 3))).toThrow("the view has ended");
    await run("w", Float32Array.of(1, 2, 3));
    if (!onGpu) expect(held()).toEqual(before);
    expect(residency.state).toBe("ready");
  });
});
