// Every TypeScript and JavaScript block of the documents, type-checked in one program against the built packages.
import { join } from "node:path";
import ts from "typescript";
import { root } from "../checks/tree.mjs";

const FOLDER = join(root, "scripts/docs");
const AMBIENT = join(FOLDER, "ambient.d.ts");
/** In plain JavaScript nobody can say what a parameter is. */
const IMPLICIT_ANY = (code) => code >= 7000 && code < 8000;

const isScript = ({ language, text }) => language === "js" && /\brequire\(/.test(text) && !/^import /m.test(text);

/** The extension that gives a block its module system. */
export function extensionOf(block) {
  if (block.language === "ts") return ".mts";
  return isScript(block) ? ".cjs" : ".mjs";
}

export const compiled = (documents) => documents.flatMap(({ blocks }) => blocks).filter(({ language }) => language === "ts" || language === "js");

/** What the compiler says of the blocks, with the documents' lines. */
export function compileProblems(blocks) {
  const byFile = new Map(blocks.map((block, index) => [join(FOLDER, `block-${index}${extensionOf(block)}`), block]));
  const options = { ...baseOptions(), allowJs: true, checkJs: true, moduleDetection: ts.ModuleDetectionKind.Force };
  const program = ts.createProgram([AMBIENT, ...byFile.keys()], options, hostOf(byFile, options));
  return ts.getPreEmitDiagnostics(program).flatMap(({ file, start, code, messageText }) => {
    const block = byFile.get(file?.fileName);
    const message = ts.flattenDiagnosticMessageText(messageText, " ");
    if (block === undefined) return [`${file?.fileName.slice(root.length) ?? "compiler options"}: ${message}`];
    if (block.language === "js" && IMPLICIT_ANY(code)) return [];
    return [`${block.file}:${block.line + file.getLineAndCharacterOfPosition(start).line}: ${message}`];
  });
}

function baseOptions() {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

/** A host to which the blocks are files. */
function hostOf(byFile, options) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  return {
    ...host,
    getSourceFile: (name, ...rest) =>
      byFile.has(name) ? ts.createSourceFile(name, byFile.get(name).text, ...rest) : getSourceFile(name, ...rest),
    fileExists: (name) => byFile.has(name) || fileExists(name),
    readFile: (name) => byFile.get(name)?.text ?? readFile(name),
  };
}
