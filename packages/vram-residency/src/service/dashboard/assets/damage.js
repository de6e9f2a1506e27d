// @ts-check
"use strict";

/** @typedef {ServiceSnapshot["damage"][number]} DamageEntry */

/** So many blocks of a tensor are named. */
const NAMED_BLOCKS = 8;

const renderDamage = whenChanged((/** @type {ServiceSnapshot["damage"]} */ damage) => {
  byId("damage").hidden = damage.length === 0;
  byId("damage-list").replaceChildren(...damage.map(damageItem));
});

/** @param {DamageEntry} entry */
function damageItem(entry) {
  const { time, sequence, shardId, reason, blockCount, blocks } = entry;
  const title = element("h3", "", mark("bad", ""), shardId === null ? "A seal" : foreign(shardId), " failed verification: ", foreign(reason));
  const place = blockCount === null ? "the damaged blocks are not known" : `${counted(blockCount, "block")} of 4 KiB damaged`;
  const hint = element("p", "hint", age(time), ` · line ${formatCount(sequence)} of the log · ${place}`);
  return element("article", "damage", title, hint, ...(blocks.length === 0 ? [] : [tensorTable(entry)]));
}

/** @param {DamageEntry} entry */
function tensorTable({ blocks, sequence }) {
  const rows = [...blocksByTensor(blocks)].map(([tensor, hit]) => {
    const name = rowHead(tensor === "" ? "outside of any tensor" : foreign(tensor, "clamp code"));
    const named = hit.slice(0, NAMED_BLOCKS).map(({ index }) => formatCount(index));
    const rest = hit.length > named.length ? ` and ${formatCount(hit.length - named.length)} more` : "";
    return element("tr", "", name, element("td", "", `${formatCount(hit.length)}: ${named.join(", ")}${rest}`), element("td", "", finding(hit)));
  });
  const title = `Tensors in damaged blocks, line ${sequence}`;
  const head = tableHead(["Tensor", "Damaged blocks", "Finding"]);
  return scrolling(element("table", "", element("caption", "spoken", title), head, element("tbody", "", ...rows)), title);
}

/** Keyed by the tensor's name; "" where a block has none. @param {DamageEntry["blocks"]} blocks */
function blocksByTensor(blocks) {
  /** @type {Map<string, DamageEntry["blocks"][number][]>} */
  const found = new Map();
  for (const block of blocks) {
    for (const tensor of block.tensors.length === 0 ? [""] : block.tensors) {
      found.set(tensor, [...(found.get(tensor) ?? []), block]);
    }
  }
  return found;
}

/** @param {readonly { singleBit: boolean | null }[]} blocks */
function finding(blocks) {
  if (blocks.every(({ singleBit }) => singleBit === true)) return blocks.length === 1 ? "one flipped bit" : "one flipped bit each";
  return blocks.some(({ singleBit }) => singleBit === false) ? "more than one bit" : "not searched for a single bit";
}
