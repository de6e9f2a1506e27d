import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fsverityDigest } from "vram-seal";
import { describe, expect, it } from "vitest";
import { signModel } from "../../vram-seal/test/support/model-bundle.js";
import type { Expectation } from "../src/index.js";
import { backend, eventTypes, eventsOfType, expectNothingHeld, openWorkplace, patternBytes, refusal } from "./fixture.js";
import type { Workplace } from "./fixture.js";
import { statementOf } from "./seal-bytes.js";

const bytes = patternBytes(9000);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const pointerTo = (oid: string): string => `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}\n`;
/** Signed with the name that a workplace gives its first model. */
const { bundle: modelSignature, publicKey } = signModel({ "config.json": Buffer.from("{}"), "model-1.bin": bytes });
const identity = expect.stringMatching(/^model-signing:sha256:[0-9a-f]{64}$/) as string;

/** Two files of the same bytes, a.bin and b.bin. */
async function twoFiles({ folder }: Workplace): Promise<string[]> {
  const paths = ["a.bin", "b.bin"].map((name) => join(folder, name));
  for (const path of paths) await writeFile(path, bytes);
  return paths;
}

async function expectRefused(expected: Expectation, details: object, source: "file" | "bytes" = "file"): Promise<void> {
  const place = await openWorkplace();
  const model = source === "file" ? await place.model(bytes) : bytes;
  const error = await refusal(place.residency.seal(model, { shardId: "s", expect: expected }));
  expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "expect", ...details } });
  expect(place.residency.state).toBe("ready");
  expect(place.residency.capacity().usedBytes).toBe(0);
  expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ severity: "critical", data: { shardId: "s", reason: "expect" } }]);
  await place.residency.seal(model, { shardId: "s" });
  await place.residency.close();
  expectNothingHeld();
}

describe("a Git LFS pointer as what is expected", () => {
  it("approves the file that it stands for", async () => {
    const { residency } = await openWorkplace({ policy: { ...backend.policy, requireExpected: true } });
    const shard = await residency.seal(bytes, { expect: { lfsPointer: pointerTo(sha256), fsverity: fsverityDigest(bytes) } });
    expect(statementOf(shard.seal).expected).toEqual({ fsverity: fsverityDigest(bytes), sha256 });
  });

  it("refuses another file, with both digests, and audits that", async () => {
    await expectRefused({ lfsPointer: Buffer.from(pointerTo("0".repeat(64))) }, { expectedDigest: "0".repeat(64), actualDigest: sha256 });
  });
});

