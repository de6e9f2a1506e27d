// @ts-check
"use strict";

/** @typedef {ServiceSnapshot["policy"][number]} DevicePolicy */

const VERDICTS = { violated: "bad", waived: "warn", pass: "good", reported: "quiet" };

const renderPolicy = whenChanged((/** @type {ServiceSnapshot["policy"]} */ policy) => {
  byId("policy-list").replaceChildren(...policy.map((device) => devicePolicy(device, policy.length === 1)));
});

/** The gravest verdicts first. @param {DevicePolicy} policy @param {boolean} alone */
function devicePolicy({ gpuDevice, gpuUuid, rules }, alone) {
  const counts = Object.entries(VERDICTS).flatMap(([verdict, tone]) => {
    const count = rules.filter((rule) => rule.verdict === verdict).length;
    return count === 0 ? [] : [mark(tone, `${count} ${verdict}`)];
  });
  const sorted = Object.keys(VERDICTS).flatMap((verdict) => rules.filter((rule) => rule.verdict === verdict));
  const title = `Rules for device ${gpuDevice}`;
  const head = tableHead(["Rule", "Verdict", "Reason and remedy"]);
  const table = element("table", "", element("caption", "spoken", title), head, element("tbody", "", ...sorted.map(ruleRow)));
  const summary = element("summary", "", element("strong", "", `Device ${gpuDevice}`), foreign(gpuUuid, "hint"), ...counts);
  const made = element("details", "policy", summary, scrolling(table, title));
  made.open = alone || rules.some(({ verdict }) => verdict === "violated");
  return made;
}

/** @param {DevicePolicy["rules"][number]} result */
function ruleRow({ rule, verdict, reason, remedy }) {
  const advice = remedy === null ? [] : [element("p", "remedy", element("strong", "", "Remedy: "), foreign(remedy))];
  return element("tr", "", rowHead(foreign(rule)), element("td", "", mark(VERDICTS[verdict], verdict)), element("td", "", foreign(reason), ...advice));
}
