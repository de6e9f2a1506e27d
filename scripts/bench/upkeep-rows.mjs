// The rows of parts, damage and scrub. Against a whole verification, a must is the reciprocal of how many of them something may take.

const WHOLE = "verify whole";
const SCRUB = "scrub";
const BUDGET = "budget of the scrub";

const ROWS = [
  { id: "locate one damaged block : whole verification", own: "locate one damaged block", peer: WHOLE, must: 1 / 1.1, aim: 1 },
  { id: "verify 1 % : whole verification", own: "verify 1 %", peer: WHOLE, must: 20, aim: 50 },
  { id: "locate, repair of one block, digest : whole verification", own: "repair one block", peer: WHOLE, must: 1 / 2.2, aim: 1 / 2.05 },
  { id: "verify that finds and repairs one block : whole verification", own: "verify and repair one block", peer: WHOLE, must: 1 / 3.2, aim: 1 / 3.05 },
  { id: "bytes that a scrub verifies : its budget", own: SCRUB, peer: BUDGET, must: 0.9, aim: 0.95 },
  { id: "budget of a scrub : bytes that it verifies", own: BUDGET, peer: SCRUB, must: 1 / 1.1, aim: 1 / 1.05 },
];

export function upkeepRows(backend) {
  const unjudged = backend === "simulator" ? undefined : "the row is for the simulator";
  return ROWS.map((row) => ({ ...row, backend, unjudged }));
}
