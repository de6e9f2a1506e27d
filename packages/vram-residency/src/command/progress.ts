import type { SealProgress } from "../options/seal-options.js";

/** Shows one live line on a terminal's stderr and nothing anywhere else. */
export function progressLine(): { update(progress: SealProgress): void; end(): void } {
  const { stderr } = process;
  let shown = -1;
  return {
    update({ phase, doneBytes, totalBytes }) {
      const percent = Math.floor((100 * doneBytes) / totalBytes);
      if (!stderr.isTTY || percent === shown) return;
      shown = percent;
      stderr.write(`\r\u001b[K${phase} ${percent} %`);
    },
    end() {
      if (shown >= 0) stderr.write("\r\u001b[K");
    },
  };
}
