/** A very long log that stays on the server: lines come a window at a time, and the server searches. */
import { getJson } from '../lib/api.js';
import { hasEscapes, parseLine, PLAIN } from '../lib/ansi.js';
import { href } from '../lib/boot.js';
import { count, plural } from '../lib/format.js';
import { readLineLink, writeLineLink } from '../lib/log-rows.js';
import { markHits, toPattern } from '../lib/log-search.js';
import { fragment, setFragment } from '../lib/router.js';
import { classes, html, useEffect, useLayoutEffect, useRef, useState } from '../lib/ui.js';
import { Button, ErrorBox, Icon, Segments } from './basics.js';
import { Piece } from './log-piece.js';
import { LogSearchBar } from './log-search-bar.js';
import { useServerSearch } from './log-server-search.js';

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
  const scroller = useRef(null);
  const [view, setView] = useState({ scrollTop: 0, height: 480 });
  const place = useRef({ goTo: (_line) => {}, first: 0 });
  const search = useServerSearch({ run, attempt, stream, goTo: (line) => place.current.goTo(line), here: () => place.current.first + 1 });
  // A filter shows some lines; what is drawn is counted in shown lines.
  const { lines } = search;
  const total = lines ? lines.length : source.total;
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
    const line = Math.max(0, (lines ? lines.findIndex((each) => each.number >= number) : number - 1) - Math.floor(shown / 3));
    scroller.current.scrollTop = squeezed ? (line / Math.max(1, total - shown + 1)) * (space - view.height) : line * ROW;
  };
  place.current = { goTo, first };
  useEffect(() => {
    if (!lines) source.want(first + 1, Math.min(total, first + shown));
    else if (first + 2 * shown > total) search.lookOn();
  }, [first, shown, total, stream, !lines]);
  useEffect(() => {
    if (total && linked && linked.stream === stream && !lines) goTo(linked.from);
  }, [total > 0, linked?.from, stream]);
  const pattern = toPattern(search.text, search.how);
  const drawn = Array.from({ length: Math.max(0, Math.min(shown, total - first)) }, (_, index) => {
    const at = first + index;
    return lines ? { ...lines[at], line: lines[at], gap: at > 0 && lines[at - 1].number !== lines[at].number - 1 }
      : { number: at + 1, line: source.line(at + 1), gap: false };
  });
  return html`<div class="log" data-testid="log-windows">
    <div class="log-bar">
      <${Segments} label="Which output" name="window-stream" value=${stream} choices=${[['stdout', 'stdout'], ['stderr', 'stderr']]} onChange=${setStream} />
      <span class="muted nowrap" data-testid="log-size">${plural(source.total, 'line')}</span>
      ${onBack && html`<${Button} compact=${true} kind="quiet" label="Only the end" onClick=${onBack} />`}
      <span class="push"></span>
      <${LogSearchBar} search=${search} onStep=${search.step} />
      ${attempts.length > 1 && html`<label class="attempt-pick">Attempt <select value=${String(attempt)} onChange=${(event) => onAttempt(Number(event.target.value))}>
        ${attempts.map((n) => html`<option key=${n} value=${String(n)}>${n}</option>`)}</select></label>`}
      <a class="icon-btn" title="Download the log" aria-label="Download the log" data-testid="log-download" download
        href=${href(`/api/runs/${run.id}/logs?download=1&stream=${stream}${attempt === null ? '' : `&attempt=${attempt}`}`)}><${Icon} name="download" /></a>
    </div>
    <p class="stale tone-info"><${Icon} name="info" />This log is long: its lines come from the server as you scroll, and the server searches it.</p>
    ${source.error && html`<${ErrorBox} error=${source.error} title="The lines could not be loaded" onRetry=${source.retry} />`}
    ${search.error && html`<p class="stale tone-warn" role="alert" data-testid="log-search-error"><${Icon} name="triangle-alert" />${faultOf(search.error)}</p>`}
    <div class="log-scroll" ref=${scroller} style=${{ height: '64vh' }} onScroll=${read} tabindex="0" role="region" aria-label="Output of the script">
      ${source.loaded && !source.total && html`<p class="log-empty muted">This run printed nothing to ${stream}.</p>`}
      ${lines && !lines.length && !search.isComplete && html`<p class="log-empty muted" role="status">Searching…</p>`}
      ${lines && !lines.length && search.isComplete && html`<p class="log-empty" data-testid="log-hidden">No line matches: ${plural(source.total, 'line')} hidden.
        <${Button} compact=${true} label="Show all lines" onClick=${search.showAll} /></p>`}
      <div class="log-space" style=${{ height: `${space}px`, minWidth: `${source.columns + 12}ch` }}>
        <div class="log-rows" style=${{ transform: `translateY(${squeezed ? view.scrollTop : first * ROW}px)` }}>
          ${drawn.map(({ number, line, gap }) => html`<${WindowLine} key=${number} number=${number} line=${line} gap=${gap} pattern=${pattern} stream=${stream}
            current=${number === search.current} marked=${linked !== null && linked.stream === stream && number >= linked.from && number <= linked.to} />`)}
        </div></div></div></div>`;
}

/** What the server says of a search, without the name of its parameter. */
const faultOf = (error) => error.message.replace(/^q: /, '');

function WindowLine({ number, line, gap, pattern, stream, current, marked }) {
  const pick = (event) => {
    event.preventDefault();
    setFragment(writeLineLink({ stream, from: number, to: number }));
  };
  const text = (line?.text ?? '').split('\r').findLast((part) => part !== '') ?? '';
  const pieces = hasEscapes(text) ? parseLine(text, PLAIN).pieces : [{ text, style: PLAIN }];
  const shown = pattern ? markHits(pieces, pattern) : pieces;
  return html`<div class=${classes('log-line', `from-${stream}`, marked && 'is-marked', current && 'is-current', gap && 'is-gap')}>
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
