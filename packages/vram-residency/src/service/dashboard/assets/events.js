// @ts-check
"use strict";

/**
 * A line of the audit log (docs/spec/audit-v1.md, section 3.2), as far as the page reads it; and lines that the page did not get.
 * @typedef {{ sequence: string, time: string, type: string, severity: string, subject?: string, data: Record<string, unknown> }} AuditLine
 * @typedef {{ from: number, to: number }} Gap
 * @typedef {{ key: string, kind: string, content: AuditLine | Gap, shown?: HTMLElement }} Entry
 */

/** Of each severity so many are kept, so that much routine displaces nothing grave; so many are shown. */
const KEPT_EVENTS = 200;

class EventList {
  /** The newest first. @type {Entry[]} */
  #entries = [];
  #last = 0;
  received = 0;

  /** Takes a line behind those that are there: one that is there is passed over, and one that is missing shows. @param {AuditLine} line */
  add(line) {
    const sequence = Number(line.sequence);
    if (sequence <= this.#last) return;
    if (this.#last > 0 && sequence > this.#last + 1) this.#keep({ key: `before ${sequence}`, kind: "gap", content: { from: this.#last + 1, to: sequence - 1 } });
    this.#last = sequence;
    this.received += 1;
    this.#keep({ key: line.sequence, kind: line.severity, content: line });
  }

  /** @param {ReadonlySet<string>} kinds */
  newest(kinds) {
    return this.#entries.filter(({ kind }) => kinds.has(kind)).slice(0, KEPT_EVENTS);
  }

  /** Lines that will not come. Where some of them are shown they are not of this log any more, which is shown from its beginning. @param {Gap} gap */
  miss({ from }) {
    if (from <= this.#last) this.clear();
  }

  clear() {
    this.#entries = [];
    this.#last = 0;
    this.received = 0;
  }

  /** @param {Entry} entry */
  #keep(entry) {
    this.#entries.unshift(entry);
    const alike = this.#entries.filter(({ kind }) => kind === entry.kind);
    if (alike.length > KEPT_EVENTS) this.#entries = this.#entries.filter((each) => each !== alike.at(-1));
  }
}

const events = new EventList();
let eventsWait = false;

/** Once a frame, however many come in it. */
function renderEvents() {
  if (eventsWait) return;
  eventsWait = true;
  requestAnimationFrame(() => {
    eventsWait = false;
    const boxes = [...byId("severities").querySelectorAll("input")];
    const shown = events.newest(new Set(["gap", ...boxes.filter(({ checked }) => checked).map(({ value }) => value)]));
    syncChildren(byId("event-list"), shown, ({ key }) => key, (entry) => (entry.shown ??= entryItem(entry)));
    setText(byId("event-count"), `${formatCount(shown.length)} shown of ${formatCount(events.received)} received`);
  });
}

/** @param {Entry} entry */
function entryItem({ content }) {
  return "from" in content ? gapItem(content) : eventItem(content);
}

/** @param {Gap} gap */
function gapItem({ from, to }) {
  const lines = from === to ? `Line ${from} is` : `Lines ${from} to ${to} are`;
  return element("li", "gap", mark("warn", `${lines} not shown: this page was too far behind. The log has them.`));
}

const TONES = new Map([["critical", "bad"], ["warning", "warn"], ["info", "quiet"]]);

/** @param {AuditLine} line */
function eventItem(line) {
  const { sequence, time, type, severity, subject, data } = line;
  const when = element("time", "", formatTime(time, serverTime()));
  when.dateTime = time;
  when.title = `Line ${Number(sequence)}, ${time}`;
  const what = element("span", "what", foreign(type.replace(/^vram\./, "").replaceAll(/[._]/g, " ")));
  const facts = Object.entries(data).filter(([name, value]) => value !== null && value !== subject && name !== "digest");
  const summary = element(
    "summary",
    "",
    when,
    mark(TONES.get(severity) ?? "warn", visible(severity)),
    what,
    ...(subject === undefined ? [] : [foreign(subject, "subject")]),
    foreign(facts.map(([name, value]) => `${name} ${formatValue(name, value)}`).join(" · "), "extract"),
  );
  return element("li", "", element("details", "", summary, element("pre", "", foreignLines(line))));
}

/** @param {string} name @param {unknown} value */
function formatValue(name, value) {
  if (typeof value === "number") return /bytes$/i.test(name) ? formatBytes(value) : formatCount(value);
  if (typeof value === "string") return /^[0-9a-f]{64}$/.test(value) ? shortDigest(value) : value;
  return JSON.stringify(value);
}

/** @param {AuditLine} line */
function foreignLines(line) {
  return element("bdi", "", JSON.stringify(line, null, 2).split("\n").map(visible).join("\n"));
}
