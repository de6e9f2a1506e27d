/** Answers a file's text without a defence. @throws Error where the text does not hold once what is to be taken out */
export function takeOut({ file, replace }, whole) {
  return replace.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`);
    return text.replace(from, () => to);
  }, whole);
}
