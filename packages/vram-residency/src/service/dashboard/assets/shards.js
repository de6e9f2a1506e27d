// @ts-check
"use strict";

/** @typedef {ServiceSnapshot["shards"][number]} Shard */

/** So many rows stay quick to render and to read; the filter reaches the rest. */
const SHARD_ROWS = 200;

/** @type {readonly Shard[]} */
let shards = [];

/** @param {readonly Shard[]} now */
function setShards(now) {
  shards = now;
  renderShards();
}

/** Those in repair first, then in the order of sealing. */
function renderShards() {
  const filter = inputById("shard-filter").value.trim().toLowerCase();
  const matching = shards.filter(({ shardId, modelRef }) => `${shardId}\n${modelRef ?? ""}`.toLowerCase().includes(filter));
  const ordered = [...matching.filter(({ state }) => state !== "sealed"), ...matching.filter(({ state }) => state === "sealed")];
  const shown = ordered.slice(0, SHARD_ROWS);
  syncChildren(byId("shard-rows"), shown, ({ shardId }) => shardId, createShard);
  const all = shown.length === shards.length;
  setText(byId("shard-count"), all ? counted(shards.length, "shard") : `Showing ${formatCount(shown.length)} of ${counted(shards.length, "shard")}`);
}

/** @param {Shard} shard */
function createShard(shard) {
  const { shardId, modelRef, state, expected, vramBytes, gpuDevice, shardIndex, totalShards } = shard;
  const part = shardIndex === undefined || totalShards === undefined ? "" : ` · part ${shardIndex + 1} of ${totalShards}`;
  const name = rowHead(foreign(shardId, "clamp"), element("span", "hint", ...(modelRef === null ? [] : [foreign(modelRef, "clamp")]), part));
  return element(
    "tr",
    "",
    name,
    cell("State", "", state === "sealed" ? mark("good", "sealed") : mark("warn", state), element("span", "hint", expected ? "approved" : "not approved")),
    cell("Digest", "", digestButton(shard)),
    cell("Size", "number", formatBytes(vramBytes)),
    cell("Device", "number", String(gpuDevice)),
    cell("Verified", "", age(shard.verifiedAt)),
    cell("Scrub", "", ...scrubProgress(shard)),
  );
}

/** @param {string} label the column's head, where rows stand below each other @param {string} classes @param {...Child} children */
function cell(label, classes, ...children) {
  const made = element("td", classes, ...children);
  made.dataset.label = label;
  return made;
}

/** @param {Shard} shard */
function digestButton({ shardId, digest, digestAlgorithm }) {
  const button = element("button", "code", foreign(shortDigest(digest)));
  button.type = "button";
  button.title = visible(`Copy ${digestAlgorithm}:${digest}`);
  button.dataset.digest = digest;
  button.dataset.shard = shardId;
  return button;
}

/** A browser gives the clipboard to a page on loopback or under TLS; elsewhere the digest is there to be selected. @param {HTMLElement} button */
async function copyDigest({ dataset: { digest = "", shard = "" } }) {
  const copied = await navigator.clipboard?.writeText(digest).then(
    () => true,
    () => false,
  );
  byId("copied").replaceChildren(copied ? "Copied the digest of " : "The digest of ", foreign(shard), ": ", foreign(digest, "code"));
}

/** @param {Shard} shard @returns {Child[]} */
function scrubProgress({ shardId, scrub }) {
  if (scrub === null) return ["off"];
  const bar = element("progress", "");
  bar.max = scrub.totalBytes;
  bar.value = scrub.doneBytes;
  bar.ariaLabel = `Scrub of ${visible(shardId)}`;
  const percent = scrub.totalBytes === 0 ? 0 : Math.floor((100 * scrub.doneBytes) / scrub.totalBytes);
  return [bar, element("span", "hint", `${percent} % of pass ${formatCount(scrub.passes + 1)}`)];
}
