// The project's documents, taken apart: code blocks, links, anchors and code in the text, each with its line.
import GithubSlugger from "github-slugger";
import MarkdownIt from "markdown-it";
import { projectFiles, read } from "../checks/tree.mjs";

const HISTORY = /(^|\/)(CHANGELOG\.md$|\.changeset\/)/;
const ID = /<[a-z]+ [^>]*\bid="([^"]+)"/g;

const markdown = new MarkdownIt({ html: true });

/** Every document but changelogs, which tell of what once was. */
export const readDocuments = () =>
  projectFiles(/\.md$/)
    .filter((file) => !HISTORY.test(file))
    .map((file) => parseDocument(file, read(file)));

/**
 * A block is `{ file, line, language, isRun, name, rest, text }`, `line` being that of its first line of text. What opens it is
 * "LANGUAGE [run] [NAME]": `run` is a program that is executed, `NAME` a file that the document's commands find.
 */
export function parseDocument(file, text) {
  const slugger = new GithubSlugger();
  const document = { file, blocks: [], links: [], spans: [], anchors: new Set() };
  let before;
  let line = 1;
  for (const token of markdown.parse(text, {})) {
    // A table's cells have no place of their own: they are in the row before.
    if (token.map !== null) line = token.map[0] + 1;
    if (token.type === "fence") document.blocks.push(blockOf(file, line + 1, token));
    if (token.type === "html_block") addAnchors(document, token);
    if (token.type === "inline") addInline(document, line, token.children);
    if (before?.type === "heading_open") document.anchors.add(slugger.slug(plainText(token.children)));
    before = token;
  }
  return document;
}

function blockOf(file, line, { info, content }) {
  const [language, ...words] = info.trim().split(/\s+/);
  const isRun = words[0] === "run";
  const [name, ...rest] = isRun ? words.slice(1) : words;
  return { file, line, language, isRun, name, rest, text: content };
}

function addInline(document, line, children) {
  for (const token of children) {
    if (token.type === "code_inline") document.spans.push({ line, text: token.content });
    if (token.type === "html_inline") addAnchors(document, token);
    if (token.type === "link_open") document.links.push({ line, href: token.attrGet("href") });
    if (token.type === "image") document.links.push({ line, href: token.attrGet("src") });
  }
}

function addAnchors({ anchors }, { content }) {
  for (const [, id] of content.matchAll(ID)) anchors.add(id);
}

const plainText = (children) => children.map(({ content }) => content).join("");
