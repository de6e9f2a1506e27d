/** A list in parts of at most `most` entries, at least one part. */
export function chunksOf<Entry>(list: readonly Entry[], most: number): readonly (readonly Entry[])[] {
  const parts = Math.max(1, Math.ceil(list.length / most));
  return Array.from({ length: parts }, (_, index) => list.slice(index * most, (index + 1) * most));
}
