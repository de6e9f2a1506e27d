import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { list } from "tar";

/** What a tarball holds: `{ sha256, byteLength, entries: [{ path, type, mode, content }] }`; paths are those within `package/`. */
export function readTarball(file) {
  const bytes = readFileSync(file);
  const entries = [];
  list({
    file,
    sync: true,
    strict: true,
    onReadEntry: (entry) => {
      const chunks = [];
      const { path, type, mode } = entry;
      entry.on("data", (chunk) => chunks.push(chunk));
      entry.on("end", () => entries.push({ path: path.replace(/^package\//, ""), type, mode, content: Buffer.concat(chunks) }));
    },
  });
  return { sha256: createHash("sha256").update(bytes).digest("hex"), byteLength: bytes.length, entries };
}

/** The manifest in a tarball that `readTarball` read. */
export function manifestOf({ entries }) {
  return JSON.parse(entries.find(({ path }) => path === "package.json").content.toString("utf8"));
}
