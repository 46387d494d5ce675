/** Search in a log: how it is typed, counted and walked. */
import { count } from '../lib/format.js';
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
    findRows(view, toPattern(text, how), {
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

  const state = found.current;
  const total = log.rows.length;
  const filtering = context >= 0 && Boolean(pattern);
  const matches = state.rows.length;
  const lines = useMemo(() => (filtering ? withContext(state.rows, context, total) : null), [filtering, context, matches, total, source, generation]);
  return {
    lines, context, setContext, filterKey: filtering ? `${source} ${context} ${matches}` : '',
    input, text, setText, how, setHow, pattern,
    isBroken: Boolean(text) && !pattern,
    isComplete: state.until >= finished,
    rows: state.rows,
    at: state.at,
    currentRow: pattern ? state.rows[state.at] ?? -1 : -1,
    restart: () => setGeneration((each) => each + 1),
    step: (by) => {
      if (!state.rows.length) return -1;
      state.at = (state.at + by + state.rows.length) % state.rows.length;
      redraw((tick) => tick + 1);
      return state.rows[state.at];
    },
  };
}

/** Lines around a match that a filter keeps; -1 is no filter. */
const CONTEXTS = [['-1', 'all lines'], ['0', 'matches only'], ['3', '± 3 lines'], ['10', '± 10 lines']];

export function LogSearch({ search, scrollToRow }) {
  const { rows, at, text, how } = search;
  // The first match comes into view by itself.
  useEffect(() => {
    if (rows.length && at === 0) scrollToRow(rows[0]);
  }, [rows[0], text]);
  const onKeyDown = (event) => {
    if (event.key === 'Enter') scrollToRow(search.step(event.shiftKey ? -1 : 1));
    else if (event.key === 'Escape' && text) {
      event.stopPropagation();
      search.setText('');
    }
  };
  const option = (name, label, sign) => html`<button type="button" class=${classes('tool', how[name] && 'is-on')}
    aria-pressed=${String(how[name])} title=${label} aria-label=${label}
    onClick=${() => search.setHow({ ...how, [name]: !how[name] })}>${sign}</button>`;
  const arrow = (icon, label, by) => html`<${IconButton} icon=${icon} label=${label} onClick=${() => scrollToRow(search.step(by))} />`;
  return html`<div class="log-search" role="search">
    <label class="search"><${Icon} name="search" /><input ref=${search.input} type="search" placeholder="Search"
      aria-label="Search the log" value=${text} spellcheck=${false} aria-invalid=${search.isBroken ? 'true' : undefined}
      onInput=${(event) => search.setText(event.target.value)} onKeyDown=${onKeyDown} data-testid="log-search" /></label>
    ${option('matchCase', 'Match upper and lower case', 'Aa')}${option('regex', 'Regular expression', '.*')}${option('word', 'Whole words only', 'W')}
    <span class="log-hits nowrap" role="status" data-testid="log-hits">${hitsInWords(search)}</span>
    ${text && html`<select class="log-context" aria-label="Show only lines that match" value=${String(search.context)} data-testid="log-filter"
      onChange=${(event) => search.setContext(Number(event.target.value))}>
      ${CONTEXTS.map(([value, words]) => html`<option key=${value} value=${value} selected=${value === String(search.context)}>${words}</option>`)}</select>`}
    ${rows.length > 1 && html`${arrow('chevron-up', 'Previous match', -1)}${arrow('chevron-down', 'Next match', 1)}`}
  </div>`;
}

/** "3 of 17", with a plus while there may be more. */
function hitsInWords({ text, rows, at, isBroken, isComplete }) {
  if (isBroken) return 'not a valid expression';
  if (!text) return '';
  if (rows.length) return `${count(at + 1)} of ${count(rows.length)}${isComplete ? '' : '+'}`;
  return isComplete ? 'no match' : 'searching…';
}