describe("a model signature as what is expected", () => {
  it("approves a file that it lists; the seal and the trail say who vouched", async () => {
    const place = await openWorkplace({ policy: { ...backend.policy, requireExpected: true } });
    const shard = await place.residency.seal(await place.model(bytes), { expect: { modelSignature, publicKey } });
    expect(statementOf(shard.seal).expected).toEqual({ sha256, identity });
    expect(await eventsOfType(place, "vram.shard.sealed")).toMatchObject([{ data: { expected: { sha256, identity } } }]);
  });

  it("wants the file's name where the source has none", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes, { expect: { modelSignature, publicKey, file: "model-1.bin" } });
    expect(statementOf(shard.seal).expected).toEqual({ sha256, identity });
    const error = await refusal(residency.seal(bytes, { expect: { modelSignature, publicKey } }));
    const message = "source must be a file, or options.expect.file name one, for a model signature";
    expect(error).toMatchObject({ code: "INVALID_INPUT", message });
    expect(await refusal(residency.sealSet([bytes], { expect: { modelSignature, publicKey } }))).toMatchObject({ code: "INVALID_INPUT", message });
  });

  it("is read at once: what the caller makes of its buffer afterwards does not count", async () => {
    const place = await openWorkplace();
    const paths = await twoFiles(place);
    const all = signModel({ "a.bin": bytes, "b.bin": bytes });
    const pointer = Buffer.from(pointerTo(sha256));
    const buffer = Buffer.from(all.bundle);
    const sealing = place.residency.sealSet(paths, { expect: { modelSignature: buffer, publicKey: all.publicKey } });
    buffer.fill(0);
    for (const { seal } of (await sealing).shards) expect(statementOf(seal).expected).toEqual({ sha256, identity });
    const byPointer = place.residency.sealSet(paths, { expect: { "a.bin": { sha256 }, "b.bin": { lfsPointer: pointer } } });
    pointer.fill(0);
    for (const { seal } of (await byPointer).shards) expect(statementOf(seal).expected).toEqual({ sha256 });
  });

  it("of a model that is one file approves that file, whatever its name", async () => {
    const place = await openWorkplace();
    const one = signModel({ ".": bytes });
    const shard = await place.residency.seal(await place.model(bytes), { expect: { modelSignature: one.bundle, publicKey: one.publicKey } });
    expect(statementOf(shard.seal).expected).toEqual({ sha256, identity });
  });

  it("refuses bytes that are not the listed ones", async () => {
    const { bundle, publicKey: key } = signModel({ "model-1.bin": Buffer.from("other") });
    await expectRefused({ modelSignature: bundle, publicKey: key }, { actualDigest: sha256 });
  });

  it("refuses a file that it does not list, and names it", async () => {
    await expectRefused({ modelSignature, publicKey, file: "other.bin" }, { step: "unlisted", file: "other.bin" });
    await expectRefused({ modelSignature, publicKey, file: "other.bin" }, { step: "unlisted", file: "other.bin" }, "bytes");
  });

  it("names no file whose name is more than one line", async () => {
    const place = await openWorkplace();
    const path = join(place.folder, "a\nb");
    await writeFile(path, bytes);
    const error = await refusal(place.residency.seal(path, { expect: { modelSignature, publicKey } }));
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", message: "the model signature does not list the file" });
    expect(error.details).toEqual({ reason: "expect", step: "unlisted" });
  });

  it("refuses the signature of another key, and what is no bundle", async () => {
    const { publicKey: other } = signModel({});
    await expectRefused({ modelSignature, publicKey: other }, { step: "signature" });
    await expectRefused({ modelSignature: "{}", publicKey }, { step: "shape" });
  });

  it("approves a set whole, or not at all", async () => {
    const place = await openWorkplace();
    const paths = await twoFiles(place);
    const all = signModel({ "a.bin": bytes, "b.bin": bytes });
    const { shards } = await place.residency.sealSet(paths, { setId: "set", expect: { modelSignature: all.bundle, publicKey: all.publicKey } });
    for (const { seal } of shards) expect(statementOf(seal).expected).toEqual({ sha256, identity });
    const first = signModel({ "a.bin": bytes });
    const error = await refusal(place.residency.sealSet(paths, { setId: "half", expect: { modelSignature: first.bundle, publicKey: first.publicKey } }));
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { step: "unlisted", file: "b.bin" } });
    expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.shard.sealed", "vram.shard.sealed", "vram.seal.verification_failed"]);
  });
});

it.each([
  [{}, "options.expect must have fsverity, sha256, lfsPointer or modelSignature"],
  [{ sha256, lfsPointer: pointerTo(sha256) }, "options.expect must have no more than one of sha256, lfsPointer and modelSignature"],
  [{ modelSignature }, "options.expect must have modelSignature and publicKey together"],
  [{ sha256, publicKey }, "options.expect must have modelSignature and publicKey together"],
  [{ sha256, file: "x" }, "options.expect must have file with modelSignature only"],
  [{ modelSignature, publicKey: 5 }, "options.expect.publicKey must be a KeyObject, or text in PEM"],
  [{ modelSignature, publicKey: "x" }, "publicKey must be a P-256 or P-384 public key, as a KeyObject or in PEM"],
  [{ modelSignature: 5, publicKey }, "options.expect.modelSignature must be text or a Uint8Array of at most 16 MiB"],
  [{ lfsPointer: "oid" }, "lfsPointer must be a Git LFS pointer of version 1, with a SHA-256 oid and a size"],
  [{ sha256, other: 1 }, "options.expect must have known options only"],
])("an expectation %# that nobody can mean is the caller's error, before anything is held", async (expected, message) => {
  const place = await openWorkplace();
  const model = await place.model(bytes);
  expect(await refusal(place.residency.seal(model, { expect: expected as never }))).toMatchObject({ code: "INVALID_INPUT", message });
  expect(await eventTypes(place)).toEqual(["vram.worker.started"]);
});

it.each([
  [{ modelSignature, publicKey, file: "a", other: 1 }, "options.expect must have known options only"],
  [{ modelSignature }, "options.expect must have modelSignature and publicKey together"],
  [{ modelSignature, publicKey, file: "a" }, "options.expect must have no file: each of a set has its name"],
  [{ "model-1.bin": { sha256: "x" } }, "options.expect.model-1.bin.sha256 must be 64 lowercase hexadecimal characters"],
  [{ "model-1.bin": 5 }, "options.expect.model-1.bin must be an object with known options only"],
  ["x", "options.expect must be an object with file names as keys"],
])("nor does a set's expectation %#", async (expected, message) => {
  const place = await openWorkplace();
  const model = await place.model(bytes);
  expect(await refusal(place.residency.sealSet([model], { expect: expected as never }))).toMatchObject({ code: "INVALID_INPUT", message });
});
