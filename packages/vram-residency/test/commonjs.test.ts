import { createRequire } from "node:module";
import { expect, it, onTestFinished } from "vitest";
import { backend, openWorkplace, patternBytes, temporaryFolder } from "./fixture.js";

const require = createRequire(import.meta.url);
const main = require("../dist/index.cjs") as typeof import("../src/index.js");
const { collectMetrics } = require("../dist/metrics.cjs") as typeof import("../src/metrics.js");
const { traceOperations } = require("../dist/tracing.cjs") as typeof import("../src/tracing.js");

it("CommonJS has the facade, its metrics and its spans, which work together", async () => {
  await openWorkplace();
  const metrics = collectMetrics();
  const spans: string[] = [];
  const span = { setAttribute: () => span, setStatus: () => span, addEvent: () => span, end: () => span };
  const tracer = { startSpan: (name: string) => (spans.push(name), span) };
  const tracing = traceOperations({ tracerProvider: { getTracer: () => tracer } as never });
  const audit = await main.openAuditLog({ dir: `${await temporaryFolder()}/audit` });
  const residency = await main.openResidency({ ...backend, workerId: "w", sealKey: await main.generate(), audit });
  onTestFinished(async () => {
    await residency.close();
    tracing.close();
    metrics.close();
  });
  const shard = await residency.seal(patternBytes(5000));
  await residency.verify(shard);
  await expect(residency.seal(patternBytes(5000), { expect: { fsverity: "0".repeat(64) } })).rejects.toMatchObject({ code: "INTEGRITY_VIOLATION" });
  expect(spans).toEqual(expect.arrayContaining(["vram.open", "vram.seal", "vram.verify"]));
  const text = await metrics.text();
  expect(text).toContain('vram_shards{state="sealed"} 1');
  expect(text).toContain('vram_operation_failures_total{operation="seal",code="INTEGRITY_VIOLATION"} 1');
});
