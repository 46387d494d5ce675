/** Search over the lines of a log, in slices of time so that the page stays quick. */

/** Milliseconds of work before the browser gets its turn. */
const SLICE_MS = 12;

/**
 * The expression for what was typed.
 * @param {string} text @param {{regex: boolean, matchCase: boolean, word?: boolean}} how
 * @returns {RegExp|null} null for an empty or, with `regex`, a broken text
 */
export function toPattern(text, { regex, matchCase, word = false }) {
  if (!text) return null;
  const plain = regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const source = word ? `(?<![\\p{L}\\p{N}_])(?:${plain})(?![\\p{L}\\p{N}_])` : plain;
  try {
    return new RegExp(source, matchCase ? 'gu' : 'giu');
  } catch {
    return null;
  }
}

/**
 * Find the rows that match.
 * @param {{length: number, text: (row: number) => string}} log
 * @param {RegExp} pattern
 * @param {{from?: number, onRows: (rows: number[], until: number) => void, signal: AbortSignal}} options
 *   `onRows` gets the matching rows of a slice and the row after it
 * @returns {Promise<number>} how many rows were looked at
 */
export async function findRows(log, pattern, { from = 0, onRows, signal }) {
  let row = from;
  while (row < log.length && !signal.aborted) {
    const found = [];
    const until = performance.now() + SLICE_MS;
    while (row < log.length && (row % 64 || performance.now() < until)) {
      pattern.lastIndex = 0;
      if (pattern.test(log.text(row))) found.push(row);
      row += 1;
    }
    if (!signal.aborted) onRows(found, row);
    await new Promise((resolve) => { setTimeout(resolve); });
  }
  return row;
}

/** Pieces of text cut where `pattern` matches: `{text, style, hit}`. */
export function markHits(pieces, pattern) {
  const whole = pieces.map(({ text }) => text).join('');
  pattern.lastIndex = 0;
  const spans = [...whole.matchAll(pattern)].filter(([text]) => text).map((found) => [found.index, found.index + found[0].length]);
  if (!spans.length) return pieces;
  const marked = [];
  let at = 0;
  for (const { text, style } of pieces) {
    let from = 0;
    for (const [start, end] of spans) {
      const a = Math.max(start - at, from);
      const b = Math.min(end - at, text.length);
      if (b <= a) continue;
      if (a > from) marked.push({ text: text.slice(from, a), style });
      marked.push({ text: text.slice(a, b), style, hit: true });
      from = b;
    }
    if (from < text.length) marked.push({ text: text.slice(from), style });
    at += text.length;
  }
  return marked;
}

/** Row where reading a failed run begins: its traceback, else the first line that names an error. */
export function firstError(log) {
  let named = -1;
  for (let row = 0; row < log.length; row += 1) {
    const text = log.text(row);
    if (text.startsWith('Traceback (most recent call last)')) return row;
    if (named < 0 && /\b(?:\w*Error|\w*Exception|CRITICAL|FATAL|panic)\b/.test(text)) named = row;
  }
  return named;
}
