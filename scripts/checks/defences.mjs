// Every defence that `npm run defences` takes out stands in its file as the list has it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defences } from "../defences/list.mjs";
import { takeOut } from "../defences/take-out.mjs";
import { root } from "./tree.mjs";

export function checkDefences() {
  return defences.flatMap((defence) => {
    try {
      takeOut(defence, readFileSync(join(root, defence.file), "utf8"));
      return [];
    } catch ({ message }) {
      return [message];
    }
  });
}
