// Prometheus with the project's rules, Alertmanager, and the webhook that it calls.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start, until } from "./processes.mjs";

const RULES = fileURLToPath(new URL("../../deploy/prometheus/vram.rules.yml", import.meta.url));
const REMEDY = "install the Debian packages prometheus and prometheus-alertmanager";

/** Takes alerts; `firedAt` says of each, by name, when it first came. */
async function startWebhook() {
  const firedAt = new Map();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    for (const { status, labels } of JSON.parse(body).alerts) {
      if (status === "firing" && !firedAt.has(labels.alertname)) firedAt.set(labels.alertname, Date.now());
    }
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { firedAt, url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** JSON is YAML. */
function writeConfig(folder, name, config) {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Watches a service at a port, scraped each second, until `end()`. */
export async function startMonitoring(folder, { servicePort, prometheusPort, alertmanagerPort }) {
  const webhook = await startWebhook();
  const alertmanager = start("prometheus-alertmanager", [
    `--config.file=${writeConfig(folder, "alertmanager.json", {
      route: { receiver: "test", group_by: ["alertname"], group_wait: "0s" },
      receivers: [{ name: "test", webhook_configs: [{ url: webhook.url }] }],
    })}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    "--cluster.listen-address=",
  ], { remedy: REMEDY });
  const prometheus = start("prometheus", [
    `--config.file=${writeConfig(folder, "prometheus.json", {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [RULES],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [{ job_name: "vram", static_configs: [{ targets: [`127.0.0.1:${servicePort}`] }] }],
    })}`,
    `--storage.tsdb.path=${join(folder, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ], { remedy: REMEDY });
  const programs = [prometheus, alertmanager];
  const end = async () => {
    await Promise.allSettled(programs.map((program) => program.end()));
    webhook.close();
  };
  try {
    await until("a scrape", async () => {
      const answer = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/query?query=vram_verification_failures_total`);
      return (await answer.json()).data.result.length > 0;
    }, { needs: programs });
    await until("Alertmanager", async () => (await fetch(`http://127.0.0.1:${alertmanagerPort}/-/ready`)).ok, { needs: programs });
  } catch (error) {
    await end();
    throw error;
  }
  return { firedAt: webhook.firedAt, end };
}
