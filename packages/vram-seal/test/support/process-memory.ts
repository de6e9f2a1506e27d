import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const CHUNK_BYTES = 4 * 1024 * 1024;

interface Region {
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  readonly residentBytes: number;
  readonly flags: readonly string[];
}

/** How often each needle lies in a process's memory. A page for secrets is left out: it is unreadable, or wiped on fork. */
export function countInProcess(pid: number, needles: readonly Buffer[]): number[] {
  const counts = needles.map(() => 0);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const region of regionsOf(pid)) {
      if (region.readable && region.residentBytes > 0 && !region.flags.includes("wf")) countInRegion(memory, region, needles, counts);
    }
  } finally {
    closeSync(memory);
  }
  return counts;
}

/** How often each needle lies in a buffer. */
export function countIn(bytes: Buffer, needles: readonly Buffer[]): number[] {
  return needles.map((needle) => {
    let count = 0;
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) count += 1;
    return count;
  });
}

function regionsOf(pid: number): Region[] {
  const regions = readFileSync(`/proc/${pid}/smaps`, "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return regions.map((text) => {
    const [, start = "", end = "", access = ""] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(text) ?? [];
    const [, kibibytes = "0"] = /^Rss: +(\d+) kB$/m.exec(text) ?? [];
    const [, flags = ""] = /^VmFlags: (.*)$/m.exec(text) ?? [];
    return {
      start: parseInt(start, 16),
      end: parseInt(end, 16),
      readable: access.startsWith("r"),
      residentBytes: Number(kibibytes) * 1024,
      flags: flags.split(" "),
    };
  });
}

/** Chunks overlap by less than a needle. */
function countInRegion(memory: number, { start, end }: Region, needles: readonly Buffer[], counts: number[]): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  for (let at = start; at < end; at += CHUNK_BYTES - overlap) {
    const length = Math.min(CHUNK_BYTES, end - at);
    const read = readOrNothing(memory, chunk.subarray(0, length), at);
    countIn(chunk.subarray(0, read), needles).forEach((count, index) => (counts[index] = (counts[index] ?? 0) + count));
    if (length < CHUNK_BYTES) break;
  }
}

/** What cannot be read, like a page of memfd_secret, holds nothing for whoever looks. */
function readOrNothing(memory: number, chunk: Buffer, at: number): number {
  try {
    return readSync(memory, chunk, 0, chunk.length, at);
  } catch {
    return 0;
  }
}
