// The errors that vram-cuda's native code makes, read from its sources.
import { projectFiles, read } from "../../checks/tree.mjs";

const SOURCES = /^native\/(binding|device|driver|ops)\/[^/]+\.(cpp|h)$/;
const NAME = /case Code::(\w+): return "([A-Z_]+)";/g;
const MADE = /\{(?:\.code = )?Code::(\w+), (?:\.message = )?([^{}]*?)(?:, \.reason = "([a-z-]+)")?\}/g;
const NO_DRIVER = /\bUnavailable\(([^()]*"[^"]+"[^()]*(?:\([^()]*\)[^()]*)*)\)/g;
/** A literal, and what a macro joins to it. */
const LITERAL = /"((?:[^"\\]|\\.)*)"(\s*#\w+)?/g;

/** As `errorSites()`. */
export function nativeErrors() {
  const names = new Map([...read("native/driver/error.h").matchAll(NAME)].map(([, constant, name]) => [constant, name]));
  return projectFiles(SOURCES).map(read).flatMap((source) => [
    ...[...source.matchAll(MADE)].map(([, constant, message, reason]) => errorOf(names.get(constant), messageOf(message), reason)),
    ...[...source.matchAll(NO_DRIVER)].flatMap(([, given]) => [...given.matchAll(LITERAL)]).map(([, text, joined]) => errorOf("DRIVER_UNAVAILABLE", `${text}${joined === undefined ? "" : "…"}: …`)),
  ]);
}

const errorOf = (code, message, reason) => ({ package: "vram-cuda", codes: [code], message, reasons: reason === undefined ? [] : [reason] });

/** The literals of an expression; what is joined to them varies. */
function messageOf(expression) {
  const parts = expression.split(/\s\+\s/).map((part) => [...part.matchAll(LITERAL)].map(([, text]) => text).join("") || "…");
  return parts.join("").replaceAll(/…+/g, "…");
}
