// @ts-check
"use strict";
// How values read. Nothing here touches the page.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Text that others chose, with characters that nobody sees spelled out. @param {string} text */
function visible(text) {
  return text.toWellFormed().replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}

/** @param {number} bytes */
function formatBytes(bytes) {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const amount = bytes / 1024 ** power;
  return `${amount.toLocaleString("en", { maximumFractionDigits: amount < 100 && power > 0 ? 1 : 0 })} ${UNITS[power]}`;
}

/** @param {number} count */
function formatCount(count) {
  return count.toLocaleString("en");
}

/** @param {number} count @param {string} noun */
function counted(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** @param {number} milliseconds */
function formatAge(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The time of day, and the day where it is not that of `today`. Both RFC 3339 in UTC. @param {string} time @param {string} today */
function formatTime(time, today) {
  const clock = time.slice(11, 19);
  return time.slice(0, 10) === today.slice(0, 10) ? clock : `${time.slice(0, 10)} ${clock}`;
}

/** @param {string} digest */
function shortDigest(digest) {
  return `${digest.slice(0, 8)}…${digest.slice(-4)}`;
}
