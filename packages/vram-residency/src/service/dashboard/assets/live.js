// @ts-check
"use strict";
// How the page stays true: the snapshot, asked again and again, and the stream of events.

const REFRESH_MS = 500;
const ANSWER_MS = 4_000;
const REOPEN_MS = 1_000;

/** Asks for the snapshot, at once and then at most twice a second, but for what cannot wait. */
class Snapshots {
  /** @type {(snapshot: ServiceSnapshot | undefined) => void} */
  #onAnswer;
  #wanted = false;
  #running = false;
  #startedAt = -REFRESH_MS;
  #wake = () => {};

  /** @param {(snapshot: ServiceSnapshot | undefined) => void} onAnswer gets undefined where there was no answer */
  constructor(onAnswer) {
    this.#onAnswer = onAnswer;
  }

  async refresh() {
    this.#wanted = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#wanted) {
        await new Promise((resolve) => {
          this.#wake = () => resolve(undefined);
          setTimeout(resolve, this.#startedAt + REFRESH_MS - performance.now());
        });
        this.#wanted = false;
        this.#startedAt = performance.now();
        this.#onAnswer(await askSnapshot());
      }
    } finally {
      this.#running = false;
    }
  }

  async refreshNow() {
    this.#startedAt = -REFRESH_MS;
    this.#wake();
    await this.refresh();
  }
}

/** @returns {Promise<ServiceSnapshot | undefined>} */
async function askSnapshot() {
  try {
    const answer = await fetch("/api/shards", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/** @typedef {{ onLine: (line: AuditLine) => void, onGap: (gap: Gap) => void, onTrouble: (trouble: { message: string } | null) => void, onState: () => void, onOpen: (open: boolean) => void }} StreamListener */

/** The audit log's new lines. The browser reconnects by itself where a connection broke; where it gives up, this does. */
class EventStream {
  #listener;
  /** @type {EventSource | undefined} */
  #source;
  /** Of the newest line. */
  #lastId = "";

  /** @param {StreamListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  open() {
    const source = new EventSource(this.#lastId === "" ? "/api/events" : `/api/events?after=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    const { onLine, onGap, onTrouble, onState, onOpen } = this.#listener;
    source.addEventListener("open", () => onOpen(true));
    source.addEventListener("audit", ({ data, lastEventId }) => {
      this.#lastId = lastEventId;
      onLine(JSON.parse(data));
    });
    source.addEventListener("gap", ({ data }) => onGap(JSON.parse(data)));
    source.addEventListener("trouble", ({ data }) => onTrouble(JSON.parse(data)));
    source.addEventListener("state", onState);
    source.addEventListener("error", () => {
      onOpen(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#reopen(source), REOPEN_MS);
    });
  }

  /** From the beginning: for another log. */
  restart() {
    this.#source?.close();
    this.#lastId = "";
    this.open();
  }

  /** @param {EventSource} closed */
  #reopen(closed) {
    if (this.#source === closed) this.open();
  }
}
