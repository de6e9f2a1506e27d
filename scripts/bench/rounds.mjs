// Samples of one run, interleaved: each round measures every subject once, in random order.

function shuffled(list, random) {
  const order = [...list];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** Answers a figure for each subject, with its samples in the order of the rounds; `tell` hears of each round. */
export async function sampleRounds(subjects, { rounds, random, tell }) {
  const samples = new Map(subjects.map(({ id }) => [id, []]));
  const present = subjects.filter(({ absent }) => absent === undefined);
  for (let round = 1; round <= rounds && present.length > 0; round += 1) {
    tell(round);
    for (const { id, measure } of shuffled(present, random)) samples.get(id).push(await measure());
  }
  return subjects.map(({ id, backend, bytes, absent }) => ({ id, backend, bytes, absent, samples: samples.get(id) }));
}
