import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { SpanStatusCode, context, trace } from "@opentelemetry/api";
import type { TracerProvider } from "@opentelemetry/api";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { generate } from "vram-seal";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { traceOperations } from "../src/tracing.js";
import { flipSealedBit, openWorkplace, patternBytes, readEvents, refusal } from "./fixture.js";

const bytes = patternBytes(9000);
const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => {
  context.disable();
});

function startTracing(provider: TracerProvider = tracerProvider): void {
  exporter.reset();
  const tracing = traceOperations({ tracerProvider: provider });
  onTestFinished(() => {
    tracing.close();
  });
}

interface Tree {
  readonly name: string;
  readonly parts: readonly Tree[];
}

/** The spans that ended below one, in the order in which they began. */
function treeBelow(parentId: string | undefined): readonly Tree[] {
  const children = exporter.getFinishedSpans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === parentId);
  return children.map((span) => ({ name: span.name, parts: treeBelow(span.spanContext().spanId) }));
}

const leaf = (name: string): Tree => ({ name, parts: [] });

function spanNamed(name: string): ReadableSpan {
  const span = exporter.getFinishedSpans().find((each) => each.name === name);
  if (span === undefined) throw new Error(`no span ${name}`);
  return span;
}

async function inCallersSpan(operation: () => Promise<unknown>): Promise<string> {
  const span = tracerProvider.getTracer("caller").startSpan("caller");
  await context.with(trace.setSpan(context.active(), span), operation);
  span.end();
  return span.spanContext().spanId;
}

describe("spans", () => {
  it("are those of the operations, each with its parts, below the caller's", async () => {
    startTracing();
    const { residency } = await openWorkplace();
    expect(treeBelow(undefined)).toEqual([leaf("vram.open")]);
    const caller = await inCallersSpan(async () => {
      const shard = await residency.seal(bytes);
      await residency.execute(shard, () => undefined);
      await residency.attest(shard, { nonce: new Uint8Array(16) });
      await shard.close();
    });
    const verify = { name: "vram.verify", parts: [leaf("vram.digest")] };
    expect(treeBelow(caller)).toEqual([
      { name: "vram.seal", parts: ["load", "freeze", "digest", "sign"].map((name) => leaf(`vram.${name}`)) },
      { name: "vram.execute", parts: [verify] },
      { name: "vram.attest", parts: [verify] },
      leaf("vram.release"),
    ]);
  });

  it("of what the caller's fn calls lie below the span that it opened, or else below the execution", async () => {
    startTracing();
    const { residency } = await openWorkplace();
    const [held, other] = [await residency.seal(bytes), await residency.seal(bytes)];
    exporter.reset();
    let inner = "";
    await residency.execute(held, async () => {
      await residency.verify(other);
      inner = await inCallersSpan(() => residency.verify(other));
    });
    const verify = { name: "vram.verify", parts: [leaf("vram.digest")] };
    expect(treeBelow(inner)).toEqual([verify]);
    expect(treeBelow(spanNamed("vram.execute").spanContext().spanId)).toEqual([verify, verify]);
  });

  it("have the id that the trail has, names and byte counts", async () => {
    startTracing();
    const { residency } = await openWorkplace();
    await residency.seal(bytes, { shardId: "s", correlationId: "request:7" });
    const gpu = residency.devices[0]?.uuid;
    expect(spanNamed("vram.load").attributes).toEqual({ "vram.shard.id": "s", "vram.bytes": 9000, "vram.gpu.uuid": gpu, "vram.correlation_id": "request:7" });
  });

  it("of a refusal have its code, and its reason as an event", async () => {
    startTracing();
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    await flipSealedBit(residency, shard, 5000);
    exporter.reset();
    await refusal(residency.execute(shard, () => undefined));
    const { status, attributes, events } = spanNamed("vram.execute");
    expect([status, attributes["error.type"]]).toEqual([{ code: SpanStatusCode.ERROR, message: "SEAL_VERIFICATION_FAILED" }, "SEAL_VERIFICATION_FAILED"]);
    expect(events).toEqual([]);
    expect(spanNamed("vram.verify").events).toMatchObject([{ name: "vram.seal.verification_failed", attributes: { "vram.reason": "digest", "vram.rules": [] } }]);
  });

  it("do not tell what the caller's fn threw", async () => {
    startTracing();
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    const own = Object.assign(new Error("a secret"), { code: "a secret" });
    await expect(residency.execute(shard, () => Promise.reject(own))).rejects.toBe(own);
    const { status, events } = spanNamed("vram.execute");
    expect([status, events]).toEqual([{ code: SpanStatusCode.ERROR, message: "_OTHER" }, []]);
  });

  it("CI-006 test_seal_key_not_logged have no key in any attribute, event or status", async () => {
    startTracing();
    const secret = "an unmistakable weight";
    const place = await openWorkplace();
    const { residency, auditDir } = place;
    const path = await place.model(Buffer.from(secret.repeat(500)));
    const shard = await residency.seal(path);
    await residency.rotateSealKey(await generate());
    await residency.reseal(shard);
    await refusal(residency.verify({ ...shard.seal, mac: "AA==" }));
    const { mac } = shard.seal;
    const told = JSON.stringify(exporter.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })));
    expect(exporter.getFinishedSpans().length).toBeGreaterThan(10);
    for (const hidden of [secret.slice(0, 8), path, auditDir, mac]) expect(told).not.toContain(hidden);
    expect(told).not.toMatch(/0x[0-9a-f]{6}/);
  });

  it("end with the tracing", async () => {
    exporter.reset();
    const tracing = traceOperations({ tracerProvider });
    tracing.close();
    const { residency } = await openWorkplace();
    await residency.seal(bytes);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});

describe("a tracer that throws", () => {
  const throwing = { getTracer: () => { throw new Error("no tracer"); } };
  const spanThat = new Proxy({}, { get: () => () => { throw new Error("no span"); } });

  it.each([
    ["everywhere", throwing],
    ["in every span", { getTracer: () => ({ startSpan: () => spanThat }) }],
  ])("%s touches no operation", async (_, provider) => {
    startTracing(provider as unknown as TracerProvider);
    const { residency, auditDir } = await openWorkplace();
    const shard = await residency.seal(bytes);
    await residency.verify(shard);
    await refusal(residency.seal(bytes, { expect: { fsverity: "0".repeat(64) } }));
    await residency.close();
    expect((await readEvents(auditDir)).map(({ type }) => type)).toContain("vram.shard.verified");
  });
});
