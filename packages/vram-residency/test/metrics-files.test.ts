import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Registry } from "prom-client";
import { directoryAnchor, openAuditLog, VERIFICATION_FAILURE_REASONS } from "vram-audit";
import { describe, expect, it, onTestFinished } from "vitest";
import { collectMetrics } from "../src/metrics.js";
import type { CollectMetricsOptions } from "../src/metrics.js";
import { itWithTool } from "../../vram-seal/test/support/tool.js";
import { openWorkplace, patternBytes, temporaryFolder } from "./fixture.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, "utf8");
const rules = read("deploy/prometheus/vram.rules.yml");
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? "");
const ruleExpressions = [...rules.matchAll(/expr: '(.*)'$/gm)].map(([, expression]) => (expression ?? "").replaceAll("''", "'"));
const dashboard = JSON.parse(read("deploy/grafana/vram.json")) as { readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[] };
const panelExpressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** What a program says, which must succeed. */
function run(tool: string, parameters: readonly string[], input = ""): string {
  const { error, status, stdout, stderr } = spawnSync(tool, parameters, { input, cwd: `${root}/deploy/prometheus`, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${tool} failed with ${String(status)}: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** A scrape of a worker with a shard, a scrub and an anchor, so that no metric is without a sample. */
async function scraped(options?: CollectMetricsOptions): Promise<string> {
  const metrics = collectMetrics(options);
  onTestFinished(() => {
    metrics.close();
  });
  const folder = await temporaryFolder();
  const { residency } = await openWorkplace({ audit: await openAuditLog({ dir: `${folder}/audit`, anchors: [directoryAnchor(`${folder}/anchor`)] }) });
  await residency.seal(patternBytes(5000));
  const scrubber = residency.startScrub({ periodMs: 1 });
  await expect.poll(() => residency.shards[0]?.scrub?.passes).toBeGreaterThan(0);
  const text = await metrics.text();
  await scrubber.close();
  return text;
}

describe("Prometheus takes the metrics", () => {
  itWithTool("promtool")("as text that its linter finds nothing in", async () => {
    expect(run("promtool", ["check", "metrics"], await scraped({ register: new Registry() }))).toBe("");
  });

  itWithTool("promtool")("as OpenMetrics", async () => {
    const folder = await temporaryFolder();
    // It reads samples of the past, which have a time.
    const timed = (await scraped()).replaceAll(/^(?!#)(.+)$/gm, "$1 1700000000");
    writeFileSync(`${folder}/metrics`, timed);
    expect(run("promtool", ["tsdb", "create-blocks-from", "openmetrics", `${folder}/metrics`, `${folder}/blocks`])).toContain("BLOCK ULID");
    writeFileSync(`${folder}/metrics`, timed.replace("# EOF", ""));
    expect(() => run("promtool", ["tsdb", "create-blocks-from", "openmetrics", `${folder}/metrics`, `${folder}/blocks`])).toThrow("promtool failed");
  });
});

describe("the alerts", () => {
  itWithTool("promtool")("are rules that pass their tests, in configurations that are right", () => {
    run("promtool", ["check", "rules", "vram.rules.yml"]);
    run("promtool", ["check", "config", "prometheus.example.yml"]);
    run("promtool", ["test", "rules", "vram.rules.test.yml", "vram.rules.long.test.yml"]);
  });

  itWithTool("amtool")("reach an Alertmanager whose example is right", () => {
    run("amtool", ["check-config", "alertmanager.example.yml"]);
  });

  it("each fire in a test and stay silent in another", () => {
    const tests = ["vram.rules.test.yml", "vram.rules.long.test.yml"].flatMap((file) => read(`deploy/prometheus/${file}`).split("  - name: ").slice(1));
    const alertOf = (test: string): string => /alertname: (\w+)/.exec(test)?.[1] ?? "";
    const silent = tests.filter((test) => test.includes("exp_alerts: []")).map(alertOf);
    const firing = tests.filter((test) => test.includes("exp_labels:")).map(alertOf);
    expect(alerts.length).toBeGreaterThan(0);
    expect([...new Set(silent)].sort()).toEqual([...alerts].sort());
    expect([...new Set(firing)].sort()).toEqual([...alerts].sort());
  });

  it("lead to a section of the guide, and every section has its alert", () => {
    const sections = [...read("docs/guide/incidents.md").matchAll(/^## (Vram\w+)$/gm)].map(([, name]) => name ?? "");
    const runbooks = [...rules.matchAll(/runbook: docs\/guide\/incidents\.md#(\w+)$/gm)].map(([, anchor]) => anchor);
    expect(sections).toEqual(alerts);
    expect(runbooks).toEqual(alerts.map((name) => name.toLowerCase()));
  });

  it("see every reason for which a verification fails, each in one alert", () => {
    const seen = [...rules.matchAll(/increase\(vram_verification_failures_total\{reason=~?"([a-z_|]+)"\}/g)].flatMap(([, reasons]) => reasons?.split("|") ?? []);
    expect(seen.sort()).toEqual([...VERIFICATION_FAILURE_REASONS].sort());
  });
});

describe("expressions", () => {
  it("name only metrics that a worker has", async () => {
    const text = await scraped({ register: new Registry() });
    const samples = new Set([...text.matchAll(/^(vram_\w+)/gm)].map(([, name]) => name));
    const named = [...ruleExpressions, ...panelExpressions].flatMap((expression) => expression.match(/\bvram_\w+/g) ?? []);
    expect(ruleExpressions).toHaveLength(alerts.length);
    expect(panelExpressions.length).toBeGreaterThan(0);
    expect(named.filter((name) => !samples.has(name))).toEqual([]);
  });

  itWithTool("promtool")("of the dashboard are ones that Prometheus takes", async () => {
    const file = `${await temporaryFolder()}/panels.yml`;
    const recorded = panelExpressions.map((expr, index) => ({ record: `panel_${index}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules: recorded }] }));
    expect(run("promtool", ["check", "rules", file])).toContain(`${panelExpressions.length} rules found`);
  });
});
