import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Counter, Gauge, Registry, register as defaultRegister } from "prom-client";
import { directoryAnchor, openAuditLog } from "vram-audit";
import { generate } from "vram-seal";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openResidency } from "../src/index.js";
import { collectMetrics } from "../src/metrics.js";
import type { CollectMetricsOptions, VramMetrics } from "../src/metrics.js";
import { backend, flipSealedBit, itWithFaults, openWorkplace, patternBytes, refusal, temporaryFolder, watchedKey } from "./fixture.js";

const bytes = patternBytes(9000);

/** A collector that is closed after the test. */
function collected(options?: CollectMetricsOptions): VramMetrics {
  const metrics = collectMetrics(options);
  onTestFinished(() => {
    metrics.close();
  });
  return metrics;
}

/** The samples of a scrape by name and labels. */
async function scrape(metrics: VramMetrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

/** The samples that differ from those before, without times. */
async function changesWhile(metrics: VramMetrics, operation: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await scrape(metrics);
  await operation();
  const changed = [...(await scrape(metrics))].filter(([name, value]) => before.get(name) !== value && !/seconds|audit_log_events/.test(name));
  return Object.fromEntries(changed.map(([name, value]) => [name, value - (before.get(name) ?? 0)]));
}

describe("what happens is counted", () => {
  it("of seals, verifications, executions, releases", async () => {
    const metrics = collected();
    const { residency } = await openWorkplace();
    const [device] = residency.devices;
    const gpu = `{gpu_uuid="${device?.uuid ?? ""}"}`;
    const seal = () => residency.seal(bytes);
    const shard = await seal();
    expect(await changesWhile(metrics, seal)).toEqual({
      vram_seals_total: 1,
      [`vram_digest_bytes_total${gpu}`]: 9000,
      'vram_shards{state="sealed"}': 1,
      [`vram_shard_bytes${gpu}`]: 9000,
      [`vram_device_memory_used_bytes${gpu}`]: 2 ** 21,
      [`vram_device_memory_available_bytes${gpu}`]: -(2 ** 21),
    });
    expect(await changesWhile(metrics, () => residency.verify(shard))).toEqual({
      'vram_verifications_total{scope="whole"}': 1,
      [`vram_digest_bytes_total${gpu}`]: 9000,
    });
    expect(await changesWhile(metrics, () => residency.verify(shard, { range: { offset: 0, byteLength: 5 } }))).toEqual({
      'vram_verifications_total{scope="range"}': 1,
      [`vram_digest_bytes_total${gpu}`]: 5,
    });
    await residency.execute(shard, () => undefined);
    const after = await scrape(metrics);
    expect(after.get('vram_operation_duration_seconds_count{operation="execute"}')).toBe(1);
    expect(after.get('vram_operation_duration_seconds_count{operation="seal"}')).toBe(2);
    expect(after.get(`vram_digest_seconds_total${gpu}`)).toBeGreaterThan(0);
    expect(after.get("vram_audit_append_duration_seconds_count")).toBe(6);
    expect(after.get('vram_oldest_verification_age_seconds{state="sealed"}')).toBeGreaterThan(0);
    expect(await changesWhile(metrics, () => shard.close())).toMatchObject({ 'vram_deallocations_total{outcome="wiped"}': 1, 'vram_shards{state="sealed"}': -1 });
  });

  it("of what is refused, by reason, rule and code", async () => {
    const metrics = collected();
    const { residency } = await openWorkplace();
    const expectOther = () => refusal(residency.seal(bytes, { expect: { fsverity: "0".repeat(64) } }));
    expect(await changesWhile(metrics, expectOther)).toMatchObject({
      'vram_verification_failures_total{reason="expect"}': 1,
      'vram_operation_failures_total{operation="seal",code="INTEGRITY_VIOLATION"}': 1,
    });
    const shard = await residency.seal(bytes);
    const failingFn = () => residency.execute(shard, () => Promise.reject(new Error("mine"))).catch(() => undefined);
    expect(await changesWhile(metrics, failingFn)).toMatchObject({ 'vram_operation_failures_total{operation="execute",code="OTHER"}': 1 });
    await flipSealedBit(residency, shard, 5000);
    expect(await changesWhile(metrics, () => refusal(residency.verify(shard)))).toMatchObject({
      'vram_verification_failures_total{reason="digest"}': 1,
      'vram_operation_failures_total{operation="verify",code="SEAL_VERIFICATION_FAILED"}': 1,
      'vram_worker_stops_total{code="SEAL_VERIFICATION_FAILED"}': 1,
      'vram_workers{state="ready"}': -1,
      'vram_workers{state="stopped"}': 1,
    });
    expect(await changesWhile(metrics, () => residency.close())).toMatchObject({ 'vram_workers{state="stopped"}': -1 });
  });

  itWithFaults("of a policy that refuses the machine", async () => {
    const metrics = collected();
    const refused = () => refusal(openWorkplace({ policy: {} }));
    expect(await changesWhile(metrics, refused)).toMatchObject({
      'vram_policy_violations_total{rule="backend-allowed"}': 1,
      'vram_operation_failures_total{operation="open",code="POLICY_VIOLATION"}': 1,
    });
  });

  it("of a trail that takes nothing", async () => {
    const metrics = collected();
    const audit = await openAuditLog({ dir: `${await temporaryFolder()}/audit` });
    const { residency } = await openWorkplace({ audit });
    vi.spyOn(audit, "append").mockRejectedValue(Object.assign(new Error("full"), { name: "AuditError", code: "AUDIT_UNAVAILABLE", details: {} }));
    const changes = await changesWhile(metrics, () => refusal(residency.seal(bytes)));
    expect(changes["vram_audit_append_failures_total"]).toBeGreaterThan(0);
    expect(changes).toMatchObject({ 'vram_workers{state="stopped"}': 1, 'vram_worker_stops_total{code="AUDIT_UNAVAILABLE"}': 1 });
    expect(changes).not.toHaveProperty("vram_seals_total");
  });

  it("of a key that cannot be used", async () => {
    const metrics = collected();
    let gone = false;
    const sealKey = watchedKey(await generate(), () => {
      if (gone) throw Object.assign(new Error("gone"), { name: "SealError", code: "KEY_UNAVAILABLE", details: {} });
    });
    const { residency } = await openWorkplace({ sealKey });
    const shard = await residency.seal(bytes);
    gone = true;
    expect(await changesWhile(metrics, () => refusal(residency.verify(shard)))).toMatchObject({
      'vram_operation_failures_total{operation="verify",code="KEY_UNAVAILABLE"}': 1,
    });
  });
});

describe("how residencies stand is read at a scrape", () => {
  it("of a scrub, and of the anchor", async () => {
    const metrics = collected();
    const folder = await temporaryFolder();
    const audit = await openAuditLog({ dir: `${folder}/audit`, anchors: [directoryAnchor(`${folder}/anchor`)] });
    const { origin } = audit.head();
    const { residency } = await openWorkplace({ audit });
    const [device] = residency.devices;
    const ratio = `vram_scrub_progress_ratio{gpu_uuid="${device?.uuid ?? ""}"}`;
    await residency.seal(bytes);
    expect((await scrape(metrics)).has(ratio)).toBe(false);
    const scrubber = residency.startScrub({ periodMs: 1, rangeBytes: 4096 });
    await expect.poll(async () => (await scrape(metrics)).get("vram_scrub_passes_total")).toBeGreaterThan(0);
    expect((await scrape(metrics)).get(ratio)).toBeLessThanOrEqual(1);
    expect((await scrape(metrics)).get('vram_operation_duration_seconds_count{operation="scrub"}')).toBeGreaterThanOrEqual(3);
    await scrubber.close();
    const labels = `{origin="${origin}",anchor="directory"}`;
    const standing = await scrape(metrics);
    expect(standing.get(`vram_audit_anchor_lag_events${labels}`)).toBeGreaterThan(0);
    expect(standing.get(`vram_audit_anchor_failing${labels}`)).toBe(0);
    expect(standing.get(`vram_audit_log_events{origin="${origin}"}`)).toBe(residency.auditTrail.size);
    expect(standing.get('vram_audit_trails{state="open"}')).toBe(1);
  });

  it("of several on one device, together, until they are closed", async () => {
    const metrics = collected();
    const { residency: first } = await openWorkplace();
    const second = await openResidency({ ...backend, workerId: "second", sealKey: await generate(), audit: await openAuditLog({ dir: `${await temporaryFolder()}/audit` }) });
    onTestFinished(() => second.close());
    await first.seal(bytes);
    await second.seal(bytes);
    const [device] = first.devices;
    const memory = async (kind: string) => (await scrape(metrics)).get(`vram_device_memory_${kind}bytes{gpu_uuid="${device?.uuid ?? ""}"}`);
    const { totalBytes, reservedBytes } = first.capacity();
    expect([await memory(""), await memory("used_"), await memory("reserved_")]).toEqual([totalBytes, 2 ** 22, 2 * reservedBytes]);
    expect(await memory("available_")).toBe(totalBytes - 2 ** 22 - 2 * reservedBytes);
    await second.close();
    expect(await memory("used_")).toBe(2 ** 21);
    await first.close();
    expect(await memory("used_")).toBeUndefined();
    expect((await scrape(metrics)).get('vram_shards{state="sealed"}')).toBe(0);
  });
});

describe("every failure begins at 0", () => {
  it.each([
    ["vram_operation_failures_total", 14 * 16],
    ["vram_verification_failures_total", 11],
    ["vram_repair_refusals_total", 6],
    ["vram_policy_violations_total", 33],
    ["vram_worker_stops_total", 15],
    ["vram_deallocations_total", 3],
    ["vram_audit_append_failures_total", 1],
    ["vram_metrics_errors_total", 1],
  ])("%s has %i series before anything happens", async (name, count) => {
    const series = [...(await scrape(collected()))].filter(([each]) => each.split("{")[0] === name);
    expect(series.map(([, value]) => value)).toEqual(Array.from({ length: count }, () => 0));
  });

  it("and so do quarantines of a device, once a worker is opened on it", async () => {
    const metrics = collected();
    const { residency } = await openWorkplace();
    expect((await scrape(metrics)).get(`vram_device_quarantines_total{gpu_uuid="${residency.devices[0]?.uuid ?? ""}"}`)).toBe(0);
  });
});

describe("a collector that fails touches no operation", () => {
  it("where counting throws, and says that it did", async () => {
    const metrics = collected();
    const { register } = metrics;
    const counters = ["vram_seals_total", "vram_verifications_total", "vram_digest_bytes_total"].map((name) => register.getSingleMetric(name)).filter((metric) => metric instanceof Counter);
    expect(counters).toHaveLength(3);
    const broken = counters.map((counter) =>
      vi.spyOn(counter, "inc").mockImplementation(() => {
        throw new Error("no counting");
      }),
    );
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes);
    await residency.verify(shard);
    for (const each of broken) each.mockRestore();
    const standing = await scrape(metrics);
    expect(standing.get("vram_metrics_errors_total")).toBeGreaterThan(2);
    expect(standing.get("vram_seals_total")).toBe(0);
  });

  it("where reading throws, and the rest is still told", async () => {
    const metrics = collected();
    const { residency } = await openWorkplace();
    await residency.seal(bytes);
    vi.spyOn(residency, "shards", "get").mockImplementation(() => {
      throw new Error("no reading");
    });
    const standing = await scrape(metrics);
    expect(standing.get("vram_seals_total")).toBe(1);
    expect((await scrape(metrics)).get("vram_metrics_errors_total")).toBeGreaterThan(0);
  });
});

