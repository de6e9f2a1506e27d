import { VramError } from "./errors.js";
import { readModelHeader } from "./model/header.js";
import type { ModelFormat, ModelHeader } from "./model/header.js";
import type { OpenSource } from "./source/model-source.js";
import { openSource } from "./source/open-source.js";
import { leadBytesOf } from "./tensor-view.js";

/** A source with its header read: what is in the image, and how it is to lie in device memory. */
export interface ModelImage {
  readonly source: OpenSource;
  readonly header: ModelHeader;
  readonly leadBytes: number;
}

interface ImageOptions {
  readonly format?: ModelFormat | undefined;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Opens a source and reads its header; whoever opened it closes `source`.
 * @throws VramError `INVALID_INPUT` for a source that cannot be read, is too large, or is not what its format says.
 */
export async function openModelImage(given: unknown, { format, maxBytes, signal }: ImageOptions): Promise<ModelImage> {
  const source = await openSource(given, signal);
  try {
    assertSize(source, maxBytes);
    const { byteLength, fileName } = source;
    const header = await readModelHeader(
      { byteLength, read: (length) => source.readHead(length) },
      { ...(format && { format }), ...(fileName !== undefined && { fileName }) },
    );
    return { source, header, leadBytes: leadBytesOf(header) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function assertSize({ byteLength }: OpenSource, maxModelBytes: number): void {
  if (byteLength <= maxModelBytes) return;
  throw new VramError("INVALID_INPUT", "source must not be larger than limits.maxModelBytes", {
    details: { argument: "source", byteLength, maxModelBytes },
  });
}
