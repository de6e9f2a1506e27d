// @ts-check
"use strict";
// How the page is built: text becomes text nodes and nothing else, and what has not changed is left alone.

/** @typedef {Node | string} Child */

/** @param {string} id */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {string} id */
function inputById(id) {
  const found = byId(id);
  if (!(found instanceof HTMLInputElement)) throw new Error(`#${id} is no input`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} classes @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function element(tag, classes, ...children) {
  const made = document.createElement(tag);
  if (classes !== "") made.className = classes;
  made.append(...children);
  return made;
}

/** Longer text than this is cut; its title has the whole. */
const SHOWN_LENGTH = 300;

/** Text that others chose: isolated from the direction of what is around it. @param {string} text @param {string} [classes] */
function foreign(text, classes = "") {
  const whole = visible(text);
  const shown = element("bdi", classes, whole.length > SHOWN_LENGTH ? `${whole.slice(0, SHOWN_LENGTH)}…` : whole);
  shown.title = whole;
  return shown;
}

/** A table that is wider than the window scrolls, by keyboard too. @param {HTMLElement} table @param {string} name */
function scrolling(table, name) {
  const made = element("div", "scroll", table);
  made.role = "region";
  made.tabIndex = 0;
  made.ariaLabel = name;
  return made;
}

/** @param {readonly string[]} names */
function tableHead(names) {
  const cells = names.map((name) => {
    const made = element("th", "", name);
    made.scope = "col";
    return made;
  });
  return element("thead", "", element("tr", "", ...cells));
}

/** @param {...Child} children */
function rowHead(...children) {
  const made = element("th", "", ...children);
  made.scope = "row";
  return made;
}

/** @param {Element} target @param {string} text */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A word whose tone is told by shape and colour. @param {string} tone @param {string} word */
function mark(tone, word) {
  const made = element("span", "mark", word);
  made.dataset.tone = tone;
  return made;
}

/** An age that the clock keeps true. @param {string | null} since RFC 3339 */
function age(since) {
  const made = element("time", "age", "never");
  if (since === null) return made;
  made.dateTime = since;
  made.title = since;
  tellAge(made);
  return made;
}

/** How far the server's clock is before this one's, in milliseconds. */
let clockOffset = 0;

/** The server's time, RFC 3339 in UTC. */
const serverTime = () => new Date(Date.now() + clockOffset).toISOString();

/** @param {HTMLTimeElement} shown */
function tellAge(shown) {
  setText(shown, `${formatAge(Date.now() + clockOffset - Date.parse(shown.dateTime))} ago`);
}

/** @param {string} at the server's time, RFC 3339 */
function setClock(at) {
  clockOffset = Date.parse(at) - Date.now();
}

function tellAges() {
  for (const shown of document.querySelectorAll("time.age[datetime]")) {
    if (shown instanceof HTMLTimeElement) tellAge(shown);
  }
}

/**
 * Makes the children of `parent` those of `items`, in order. Of one that stays only the parts that changed are replaced: the rest keeps focus and
 * selection.
 * @template Item
 * @param {HTMLElement} parent @param {readonly Item[]} items @param {(item: Item) => string} keyOf @param {(item: Item) => HTMLElement} create
 */
function syncChildren(parent, items, keyOf, create) {
  const wanted = new Set(items.map(keyOf));
  /** @type {Map<string, HTMLElement>} */
  const kept = new Map();
  for (const shown of [...parent.children]) {
    const key = shown instanceof HTMLElement ? shown.dataset.key : undefined;
    if (shown instanceof HTMLElement && key !== undefined && wanted.has(key)) kept.set(key, shown);
    else shown.remove();
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const fresh = create(item);
    fresh.dataset.key = keyOf(item);
    const shown = kept.get(keyOf(item)) ?? fresh;
    if (shown !== fresh) replaceChanged(shown, fresh);
    if (shown === next) next = next.nextElementSibling;
    else parent.insertBefore(shown, next);
  }
}

/** @param {HTMLElement} shown @param {HTMLElement} fresh as `shown` was made, with as many parts */
function replaceChanged(shown, fresh) {
  const parts = [...fresh.children];
  for (const [index, part] of [...shown.children].entries()) {
    const now = parts[index];
    if (now !== undefined && !part.isEqualNode(now)) part.replaceWith(now);
  }
}

/** Renders only what differs from the last time. @template Value @param {(value: Value) => void} render @returns {(value: Value) => void} */
function whenChanged(render) {
  let last = "";
  return (value) => {
    const now = JSON.stringify(value);
    if (now === last) return;
    last = now;
    render(value);
  };
}
