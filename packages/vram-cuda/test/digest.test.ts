import { open } from "node:fs/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { faultCopy, flipBit, hashNatively, setPointerAttribute, simulatorStats, skipKernel } from "vram-simulator/control";
import { tamper } from "vram-simulator/tamper";
import vectors from "./vectors/fsverity.json" with { type: "json" };
import { WIPED, failure, itWithFaults, onGpu, openSimulated, openTestDevice, patternBytes, sealable } from "./fixture.js";

const unsalted = vectors.vectors.filter(({ size, salt }) => size > 0 && salt === "");

describe("CI-004 the digest computed in device memory", () => {
  it.each(unsalted)("is the fs-verity digest of $size bytes", async ({ size, digest }) => {
    const allocation = await (await openTestDevice()).allocate(size);
    await allocation.append(patternBytes(size));
    expect(await allocation.finishLoad()).toEqual({ fsverity: digest, sha256: null });
    await allocation.freeze();
    expect(await allocation.digest()).toBe(digest);
  });

  it("of a file is that of the same bytes from memory; the flat digest comes along when asked for", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vram-cuda-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const bytes = patternBytes(9_000_001);
    await writeFile(join(folder, "model"), bytes);
    const file = await open(join(folder, "model"));
    onTestFinished(() => file.close());
    const device = await openTestDevice();
    const allocation = await device.allocate(bytes.length, { sha256: true });
    const seen: number[] = [];
    await allocation.appendFile(file.fd, bytes.length, { onProgress: (done) => seen.push(done) });
    const { fsverity, sha256 } = await allocation.finishLoad();
    expect(sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(await allocation.digest()).toBe(fsverity);
    expect(fsverity).toBe(await (await sealable(device, bytes)).digest());
    expect(seen.at(-1)).toBe(bytes.length);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  itWithFaults("is the same where the simulator lets the host's hash stand in for the kernel", async () => {
    const bytes = patternBytes(524_289);
    const allocation = await sealable(await openSimulated(), bytes);
    const interpreted = await allocation.digest();
    const { calls } = simulatorStats();
    hashNatively(true);
    expect(await allocation.digest()).toBe(interpreted);
    flipBit({ bufferId: (await allocation.placement()).bufferId ?? "", byteOffset: 524_288, bit: 0 });
    expect(await allocation.digest()).not.toBe(interpreted);
    expect(simulatorStats().calls["cuLaunchKernel"]).toBe((calls["cuLaunchKernel"] ?? 0) + 4);
  });

  it("comes with where the bytes lie, in one turn of the device", async () => {
    const allocation = await sealable(await openTestDevice(), patternBytes(524_289));
    const placement = await allocation.placement();
    expect(await allocation.inspect()).toEqual({ placement, digest: await allocation.digest() });
  });

  itWithFaults.each([
    ["another buffer's id", 7, 12345, 0],
    ["no buffer's id", 7, 0, 1],
    ["host memory", 2, 1, 0],
    ["unified memory", 2, 4, 0],
    ["a range that is too short", 12, 4096, 0],
  ])("is not read where the driver tells of %s", async (_, attribute, value, result) => {
    const allocation = await sealable(await openSimulated(), patternBytes(9000));
    const launches = simulatorStats().calls["cuLaunchKernel"];
    setPointerAttribute(attribute, value, result);
    const { digest, placement } = await allocation.inspect();
    expect(digest).toBeNull();
    expect(placement).toEqual(await allocation.placement());
    expect(simulatorStats().calls["cuLaunchKernel"]).toBe(launches);
  });

  it("changes with every single bit, the first and the last included", async () => {
    const bytes = patternBytes(4097);
    const allocation = await sealable(await openTestDevice(), bytes);
    const good = await allocation.digest();
    for (const [byteOffset, bit] of [[0, 0], [2048, 3], [4096, 7]] as const) {
      const flip = (): void => {
        tamper(allocation.view({ byteOffset, byteLength: 1 }), { byteOffset: 0, bit });
      };
      flip();
      expect(await allocation.digest()).not.toBe(good);
      flip();
    }
    expect(await allocation.digest()).toBe(good);
  });

  itWithFaults("never comes from a kernel that was skipped", async () => {
    const allocation = await sealable(await openSimulated(), patternBytes(600_000));
    await allocation.digest();
    for (const after of [0, 1]) {
      skipKernel({ after });
      expect((await failure(() => allocation.digest())).code).toBe("CUDA_FAILED");
    }
    await allocation.digest();
  });

  itWithFaults("never comes from a copy back that did not happen", async () => {
    const allocation = await sealable(await openSimulated(), patternBytes(600_000));
    await allocation.digest();
    for (const mode of ["drop", "short"] as const) {
      faultCopy({ direction: "toHost", mode });
      expect(["CUDA_FAILED", "INTEGRITY_VIOLATION"]).toContain((await failure(() => allocation.digest())).code);
    }
  });

  it("is aborted by its signal, and the allocation goes on", async () => {
    const allocation = await sealable(await openTestDevice(), patternBytes(5000));
    expect((await failure(() => allocation.digest({ signal: AbortSignal.abort() }))).code).toBe("ABORTED");
    expect(await allocation.digest()).toMatch(/^[0-9a-f]{64}$/);
  });
});

it("VP-003 test_safe_memcpy the wipe is seen in device memory before it is freed", async () => {
  const allocation = await sealable(await openTestDevice(), patternBytes(5000));
  expect(await allocation.release()).toEqual(WIPED);
  if (!onGpu) expect(simulatorStats().freed.at(-1)?.zeroed).toBe(true);
});
