/** The log of one attempt as state of a component: loaded, followed while somebody looks. */
import { firstError } from '../lib/log-search.js';
import { LogRows } from '../lib/log-rows.js';
import { LogSource } from '../lib/log-source.js';
import { useEffect, useRef, useState } from '../lib/ui.js';

/**
 * @param {{run: any, attempt: number|null, active: boolean}} what `active` while it may still grow
 * @returns {Feed}
 */
export function useLog({ run, attempt, active }) {
  const [, setTick] = useState(0);
  const state = useRef(null);
  const key = `${run.id} ${attempt ?? ''}`;
  if (state.current?.key !== key) {
    state.current?.close();
    state.current = new Feed({ key, run, attempt, onChange: () => setTick((tick) => tick + 1) });
  }
  const feed = state.current;
  feed.run = run;
  useEffect(() => {
    feed.start(active);
  }, [feed, active]);
  useEffect(() => () => state.current.close(), []);
  return feed;
}

/** Bytes of a stream as the record has them, 0 if it does not know. */
function sizeOf(run, attempt, stream) {
  const made = run.attempts?.find?.(({ n }) => n === attempt);
  return made?.[`${stream}_bytes`] ?? run.live?.[`${stream}_bytes`] ?? 0;
}

export class Feed {
  constructor({ key, run, attempt, onChange }) {
    this.key = key;
    this.run = run;
    this.onChange = onChange;
    this.version = 0;
    this.loaded = false;
    this.error = /** @type {Error|null} */ (null);
    this.errorRow = -1;
    this.frame = 0;
    this.active = true;
    this.rows = new LogRows();
    this.sources = /** @type {('stdout'|'stderr')[]} */ (['stdout', 'stderr']).map((stream) => new LogSource({
      runId: run.id, attempt, stream, size: sizeOf(run, attempt, stream),
      onOutput: (text) => {
        this.rows.append(stream, text);
        if (this.loaded) this.rows.isLive = true;
        this.changed();
      },
      onCut: (bytes) => {
        this.rows.cut[stream] = bytes;
        this.rows.base[stream] = null;
      },
    }));
    this.onVisibility = () => this.start(this.active);
    document.addEventListener('visibilitychange', this.onVisibility);
    this.retry = () => this.start(this.active);
    this.redraw = () => this.changed();
  }

  /** Bytes that were loaded, those left out included. */
  get bytes() {
    return this.sources.reduce((sum, { position }) => sum + (position ?? 0), 0);
  }

  /** Load what is missing; while the run is active and the tab visible, stay connected. */
  async start(active) {
    this.active = active;
    if (document.hidden && this.loaded) {
      for (const source of this.sources) source.pause();
      return;
    }
    for (const source of this.sources) {
      source.final = !active;
      if (!active) source.pause();
    }
    try {
      for (const source of this.sources) {
        await source.catchUp();
        // Its unfinished last line stands before the other stream, not behind it.
        if (!active && !this.active) this.rows.finish([source.stream]);
      }
      this.error = null;
      this.loaded = true;
      // The stream goes on where the fetch ended: nothing is sent twice.
      if (this.active && !document.hidden) for (const source of this.sources) source.follow();
      if (!active && !this.active) this.finish();
    } catch (error) {
      if (/** @type {Error} */ (error).name === 'AbortError') return;
      this.error = /** @type {Error} */ (error);
    }
    this.changed();
  }

  /** Nothing more comes. Where the head was left out, the record tells the numbers of the lines. */
  finish() {
    this.rows.finish();
    for (const stream of ['stdout', 'stderr']) {
      const total = this.run.result?.[`${stream}_lines`];
      const { lines, dropped } = this.rows.models[stream];
      if (this.rows.cut[stream] && total) this.rows.base[stream] = total - lines.length - dropped;
    }
  }

  /** Remember where the first error is, and return its row. */
  findError() {
    this.errorRow = firstError(this.rows);
    this.changed();
    return this.errorRow;
  }

  /** Draw once per frame, however much arrives. */
  changed() {
    this.version += 1;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.onChange();
    });
  }

  close() {
    cancelAnimationFrame(this.frame);
    document.removeEventListener('visibilitychange', this.onVisibility);
    for (const source of this.sources) source.close();
  }
}
