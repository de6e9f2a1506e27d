import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openAuditLog, workerSource } from "vram-audit";
import { itWithTool, runTool } from "../../vram-seal/test/support/tool.js";
import { sealVerificationFailed, sealVerified, workerStopped } from "../src/events.js";
import { temporaryFolder } from "./fixture.js";
import { cli, run } from "./run-command.js";

const DIGEST = "ab".repeat(32);
const verified = (shardId: string) => sealVerified({ shardId, digest: DIGEST, vramBytes: 4096, durationMs: 1.5 });

let home: string;
let dir: string;

/** Five lines: opened, verified, failed, stopped, closed. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vram-test-"));
  dir = join(home, "audit");
  const log = await openAuditLog({ dir });
  await log.append({ ...verified("shard-0"), source: workerSource("w 1"), correlationid: "request:7" });
  await log.append(sealVerificationFailed({ shardId: "shard-1", reason: "digest", expectedDigest: DIGEST }));
  await log.append(workerStopped({ workerId: "w 2", instanceId: "cd".repeat(16) }, "stopped", "SEAL_VERIFICATION_FAILED"));
  await log.close();
});

afterAll(() => rm(home, { recursive: true }));

const lines = (text: string) => text.split("\n").slice(0, -1);
const logLines = () => lines(readFileSync(join(dir, "audit-v1.0000000000000001.jsonl"), "utf8"));

describe("vram-residency audit query", () => {
  it("prints a line for every event, for people", async () => {
    const { code, stdout } = await run(["audit", "query", dir]);
    expect(lines(stdout)).toHaveLength(5);
    expect(lines(stdout)[1]).toMatch(/^\S+Z 2 info vram\.shard\.verified urn:vram:worker:w%201: Shard shard-0 was verified: 4096 bytes$/);
    expect(lines(stdout)[2]).toMatch(/ 3 critical vram\.seal\.verification_failed \S+: Shard shard-1 failed verification: digest$/);
    expect(code).toBe(0);
  });

  it("prints the log's own lines with --json", async () => {
    expect(lines((await run(["audit", "query", dir, "--json"])).stdout)).toEqual(logLines());
  });

  it.each([
    [["--type", "vram.shard.verified", "--type", "vram.audit.closed"], [2, 5]],
    [["--shard", "shard-1"], [3]],
    [["--worker", "w 2", "--from", "2001-01-01"], [4]],
    [["--correlation", "request:7"], [2]],
    [["--severity", "critical", "--to", "2999-12-31T23:59:59+01:00"], [3, 4]],
    [["--from", "2999-01-01"], []],
    [["--to", "2001-01-01"], []],
    [["--from-sequence", "2", "--to-sequence", "3"], [2, 3]],
  ])("finds with %j the lines %j", async (filter, expected) => {
    const { code, stdout } = await run(["audit", "query", ...filter, dir]);
    expect(lines(stdout).map((line) => Number(line.split(" ")[1]))).toEqual(expected);
    expect(code).toBe(0);
  });

  it.each([
    [["--type", "vram.shard.seeled"]],
    [["--from", "yesterday"]],
    [["--from", "2026-02-30"]],
    [["--to-sequence", "1.5"]],
  ])("exits 2 for %j", async (filter) => {
    expect((await run(["audit", "query", dir, ...filter])).code).toBe(2);
  });

  it("exits 1 where no log is, and at a damaged line behind those before it", async () => {
    const folder = await temporaryFolder();
    expect(await run(["audit", "query", folder])).toMatchObject({ code: 1, stdout: "", stderr: expect.not.stringContaining(folder) as string });
    writeFileSync(join(folder, "audit-v1.0000000000000001.jsonl"), `${logLines()[0] ?? ""}\nx\n`);
    const { code, stdout, stderr } = await run(["audit", "query", folder]);
    expect([code, lines(stdout).length]).toEqual([1, 1]);
    expect(stderr).toBe("AUDIT_UNAVAILABLE: line 2 of the audit log, in \"audit-v1.0000000000000001.jsonl\", is damaged\n");
  });

  it("follows a live log until Ctrl-C, and exits 130", async () => {
    const live = join(await temporaryFolder(), "audit");
    const log = await openAuditLog({ dir: live });
    const child = spawn(process.execPath, [cli, "audit", "query", live, "--follow"]);
    const seen = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk: Buffer) => (seen[name] += chunk.toString()));
    const ended = new Promise((resolve) => child.on("close", resolve));
    await expect.poll(() => seen.stdout, { timeout: 10_000 }).toMatch(/ 1 info vram\.audit\.opened .*\n$/);
    await log.append(verified("late"));
    await expect.poll(() => seen.stdout, { timeout: 10_000 }).toMatch(/ 2 info vram\.shard\.verified .* late .*\n$/);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(seen.stderr).toBe("SIGINT: ending\n");
    await log.close();
  });
});

describe("vram-residency audit export", () => {
  it("prints one JSON value a line in each format", async () => {
    const values = async (format: string) => lines((await run(["audit", "export", dir, "--format", format])).stdout);
    expect(await values("json")).toEqual(logLines());
    expect((await values("ocsf")).map((line) => (JSON.parse(line) as { class_uid: number }).class_uid)).toEqual([6002, 1004, 2004, 6002, 6002]);
    const otel = (await values("otel")).map((line) => JSON.parse(line) as { resourceLogs: { scopeLogs: { logRecords: { eventName: string }[] }[] }[] });
    expect(otel.map(({ resourceLogs }) => resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.eventName)).toEqual(
      logLines().map((line) => (JSON.parse(line) as { type: string }).type),
    );
  });

  itWithTool("jq")("is read by jq, filtered", async () => {
    const jq = async (format: string, program: string) => {
      const { stdout } = await run(["audit", "export", dir, "--format", format, "--severity", "critical"]);
      return runTool("jq", ["-r", program], Buffer.from(stdout)).toString();
    };
    expect(await jq("ocsf", '"\\(.type_uid) \\(.metadata.sequence)"')).toBe("200401 3\n600204 4\n");
    const record = ".resourceLogs[].scopeLogs[].logRecords[]";
    expect(await jq("otel", `${record} | "\\(.eventName) \\(.severityNumber)"`)).toBe("vram.seal.verification_failed 17\nvram.worker.stopped 17\n");
    expect(await jq("json", ".data.reason // .data.code")).toBe("digest\nSEAL_VERIFICATION_FAILED\n");
  });

  it.each([[[]], [["--format", "xml"]], [["--format", "ocsf", "--follow"]]])("exits 2 for %j", async (args) => {
    expect((await run(["audit", "export", dir, ...args])).code).toBe(2);
  });

  it("ends quietly with 0 when its reader has enough, before it has read a long log", async () => {
    const folder = await temporaryFolder();
    const [opened = ""] = logLines();
    writeFileSync(join(folder, "audit-v1.0000000000000001.jsonl"), `${`${opened}\n`.repeat(20_000)}damaged\n`);
    const { stdout, stderr } = spawnSync(
      "/bin/bash",
      ["-c", '"$0" "$1" audit export "$2" --format ocsf | head -n 1; echo "${PIPESTATUS[0]}"', process.execPath, cli, folder],
      { encoding: "utf8" },
    );
    const [first = "", code, ...rest] = lines(stdout);
    expect(JSON.parse(first)).toMatchObject({ class_uid: 6002 });
    expect([code, rest, stderr]).toEqual(["0", [], ""]);
  });

  it("shows examples in its help, as query does", () => {
    for (const command of ["query", "export"]) {
      expect(execFileSync(process.execPath, [cli, "audit", command, "--help"]).toString()).toMatch(/Examples:\n {2}vram-residency audit/);
    }
  });
});

describe("vram-residency audit verify", () => {
  it("says where the clock was set, and that the log is good", async () => {
    const set = join(await temporaryFolder(), "audit");
    vi.useFakeTimers({ toFake: ["Date"] });
    const log = await openAuditLog({ dir: set });
    vi.setSystemTime(Date.now() - 7_200_000);
    await log.append(verified("a"));
    await log.close();
    vi.useRealTimers();
    const { code, stdout } = await run(["audit", "verify", set]);
    expect(lines(stdout)[0]).toMatch(/^NOTICE: at line 2 the writer's clock had gone back by 7200(\.\d+)? s\.$/);
    expect([code, lines(stdout).at(-1)]).toEqual([0, expect.stringMatching(/: good\.$/)]);
  });
});
