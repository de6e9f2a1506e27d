import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { verifyAuditLog } from "vram-audit";
import { fsverityDigest } from "vram-seal";
import { backendName, commandOptions, itWithFaults, patternBytes, readEvents, temporaryFolder } from "./fixture.js";
import { f32, writeShardedModel } from "./safetensors.js";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Held {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [cli, "hold", ...args]);
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#ended = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null;
  }

  stopReading(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for a line of output, or the end. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stdout) && !pattern.test(this.#stderr) && this.isAlive) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }
}

/** The log is good, and every shard that was sealed was wiped. */
async function expectWiped(dir: string, sealed: number): Promise<void> {
  expect(await verifyAuditLog({ dir })).toMatchObject({ ok: true });
  const events = await readEvents(dir);
  const ids = (type: string): string[] => events.filter((event) => event.type === type).map(({ data }) => String((data as { shardId: unknown }).shardId));
  expect(ids("vram.shard.sealed")).toHaveLength(sealed);
  const deallocated = events.filter(({ type }) => type === "vram.shard.deallocated");
  expect(deallocated.every(({ data }) => (data as { wiped: boolean }).wiped)).toBe(true);
  for (const id of ids("vram.shard.sealed")) expect(ids("vram.shard.deallocated")).toContain(id);
}

async function place() {
  const folder = await temporaryFolder();
  const model = join(folder, "some model.v1.bin");
  writeFileSync(model, patternBytes(300_000));
  return { folder, model, audit: join(folder, "audit") };
}

