import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { POLICY_RULES, resolvePolicy } from "../src/index.js";

const guide = readFileSync(new URL("../../../docs/guide/policies.md", import.meta.url), "utf8");

/** The cells of each row of the tables with this first column, without the backquotes. */
const rowsUnder = (column: string): string[][] =>
  [...guide.matchAll(new RegExp(`^\\| ${column} \\|.*\\n\\|[-|]+\\n((?:\\|.*\\n)+)`, "gm"))].flatMap(([, rows = ""]) =>
    rows.trimEnd().split("\n").map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))),
  );

it("the guide to policies has every rule, in order, and no other", () => {
  expect(rowsUnder("rule").map(([rule]) => rule)).toEqual(POLICY_RULES);
});

it("the guide to policies has every option with its default", () => {
  const defaults = Object.entries(resolvePolicy({})).map(([option, value]) => [option, JSON.stringify(value)]);
  expect(rowsUnder("option").map(([option, value]) => [option, value])).toEqual(defaults);
});

it("the options that the guide gives to rules are there", () => {
  const named = rowsUnder("rule").map(([, , option]) => option).filter((option) => option !== "");
  expect(named.length).toBeGreaterThan(0);
  expect(Object.keys(resolvePolicy({}))).toEqual(expect.arrayContaining(named));
});
