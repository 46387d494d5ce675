/** Where the lines of a log stand: one row each, or wrapped at a number of columns. Pure. */

/** Columns of a tab stop. */
const TAB = 8;

/** Columns that a text takes, tabs expanded. */
export function columnsOf(text) {
  if (!text.includes('\t')) return text.length;
  let columns = 0;
  for (const sign of text) columns = sign === '\t' ? columns + TAB - (columns % TAB) : columns + 1;
  return columns;
}

/** Every line takes one row. */
export class Rows {
  /** @param {number} count lines */
  constructor(count) {
    this.count = count;
    /** Rows in all. */
    this.total = count;
  }

  /** First row of a line. */
  top(line) {
    return line;
  }

  /** Rows of a line. */
  size() {
    return 1;
  }

  /** Line that a row belongs to. */
  lineAt(row) {
    return Math.max(0, Math.min(this.count - 1, Math.floor(row)));
  }
}

/** Long lines take more than one row; grows with the log. */
export class WrappedRows {
  /** @param {number} width columns of a row, at least 1 */
  constructor(width) {
    this.width = Math.max(1, width);
    /** Row behind each line. */
    this.ends = new Uint32Array(1024);
    this.count = 0;
  }

  get total() {
    return this.count ? this.ends[this.count - 1] : 0;
  }

  /** Take the lines up to `count`; those known already are not looked at again. */
  extend(count, textOf) {
    if (count < this.count) this.count = 0;
    if (count > this.ends.length) {
      const larger = new Uint32Array(Math.max(count, this.ends.length * 2));
      larger.set(this.ends);
      this.ends = larger;
    }
    for (let line = this.count; line < count; line += 1) {
      this.ends[line] = (line ? this.ends[line - 1] : 0) + Math.max(1, Math.ceil(columnsOf(textOf(line)) / this.width));
    }
    this.count = count;
    return this;
  }

  top(line) {
    return line > 0 ? this.ends[Math.min(line, this.count) - 1] ?? 0 : 0;
  }

  size(line) {
    return this.ends[line] - this.top(line);
  }

  lineAt(row) {
    let [low, high] = [0, Math.max(0, this.count - 1)];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle] > row) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Lines that match and their neighbours, ascending, each once.
 * @param {number[]} matches ascending @param {number} context lines on either side @param {number} count lines there are
 */
export function withContext(matches, context, count) {
  const lines = [];
  let next = 0;
  for (const match of matches) {
    const end = Math.min(count, match + context + 1);
    for (let line = Math.max(next, match - context); line < end; line += 1) lines.push(line);
    next = Math.max(next, end);
  }
  return lines;
}

/** Place of `line` in an ascending list, or of the next one. */
export function placeOf(lines, line) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle] < line) low = middle + 1;
    else high = middle;
  }
  return low;
}
