// @ts-check
import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const FOLDERS = ["waiting", "taken", "done", "failed"];
const JOB_MAX_BYTES = 65_536;
/** How often a job is given out before one that ends its worker each time is set aside. */
const ATTEMPTS_MAX = 5;
/** Digits of a time in milliseconds, so that names sort by it. */
const TIME_DIGITS = 15;
const NAME = /^(?<dueMs>[0-9]{15})-(?<attempt>[0-9]{1,9})-(?<id>[0-9a-f-]{36})\.json$/;

/** @typedef {{ readonly dueMs: number, readonly attempt: number, readonly id: string }} Place */

/** A queue that holds as many jobs as it may. */
export class QueueFullError extends Error {}

/**
 * Jobs as files of a folder; a rename moves one, so none is lost and none is there twice. Whoever takes a job answers for it with `done`, `retry`,
 * `fail` or `leave`. A job that was taken by a worker that then died is given out again: at least once, not exactly once. Many may put jobs
 * in, one worker takes them.
 */
export class FileQueue {
  #folder;
  #maxJobs;

  /**
   * @param {string} folder
   * @param {{ maxJobs?: number }} [options]
   */
  constructor(folder, { maxJobs = 10_000 } = {}) {
    this.#folder = folder;
    this.#maxJobs = maxJobs;
  }

  /** Makes the folders. */
  async open() {
    for (const name of FOLDERS) await mkdir(join(this.#folder, name), { recursive: true, mode: 0o700 });
  }

  /**
   * Gives out again what a worker that died had taken, behind what is due; sets aside what was given out `ATTEMPTS_MAX` times. For the one
   * worker, before it takes a job.
   * @returns {Promise<Place[]>} what was set aside
   */
  async recover() {
    const aside = [];
    for (const place of await this.#list("taken")) {
      if (place.attempt < ATTEMPTS_MAX) await this.#retry(place, 0);
      else {
        await this.#move(place, "taken", "failed");
        aside.push(place);
      }
    }
    return aside;
  }

  /**
   * @param {unknown} input JSON
   * @returns {Promise<string>} the job's id
   * @throws QueueFullError, RangeError
   */
  async put(input) {
    const text = JSON.stringify(input);
    if (Buffer.byteLength(text) > JOB_MAX_BYTES) throw new RangeError(`a job must have at most ${JOB_MAX_BYTES} bytes`);
    if ((await this.#list("waiting")).length >= this.#maxJobs) throw new QueueFullError("the queue is full");
    const id = randomUUID();
    await this.#write("waiting", nameOf({ dueMs: Date.now(), attempt: 1, id }), text);
    return id;
  }

  /** The job that is due longest; undefined where none is due. */
  async take() {
    const [place] = await this.#list("waiting");
    if (place === undefined || place.dueMs > Date.now()) return undefined;
    await this.#move(place, "waiting", "taken");
    const path = join(this.#folder, "taken", nameOf(place));
    const { id, attempt } = place;
    return {
      id,
      attempt,
      /** JSON, if whoever put it in kept to that. */
      read: () => readJob(path),
      /** @param {unknown} output is in `done/ID.json` before the job is gone */
      done: async (output) => {
        await this.#write("done", `${id}.json`, JSON.stringify(output));
        // It is not there where a second worker, which must not be, gave it out again.
        await rm(path, { force: true });
      },
      /** @param {number} delayMs */
      retry: (delayMs) => this.#retry(place, delayMs),
      /** As if it had not been taken. */
      leave: () => this.#move(place, "taken", "waiting"),
      /** Sets it aside for somebody to look at. */
      fail: () => this.#move(place, "taken", "failed"),
    };
  }

  /**
   * @param {Place} place
   * @param {number} delayMs
   */
  async #retry(place, delayMs) {
    await this.#move(place, "taken", "waiting", { id: place.id, attempt: place.attempt + 1, dueMs: Date.now() + delayMs });
  }

  /**
   * @param {string} from
   * @param {string} to
   * @param {Place} place
   * @param {Place} [next]
   */
  async #move(place, from, to, next = place) {
    await rename(join(this.#folder, from, nameOf(place)), join(this.#folder, to, nameOf(next)));
  }

  /**
   * The whole file or none, durable.
   * @param {string} folder
   * @param {string} name
   * @param {string} text
   */
  async #write(folder, name, text) {
    const path = join(this.#folder, folder, name);
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncFolder(join(this.#folder, folder));
  }

  /**
   * Jobs, the one that is due longest first.
   * @param {string} folder
   */
  async #list(folder) {
    const names = await readdir(join(this.#folder, folder));
    return names.sort().flatMap((name) => placeOf(name) ?? []);
  }
}

/**
 * A pipe would never end, and a link leads elsewhere.
 * @param {string} path
 * @throws RangeError for what `put` would not have made
 */
async function readJob(path) {
  const found = await lstat(path);
  if (!found.isFile() || found.size > JOB_MAX_BYTES) throw new RangeError(`a job must be a file of at most ${JOB_MAX_BYTES} bytes`);
  return readFile(path, "utf8");
}

/**
 * A new name is durable only when its folder is.
 * @param {string} path
 */
async function syncFolder(path) {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @param {Place} place */
function nameOf({ dueMs, attempt, id }) {
  return `${String(dueMs).padStart(TIME_DIGITS, "0")}-${attempt}-${id}.json`;
}

/**
 * @param {string} name
 * @returns {Place | undefined} undefined for a file that is no job, or not whole yet
 */
function placeOf(name) {
  const { dueMs, attempt, id } = NAME.exec(name)?.groups ?? {};
  return dueMs === undefined || attempt === undefined || id === undefined ? undefined : { dueMs: Number(dueMs), attempt: Number(attempt), id };
}
