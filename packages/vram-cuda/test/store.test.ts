import { store } from "vram-simulator/tamper";
import { expect, it } from "vitest";
import { openTestDevice, patternBytes, sealable } from "./fixture.js";

// The only test of its file: on a GPU the process has no context any more after this.
it("a kernel that stores into a view is stopped by the mapping, and the device is lost", async () => {
  const allocation = await sealable(await openTestDevice(), patternBytes(1024));
  expect(store(allocation.view({ byteOffset: 512, byteLength: 1 }))).toBe(700);
  await expect(allocation.digest()).rejects.toMatchObject({ code: "DEVICE_LOST" });
  expect(await allocation.release()).toMatchObject({ wiped: false, lost: true });
});
