/** Headers and index files that are longer are refused; safetensors has the same limit. In bytes. */
export const HEADER_MAX_BYTES = 100_000_000;

/** Lists of more tensors, metadata values or the like are refused; the largest models have a fifth as many. */
export const MAX_ENTRIES = 2 ** 20;
