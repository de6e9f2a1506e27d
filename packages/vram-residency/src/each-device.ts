import type { HostDevice } from "./host-device.js";

/**
 * Does something with every item: those of one device one after another, those of different devices side by side. The first
 * failure aborts `failure` and nothing else is begun; what runs is awaited, and then that failure is thrown.
 */
export async function onEachDevice<Item extends { readonly host: HostDevice }, T>(
  items: readonly Item[],
  run: (item: Item, index: number) => Promise<T>,
  failure = new AbortController(),
): Promise<readonly T[]> {
  const results: T[] = [];
  const goThrough = async (host: HostDevice): Promise<void> => {
    for (const [index, item] of items.entries()) {
      if (item.host !== host || failure.signal.aborted) continue;
      try {
        results[index] = await run(item, index);
      } catch (error) {
        failure.abort(error);
      }
    }
  };
  await Promise.all([...new Set(items.map(({ host }) => host))].map(goThrough));
  failure.signal.throwIfAborted();
  return results;
}