describe("the registry", () => {
  it("is the caller's, or one of OpenMetrics; prom-client's own stays empty", async () => {
    expect(collected().contentType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    const register = new Registry();
    const metrics = collected({ register });
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    const own = new Gauge({ name: "mine", help: "Mine.", registers: [register] });
    own.set(7);
    expect((await scrape(metrics)).get("mine")).toBe(7);
    expect(() => collectMetrics({ register })).toThrow("has already been registered");
    expect(await defaultRegister.metrics()).toBe("\n");
    metrics.close();
    expect(register.getMetricsAsArray().map(({ name }) => name)).toEqual(["mine"]);
  });

  it("counts nothing once it is closed", async () => {
    const metrics = collected();
    metrics.close();
    await openWorkplace();
    expect(await metrics.text()).toBe("\n# EOF\n");
  });

  it("has the metrics of the guide, and no label for a shard", async () => {
    const metrics = collected({ register: new Registry() });
    await openWorkplace({ audit: await openAuditLog({ dir: `${await temporaryFolder()}/audit`, anchors: [directoryAnchor(`${await temporaryFolder()}/anchor`)] }) });
    await metrics.text();
    const registered = metrics.register.getMetricsAsArray().map((metric) => {
      const { name, help, type, labelNames } = metric as unknown as { name: string; help: string; type: string; labelNames: readonly string[] };
      return `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(", ")} | ${help} |`;
    });
    const guide = readFileSync(fileURLToPath(new URL("../../../docs/guide/metrics.md", import.meta.url)), "utf8");
    expect(guide.split("\n").filter((line) => line.startsWith("| `vram_")).sort()).toEqual(registered.sort());
    expect(await metrics.text()).not.toMatch(/shard_id|shardId/);
  });
});
