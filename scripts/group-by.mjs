/** As `Map.groupBy`, which Node.js has from version 21 on. */
export function groupBy(list, keyOf) {
  const groups = new Map();
  for (const each of list) {
    const group = groups.get(keyOf(each));
    if (group === undefined) groups.set(keyOf(each), [each]);
    else group.push(each);
  }
  return groups;
}
