// @ts-check
// Puts a job into a queue and prints its id: node put.js FOLDER JSON
import { FileQueue } from "./file-queue.js";

const [folder, text] = process.argv.slice(2);
if (folder === undefined || text === undefined) {
  process.stderr.write("usage: node put.js FOLDER JSON\n");
  process.exitCode = 2;
} else {
  const queue = new FileQueue(folder);
  await queue.open();
  process.stdout.write(`${await queue.put(JSON.parse(text))}\n`);
}
