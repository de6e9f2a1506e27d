// @ts-check
"use strict";
// What an operator sees first: the service's state, the figures that matter, and the devices.

/** @typedef {import("../../service-state.js").ServiceSnapshot} ServiceSnapshot */

const STATES = {
  sealing: { tone: "wait", word: "Sealing", reason: "Models are being loaded and sealed." },
  ready: { tone: "good", word: "Ready", reason: "Every configured model is sealed." },
  stopped: { tone: "bad", word: "Stopped", reason: "Nothing is executed any more." },
  closing: { tone: "warn", word: "Closing", reason: "Executions end, then device memory is wiped." },
  offline: { tone: "warn", word: "Offline", reason: "The service does not answer. What is below is the last that it told." },
};

/** @param {keyof typeof STATES} state @param {string} told why, where the service told it */
function renderState(state, told) {
  const { tone, word, reason } = STATES[state];
  byId("banner").dataset.tone = tone;
  setText(byId("state"), word);
  byId("reason").replaceChildren(reason, ...(told === "" ? [] : [" ", foreign(told)]));
  document.title = `${word} – VRAM residency`;
}

/** @param {ServiceSnapshot} snapshot */
function renderOverview(snapshot) {
  const { state, stopped } = snapshot;
  renderState(state, stopped === null ? "" : `${stopped.code}: ${stopped.message}`);
  renderWorker(snapshot);
  renderFigures(snapshot);
  renderDevices(snapshot.devices);
}

/** @param {ServiceSnapshot} snapshot */
function renderWorker({ workerId, instanceId, backend }) {
  byId("worker").replaceChildren("Worker ", foreign(workerId), " · instance ", foreign(instanceId.slice(0, 8)), " · backend ", foreign(backend));
}

/** @param {ServiceSnapshot} snapshot */
function renderFigures({ shards, devices, audit, damage, policy }) {
  const repairing = shards.filter(({ state }) => state !== "sealed").length;
  const totalBytes = devices.reduce((sum, device) => sum + device.totalBytes, 0);
  const sealedBytes = shards.reduce((sum, { vramBytes }) => sum + vramBytes, 0);
  const violated = policy.flatMap(({ rules }) => rules).filter(({ verdict }) => verdict === "violated").length;
  setFigure("shards", repairing === 0 ? "" : "warn", formatCount(shards.length), repairing === 0 ? "in device memory, all sealed" : `${repairing} in repair`);
  setFigure("bytes", "", formatBytes(sealedBytes), `of ${formatBytes(totalBytes)} on ${counted(devices.length, "device")}`);
  setFigure("oldest", "", shards.length === 0 ? "–" : age(oldestVerification(shards)), "of any shard");
  setFigure("damage", damage.length === 0 ? "" : "bad", formatCount(damage.length), "failed verifications");
  setFigure("policy", violated === 0 ? "" : "bad", formatCount(violated), "rules violated");
  setFigure("audit", audit.state === "failed" ? "bad" : "", formatCount(audit.size), `lines, ${audit.state}`);
}

/** @param {string} name @param {string} tone @param {Child} value @param {string} note */
function setFigure(name, tone, value, note) {
  const figure = byId(`figure-${name}`);
  figure.dataset.tone = tone;
  figure.querySelector(".value")?.replaceChildren(value);
  figure.querySelector(".note")?.replaceChildren(note);
}

/** Null where one was never verified. @param {ServiceSnapshot["shards"]} shards */
function oldestVerification(shards) {
  const [first = ""] = shards.map(({ verifiedAt }) => verifiedAt ?? "").sort();
  return first === "" ? null : first;
}

/** @typedef {ServiceSnapshot["devices"][number]} Device */

/** @param {readonly Device[]} devices */
function renderDevices(devices) {
  syncChildren(byId("device-list"), devices, ({ uuid }) => uuid, createDevice);
}

/** @param {Device} device */
function createDevice({ ordinal, name, uuid, totalBytes, usedBytes, reservedBytes, availableBytes }) {
  const meter = element("meter", "");
  meter.max = totalBytes;
  meter.value = usedBytes;
  meter.ariaLabel = `Used memory of device ${ordinal}`;
  const percent = totalBytes === 0 ? 0 : Math.round((100 * usedBytes) / totalBytes);
  const parts = [`${formatBytes(usedBytes)} used of ${formatBytes(totalBytes)} (${percent} %)`, `${formatBytes(reservedBytes)} reserved`, `${formatBytes(availableBytes)} available`];
  return element(
    "li",
    "device",
    element("p", "title", element("strong", "", `Device ${ordinal}`), " ", foreign(name)),
    element("p", "hint", foreign(uuid, "code")),
    meter,
    element("p", "capacity", ...parts.map((part) => element("span", "", part))),
  );
}
