// Which mutants compute what the kernel computes. Only what the text itself shows counts.
import { operandsOf } from "./mutate.mjs";

const COPY = /^(?:cvta\.to\.global\.u64|mov\.[bu](?:32|64))$/;

/** `prmt` takes each byte of its result from where a digit of the selector says: 0 to 3 of the first source, 4 to 7 of the second. */
function picksNoByte({ before, operand }) {
  if (!operand.opcode.startsWith("prmt") || ![1, 2].includes(operand.position)) return false;
  const selector = Number(before.match(/,\s*(0x[0-9a-f]+|\d+);$/i)?.[1]);
  return [0, 4, 8, 12].every((shift) => ((selector >> shift) & 7) >> 2 !== operand.position - 1);
}

/** Answers, of a register, which one it is a copy of for good: each is written once in the whole text, before any label. */
function originOf(ptx) {
  const lines = ptx.split("\n");
  const operands = operandsOf(lines);
  const written = operands.filter(({ isRead }) => !isRead);
  const firstLabel = lines.findIndex((line) => /^\$?\w+:/.test(line));
  const isWrittenOnce = (register) => written.filter(({ text }) => text === register).length === 1;
  const origins = new Map();
  for (const { number, opcode, text, isGuarded } of written) {
    if (number > firstLabel || isGuarded || !COPY.test(opcode)) continue;
    const source = operands.find((other) => other.number === number && other.isRead).text;
    if (source.startsWith("%") && isWrittenOnce(text) && isWrittenOnce(source)) origins.set(text, source);
  }
  return (register) => {
    let origin = register;
    while (origins.has(origin)) origin = origins.get(origin);
    return origin;
  };
}

/** Why the mutant is equivalent, or undefined where that is not shown. */
export function equivalence(ptx, mutant) {
  if (picksNoByte(mutant)) return "the selector picks no byte of the operand";
  const origin = originOf(ptx);
  if (mutant.operand.isRead && origin(mutant.operand.text) === origin(mutant.replacement)) return "the registers are copies";
  return undefined;
}
