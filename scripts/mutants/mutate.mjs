// Mutants of a PTX text: one operand of one instruction is another of its kind.
import { groupBy } from "../group-by.mjs";

const INSTRUCTION = /^\t(?:@!?(?<guard>%p\d+)\s+)?(?<opcode>[a-z][\w.]*)\s+(?<operands>.*);$/d;
const OPERAND = /%\w+(?:\.x)?|LBB\d+_\d+|\w+_param_\d+|-?\b(?:0x[0-9a-f]+|\d+)\b/g;

function kindOf(text) {
  if (/^-?\d/.test(text)) return "number";
  if (text.endsWith(".x")) return "special";
  return text.replace(/\d+$/, "");
}

/** How many of an instruction's operands, the first ones, are written. */
function countWritten({ opcode, operands }) {
  if (/^(st|bra|ret)\b/.test(opcode)) return 0;
  return operands.startsWith("{") ? operands.slice(0, operands.indexOf("}")).split(",").length : 1;
}

/** Every operand of the text: where it stands, its opcode, its position among the operands (-1 for a guard), and whether it is read. */
export function operandsOf(lines) {
  return lines.flatMap((line, number) => {
    const instruction = INSTRUCTION.exec(line);
    if (instruction === null) return [];
    const { groups, indices } = instruction;
    const describe = (text, index, position) => ({
      ...{ number, opcode: groups.opcode, text, index, position },
      kind: kindOf(text),
      isGuarded: groups.guard !== undefined,
      isRead: position < 0 || position >= countWritten(groups),
    });
    const guard = groups.guard === undefined ? [] : [describe(groups.guard, indices.groups.guard[0], -1)];
    const named = [...groups.operands.matchAll(OPERAND)].map(({ 0: text, index }, position) =>
      describe(text, indices.groups.operands[0] + index, position),
    );
    return [...guard, ...named];
  });
}

/** Another number for the operand: in range for what an opcode takes as a table, an amount or an offset. */
function otherNumber({ opcode, text, position }, random) {
  const value = Number(text);
  const below = (limit) => (value + 1 + Math.floor(random() * (limit - 1))) % limit;
  if (opcode.startsWith("lop3")) return below(256);
  if (opcode.startsWith("shf")) return below(32);
  if (opcode.startsWith("prmt") && position === 3) return below(2 ** 16);
  if (/^(ld|st)\./.test(opcode)) return value + 4 * (1 + Math.floor(random() * 8)) * (random() < 0.5 ? -1 : 1);
  const others = [value ^ (1 << Math.floor(random() * 32)), value + 1, value - 1, 0].filter((other) => other !== value);
  return others[Math.floor(random() * others.length)];
}

/** Answers a function that makes one mutant after another: `{ text, line, before, after, operand, replacement }`. */
export function mutantsOf(ptx, random) {
  const lines = ptx.split("\n");
  const operands = operandsOf(lines);
  if (operands.length === 0) throw new Error("no operand was found");
  const kinds = groupBy(operands, ({ kind }) => kind);
  const opcodes = [...groupBy(operands, ({ opcode }) => opcode).values()];
  const pick = (list) => list[Math.floor(random() * list.length)];

  return () => {
    // Most operands are those of the rounds; choosing an opcode first gives addresses and bounds their share.
    const operand = pick(random() < 0.5 ? operands : pick(opcodes));
    const names = new Set(kinds.get(operand.kind).map(({ text }) => text));
    names.delete(operand.text);
    const replacement = operand.kind === "number" ? String(otherNumber(operand, random)) : pick([...names]);
    if (replacement === undefined) throw new Error(`${operand.text} is the only operand of its kind`);
    const before = lines[operand.number];
    const after = before.slice(0, operand.index) + replacement + before.slice(operand.index + operand.text.length);
    return { text: lines.with(operand.number, after).join("\n"), line: operand.number + 1, before, after, operand, replacement };
  };
}
