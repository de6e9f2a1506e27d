export const INDEX_MAX_BYTES = 100_000_000;
export interface ShardIndex {
  readonly fileNames: readonly string[];
  readonly tensors: ReadonlyMap<string, string>;
}
export function parseShardIndex(_bytes: Uint8Array): ShardIndex {
  return { fileNames: [], tensors: new Map() };
}
