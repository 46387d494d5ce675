/**
 * The rows that a log view shows: one stream, or both in the order in which their text
 * came. Only the order within each stream is exact. Pure.
 */
import { LogModel } from './log-model.js';

/** Lines of a stream that are kept; of more, the oldest go. */
export const MAX_LINES = 500_000;
const STREAMS = ['stdout', 'stderr'];

export class LogRows {
  constructor() {
    this.models = { stdout: new LogModel(), stderr: new LogModel() };
    /** Finished lines of both streams: 2 · number + (1 for stderr). @type {number[]} */
    this.order = [];
    /** Bytes that were left out before the first line, by stream. */
    this.cut = { stdout: 0, stderr: 0 };
    /** Number of lines before the first one, where the cut part's lines are known. */
    this.base = /** @type {Record<string, number|null>} */ ({ stdout: 0, stderr: 0 });
    /** 'both', 'stdout' or 'stderr'. */
    this.shown = 'both';
    /** Whether text came while both streams were followed, in the order of its arrival. */
    this.isLive = false;
  }

  /** Take text of one stream. */
  append(stream, text) {
    const model = this.models[stream];
    const before = model.dropped + model.lines.length;
    model.append(text);
    this.note(stream, before);
    if (model.lines.length > MAX_LINES) this.trim(stream);
  }

  /** Nothing more comes, of one stream or of any. */
  finish(streams = STREAMS) {
    for (const stream of streams) {
      const model = this.models[stream];
      const before = model.dropped + model.lines.length;
      model.finish();
      this.note(stream, before);
    }
  }

  note(stream, before) {
    const model = this.models[stream];
    const bit = STREAMS.indexOf(stream);
    for (let number = before; number < model.dropped + model.lines.length; number += 1) this.order.push(2 * number + bit);
  }

  trim(stream) {
    const model = this.models[stream];
    model.trim(Math.floor(MAX_LINES * 0.9));
    const bit = STREAMS.indexOf(stream);
    this.order = this.order.filter((each) => each % 2 !== bit || each >> 1 >= model.dropped);
  }

  /** Whether both streams have text. */
  get isMixed() {
    return this.models.stdout.length > 0 && this.models.stderr.length > 0;
  }

  /** Rows that will not change any more. */
  get finished() {
    return this.shown === 'both' ? this.order.length : this.models[this.shown].lines.length;
  }

  get length() {
    if (this.shown !== 'both') return this.models[this.shown].length;
    return this.order.length + STREAMS.filter((stream) => this.models[stream].rest !== '').length;
  }

  get columns() {
    const streams = this.shown === 'both' ? STREAMS : [this.shown];
    return Math.max(...streams.map((stream) => this.models[stream].columns));
  }

  /** Digits of the largest line number. */
  get digits() {
    const streams = this.shown === 'both' ? STREAMS : [this.shown];
    const last = streams.map((stream) => (this.base[stream] ?? 0) + this.models[stream].dropped + this.models[stream].length);
    return String(Math.max(...last)).length;
  }

  /** Stream of a row and its place in that stream's model. */
  at(row) {
    if (this.shown !== 'both') return { stream: this.shown, index: row };
    if (row < this.order.length) {
      const packed = this.order[row];
      const stream = STREAMS[packed % 2];
      return { stream, index: Math.floor(packed / 2) - this.models[stream].dropped };
    }
    const open = STREAMS.filter((stream) => this.models[stream].rest !== '');
    const stream = open[row - this.order.length];
    return { stream, index: this.models[stream].lines.length };
  }

  text(row) {
    const { stream, index } = this.at(row);
    return this.models[stream].text(index);
  }

  pieces(row) {
    const { stream, index } = this.at(row);
    return this.models[stream].pieces(index);
  }

  /** Number of a row's line within its stream, from 1; null where it is not known. */
  number(row) {
    const { stream, index } = this.at(row);
    const base = this.base[stream];
    return base === null ? null : base + this.models[stream].dropped + index + 1;
  }

  /** Row of line `number` of a stream, or -1. */
  rowOf(stream, number) {
    const index = number - 1 - (this.base[stream] ?? 0) - this.models[stream].dropped;
    if (index < 0 || index >= this.models[stream].length) return -1;
    if (this.shown === stream) return index;
    if (this.shown !== 'both') return -1;
    const packed = 2 * (index + this.models[stream].dropped) + STREAMS.indexOf(stream);
    return this.order.indexOf(packed);
  }
}

/** `#L118-L131` for stdout, `#E5` for stderr. @returns {{stream: string, from: number, to: number}|null} */
export function readLineLink(fragment) {
  const found = /^([LE])(\d+)(?:-\1?(\d+))?$/.exec(fragment);
  if (!found) return null;
  const [from, to] = [Number(found[2]), Number(found[3] ?? found[2])];
  return { stream: found[1] === 'L' ? 'stdout' : 'stderr', from: Math.min(from, to), to: Math.max(from, to) };
}

export function writeLineLink({ stream, from, to }) {
  const letter = stream === 'stdout' ? 'L' : 'E';
  return from === to ? `${letter}${from}` : `${letter}${from}-${letter}${to}`;
}