describe("vram-residency hold", () => {
  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)("keeps what it sealed until %s, then wipes it and exits %i", async (signal, expected) => {
    const { folder, model, audit } = await place();
    const index = await writeShardedModel(folder, [{ a: f32(1) }, { b: f32(2) }]);
    const held = new Held([...commandOptions, "--audit", audit, model, model, index]);
    await held.until(/Holding/);
    held.kill(signal);
    const { code, stdout, stderr } = await held.ended();
    expect(stdout).toContain(`Sealed some_model_v1: 300000 bytes, sha256:${fsverityDigest(patternBytes(300_000))}, backend ${backendName}.`);
    expect(stdout).toMatch(/Sealed some_model_v1-2: .*\nSealed model-0: .*\nSealed model-1: .*\nHolding 4 shards in \d+ of \d+ bytes/);
    expect(stdout).toMatch(/Wiped, checked and freed 4 shards\.\n$/);
    expect(stderr).toMatch(/random key/);
    expect(code).toBe(expected);
    await expectWiped(audit, 4);
  });

  it("reads its configuration again at SIGHUP, tells what it does not take over, and goes on", async () => {
    const { folder, model, audit } = await place();
    const file = join(folder, "hold.json");
    const configure = (change: object): void => {
      const config = { workerId: "w", sealKey: { ephemeral: true }, audit: { dir: audit }, models: [{ path: model }], scrub: false };
      writeFileSync(file, JSON.stringify({ ...config, ...change }), { mode: 0o600 });
    };
    configure({});
    const held = new Held([...commandOptions, "--config", file]);
    await held.until(/Holding 1 shards/);
    configure({ workerId: "another" });
    held.kill("SIGHUP");
    await held.until(/NOT RELOADED: INVALID_CONFIG: .*workerId/);
    const second = join(folder, "second.bin");
    writeFileSync(second, patternBytes(5000));
    configure({ models: [{ path: model }, { path: second }] });
    held.kill("SIGHUP");
    await held.until(/Reloaded\. Holding 2 shards/);
    held.kill("SIGTERM");
    const { code, stdout } = await held.ended();
    expect(stdout).toMatch(/Sealed second: 5000 bytes/);
    expect(code).toBe(143);
    await expectWiped(audit, 2);
  });

  it("verifies what it holds in the background", async () => {
    const { model, audit } = await place();
    const held = new Held([...commandOptions, "--audit", audit, "--scrub-period", "1", model]);
    const scrubbed = async (): Promise<boolean> => (await readEvents(audit).catch(() => [])).some(({ type }) => type === "vram.shard.scrubbed");
    while (!(await scrubbed()) && held.isAlive) await new Promise((resolve) => setTimeout(resolve, 20));
    held.kill("SIGTERM");
    expect((await held.ended()).code).toBe(143);
    await expectWiped(audit, 1);
  });

  it("goes on holding when nobody reads its output any more, and wipes at the signal", async () => {
    const { model, audit } = await place();
    const held = new Held([...commandOptions, "--audit", audit, model, model]);
    held.stopReading();
    const sealed = async (): Promise<number> => (await readEvents(audit).catch(() => [])).filter(({ type }) => type === "vram.shard.sealed").length;
    while ((await sealed()) < 2 && held.isAlive) await new Promise((resolve) => setTimeout(resolve, 5));
    held.kill("SIGTERM");
    expect((await held.ended()).code).toBe(143);
    await expectWiped(audit, 2);
  });

  it("prints one JSON value at its end", async () => {
    const { model, audit } = await place();
    const held = new Held([...commandOptions, "--json", "--audit", audit, model]);
    for (let events = 0; events < 3; events = (await readEvents(audit).catch(() => [])).length) await new Promise((resolve) => setTimeout(resolve, 20));
    held.kill("SIGTERM");
    const { code, stdout } = await held.ended();
    expect(JSON.parse(stdout)).toMatchObject({ shards: [{ shardId: "some_model_v1", backend: backendName, sealed: false }], wiped: true });
    expect(code).toBe(143);
  });

  it("SIGTERM at random moments, also during the load: wiped or never written, a good log, the right code", { timeout: 120_000 }, async () => {
    const { folder, audit } = await place();
    const model = join(folder, "large.bin");
    writeFileSync(model, Buffer.alloc(24 << 20, 7));
    for (let round = 0; round < 6; round += 1) {
      const dir = `${audit}-${round}`;
      const held = new Held([...commandOptions, "--audit", dir, model]);
      // The trail is there as soon as the worker is open; before that there is nothing to wipe.
      while ((await readEvents(dir).catch(() => [])).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
      held.kill("SIGTERM");
      const { code, stderr } = await held.ended();
      expect(stderr).toMatch(/SIGTERM: wiping/);
      expect(code).toBe(143);
      const sealed = (await readEvents(dir)).filter(({ type }) => type === "vram.shard.sealed").length;
      await expectWiped(dir, sealed);
    }
  });

  itWithFaults("a second signal is told what the first is waiting for", async () => {
    const { folder, audit } = await place();
    const model = join(folder, "large.bin");
    writeFileSync(model, Buffer.alloc(96 << 20, 7));
    const held = new Held([...commandOptions, "--audit", audit, model]);
    await held.until(/Holding/);
    held.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 30));
    held.kill("SIGINT");
    const { code, stderr } = await held.ended();
    expect(stderr).toMatch(/SIGTERM: wiping device memory, then ending\nSIGINT: still wiping; \d+ bytes of device memory are left\n/);
    expect(code).toBe(143);
    await expectWiped(audit, 1);
  });

  it("a model that cannot be sealed ends it, and what was sealed before is wiped", async () => {
    const { folder, model, audit } = await place();
    const { code, stderr } = await new Held([...commandOptions, "--audit", audit, model, join(folder, "missing.gguf")]).ended();
    expect(stderr).toMatch(/INVALID_INPUT: source must be a readable file \(ENOENT\)/);
    expect(stderr).not.toContain(folder);
    expect(code).toBe(1);
    await expectWiped(audit, 1);
  });

  itWithFaults("takes several devices, each once", async () => {
    const { model, audit } = await place();
    const { code, stderr } = await new Held([...commandOptions, "--audit", audit, "--device", "0,0", model]).ended();
    expect(stderr).toContain("INVALID_INPUT: options.device must name each device once");
    expect(code).toBe(1);
  });

  it.each([
    ["no model", ["--simulate", "--audit", "x"]],
    ["no audit log", ["--simulate", "model"]],
    ["an unknown option", ["--simulate", "--audit", "x", "--keep", "model"]],
  ])("wrong use: %s exits 2", async (_, args) => {
    expect((await new Held(args).ended()).code).toBe(2);
  });

  itWithFaults("without a GPU and without --simulate it names the remedy and exits 1", async () => {
    const { model, audit } = await place();
    const { code, stderr } = await new Held(["--audit", audit, model]).ended();
    expect(stderr).toMatch(/DRIVER_UNAVAILABLE: .*install the NVIDIA driver/);
    expect(code).toBe(1);
  });
});
