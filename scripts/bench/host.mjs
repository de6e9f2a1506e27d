// The digest of a file on the host, against other programs on the same file and against what memory and the file allow.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { digestFile } from "vram-cuda";
import { once } from "./once.mjs";
import { hasProgram, runProgram } from "./programs.mjs";
import { makeRandomFile, sha256Of } from "./random-file.mjs";

const PEERS = [
  { id: "openssl dgst", program: "openssl", args: ["dgst", "-sha256", "-r"], digest: "sha256" },
  { id: "sha256sum", program: "sha256sum", args: [], digest: "sha256" },
  { id: "fsverity digest", program: "fsverity", args: ["digest"], digest: "fsverity" },
  { id: "b3sum", program: "b3sum", args: ["--num-threads", "1"] },
];
const PATHS = ["avx512", "sha-ni", "portable"];

/** A wrong digest is no measurement. */
function assertDigest(id, text, expected) {
  if (expected !== undefined && !text.includes(expected)) throw new Error(`${id} gave a wrong digest`);
}

function createHashSubject(file, bytes) {
  const measure = async () => {
    const { chunks, sha256 } = file();
    const startMs = performance.now();
    const digest = sha256Of(chunks);
    const seconds = (performance.now() - startMs) / 1e3;
    assertDigest("createHash", digest, sha256);
    return { seconds };
  };
  return { id: "createHash", bytes, measure };
}

function peerSubject({ id, program, args, digest }, file, bytes) {
  if (!hasProgram(program)) return { id, absent: `${id.split(" ")[0]} is absent` };
  const measure = async () => {
    const { seconds, stdout } = await runProgram(program, [...args, file().path]);
    assertDigest(id, stdout, digest && file()[digest]);
    return { seconds, wholeSeconds: seconds };
  };
  return { id, bytes, measure };
}

/** The same digest by the package, for JavaScript. */
function digestFileSubject(file, bytes) {
  const measure = async () => {
    const { path, fsverity } = file();
    const fd = openSync(path, "r");
    const startMs = performance.now();
    const digest = await digestFile(fd, { threads: 1 });
    const seconds = (performance.now() - startMs) / 1e3;
    closeSync(fd);
    assertDigest("digestFile()", digest, fsverity);
    return { seconds };
  };
  return { id: "digestFile()", bytes, measure };
}

function nativeSubjects(native, file, bytes) {
  const subject = (id, args, absent) => {
    if (native === undefined) return { id, absent: "vram_host_bench is absent" };
    return { id, bytes, ...(absent === undefined ? { measure: () => native.measure(...args()) } : { absent }) };
  };
  const digest = (id, path, threads) => {
    const args = () => ["digest", "--path", path, "--threads", threads, file().path];
    const made = subject(id, args, path === "best" || native?.paths.includes(path) ? undefined : `this CPU lacks ${path}`);
    if (made.measure === undefined) return made;
    const measure = async () => {
      const sample = await made.measure();
      assertDigest(id, sample.digest, file().fsverity);
      return { seconds: sample.seconds, wholeSeconds: sample.wholeSeconds };
    };
    return { ...made, measure };
  };
  return [
    ...PATHS.map((path) => digest(`digest, ${path}`, path, 1)),
    digest("digest", "best", 1),
    digest("digest, two threads", "best", 2),
    subject("reading the file", () => ["pread", file().path]),
    subject("reading memory", () => ["read", bytes]),
    subject("memcpy", () => ["memcpy", bytes]),
  ];
}

export function hostGroup({ folder, native, machine, options }) {
  const bytes = options.quick ? 2 ** 28 : 2 ** 30;
  const file = once(() => makeRandomFile(join(folder, "host.bin"), { byteLength: bytes, seed: options.seed }));
  const against = (peer, more) => ({ id: `host digest : ${peer}`, own: "digest", peer, ...more });
  const has = (path) => (native?.paths.includes(path) ? undefined : `this CPU lacks ${path}`);
  return {
    name: "host",
    subjects: [
      createHashSubject(file, bytes),
      ...PEERS.map((peer) => peerSubject(peer, file, bytes)),
      ...nativeSubjects(native, file, bytes),
      digestFileSubject(file, bytes),
    ],
    rows: [
      { id: "host digest, avx512 : createHash", own: "digest, avx512", peer: "createHash", must: 2.5, aim: 3 },
      { id: "host digest, sha-ni : createHash", own: "digest, sha-ni", peer: "createHash", must: 1.6, aim: 1.8 },
      { id: "host digest, portable : createHash", own: "digest, portable", peer: "createHash" },
      {
        ...{ id: "host digest, two threads : one", own: "digest, two threads", peer: "digest", must: 1.85, aim: 1.95 },
        unjudged: machine.cores < 2 ? "one core" : undefined,
      },
      against("fsverity digest", { of: "wholeSeconds", must: 3.5, aim: 4.5, unjudged: has("avx512") }),
      ...["openssl dgst", "sha256sum", "b3sum"].map((peer) => against(peer, { of: "wholeSeconds" })),
      ...["reading the file", "reading memory", "memcpy"].map((limit) => against(limit)),
      { id: "digestFile() : createHash", own: "digestFile()", peer: "createHash" },
      { id: "digestFile() : host digest", own: "digestFile()", peer: "digest" },
    ],
  };
}
