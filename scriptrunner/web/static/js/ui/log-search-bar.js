/** Search in a log: how it is typed, counted and walked; and which lines are shown at all. */
import { count } from '../lib/format.js';
import { LevelFilter, LEVELS } from '../lib/log-level.js';
import { findRows, toPattern } from '../lib/log-search.js';
import { withContext } from '../lib/log-wrap.js';
import { classes, html, useEffect, useMemo, useRef, useState } from '../lib/ui.js';
import { Icon, IconButton } from './basics.js';

/** @param {import('./log-feed.js').Feed} log */
export function useSearch(log) {
  const input = useRef(null);
  const [text, setText] = useState('');
  const [how, setHow] = useState({ regex: false, matchCase: false, word: false });
  const [context, setContext] = useState(-1);
  const [level, setLevel] = useState('');
  const [generation, setGeneration] = useState(0);
  const [, redraw] = useState(0);
  const found = useRef({ rows: [], until: 0, at: -1, busy: false });
  const pattern = toPattern(text, how);
  const source = pattern && `${pattern}`;

  useEffect(() => {
    found.current = { rows: [], until: 0, at: -1, busy: false };
    redraw((tick) => tick + 1);
  }, [source, generation, log.key]);

  // New lines are searched as they come, from where the last search ended.
  const finished = log.rows.finished;
  useEffect(() => {
    if (!pattern || found.current.until >= finished) return undefined;
    const abort = new AbortController();
    const state = found.current;
    const view = { length: finished, text: (row) => log.rows.text(row) };
    findRows(view, /** @type {RegExp} */ (toPattern(text, how)), {
      from: state.until,
      signal: abort.signal,
      onRows: (rows, until) => {
        state.rows.push(...rows);
        state.until = until;
        if (state.at < 0 && state.rows.length) state.at = 0;
        redraw((tick) => tick + 1);
      },
    });
    return () => abort.abort();
  }, [source, finished, generation, log.key]);

  const leveled = useLevel(log, level, generation);
  const state = found.current;
  // A match in a line that the level hides is none.
  const hits = useMemo(() => (leveled ? state.rows.filter((row) => leveled.set.has(row)) : state.rows),
    [state, state.rows.length, leveled, leveled?.rows.length]);
  const total = log.rows.length;
  const filtering = context >= 0 && Boolean(pattern);
  const matches = hits.length;
  const lines = useMemo(() => {
    if (!filtering) return leveled ? [...leveled.rows] : null;
    const around = withContext(hits, context, total);
    return leveled ? around.filter((row) => leveled.set.has(row)) : around;
  }, [filtering, context, matches, total, source, generation, leveled, leveled?.rows.length]);
  return {
    lines, context, setContext, level, setLevel,
    filterKey: `${filtering ? `${source} ${context} ${matches}` : ''} ${leveled ? `${level} ${leveled.rows.length}` : ''}`,
    showAll: () => {
      setContext(-1);
      setLevel('');
    },
    input, text, setText, how, setHow, pattern,
    isBroken: Boolean(text) && !pattern,
    isComplete: (!pattern || state.until >= finished) && (!leveled || leveled.until >= finished),
    rows: hits,
    at: Math.min(state.at, matches - 1),
    currentRow: pattern ? hits[Math.min(state.at, matches - 1)] ?? -1 : -1,
    restart: () => setGeneration((each) => each + 1),
    step: (by) => {
      if (!matches) return -1;
      state.at = (Math.min(state.at, matches - 1) + by + matches) % matches;
      redraw((tick) => tick + 1);
      return hits[state.at];
    },
  };
}

/**
 * Rows of a level and above, found in slices of time as they come; null without a level.
 * @param {import('./log-feed.js').Feed} log @param {string} level @param {number} generation
 * @returns {{rows: number[], set: Set<number>, until: number}|null}
 */
function useLevel(log, level, generation) {
  const kept = useRef({ key: '', rows: [], set: new Set(), until: 0, filter: null });
  const [, redraw] = useState(0);
  const key = `${level} ${generation} ${log.key}`;
  if (kept.current.key !== key) kept.current = { key, rows: [], set: new Set(), until: 0, filter: new LevelFilter(level) };
  const state = kept.current;
  const finished = log.rows.finished;
  useEffect(() => {
    if (!level || state.until >= finished) return undefined;
    const abort = new AbortController();
    const { filter } = state;
    let stream = '';
    const view = {
      length: finished,
      text: (row) => {
        stream = log.rows.at(row).stream;
        return log.rows.text(row);
      },
    };
    const pattern = /** @type {any} */ ({ test: (text) => filter.keeps(text, stream) });
    findRows(view, pattern, {
      from: state.until,
      signal: abort.signal,
      onRows: (rows, until) => {
        state.rows.push(...rows);
        for (const row of rows) state.set.add(row);
        state.until = until;
        redraw((tick) => tick + 1);
      },
    });
    return () => abort.abort();
  }, [key, finished]);
  return level ? state : null;
}

