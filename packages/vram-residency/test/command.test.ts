import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directoryAnchor, openAuditLog } from "vram-audit";
import { fsverityDigest, sealKeyMemory } from "vram-seal";
import { backendName, commandOptions, flipSealedBit, itWithFaults, openWorkplace, patternBytes, refusal, temporaryFolder } from "./fixture.js";
import { cli, run } from "./run-command.js";
import { safetensors } from "./safetensors.js";

describe("vram-residency with stdout that cannot be written", () => {
  it.each(["digest", "--help"])("%s exits 1 and says so", async (command) => {
    const file = join(await temporaryFolder(), "file");
    writeFileSync(file, "weights");
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [cli, command, file], { stdio: ["ignore", full, "pipe"], encoding: "utf8" });
    closeSync(full);
    expect(stderr).toBe("cannot write to stdout: ENOSPC\n");
    expect(status).toBe(1);
  });
});

describe("vram-residency demo", () => {
  it("tells the story, says on which backend, and exits 0", async () => {
    const { code, stdout } = await run(["demo", ...commandOptions, "--audit", join(await temporaryFolder(), "audit")]);
    expect(stdout).toContain(`Backend ${backendName}, `);
    expect(stdout).toMatch(/SEAL_VERIFICATION_FAILED/);
    expect(stdout).toMatch(/Wiped, checked and freed/);
    expect(code).toBe(0);
  });

  it("prints one JSON object, and nothing else on stdout", async () => {
    const { code, stdout } = await run(["demo", ...commandOptions, "--json", "--audit", join(await temporaryFolder(), "audit")]);
    expect(JSON.parse(stdout)).toMatchObject({
      backend: backendName,
      verified: true,
      tamper: { detected: true, code: "SEAL_VERIFICATION_FAILED" },
      state: "stopped",
      wiped: true,
      audit: { verified: true },
    });
    expect(code).toBe(0);
  });

  itWithFaults("PB-4 exits 3 under the default policy, with the violation in the trail", async () => {
    const dir = join(await temporaryFolder(), "audit");
    const { code, stderr } = await run(["demo", "--simulate", "--default-policy", "--audit", dir]);
    expect(stderr).toMatch(/POLICY_VIOLATION/);
    expect(code).toBe(3);
    expect((await run(["audit", "verify", dir])).code).toBe(0);
  });

  it("ends with 143 on SIGTERM, wiped and with a good log", async () => {
    const dir = join(await temporaryFolder(), "audit");
    const { code } = await run(["demo", ...commandOptions, "--audit", dir], { onFirstOutput: (kill) => { kill("SIGTERM"); } });
    expect(code).toBe(143);
    expect((await run(["audit", "verify", dir])).code).toBe(0);
  });
});

describe("vram-residency digest", () => {
  it("CI-004 prints what the fsverity command prints", async () => {
    const folder = await temporaryFolder();
    const bytes = patternBytes(524_289);
    writeFileSync(join(folder, "model file"), bytes);
    const { code, stdout } = await run(["digest", "model file"], { cwd: folder });
    expect(stdout).toBe(`sha256:${fsverityDigest(bytes)} model file\n`);
    expect(code).toBe(0);
    if (process.env["VRAM_REQUIRE_TOOLS"] !== undefined) {
      expect(execFileSync("fsverity", ["digest", "model file"], { cwd: folder }).toString()).toBe(stdout);
    }
  });

  it("goes on after a file it cannot read, and exits 1", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "good"), "x");
    mkdirSync(join(folder, "dir"));
    const { code, stdout, stderr } = await run(["digest", "missing", "dir", "good"], { cwd: folder });
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64} good\n$/);
    expect(stderr).toMatch(/^missing: ENOENT$/m);
    expect(stderr).toMatch(/^dir: /m);
    expect(code).toBe(1);
  });
});

