import { fsverityDigest } from "vram-seal";
import { describe, expect, it, vi } from "vitest";
import { eventTypes, openWorkplace, patternBytes, refusal } from "./fixture.js";

const measured = vi.hoisted(() => ({ digest: null as string | null }));
vi.mock("vram-cuda", async (original) => ({ ...(await original<object>()), measureFile: () => measured.digest }));

describe("a file that the kernel protects with fs-verity", () => {
  const bytes = patternBytes(70_000);

  it("is sealed when device memory has the digest that the kernel measured", async () => {
    const place = await openWorkplace();
    measured.digest = fsverityDigest(bytes);
    const shard = await place.residency.seal(await place.model(bytes));
    expect(shard.toJSON().digest).toBe(measured.digest);
  });

  it.each([
    ["alone", undefined],
    ["beside an expected digest that holds", { fsverity: fsverityDigest(bytes) }],
  ])("is refused when device memory has another digest, %s", async (_, expected) => {
    const place = await openWorkplace();
    measured.digest = "ab".repeat(32);
    const error = await refusal(place.residency.seal(await place.model(bytes), expected && { expect: expected }));
    expect(error).toMatchObject({
      code: "INTEGRITY_VIOLATION",
      details: { reason: "load", expectedDigest: measured.digest, actualDigest: fsverityDigest(bytes) },
    });
    expect(await eventTypes(place)).toContain("vram.seal.verification_failed");
  });
});
