/**
 * The bytes of one output stream of one attempt: first by range, then by the live stream,
 * each byte once and in order.
 */
import { request } from './api.js';
import { watch } from './live.js';

/** What one range answer may hold; of longer output the end is shown. */
export const TAIL_BYTES = 16 * 1024 * 1024;

export class LogSource {
  /**
   * @param {{runId: string, attempt: number|null, stream: 'stdout'|'stderr', size: number, onOutput: (text: string) => void,
   *   onCut: (bytes: number) => void}} options `size` is what the record says (bytes, 0 if unknown); `onCut` says how
   *   many bytes before the first were left out
   */
  constructor({ runId, attempt, stream, size, onOutput, onCut }) {
    this.runId = runId;
    this.attempt = attempt;
    this.stream = stream;
    this.size = size;
    this.onOutput = onOutput;
    this.onCut = onCut;
    /** Offset of the next byte; null before the first answer. */
    this.position = null;
    /** True once nothing more is written: an unfinished character at the end is then shown. */
    this.final = false;
    this.busy = null;
    this.again = false;
    this.stopped = new AbortController();
    this.unwatch = null;
  }

  /** Fetch what there is beyond the position. */
  catchUp() {
    if (this.busy) this.again = true;
    this.busy ??= this.fetchAll().finally(() => {
      this.busy = null;
    });
    return this.busy;
  }

  async fetchAll() {
    do {
      this.again = false;
      await this.fetchRest();
    } while (this.again);
  }

  /** Fetch to the end, a range at a time. */
  async fetchRest() {
    for (;;) {
      const from = this.position;
      const answer = await request('GET', `/api/runs/${this.runId}/logs`, {
        query: { stream: this.stream, attempt: this.attempt }, headers: this.range(), signal: this.stopped.signal,
      });
      const total = Number(/\/(\d+)/.exec(answer.headers.get('Content-Range') ?? '')?.[1] ?? 0);
      await this.take(answer);
      if (answer.status !== 206 || this.position === from || this.position >= total) return;
    }
  }

  /** What to ask for: all of a short output, the end of a long one, then what follows the position. */
  range() {
    if (this.position === null) return this.size > TAIL_BYTES ? { Range: `bytes=-${TAIL_BYTES}` } : {};
    // One byte that is known already: a range must not be empty.
    return this.position > 0 ? { Range: `bytes=${this.position - 1}-` } : {};
  }

  /** Decode an answer while it arrives. */
  async take(answer) {
    const [, start = '0', last, total] = /bytes (\d+)-(\d+)\/(\d+)/.exec(answer.headers.get('Content-Range') ?? '') ?? [];
    // A range may end in the middle of a character whose rest is in the next one.
    const isEnd = this.final && (total === undefined || Number(last) + 1 >= Number(total));
    let next = Number(start);
    const isFirst = this.position === null;
    let known = isFirst ? 0 : this.position - next;
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    let cut = isFirst && next > 0;
    if (cut) this.onCut(next);
    let carry = new Uint8Array();
    for (;;) {
      const { done, value } = await reader.read();
      let piece = done ? carry : joined(carry, value);
      if (known > 0) {
        next += Math.min(known, piece.length);
        [piece, known] = [piece.subarray(known), Math.max(0, known - piece.length)];
      }
      const isLast = done && isEnd;
      const whole = isLast ? piece.length : wholeLength(piece);
      let text = decoder.decode(piece.subarray(0, whole), { stream: !isLast });
      carry = piece.slice(whole);
      next += whole;
      if (cut && text.includes('\n')) {
        text = text.slice(text.indexOf('\n') + 1);
        cut = false;
      }
      if (text && !cut) this.onOutput(text);
      // What is cut in the middle of a character is fetched again with its rest.
      this.position = next;
      if (done) return;
    }
  }

  /** Follow the live stream from the position on. */
  follow() {
    if (this.unwatch || this.stopped.signal.aborted) return;
    this.unwatch = watch(`log:${this.runId}:${this.stream}`, {
      offset: () => this.position ?? 0,
      onEvent: (event, data) => this.onEvent(event, data),
      onResync: () => this.catchUp().catch(() => {}),
    });
  }

  onEvent(event, data) {
    // Then the stream goes on with the next attempt, which has a view of its own.
    if (event === 'attempt') this.pause();
    if (event !== 'output') return;
    if (this.busy || this.position === null) {
      this.again = true;
      return;
    }
    if (data.next <= this.position) return;
    if (data.offset === this.position) {
      this.onOutput(data.text);
      this.position = data.next;
    } else this.catchUp().catch(() => {});
  }

  /** Stop following; the position stays. */
  pause() {
    this.unwatch?.();
    this.unwatch = null;
  }

  close() {
    this.pause();
    this.stopped.abort();
  }
}

function joined(a, b) {
  if (!a.length) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Length of `bytes` without a UTF-8 character that is cut off at its end. */
export function wholeLength(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
