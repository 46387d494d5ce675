/** The lines of one output stream: made from text in pieces of any size. Pure. */
import { hasEscapes, parseLine, PLAIN, strip } from './ansi.js';

/** Characters of one line that are shown; the rest is counted. */
export const MAX_COLUMNS = 4000;

/**
 * Lines of a growing text. `\r` returns to the start of the line, so that a progress bar
 * is one line that shows its last state; `\r\n` is a line end.
 */
export class LogModel {
  constructor() {
    /** Finished lines, as printed. @type {string[]} */
    this.lines = [];
    /** Style in force at the start of a line, where it is not plain. @type {Map<number, object>} */
    this.styles = new Map();
    /** What came after the last line end. */
    this.rest = '';
    this.style = PLAIN;
    /** Length of the longest line, in characters. */
    this.columns = 0;
    /** Lines dropped from the head because there were too many. */
    this.dropped = 0;
  }

  /** Lines there are, an unfinished last one included. */
  get length() {
    return this.lines.length + (this.rest === '' ? 0 : 1);
  }

  /** Take more text. */
  append(text) {
    const parts = (this.rest + text).split('\n');
    this.rest = parts.pop() ?? '';
    for (const part of parts) this.push(part);
  }

  push(line) {
    const shown = collapse(line);
    if (this.style !== PLAIN) this.styles.set(this.dropped + this.lines.length, this.style);
    if (hasEscapes(shown)) this.style = parseLine(shown, this.style).style;
    this.lines.push(shown);
    if (shown.length > this.columns) this.columns = Math.min(shown.length, MAX_COLUMNS);
  }

  /** Nothing more comes: an unfinished last line is a line. */
  finish() {
    if (this.rest === '') return;
    this.push(this.rest);
    this.rest = '';
  }

  /** Forget all but the last `keep` lines. */
  trim(keep) {
    const surplus = this.lines.length - keep;
    if (surplus <= 0) return;
    this.lines.splice(0, surplus);
    for (let at = this.dropped; at < this.dropped + surplus; at += 1) this.styles.delete(at);
    this.dropped += surplus;
  }

  /** Line `index` (from 0, dropped ones not counted) as it was printed. */
  raw(index) {
    return index < this.lines.length ? this.lines[index] : collapse(this.rest);
  }

  /** The same without colours. */
  text(index) {
    const line = this.raw(index);
    return hasEscapes(line) ? strip(line) : line;
  }

  /** Pieces with styles; a very long line is cut and says so by `more` characters. */
  pieces(index) {
    const line = this.raw(index);
    const style = this.styles.get(this.dropped + index) ?? (index === this.lines.length ? this.style : PLAIN);
    if (style === PLAIN && !hasEscapes(line)) {
      return { pieces: [{ text: line.slice(0, MAX_COLUMNS), style }], more: Math.max(0, line.length - MAX_COLUMNS) };
    }
    return cut(parseLine(line, style).pieces);
  }
}

/** What a terminal shows of a line with carriage returns: the last part that is not empty. */
function collapse(line) {
  if (!line.includes('\r')) return line;
  const parts = line.split('\r');
  return parts.findLast((part) => part !== '') ?? '';
}

function cut(pieces) {
  const kept = [];
  let room = MAX_COLUMNS;
  let more = 0;
  for (const { text, style } of pieces) {
    if (text.length <= room) kept.push({ text, style });
    else {
      if (room > 0) kept.push({ text: text.slice(0, room), style });
      more += text.length - room;
    }
    room = Math.max(0, room - text.length);
  }
  return { pieces: kept, more };
}
