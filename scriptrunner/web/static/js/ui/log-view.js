/** The log of one attempt: all lines, live, coloured, searched; only visible rows are drawn. */
import { looks } from '../lib/ansi.js';
import { href } from '../lib/boot.js';
import { copyText } from '../lib/clipboard.js';
import { bytes, count, plural } from '../lib/format.js';
import { useHotkeys } from '../lib/hotkeys.js';
import { readLineLink, writeLineLink } from '../lib/log-rows.js';
import { markHits } from '../lib/log-search.js';
import { fragment, setFragment } from '../lib/router.js';
import { classes, html, useEffect, useLayoutEffect, useRef, useState } from '../lib/ui.js';
import { isAtEnd, visibleRows } from '../lib/virtual.js';
import { Button, ErrorBox, Icon, IconButton, Segments, Skeleton } from './basics.js';
import { useLog } from './log-feed.js';
import { LogSearch, useSearch } from './log-search-bar.js';

/** Height of a row in CSS px, the same in log.css. */
const ROW = 19;
/** What stands below the log, in CSS px: margins and the page's footer. */
const FOOT = 68;

/** @param {{run: object, attempt: number|null, attempts: number[], onAttempt: (n: number) => void, active: boolean}} props */
export function LogView({ run, attempt, attempts, onAttempt, active }) {
  const log = useLog({ run, attempt, active });
  const search = useSearch(log);
  const scroller = useRef(null);
  const [view, setView] = useState({ scrollTop: 0, height: 400 });
  const [following, setFollowing] = useState(active);
  const seen = useRef(0);
  const { rows } = log;
  const total = rows.length;
  if (following) seen.current = total;

  const scrollToRow = (row) => {
    const element = scroller.current;
    if (!element || row < 0) return;
    setFollowing(false);
    element.scrollTop = Math.max(0, row * ROW - element.clientHeight / 3);
  };
  useOpening({ log, run, active, scrollToRow, setFollowing });

  const height = useHeightToTheFoot(scroller);
  useLayoutEffect(() => {
    const element = scroller.current;
    const resized = new ResizeObserver(() => setView({ scrollTop: element.scrollTop, height: element.clientHeight }));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (following) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [following, total, view.height, log.version]);

  const onScroll = () => {
    const element = scroller.current;
    const next = { scrollTop: element.scrollTop, height: element.clientHeight };
    const atEnd = isAtEnd({ ...next, rowHeight: ROW, count: rows.length });
    if (atEnd && active) setFollowing(true);
    else if (next.scrollTop < view.scrollTop) setFollowing(false);
    setView(next);
  };
  const show = (stream) => {
    rows.shown = stream;
    log.redraw();
    search.restart();
  };
  const onKeyDown = (event) => {
    if (event.key.toLowerCase() === 'f' && (event.ctrlKey || event.metaKey) && document.activeElement !== search.input.current) {
      event.preventDefault();
      search.input.current.focus();
      search.input.current.select();
    }
  };
  useHotkeys([
    { keys: '/', label: 'Search the log', group: 'Log', run: () => search.input.current?.focus() },
    { keys: 'f', label: 'Follow the end, or stop', group: 'Log', run: () => setFollowing((on) => !on) },
  ]);

  const marked = readLineLink(fragment.value);
  const { first, end } = visibleRows({ ...view, rowHeight: ROW, count: total });
  const drawn = [];
  for (let row = first; row < end; row += 1) drawn.push(row);
  const waiting = total - seen.current;

  return html`<div class="log" data-testid="log-view" onKeyDown=${onKeyDown}>
    <div class="log-bar">
      <${Streams} rows=${rows} onShow=${show} />
      <span class="muted nowrap" data-testid="log-size">${plural(total, 'line')} · ${bytes(log.bytes)}</span>
      ${rows.isMixed && rows.shown === 'both' && html`<${OrderNote} isLive=${rows.isLive} />`}
      <span class="push"></span>
      <${LogSearch} search=${search} scrollToRow=${scrollToRow} />
      ${attempts.length > 1 && html`<${AttemptPick} attempt=${attempt} attempts=${attempts} onAttempt=${onAttempt} />`}
      ${active && html`<${Button} compact=${true} icon="arrow-down-to-line" label=${following ? 'Following' : 'Follow'}
        kind=${following ? 'on' : ''} aria-pressed=${String(following)} onClick=${() => setFollowing(!following)} data-testid="log-follow" />`}
      ${marked && html`<${IconButton} icon="copy" label="Copy the marked lines" onClick=${() => copyMarked(rows, marked)} />`}
      <a class="icon-btn" title="Download the log" aria-label="Download the log" data-testid="log-download" download
        href=${downloadHref(run.id, attempt, rows.shown)}><${Icon} name="download" /></a>
    </div>
    ${log.error && html`<${ErrorBox} error=${log.error} title="The log could not be loaded" onRetry=${log.retry} />`}
    <${CutNotice} rows=${rows} />
    <div class="log-scroll" ref=${scroller} style=${{ height }} onScroll=${onScroll} tabindex="0" role="region"
      aria-label=${`Output of the script${active ? ', live' : ''}`}>
      ${log.loaded && !total && html`<p class="log-empty muted">${active ? 'No output yet.' : 'This run printed nothing.'}</p>`}
      ${!log.loaded && !total && !log.error && html`<${Skeleton} lines=${6} />`}
      <div class="log-space" style=${{ height: `${total * ROW}px`, minWidth: `${rows.columns + 10}ch` }}>
        <div class="log-rows" style=${{ transform: `translateY(${first * ROW}px)` }}>
          ${drawn.map((row) => html`<${LogLine} key=${row} rows=${rows} row=${row} pattern=${search.pattern}
            current=${row === search.currentRow} marked=${isMarked(rows, row, marked)} start=${row === log.errorRow} />`)}
        </div>
      </div>
      ${!following && waiting > 0 && active && html`<div class="log-pill">
        <button type="button" class="pill" onClick=${() => setFollowing(true)} data-testid="log-new-lines">
          <${Icon} name="arrow-down" />${plural(waiting, 'new line')}</button></div>`}
    </div>
  </div>`;
}

/** What the log may take so that it ends where the window does; at least a few lines. */
function useHeightToTheFoot(scroller) {
  const [height, setHeight] = useState('60vh');
  useLayoutEffect(() => {
    const measure = () => {
      const top = scroller.current.getBoundingClientRect().top + scrollY;
      setHeight(`max(320px, calc(100vh - ${Math.round(top) + FOOT}px))`);
    };
    measure();
    const moved = new ResizeObserver(measure);
    moved.observe(document.querySelector('#main'));
    return () => moved.disconnect();
  }, []);
  return height;
}

/** Where reading begins: a linked line, the first error, or the end. */
function useOpening({ log, run, active, scrollToRow, setFollowing }) {
  const done = useRef(false);
  const link = fragment.value;
  const ready = log.loaded;
  useEffect(() => {
    const target = readLineLink(link);
    if (!ready || (done.current && !target)) return;
    if (target) scrollToRow(log.rows.rowOf(target.stream, target.from));
    else if (!active && run.status === 'failed') {
      const row = log.findError();
      scrollToRow(row);
    } else setFollowing(active);
    done.current = true;
  }, [ready, link]);
  useEffect(() => {
    if (!active) setFollowing(false);
  }, [active]);
}

function Streams({ rows, onShow }) {
  const lines = (stream) => rows.models[stream].length > 0 && count(rows.models[stream].length);
  const choices = [['both', 'all'], ['stdout', 'stdout', lines('stdout')], ['stderr', 'stderr', lines('stderr')]];
  return html`<${Segments} label="Which output" name="log-stream" value=${rows.shown} choices=${choices} onChange=${onShow} />`;
}

/** What the order of the two streams is worth. */
function OrderNote({ isLive }) {
  const why = 'A script writes its two streams to two files: only the order within each of them is exact.';
  return html`<span class="muted log-order" title=${why}>${isLive ? 'order approximate' : 'stdout, then stderr'}</span>`;
}

function AttemptPick({ attempt, attempts, onAttempt }) {
  const shown = String(attempt ?? attempts.at(-1));
  return html`<label class="attempt-pick">Attempt <select value=${shown} data-testid="log-attempt"
    onChange=${(event) => onAttempt(Number(event.target.value))}>
    ${attempts.map(String).map((n) => html`<option key=${n} value=${n} selected=${n === shown}>${n}</option>`)}</select></label>`;
}

/** What is not shown, in words. */
function CutNotice({ rows }) {
  const parts = ['stdout', 'stderr'].flatMap((stream) => [
    rows.cut[stream] > 0 && `the first ${bytes(rows.cut[stream])} of ${stream}`,
    rows.models[stream].dropped > 0 && `the first ${count(rows.models[stream].dropped)} lines of ${stream}`,
  ]).filter(Boolean);
  if (!parts.length) return null;
  return html`<p class="stale tone-info"><${Icon} name="info" />
    Not shown here: ${parts.join(' and ')}. The download has everything.</p>`;
}

const isMarked = (rows, row, marked) => {
  if (!marked) return false;
  const number = rows.number(row);
  return rows.at(row).stream === marked.stream && number >= marked.from && number <= marked.to;
};

function LogLine({ rows, row, pattern, current, marked, start }) {
  const { stream } = rows.at(row);
  const number = rows.number(row);
  const { pieces, more } = rows.pieces(row);
  const shown = pattern ? markHits(pieces, pattern) : pieces;
  const link = number === null ? undefined : `#${writeLineLink({ stream, from: number, to: number })}`;
  const rest = more > 0 && html`<span class="muted"> … ${count(more)} more characters</span>`;
  const pick = (event) => {
    event.preventDefault();
    const before = readLineLink(fragment.peek());
    const from = event.shiftKey && before?.stream === stream ? before.from : number;
    setFragment(writeLineLink({ stream, from: Math.min(from, number), to: Math.max(from, number) }));
  };
  return html`<div class=${classes('log-line', `from-${stream}`, marked && 'is-marked', current && 'is-current', start && 'is-error')}>
    <a class="log-no" href=${link} onClick=${pick} tabindex="-1" aria-hidden="true">${number ?? '·'}</a>
    <span class="log-text">${shown.map((piece, index) => html`<${Piece} key=${index} ...${piece} />`)}${rest}</span>
  </div>`;
}

function Piece({ text, style, hit }) {
  const { className, css } = looks(style);
  if (hit) return html`<mark class=${className} style=${css}>${text}</mark>`;
  return className ? html`<span class=${className} style=${css}>${text}</span>` : text;
}

function copyMarked(rows, { stream, from, to }) {
  const first = rows.rowOf(stream, from);
  if (first < 0) return;
  const { index } = rows.at(first);
  const lines = Array.from({ length: to - from + 1 }, (_, at) => rows.models[stream].text(index + at));
  copyText(lines.join('\n'), plural(lines.length, 'line'));
}

function downloadHref(id, attempt, stream) {
  const values = new URLSearchParams({ download: '1', ...(stream !== 'both' && { stream }), ...(attempt !== null && { attempt }) });
  return href(`/api/runs/${id}/logs?${values}`);
}
