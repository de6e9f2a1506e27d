/** The known word that a wrong one was probably meant to be: at most two of its letters, or a third, are off. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((each) => ({ each, distance: editDistance(word.toLowerCase(), each.toLowerCase()) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance < best.each.length && best.distance <= Math.max(2, best.each.length / 3) ? best.each : undefined;
}

/** Levenshtein's, over the first 64 letters. */
function editDistance(from: string, to: string): number {
  const [a, b] = [Array.from(from).slice(0, 64), Array.from(to).slice(0, 64)];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of a.entries()) {
    const current = [row + 1];
    for (const [column, other] of b.entries()) {
      const [diagonal = 0, up = 0, left = 0] = [above[column], above[column + 1], current[column]];
      current.push(Math.min(up + 1, left + 1, diagonal + (letter === other ? 0 : 1)));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
