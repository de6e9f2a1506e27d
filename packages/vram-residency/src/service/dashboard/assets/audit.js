// @ts-check
"use strict";

const AUDIT_TONES = { open: "good", failed: "bad", closed: "quiet" };

/** @param {ServiceSnapshot["audit"]} audit */
function renderAudit({ state, size, root, origin, anchors }) {
  const facts = /** @type {const} */ ([
    ["State", mark(AUDIT_TONES[state], state)],
    ["Origin", foreign(origin, "code")],
    ["Lines", formatCount(size)],
    ["Tree head", foreign(root, "code")],
  ]);
  syncChildren(byId("audit-facts"), facts, ([name]) => name, ([name, value]) => element("div", "", element("dt", "", name), element("dd", "", value)));
  byId("no-anchors").hidden = anchors.length > 0;
  byId("anchors").hidden = anchors.length === 0;
  syncChildren(byId("anchor-rows"), anchors, ({ name }) => name, (anchor) => anchorRow(anchor, size));
}

/** @param {ServiceSnapshot["audit"]["anchors"][number]} anchor @param {number} size lines of the log */
function anchorRow({ name, keptSize, failures, lastFailure }, size) {
  const state = lastFailure === null ? mark("good", "keeps") : mark("bad", `fails: ${visible(lastFailure)}`);
  const behind = Math.max(0, size - keptSize);
  const kept = element("td", "number", formatCount(keptSize), element("span", "hint", behind === 0 ? "the whole log" : `${formatCount(behind)} behind`));
  return element("tr", "", rowHead(foreign(name, "clamp")), element("td", "", state), kept, element("td", "number", formatCount(failures)));
}
