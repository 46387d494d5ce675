/** A line of arguments, split and written as a POSIX shell does it; nothing is expanded. Pure. */

/** A quote that is not closed. */
export class UnclosedQuote extends Error {}

/**
 * Split a line into words: blanks separate, '…' is literal, "…" knows \" \\ \$ \`, a
 * backslash takes the next character as it is.
 * @param {string} line
 * @returns {string[]}
 * @throws {UnclosedQuote}
 */
export function split(line) {
  const words = [];
  let word = /** @type {string|null} */ (null);
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at];
    if (/\s/.test(sign)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (sign === "'" || sign === '"') {
      const [text, end] = quoted(line, at);
      word = (word ?? '') + text;
      at = end;
    } else if (sign === '\\' && at + 1 < line.length) {
      at += 1;
      word = (word ?? '') + line[at];
    } else {
      word = (word ?? '') + sign;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

/** The text of the quote that opens at `start`, and where it closes. */
function quoted(line, start) {
  const quote = line[start];
  let text = '';
  for (let at = start + 1; at < line.length; at += 1) {
    if (line[at] === quote) return [text, at];
    if (quote === '"' && line[at] === '\\' && '"\\$`'.includes(line[at + 1] ?? ' ')) at += 1;
    text += line[at];
  }
  throw new UnclosedQuote(quote === '"' ? 'A double quote is not closed' : 'A single quote is not closed');
}

/** Write one word so that `split` reads it back. */
export function quote(word) {
  if (word === '') return "''";
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** The line that `split` turns into `words`. */
export const join = (words) => words.map(quote).join(' ');
