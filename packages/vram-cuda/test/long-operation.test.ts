import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setLatency, simulatorStats } from "vram-simulator/control";
import { afterEach, describe, expect, it } from "vitest";
import { WIPED, itWithFaults, onGpu, openSimulated, openTestDevice } from "./fixture.js";
import { MIB, expectCode, loadInto, pattern, sha256 } from "./simulated.js";

const fds: number[] = [];

afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd);
});

function fileWith(data: Uint8Array): number {
  const path = join(tmpdir(), `vram-cuda-${process.pid}-${fds.length}`);
  writeFileSync(path, data);
  const fd = openSync(path, "r");
  unlinkSync(path);
  fds.push(fd);
  return fd;
}

describe("loading", () => {
  it("a file arrives whole, with both digests and progress to its end", async () => {
    const device = await openTestDevice();
    const data = pattern(21 * MIB + 5);
    const allocation = await device.allocate(data.byteLength, { sha256: true });
    const seen: [number, number][] = [];
    await allocation.appendFile(fileWith(data), data.byteLength, { onProgress: (done, total) => void seen.push([done, total]) });
    const digests = await allocation.finishLoad();
    expect(digests.sha256).toBe(sha256(data));
    expect(await allocation.digest()).toBe(digests.fsverity);
    expect(seen.at(-1)).toEqual([data.byteLength, data.byteLength]);
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).sort((a, b) => a - b));
  });

  it("a chunk larger than the staging arrives whole", async () => {
    const device = await openTestDevice();
    const data = pattern(33 * MIB + 1);
    const allocation = await device.allocate(data.byteLength, { sha256: true });
    await allocation.append(data);
    const digests = await allocation.finishLoad();
    expect(digests.sha256).toBe(sha256(data));
    expect(await allocation.digest()).toBe(digests.fsverity);
  });

  it("TT-3 test_concurrent_modification_detected a chunk may be reused as soon as append has returned", async () => {
    const device = await openTestDevice();
    const data = pattern(MIB);
    const expected = sha256(data);
    const allocation = await device.allocate(MIB, { sha256: true });
    const appended = allocation.append(data);
    data.fill(0xee);
    await appended;
    const digests = await allocation.finishLoad();
    expect(digests.sha256).toBe(expected);
    expect(await allocation.digest()).toBe(digests.fsverity);
  });

  it("append while another operation runs is refused", async () => {
    const device = await openTestDevice();
    const allocation = await device.allocate(100);
    const first = allocation.placement();
    await expectCode(allocation.append(new Uint8Array(1)), "INVALID_INPUT");
    await first;
    await allocation.append(new Uint8Array(100));
  });

  it("a file shorter than said, a closed descriptor and a folder are INVALID_INPUT, and nothing stays", async () => {
    const device = await openTestDevice();
    const closed = fileWith(pattern(10));
    closeSync(closed);
    fds.pop();
    const folder = openSync(tmpdir(), "r");
    fds.push(folder);
    for (const fd of [fileWith(pattern(99)), closed, folder]) {
      const allocation = await device.allocate(100);
      const error = await expectCode(allocation.appendFile(fd, 100), "INVALID_INPUT");
      expect(error.message).toMatch(/^fd /);
      expect(await allocation.release()).toEqual(WIPED);
    }
    if (!onGpu) expect(simulatorStats().allocatedBytes).toBe(device.workspaceBytes);
  });

  it("a file length beyond the allocation is refused", async () => {
    const device = await openTestDevice();
    const allocation = await device.allocate(100);
    await expectCode(allocation.appendFile(fileWith(pattern(200)), 101), "INVALID_INPUT");
    await expectCode(allocation.appendFile(fileWith(pattern(200)), -1), "INVALID_INPUT");
  });
});

describe("aborting", () => {
  itWithFaults("a signal that has fired refuses before anything is done", async () => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(100));
    const { calls } = simulatorStats();
    const reason = new Error("why");
    const error = await expectCode(allocation.digest({ signal: AbortSignal.abort(reason) }), "ABORTED");
    expect(error.cause).toBe(reason);
    expect(simulatorStats().calls).toEqual(calls);
  });

  itWithFaults("a file load stops between pieces, and its memory is wiped", async () => {
    const device = await openSimulated();
    const allocation = await device.allocate(64 * MIB);
    setLatency("cuMemcpyHtoDAsync_v2", 5);
    const controller = new AbortController();
    const onProgress = (): void => {
      controller.abort("enough");
    };
    const loading = allocation.appendFile(fileWith(new Uint8Array(64 * MIB)), 64 * MIB, { signal: controller.signal, onProgress });
    const error = await expectCode(loading, "ABORTED");
    expect(error.cause).toBe("enough");
    setLatency("cuMemcpyHtoDAsync_v2", 0);
    expect(simulatorStats().calls["cuMemcpyHtoDAsync_v2"]).toBeLessThan(16);
    await expectCode(allocation.finishLoad(), "ABORTED");
    expect(await allocation.release()).toEqual(WIPED);
  });

  it("what onProgress throws ends the operation and is its cause", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(100));
    const thrown = new RangeError("from the caller");
    const error = await expectCode(
      allocation.digest({
        onProgress: () => {
          throw thrown;
        },
      }),
      "ABORTED",
    );
    expect(error.cause).toBe(thrown);
  });

  it("options of the wrong type are INVALID_INPUT", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(100));
    await expectCode(allocation.digest({ signal: {} as AbortSignal }), "INVALID_INPUT");
    await expectCode(allocation.digest({ onProgress: 1 as unknown as () => void }), "INVALID_INPUT");
  });

  it("a finished operation leaves no listener on its signal", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(100));
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      },
      removeEventListener: (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      },
    });
    await allocation.digest({ signal });
    expect(listeners).toBe(0);
  });
});
