// @ts-check
"use strict";

const POLL_MS = 5_000;
const TICK_MS = 1_000;

/** When the service last answered, on the browser's clock. */
let seenAt = Date.now();
/** Of the log whose lines are shown. */
let logOrigin = "";

const stream = new EventStream({
  onLine: (line) => {
    events.add(line);
    renderEvents();
    void (line.severity === "critical" ? snapshots.refreshNow() : snapshots.refresh());
  },
  onGap: (gap) => {
    events.miss(gap);
    renderEvents();
  },
  onTrouble: (trouble) => {
    byId("trouble").replaceChildren(...(trouble === null ? [] : [mark("bad", "The log cannot be followed: "), foreign(trouble.message)]));
  },
  onState: () => void snapshots.refresh(),
  onOpen: (open) => {
    const shown = byId("stream");
    shown.dataset.tone = open ? "good" : "wait";
    setText(shown, open ? "live" : "reconnecting");
    void snapshots.refresh();
  },
});

const snapshots = new Snapshots((snapshot) => {
  if (snapshot === undefined) {
    renderState("offline", "");
  } else {
    seenAt = Date.now();
    followLog(snapshot.audit.origin);
    setClock(snapshot.at);
    renderOverview(snapshot);
    setShards(snapshot.shards);
    renderDamage(snapshot.damage);
    renderPolicy(snapshot.policy);
    renderAudit(snapshot.audit);
  }
  tellSeen();
});

/** Lines of another log have nothing to do with those shown. @param {string} origin */
function followLog(origin) {
  if (logOrigin !== "" && logOrigin !== origin) {
    events.clear();
    renderEvents();
    stream.restart();
  }
  logOrigin = origin;
}

function tellSeen() {
  setText(byId("seen"), `Last seen ${formatAge(Date.now() - seenAt)} ago`);
}

byId("shard-filter").addEventListener("input", renderShards);
byId("severities").addEventListener("change", renderEvents);
byId("shard-rows").addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest("button") : null;
  if (button !== null) void copyDigest(button);
});
setInterval(() => void snapshots.refresh(), POLL_MS);
setInterval(() => {
  tellAges();
  tellSeen();
}, TICK_MS);
stream.open();
void snapshots.refresh();