describe("vram-residency audit verify", () => {
  it("finds a changed byte in any line and names it, the last included, and a cut tail", async () => {
    const dir = join(await temporaryFolder(), "audit");
    await run(["demo", ...commandOptions, "--audit", dir]);
    const file = join(dir, "audit-v1.0000000000000001.jsonl");
    const log = readFileSync(file);
    const lines = log.toString().trimEnd().split("\n");
    let start = 0;
    for (const [index, line] of lines.entries()) {
      const damaged = Buffer.from(log);
      const at = start + (line.length >> 1);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      writeFileSync(file, damaged);
      const { code, stdout } = await run(["audit", "verify", "--json", dir]);
      expect(code).toBe(3);
      const { problems } = JSON.parse(stdout) as { problems: { line: number }[] };
      expect(problems.map(({ line: number }) => number)).toContain(index + 1);
      start += line.length + 1;
    }
    writeFileSync(file, `${lines.slice(0, -1).join("\n")}\n`);
    expect((await run(["audit", "verify", dir])).code).toBe(3);
    writeFileSync(file, log);
    expect((await run(["audit", "verify", dir])).code).toBe(0);
  });
});

describe("vram-residency audit verify --anchor", () => {
  it("tells what is not anchored, resumes, and finds a tail that was cut with its checkpoints", async () => {
    const folder = await temporaryFolder();
    const [dir, anchor, early] = [join(folder, "audit"), join(folder, "anchor"), join(folder, "early")];
    const audit = await openAuditLog({ dir, anchors: [directoryAnchor(anchor)] });
    await audit.close();
    const [first = "", last = ""] = readFileSync(join(dir, "audit-v1.checkpoints"), "utf8").match(/(?:.*\n){3}\n.*\n/g) ?? [];
    writeFileSync(early, first);
    expect(readFileSync(join(anchor, "audit-v1.checkpoint"), "utf8")).toBe(last);

    const whole = await run(["audit", "verify", dir, "--anchor", anchor]);
    expect(whole.stdout).toContain("Anchored up to the last line.");
    expect((await run(["audit", "verify", dir, "--anchor", early])).stdout).toContain("Anchored up to line 1; not anchored: 1 from line 2 on.");
    const resumed = await run(["audit", "verify", dir, "--anchor", anchor, "--resume"]);
    expect(resumed.stdout).toContain("Verified from line 1 on; 0 lines before were not read again.");
    expect([whole.code, resumed.code]).toEqual([0, 0]);

    writeFileSync(join(dir, "audit-v1.checkpoints"), first);
    writeFileSync(join(dir, "audit-v1.0000000000000001.jsonl"), `${readFileSync(join(dir, "audit-v1.0000000000000001.jsonl"), "utf8").split("\n")[0] ?? ""}\n`);
    expect((await run(["audit", "verify", dir])).code).toBe(0);
    const cut = await run(["audit", "verify", dir, "--anchor", anchor]);
    expect(cut.stdout).toMatch(/^FAILED: line 2 .*and later lines are missing/);
    expect(cut.stdout).not.toContain("Anchored");
    expect(cut.code).toBe(3);
  });
});

describe("vram-residency audit prove and check-proof", () => {
  const checkpointOf = (dir: string, number: number) =>
    readFileSync(join(dir, "audit-v1.checkpoints"), "utf8").split("\n").slice(number * 5, number * 5 + 5).join("\n").concat("\n");

  it("prove a line, and that the log continues an older checkpoint, to who has the public key alone", async () => {
    const folder = await temporaryFolder();
    const dir = join(folder, "audit");
    await run(["demo", ...commandOptions, "--audit", dir]);
    const publicKey = readFileSync(`${dir}.pub`, "utf8").trim();
    const [file, checkpoint] = [join(folder, "proof"), join(folder, "checkpoint")];
    writeFileSync(checkpoint, checkpointOf(dir, 0));

    const line = await run(["audit", "prove", dir, "--sequence", "2"]);
    writeFileSync(file, line.stdout);
    const checked = await run(["audit", "check-proof", file, "--public-key", publicKey]);
    expect([line.code, checked.code]).toEqual([0, 0]);
    expect(checked.stdout.split("\n")[0]).toBe(readFileSync(join(dir, "audit-v1.0000000000000001.jsonl"), "utf8").split("\n")[1]);
    writeFileSync(file, line.stdout.replace("index 1", "index 2"));
    const refused = await run(["audit", "check-proof", file, "--public-key", publicKey]);
    expect(refused.stderr).toMatch(/^INTEGRITY_VIOLATION: /);
    expect(refused.code).toBe(3);

    const history = await run(["audit", "prove", dir, "--from-size", "1"]);
    writeFileSync(file, history.stdout);
    const continued = await run(["audit", "check-proof", file, "--public-key", publicKey, "--checkpoint", checkpoint, "--json"]);
    expect(JSON.parse(continued.stdout)).toMatchObject({ kind: "consistency", oldSize: 1 });
    expect(continued.code).toBe(0);
  });
});

