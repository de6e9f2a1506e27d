// Blocks that are data: each parses as what it says it is.
import ts from "typescript";
import { parseDocument } from "yaml";

const INI_LINE = /^(\[[^\]]+\]|[\w.-]+\s*=.*|[#;].*|)$/;

/** What is wrong with a text, by language; `undefined` for what another check looks at, or what is free. */
const SYNTAX = {
  ts: undefined,
  js: undefined,
  sh: undefined,
  text: undefined,
  json: (text) => thrownBy(() => JSON.parse(text)),
  jsonc: (text) => ts.parseJsonText("block.json", text).parseDiagnostics[0]?.messageText,
  yaml: (text) => parseDocument(text).errors[0]?.message,
  ini: (text) => text.split("\n").find((line) => !INI_LINE.test(line)),
};

export const dataProblems = (blocks) =>
  blocks.flatMap((block) => {
    const problem = problemOf(block);
    return problem === undefined ? [] : [`${block.file}:${block.line}: ${problem}`];
  });

function problemOf({ language, isRun, rest, text }) {
  if (language === "") return "a block without a language";
  if (!Object.hasOwn(SYNTAX, language)) return `no check knows blocks of "${language}", only of ${Object.keys(SYNTAX).join(", ")}`;
  if (isRun && language !== "ts" && language !== "js") return `"${language} run" is no program`;
  if (rest.length > 0) return `what opens a block is "LANGUAGE [run] [NAME]", and nothing behind: ${rest.join(" ")}`;
  const problem = SYNTAX[language]?.(text);
  return problem === undefined ? undefined : `no ${language}: ${problem}`;
}

function thrownBy(parse) {
  try {
    parse();
  } catch ({ message }) {
    return message;
  }
}
