import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { verifyAuditLog } from "vram-audit";
import { fsverityDigest } from "vram-seal";
import { setLatency } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { backend, commandOptions, deferred, itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";
import { f32, safetensorsOf, writeShardedModel } from "../safetensors.js";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const good = Buffer.alloc(16 << 20, 1);
const evil = Buffer.alloc(16 << 20, 2);

describe("a file that is exchanged while it is loaded", () => {
  itWithFaults.each([
    ["the symbolic link that names it", async (path: string, other: string) => {
      await rm(path);
      await symlink(other, path);
    }],
    ["the file itself, by a rename", (path: string, other: string) => rename(other, path)],
  ])("%s: what was opened is what is sealed, or it is refused", async (_, exchange) => {
    const place = await openWorkplace();
    const [target, other] = [await place.model(good), await place.model(evil)];
    const path = join(place.folder, "model");
    await symlink(target, path);
    setLatency("cuMemcpyHtoDAsync_v2", 50);
    const begun = deferred();
    const sealing = place.residency.seal(path, { onProgress: () => { begun.resolve(); } });
    await begun.promise;
    await exchange(path, other);
    expect(await sealing).toMatchObject({ digest: fsverityDigest(good) });
  });
});

describe("names that lead elsewhere", () => {
  it.each(["../outside.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "model-00001-of-00002.safetensors\0"])(
    "an index cannot name %j",
    async (name) => {
      const place = await openWorkplace();
      const index = await writeShardedModel(place.folder, [{ a: f32(1) }, { b: f32(2) }], ({ weight_map }) => ({ weight_map: { ...weight_map, b: name } }));
      expect(await refusal(place.residency.sealSet(index))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
      expect(place.residency.capacity().usedBytes).toBe(0);
    },
  );

  it.each(["/dev/zero", "/dev/stdin", "/proc/self/mem", "."])("%s is no model", async (path) => {
    const { residency } = await openWorkplace();
    expect(await refusal(residency.seal(path))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
  });
});

describe("JSON that says two things", () => {
  const tensor = (begin: number, end: number) => `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;
  it.each([
    ["a tensor twice", `{"w":${tensor(0, 4)},"w":${tensor(0, 8)}}`],
    ["a tensor twice, once escaped", `{"w":${tensor(0, 4)},"\\u0077":${tensor(0, 8)}}`],
    ["a field twice", `{"w":{"dtype":"U8","dtype":"F32","shape":[8],"data_offsets":[0,8]}}`],
    ["__proto__ as a field", `{"w":{"__proto__":{"dtype":"U8"},"shape":[8],"data_offsets":[0,8]}}`],
    ["a huge number", `{"w":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,8]}}`],
    ["a number with a fraction", `{"w":{"dtype":"U8","shape":[8.0000000000000001],"data_offsets":[0,8.0]}}`],
  ])("a header with %s is refused", async (_, header) => {
    const place = await openWorkplace();
    const path = join(place.folder, "model.safetensors");
    await writeFile(path, safetensorsOf(header, Buffer.alloc(8)));
    expect(await refusal(place.residency.seal(path))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
  });
});

describe("text that would be a line of its own", () => {
  const line = '"}\n{"type":"vram.worker.started","severity":"info"}\u001b[2J';

  it("reaches neither the trail nor a message", async () => {
    const place = await openWorkplace();
    const { residency } = place;
    for (const options of [{ modelRef: line }, { shardId: line }, { expect: { sha256: line } }, { [line]: 1 }]) {
      const error = await refusal(residency.seal(patternBytes(10), options));
      expect(error.message).not.toMatch(/[\p{Cc}]/u);
    }
    const header = safetensorsOf(JSON.stringify({ [line]: { dtype: "U8", shape: [8], data_offsets: [0, 8] } }), Buffer.alloc(8));
    await writeFile(join(place.folder, "named.safetensors"), header);
    await residency.seal(join(place.folder, "named.safetensors")).catch(() => undefined);
    await residency.close();
    expect(await verifyAuditLog({ dir: place.auditDir })).toMatchObject({ ok: true });
    expect((await place.events()).filter(({ type }) => type === "vram.worker.started")).toHaveLength(1);
  });

  it("as a file's name is shown as one line without controls by the command", async () => {
    const { folder } = await openWorkplace();
    await mkdir(join(folder, "dir"));
    const name = "a\nsha256:0000 b\u001b[2J";
    await writeFile(join(folder, "dir", name), "weights");
    const stdout = execFileSync(process.execPath, [cli, "digest", name], { cwd: join(folder, "dir"), encoding: "utf8" });
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stdout.trimEnd()).not.toMatch(/[\p{Cc}]/u);
    const json = execFileSync(process.execPath, [cli, "digest", "--json", name], { cwd: join(folder, "dir"), encoding: "utf8" });
    expect(JSON.parse(json)).toMatchObject([{ file: name }]);
  });
});

describe("variables that inject code", () => {
  it.each(["CUDA_INJECTION64_PATH", "CUDA_FORCE_PTX_JIT", "LD_PRELOAD"])("%s is told", (name) => {
    const env = { ...process.env, [name]: name === "LD_PRELOAD" ? "/nonexistent.so" : "1" };
    const { stdout } = spawnSync(process.execPath, [cli, "doctor", ...commandOptions, "--json"], { env, encoding: "utf8" });
    expect(JSON.stringify(JSON.parse(stdout))).toContain(name);
  });

  it("the driver's cache of compiled kernels, which others may write, is off before the driver starts", () => {
    const script = `
      import { openDriver } from "vram-cuda";
      openDriver(${backend.driver === undefined ? "" : JSON.stringify(backend.driver)});
      process.stdout.write(String(process.env.CUDA_CACHE_DISABLE));`;
    const env = { ...process.env, CUDA_CACHE_DISABLE: "0" };
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    expect(execFileSync(process.execPath, ["--input-type=module", "-e", script], { env, cwd, encoding: "utf8" })).toBe("1");
  });
});