/** Lines around a match that a filter keeps; -1 is no filter. */
const CONTEXTS = [['-1', 'all lines'], ['0', 'matches only'], ['3', '± 3 lines'], ['10', '± 10 lines']];

/** The search of a log that the page holds. */
export function LogSearch({ search, scrollToRow }) {
  const { rows, at, text } = search;
  // The first match comes into view by itself.
  useEffect(() => {
    if (rows.length && at === 0) scrollToRow(rows[0]);
  }, [rows[0], text]);
  return html`<${LogSearchBar} search=${{ ...search, words: hitsInWords(search), hasSteps: rows.length > 1 }}
    onStep=${(by) => scrollToRow(search.step(by))} />`;
}

/**
 * How a search is typed and walked, wherever it is done.
 * @typedef {object} SearchState
 * @property {{current: HTMLInputElement|null}} [input]
 * @property {string} text @property {(text: string) => void} setText
 * @property {{regex: boolean, matchCase: boolean, word: boolean}} how @property {(how: object) => void} setHow
 * @property {number} context @property {(lines: number) => void} setContext
 * @property {string} level @property {(level: string) => void} setLevel
 * @property {string} words how many were found @property {boolean} isBroken @property {boolean} hasSteps whether there is a next one
 *
 * @param {{search: SearchState, onStep: (by: number) => void}} props
 */
export function LogSearchBar({ search, onStep }) {
  const { text, how } = search;
  const onKeyDown = (event) => {
    if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape' && text) {
      event.stopPropagation();
      search.setText('');
    }
  };
  const option = (name, label, sign) => html`<button type="button" class=${classes('tool', how[name] && 'is-on')}
    aria-pressed=${String(how[name])} title=${label} aria-label=${label}
    onClick=${() => search.setHow({ ...how, [name]: !how[name] })}>${sign}</button>`;
  const arrow = (icon, label, by) => html`<${IconButton} icon=${icon} label=${label} onClick=${() => onStep(by)} />`;
  return html`<div class="log-search" role="search">
    <label class="search"><${Icon} name="search" /><input ref=${search.input} type="search" placeholder="Search"
      aria-label="Search the log" value=${text} spellcheck=${false} aria-invalid=${search.isBroken ? 'true' : undefined}
      onInput=${(event) => search.setText(event.target.value)} onKeyDown=${onKeyDown} data-testid="log-search" /></label>
    ${option('matchCase', 'Match upper and lower case', 'Aa')}${option('regex', 'Regular expression', '.*')}${option('word', 'Whole words only', 'W')}
    <span class="log-hits nowrap" role="status" data-testid="log-hits">${search.words}</span>
    ${text && html`<select class="log-context" aria-label="Show only lines that match" value=${String(search.context)} data-testid="log-filter"
      onChange=${(event) => search.setContext(Number(event.target.value))}>
      ${CONTEXTS.map(([value, words]) => html`<option key=${value} value=${value} selected=${value === String(search.context)}>${words}</option>`)}</select>`}
    <select class=${classes('log-context', search.level && 'is-on')} aria-label="Least level of the lines shown" data-testid="log-level"
      title="Lines that name no level belong to the line before them" onChange=${(event) => search.setLevel(event.target.value)}>
      <option value="" selected=${!search.level}>all levels</option>
      ${LEVELS.slice(1).reverse().map((each) => html`<option key=${each} value=${each} selected=${each === search.level}>${each}${each === 'CRITICAL'
        ? ' only' : ' and above'}</option>`)}</select>
    ${search.hasSteps && html`${arrow('chevron-up', 'Previous match', -1)}${arrow('chevron-down', 'Next match', 1)}`}
  </div>`;
}

/** "3 of 17", with a plus while there may be more. */
function hitsInWords({ text, rows, at, isBroken, isComplete }) {
  if (isBroken) return 'not a valid expression';
  if (!text) return '';
  if (rows.length) return `${count(at + 1)} of ${count(rows.length)}${isComplete ? '' : '+'}`;
  return isComplete ? 'no match' : 'searching…';
}
