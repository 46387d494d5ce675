/** A very long log that stays on the server: lines come a window at a time, and the server searches. */
import { getJson } from '../lib/api.js';
import { hasEscapes, parseLine, PLAIN } from '../lib/ansi.js';
import { href } from '../lib/boot.js';
import { count, plural } from '../lib/format.js';
import { readLineLink, writeLineLink } from '../lib/log-rows.js';
import { markHits, toPattern } from '../lib/log-search.js';
import { fragment, setFragment } from '../lib/router.js';
import { classes, html, useEffect, useLayoutEffect, useRef, useState } from '../lib/ui.js';
import { Button, ErrorBox, Icon, IconButton, Segments } from './basics.js';
import { Piece } from './log-piece.js';

/** Height of a row in CSS px, the same in log.css. */
const ROW = 19;
/** Lines of one request, and windows that are kept. */
const WINDOW = 1000;
const KEPT = 12;
/** Browsers do not lay out much taller elements; above, one pixel stands for several lines. */
const TALLEST = 12_000_000;

/** @param {{run: any, attempt: number|null, attempts: number[], onAttempt: (n: number) => void, onBack: (() => void)|null}} props */
export function LogWindows({ run, attempt, attempts, onAttempt, onBack }) {
  const linked = readLineLink(fragment.value);
  const [stream, setStream] = useState(linked?.stream ?? 'stdout');
  const source = useWindows({ run, attempt, stream });
  const search = useServerSearch({ run, attempt, stream });
  const scroller = useRef(null);
  const [view, setView] = useState({ scrollTop: 0, height: 480 });
  const { total } = source;
  const space = Math.min(total * ROW, TALLEST);
  const shown = Math.ceil(view.height / ROW) + 1;
  // Where the space is squeezed, the bar tells the share of the log, not its pixels.
  const squeezed = total * ROW > TALLEST;
  const first = squeezed ? Math.round((view.scrollTop / Math.max(1, space - view.height)) * Math.max(0, total - shown + 1)) : Math.floor(view.scrollTop / ROW);
  const read = () => setView({ scrollTop: scroller.current.scrollTop, height: scroller.current.clientHeight });
  useLayoutEffect(() => {
    const resized = new ResizeObserver(read);
    resized.observe(scroller.current);
    return () => resized.disconnect();
  }, []);
  const goTo = (number) => {
    const line = Math.max(0, number - 1 - Math.floor(shown / 3));
    scroller.current.scrollTop = squeezed ? (line / Math.max(1, total - shown + 1)) * (space - view.height) : line * ROW;
  };
  useEffect(() => {
    source.want(first + 1, Math.min(total, first + shown));
  }, [first, shown, total, stream]);
  useEffect(() => {
    if (total && linked?.stream === stream) goTo(linked.from);
  }, [total > 0, linked?.from, stream]);
  const step = async (by) => {
    const line = await search.step(by, first + 1);
    if (line) goTo(line);
  };
  const pattern = toPattern(search.text, { regex: false, matchCase: search.matchCase });
  const drawn = Array.from({ length: Math.max(0, Math.min(shown, total - first)) }, (_, index) => first + 1 + index);
  return html`<div class="log" data-testid="log-windows">
    <div class="log-bar">
      <${Segments} label="Which output" name="window-stream" value=${stream} choices=${[['stdout', 'stdout'], ['stderr', 'stderr']]} onChange=${setStream} />
      <span class="muted nowrap" data-testid="log-size">${plural(total, 'line')}</span>
      ${onBack && html`<${Button} compact=${true} kind="quiet" label="Only the end" onClick=${onBack} />`}
      <span class="push"></span>
      <form class="log-search" role="search" onSubmit=${(event) => { event.preventDefault(); step(1); }}>
        <label class="search"><${Icon} name="search" /><input type="search" placeholder="Search on the server" aria-label="Search the log" spellcheck=${false}
          value=${search.text} onInput=${(event) => search.setText(event.target.value)} data-testid="log-search" /></label>
        <button type="button" class=${classes('tool', search.matchCase && 'is-on')} aria-pressed=${String(search.matchCase)} title="Match upper and lower case"
          aria-label="Match upper and lower case" onClick=${() => search.setMatchCase(!search.matchCase)}>Aa</button>
        <span class="log-hits nowrap" role="status" data-testid="log-hits">${search.words}</span>
        <${IconButton} icon="chevron-up" label="Previous match" onClick=${() => step(-1)} /><${IconButton} icon="chevron-down" label="Next match" onClick=${() => step(1)} />
      </form>
      ${attempts.length > 1 && html`<label class="attempt-pick">Attempt <select value=${String(attempt)} onChange=${(event) => onAttempt(Number(event.target.value))}>
        ${attempts.map((n) => html`<option key=${n} value=${String(n)}>${n}</option>`)}</select></label>`}
      <a class="icon-btn" title="Download the log" aria-label="Download the log" data-testid="log-download" download
        href=${href(`/api/runs/${run.id}/logs?download=1&stream=${stream}${attempt === null ? '' : `&attempt=${attempt}`}`)}><${Icon} name="download" /></a>
    </div>
    <p class="stale tone-info"><${Icon} name="info" />This log is long: its lines come from the server as you scroll, and the server searches it for plain text.</p>
    ${source.error && html`<${ErrorBox} error=${source.error} title="The lines could not be loaded" onRetry=${source.retry} />`}
    <div class="log-scroll" ref=${scroller} style=${{ height: '64vh' }} onScroll=${read} tabindex="0" role="region" aria-label="Output of the script">
      ${source.loaded && !total && html`<p class="log-empty muted">This run printed nothing to ${stream}.</p>`}
      <div class="log-space" style=${{ height: `${space}px`, minWidth: `${source.columns + 12}ch` }}>
        <div class="log-rows" style=${{ transform: `translateY(${squeezed ? view.scrollTop : first * ROW}px)` }}>
          ${drawn.map((number) => html`<${WindowLine} key=${number} number=${number} line=${source.line(number)} pattern=${pattern} stream=${stream}
            current=${number === search.current} marked=${linked?.stream === stream && number >= linked.from && number <= linked.to} />`)}
        </div></div></div></div>`;
}

