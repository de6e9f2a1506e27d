import { readFileArgument } from "../command/read-file.js";
import type { SealOptions, SealSetOptions } from "../options/seal-options.js";
import { isIndex } from "./model-entry.js";
import type { ModelEntry } from "./model-entry.js";

/** How to seal a model of one file, or those of a set, under a name. */
export type ModelRequest =
  | { readonly kind: "file"; readonly path: string; readonly options: SealOptions }
  | { readonly kind: "set"; readonly path: string; readonly options: SealSetOptions };

/** Reads what was approved of a model from its files. @throws VramError `INVALID_INPUT` naming the field */
export async function modelRequest(entry: ModelEntry, name: string): Promise<ModelRequest> {
  const { path, modelRef = null, device, expect } = entry;
  const { setDigest, ...rest } = expect ?? {};
  const evidence = await readEvidence(rest);
  if (!isIndex(path)) {
    const one = Array.isArray(device) ? device[0] : device;
    const options = { shardId: name, modelRef, ...(one !== undefined && { device: one }), ...(expect !== undefined && { expect: evidence }) };
    return { kind: "file", path, options };
  }
  const { modelSignature, publicKey } = evidence;
  const options = {
    setId: name,
    modelRef,
    ...(device !== undefined && { devices: Array.isArray(device) ? device : [device] }),
    ...(setDigest !== undefined && { expectSet: setDigest }),
    ...(modelSignature !== undefined && publicKey !== undefined && { expect: { modelSignature, publicKey } }),
  };
  return { kind: "set", path, options };
}

type Expected = Omit<NonNullable<ModelEntry["expect"]>, "setDigest">;

async function readEvidence({ lfsPointer, modelSignature, publicKey, ...digests }: Expected) {
  return {
    ...digests,
    ...(lfsPointer !== undefined && { lfsPointer: await readFileArgument("expect.lfsPointer", lfsPointer) }),
    ...(modelSignature !== undefined && { modelSignature: await readFileArgument("expect.modelSignature", modelSignature) }),
    ...(publicKey !== undefined && { publicKey: (await readFileArgument("expect.publicKey", publicKey)).toString() }),
  };
}
