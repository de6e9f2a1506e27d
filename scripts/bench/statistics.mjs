/** The value below which a share of the samples lies, interpolated between neighbours. */
export function quantile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** The median, and as its spread the distance between the quartiles. */
export function summarize(samples) {
  return { median: quantile(samples, 0.5), spread: quantile(samples, 0.75) - quantile(samples, 0.25) };
}
