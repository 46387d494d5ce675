/** Which of many names somebody means who typed a few letters of one. Pure. */

/**
 * How well `text` fits `wanted`: its letters must come in order; those that stand together, at the beginning of a
 * word, or in the last part of a path count more.
 * @returns {number} higher is better; -1 for no fit
 */
export function score(text, wanted) {
  if (!wanted) return 0;
  const hay = text.toLowerCase();
  const needle = wanted.toLowerCase();
  const at = hay.indexOf(needle);
  if (at >= 0) return 1000 - Math.min(at, 200) + (isStart(hay, at) ? 300 : 0) + (at > hay.lastIndexOf('/') ? 200 : 0) - hay.length / 10;
  let from = 0;
  let total = 0;
  let run = 0;
  for (const letter of needle) {
    if (letter === ' ') continue;
    const found = hay.indexOf(letter, from);
    if (found < 0) return -1;
    run = found === from ? run + 1 : 0;
    total += 5 + run * 6 + (isStart(hay, found) ? 12 : 0);
    from = found + 1;
  }
  return total - hay.length / 10;
}

const isStart = (text, at) => at === 0 || /[\s/._-]/.test(text[at - 1]);

/**
 * The best of `items`, best first.
 * @template T @param {T[]} items @param {string} wanted @param {(item: T) => string} textOf @param {number} [limit]
 * @returns {T[]}
 */
export function best(items, wanted, textOf, limit = 20) {
  return items.map((item, index) => ({ item, index, points: score(textOf(item), wanted) })).filter(({ points }) => points >= 0)
    .sort((a, b) => b.points - a.points || a.index - b.index).slice(0, limit).map(({ item }) => item);
}
