/** How long some work takes. */
export async function secondsOf(work) {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1e3;
}
