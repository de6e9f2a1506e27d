/** Makes something when it is first asked for, and once. */
export function once(make) {
  let made;
  return () => (made ??= make());
}
