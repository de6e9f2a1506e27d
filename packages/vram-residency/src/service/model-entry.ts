import { basename } from "node:path";
import { shardIdProblem } from "vram-text";
import { z } from "zod";
import { checked, deviceSelector, digest, name } from "../options/rules.js";
import { pathIn, section } from "./config-rules.js";

const DEVICE = "be a device ordinal or UUID, or for a set a list of them";

const expected = (folder: string) =>
  section({
    fsverity: digest.exactOptional(),
    sha256: digest.exactOptional(),
    setDigest: digest.exactOptional(),
    lfsPointer: pathIn(folder).exactOptional(),
    modelSignature: pathIn(folder).exactOptional(),
    publicKey: pathIn(folder).exactOptional(),
    file: name.exactOptional(),
  });

/** A model to hold. A path that ends in `.index.json` is the index of a model of several files. */
export const modelEntry = (folder: string) =>
  section({
    path: pathIn(folder),
    shardId: checked(shardIdProblem).exactOptional(),
    setId: checked(shardIdProblem).exactOptional(),
    modelRef: name.exactOptional(),
    expect: expected(folder).exactOptional(),
    device: z.union([deviceSelector, z.array(deviceSelector).min(1, DEVICE)], DEVICE).exactOptional(),
  })
    .refine(({ path, shardId }) => !isIndex(path) || shardId === undefined, { message: "be absent for a set; name a setId", path: ["shardId"] })
    .refine(({ path, setId }) => isIndex(path) || setId === undefined, { message: "be absent for a model of one file; name a shardId", path: ["setId"] })
    .refine(({ path, device }) => isIndex(path) || !Array.isArray(device), { message: "be one device for a model of one file", path: ["device"] })
    .refine(({ path, expect }) => isIndex(path) || expect?.setDigest === undefined, { message: "be absent for a model of one file", path: ["expect", "setDigest"] })
    .refine(({ expect }) => (expect?.modelSignature === undefined) === (expect?.publicKey === undefined), {
      message: "have modelSignature and publicKey together",
      path: ["expect"],
    })
    .refine(({ path, expect }) => !isIndex(path) || (expect?.fsverity ?? expect?.sha256 ?? expect?.lfsPointer ?? expect?.file) === undefined, {
      message: "have setDigest or modelSignature for a set",
      path: ["expect"],
    });

export type ModelEntry = z.output<ReturnType<typeof modelEntry>>;

export const isIndex = (path: string): boolean => path.endsWith(".index.json");

/** Names the shard or set of a model that has no id, by its file. */
export function nameFor({ path, shardId, setId }: ModelEntry, taken: ReadonlySet<string>): string {
  const given = shardId ?? setId;
  if (given !== undefined) return given;
  const stem = basename(path).replace(/(\.safetensors\.index\.json|\.[^.]*)$/, "");
  const base = stem.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 200) || "model";
  let distinct = base;
  for (let number = 2; taken.has(distinct); number += 1) distinct = `${base}-${number}`;
  return distinct;
}