function WindowLine({ number, line, pattern, stream, current, marked }) {
  const pick = (event) => {
    event.preventDefault();
    setFragment(writeLineLink({ stream, from: number, to: number }));
  };
  const text = (line?.text ?? '').split('\r').findLast((part) => part !== '') ?? '';
  const pieces = hasEscapes(text) ? parseLine(text, PLAIN).pieces : [{ text, style: PLAIN }];
  const shown = pattern ? markHits(pieces, pattern) : pieces;
  return html`<div class=${classes('log-line', `from-${stream}`, marked && 'is-marked', current && 'is-current')}>
    <a class="log-no is-wide" href=${`#${writeLineLink({ stream, from: number, to: number })}`} onClick=${pick} tabindex="-1" aria-hidden="true">${number}</a>
    <span class="log-text">${line ? shown.map((piece, index) => html`<${Piece} key=${index} ...${piece} />`) : html`<span class="muted">…</span>`}
      ${line?.cut_bytes > 0 && html`<span class="muted"> … ${count(line.cut_bytes)} more bytes</span>`}</span></div>`;
}

/** The windows of one output: fetched when they come into view, the oldest forgotten. */
function useWindows({ run, attempt, stream }) {
  const key = `${run.id} ${attempt} ${stream}`;
  const state = useRef(null);
  const [, redraw] = useState({});
  if (state.current?.key !== key) state.current = { key, total: 0, loaded: false, error: null, columns: 0, windows: new Map(), asked: new Set() };
  const mine = state.current;
  const load = async (at) => {
    if (mine.asked.has(at)) return;
    mine.asked.add(at);
    try {
      const answer = await getJson(`/api/runs/${run.id}/logs/lines`, { query: { stream, attempt, from: at * WINDOW + 1, count: WINDOW } });
      mine.windows.set(at, answer.lines);
      mine.total = answer.total;
      mine.columns = Math.max(mine.columns, ...answer.lines.map(({ text }) => Math.min(text.length, 4000)), 0);
      mine.error = null;
      while (mine.windows.size > KEPT) {
        const [oldest] = mine.windows.keys();
        mine.windows.delete(oldest);
        mine.asked.delete(oldest);
      }
    } catch (error) {
      mine.asked.delete(at);
      mine.error = error;
    }
    mine.loaded = true;
    if (state.current === mine) redraw({});
  };
  useEffect(() => {
    load(0);
  }, [key]);
  return {
    ...mine,
    line: (number) => mine.windows.get(Math.floor((number - 1) / WINDOW))?.[(number - 1) % WINDOW],
    want: (from, to) => {
      for (let at = Math.floor((from - 1) / WINDOW); at <= Math.floor((Math.max(from, to) - 1) / WINDOW); at += 1) load(at);
    },
    retry: () => load(0),
  };
}

/** Matches as the server finds them, more with every step beyond the last. */
function useServerSearch({ run, attempt, stream }) {
  const [text, setText] = useState('');
  const [matchCase, setMatchCase] = useState(false);
  const [state, setState] = useState({ key: '', lines: [], next: '', at: -1, busy: false, error: '' });
  const key = `${run.id} ${attempt} ${stream} ${matchCase} ${text}`;
  const now = state.key === key ? state : { key, lines: [], next: '', at: -1, busy: false, error: '' };
  const more = async (from) => {
    const answer = await getJson(`/api/runs/${run.id}/logs/search`, { query: { stream, attempt, q: text, case: matchCase || null, after: from.next || null } });
    return { ...from, lines: [...from.lines, ...answer.matches.map(({ number }) => number)], next: answer.next };
  };
  /** The line to go to: the first one from `here` on, then the next or previous; 0 for none. */
  const step = async (by, here) => {
    if (!text || now.busy) return 0;
    setState({ ...now, busy: true });
    let found = now;
    try {
      const isFirst = now.at < 0;
      const enough = () => (isFirst ? found.lines.some((line) => line >= here) : found.at + by < found.lines.length);
      while (by > 0 && found.next !== null && !enough()) found = await more(found);
      const at = isFirst ? Math.max(0, found.lines.findIndex((line) => line >= here)) : found.at + by;
      const place = found.lines.length ? (at + found.lines.length) % found.lines.length : -1;
      setState({ ...found, at: place, busy: false, error: '' });
      return found.lines[place] ?? 0;
    } catch (error) {
      setState({ ...found, busy: false, error: error.message });
      return 0;
    }
  };
  const sum = `${count(now.lines.length)}${now.next === null ? '' : '+'}`;
  const words = now.busy ? 'searching…' : now.error || (now.at >= 0 ? `${count(now.at + 1)} of ${sum}` : now.next === null && !now.lines.length ? 'no match' : '');
  return { text, setText, matchCase, setMatchCase, words, step, current: now.lines[now.at] ?? 0 };
}