describe("the command line", () => {
  itWithFaults("DRIVER_UNAVAILABLE with the remedy, exit 1, where no GPU is and no simulator named", async () => {
    const { code, stderr } = await run(["demo", "--audit", join(await temporaryFolder(), "audit")]);
    expect(stderr).toMatch(/DRIVER_UNAVAILABLE: .*driver/);
    expect(code).toBe(1);
  });

  itWithFaults("doctor tells where seal keys lie, gives every rule with its verdict and exits 3 where one is violated", async () => {
    const { code, stdout } = await run(["doctor", "--simulate", "--json"]);
    const { devices, sealKeys } = JSON.parse(stdout) as { devices: { policy: { rules: { verdict: string }[] } }[]; sealKeys: object };
    expect(sealKeys).toEqual({ memory: sealKeyMemory() });
    expect(devices[0]?.policy.rules.map(({ verdict }) => verdict)).toContain("violated");
    expect(code).toBe(3);
  });

  itWithFaults("doctor tells the damage that an audit log has, by block and tensor, and no other refusal", async () => {
    const { residency, auditDir } = await openWorkplace();
    const shard = await residency.seal(safetensors({ "model.weight": { dtype: "U8", shape: [9000], data: patternBytes(9000) } }), { format: "safetensors" });
    await flipSealedBit(residency, shard, 6000);
    await refusal(residency.verify(shard));
    await residency.close();
    const { code, stdout } = await run(["doctor", "--simulate", "--audit", auditDir]);
    expect(stdout).toMatch(/^damage .*1 damaged blocks, block 1 \(model\.weight, one bit\) /m);
    expect(code).toBe(3);
    const quiet = await openWorkplace();
    await refusal(quiet.residency.verify({ statement: "", mac: "" }));
    await quiet.residency.close();
    expect((await run(["doctor", "--simulate", "--audit", quiet.auditDir])).stdout).not.toContain("damage");
  });

  itWithFaults("doctor tells what it can before it finds no driver, and then the remedy", async () => {
    const { code, stdout, stderr } = await run(["doctor"]);
    expect(stdout).toMatch(/^seal keys .*\nmetrics {3}can be served\n$/);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^DRIVER_UNAVAILABLE: .*install/)]);
  });

  it("every command has an example in its help, and a typo of a command or an option a suggestion", async () => {
    for (const name of [["demo"], ["doctor"], ["digest"], ["hold"], ["audit", "verify"], ["audit", "export"], ["attest", "verify"], ["key", "generate"]]) {
      expect((await run([...name, "--help"])).stdout).toContain(`Examples:\n  vram-residency ${name.join(" ")} `.trimEnd());
    }
    expect((await run(["docter"])).stderr).toContain("Did you mean doctor?");
    expect((await run(["doctor", "--simulat"])).stderr).toContain("Did you mean --simulate?");
  });

  it("key generate makes a private file and refuses to overwrite it", async () => {
    const file = join(await temporaryFolder(), "seal.key");
    expect((await run(["key", "generate", file])).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { code, stderr } = await run(["key", "generate", file]);
    expect(code).toBe(1);
    expect(stderr).not.toContain(file);
  });

  it.each([[["demo", "--simulat"]], [["digest"]], [["nothing"]], [["demo", "--simulate=perhaps"]], [["audit", "verify"]], [["audit", "verify", "dir", "--resume"]], [["audit", "prove", "dir"]], [["audit", "prove", "dir", "--sequence", "0"]], [["audit", "prove", "dir", "--sequence", "1", "--from-size", "1"]], [["audit", "check-proof", "file"]], [["attest", "verify", "file"]]])(
    "exits 2 for %j",
    async (args) => {
      expect((await run(args)).code).toBe(2);
    },
  );

  it("lists the exit codes in its help and exits 0", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(stdout).toMatch(/Exit codes/);
    expect(code).toBe(0);
  });
});
