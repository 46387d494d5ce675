/** The log of one attempt: all lines, live, coloured, searched; only visible rows are drawn. */
import { href } from '../lib/boot.js';
import { copyText } from '../lib/clipboard.js';
import { bytes, count, plural } from '../lib/format.js';
import { useHotkeys } from '../lib/hotkeys.js';
import { readLineLink, writeLineLink } from '../lib/log-rows.js';
import { markHits } from '../lib/log-search.js';
import { fragment, setFragment } from '../lib/router.js';
import { classes, html, useEffect, useLayoutEffect, useRef, useState } from '../lib/ui.js';
import { placeOf, Rows, WrappedRows } from '../lib/log-wrap.js';
import { wrapLines } from '../lib/prefs.js';
import { isAtEnd, visibleRows } from '../lib/virtual.js';
import { Button, ErrorBox, Icon, IconButton, Segments, Skeleton } from './basics.js';
import { useLog } from './log-feed.js';
import { Piece } from './log-piece.js';
import { LogSearch, useSearch } from './log-search-bar.js';

/** Height of a row in CSS px, the same in log.css. */
const ROW = 19;
/** Places that marks beside the scroll bar may have. */
const TICKS = 200;
/** What stands below the log, in CSS px: margins and the page's footer. */
const FOOT = 68;

/** @param {{run: any, attempt: number|null, attempts: number[], onAttempt: (n: number) => void, active: boolean, onAll: (line?: number) => void}} props */
export function LogView({ run, attempt, attempts, onAttempt, active, onAll }) {
  const log = useLog({ run, attempt, active });
  const search = useSearch(log);
  const scroller = useRef(null);
  const [view, setView] = useState({ scrollTop: 0, height: 400 });
  const [following, setFollowing] = useState(active);
  const [full, setFull] = useState(false);
  const seen = useRef(0);
  const { rows } = log;
  const total = rows.length;
  if (following) seen.current = total;
  // A filter shows some lines; what is drawn is counted in shown lines, then turned into rows.
  const { lines } = search;
  const rowAt = (line) => (lines ? lines[line] : line);
  const places = usePlaces({ scroller, count: lines ? lines.length : total, textOf: (line) => rows.text(rowAt(line)), key: `${log.key} ${rows.shown} ${search.filterKey} ${rows.models.stdout.dropped} ${rows.models.stderr.dropped}` });

  const scrollToRow = (row) => {
    const element = scroller.current;
    if (!element || row < 0) return;
    setFollowing(false);
    const line = lines ? placeOf(lines, row) : row;
    element.scrollTop = Math.max(0, places.top(line) * ROW - element.clientHeight / 3);
  };
  useOpening({ log, run, active, scrollToRow, setFollowing, onAll });

  const height = useHeightToTheFoot(scroller);
  useLayoutEffect(() => {
    const element = scroller.current;
    const resized = new ResizeObserver(() => setView({ scrollTop: element.scrollTop, height: element.clientHeight }));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (following) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [following, places.total, view.height, log.version]);

  const onScroll = () => {
    const element = scroller.current;
    const next = { scrollTop: element.scrollTop, height: element.clientHeight };
    const atEnd = isAtEnd({ ...next, rowHeight: ROW, count: places.total });
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
    } else if (event.key === 'Escape' && full) setFull(false);
  };
  useHotkeys([
    { keys: '/', label: 'Search the log', group: 'Log', run: () => search.input.current?.focus() },
    { keys: 'f', label: 'Follow the end, or stop', group: 'Log', run: () => setFollowing((on) => !on) },
    { keys: 'w', label: 'Wrap long lines, or not', group: 'Log', run: () => { wrapLines.value = !wrapLines.peek(); } },
    { keys: 'Shift F', label: 'Whole window, or not', group: 'Log', run: () => setFull((on) => !on) },
  ]);

  const marked = readLineLink(fragment.value);
  const { first, end } = visibleRows({ ...view, rowHeight: ROW, count: places.total });
  const drawn = [];
  if (places.count) for (let line = places.lineAt(first); line < places.count && places.top(line) < end; line += 1) drawn.push(line);
  const top = drawn.length ? places.top(drawn[0]) : 0;
  const waiting = total - seen.current;
  const wrap = wrapLines.value;

  return html`<div class=${classes('log', full && 'is-full', wrap && 'is-wrapped')} data-testid="log-view" onKeyDown=${onKeyDown}>
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
      <${IconButton} icon="wrap-text" label=${wrap ? 'Do not wrap long lines' : 'Wrap long lines'} aria-pressed=${String(wrap)} data-testid="log-wrap"
        onClick=${() => { wrapLines.value = !wrap; }} />
      <${IconButton} icon=${full ? 'minimize-2' : 'maximize-2'} label=${full ? 'Back to the page' : 'Whole window'} data-testid="log-full" onClick=${() => setFull(!full)} />
      <a class="icon-btn" title="Download the log" aria-label="Download the log" data-testid="log-download" download
        href=${downloadHref(run.id, attempt, rows.shown)}><${Icon} name="download" /></a>
    </div>
    ${log.error && html`<${ErrorBox} error=${log.error} title="The log could not be loaded" onRetry=${log.retry} />`}
    <${CutNotice} rows=${rows} onAll=${active ? null : () => onAll()} />
    <div class="log-frame"><div class="log-scroll" ref=${scroller} style=${{ height: full ? '100%' : height }} onScroll=${onScroll} tabindex="0" role="region"
      aria-label=${`Output of the script${active ? ', live' : ''}`}>
      ${log.loaded && !total && html`<p class="log-empty muted">${active ? 'No output yet.' : 'This run printed nothing.'}</p>`}
      ${!log.loaded && !total && !log.error && html`<${Skeleton} lines=${6} />`}
      ${lines && !lines.length && search.isComplete && html`<p class="log-empty" data-testid="log-hidden">No line matches: ${plural(total, 'line')} hidden.
        <${Button} compact=${true} label="Show all lines" onClick=${search.showAll} /></p>`}
      <div class="log-space" style=${{ height: `${places.total * ROW}px`, minWidth: wrap ? '0' : `${rows.columns + 10}ch` }}>
        <div class="log-rows" style=${{ transform: `translateY(${top * ROW}px)`, '--digits': rows.digits }}>
          ${drawn.map((line) => {
    const row = rowAt(line);
    return html`<${LogLine} key=${row} rows=${rows} row=${row} pattern=${search.pattern} tall=${places.size(line)} gap=${lines && line > 0 && lines[line - 1] !== row - 1}
            current=${row === search.currentRow} marked=${isMarked(rows, row, marked)} start=${row === log.errorRow} />`;
  })}
        </div>
      </div>
      ${!following && waiting > 0 && active && html`<div class="log-pill">
        <button type="button" class="pill" onClick=${() => setFollowing(true)} data-testid="log-new-lines">
          <${Icon} name="arrow-down" />${plural(waiting, 'new line')}</button></div>`}
    </div>
    <${Ticks} search=${search} errorRow=${log.errorRow} total=${total} /></div>
  </div>`;
}

/** Marks beside the scroll bar: where matches and the first error are. */
function Ticks({ search, errorRow, total }) {
  if (!total || search.lines || (errorRow < 0 && !search.rows.length)) return null;
  const places = new Set(search.rows.map((row) => Math.round((TICKS * row) / total)));
  return html`<div class="log-ticks" aria-hidden="true">
    ${[...places].map((at) => html`<span key=${at} style=${{ top: `${(100 * at) / TICKS}%` }}></span>`)}
    ${errorRow >= 0 && html`<span class="is-error" style=${{ top: `${(100 * errorRow) / total}%` }}></span>`}</div>`;
}

/** Where lines stand: one row each, or wrapped at the width of the log. */
function usePlaces({ scroller, count: number, textOf, key }) {
  const kept = useRef({ key: '', places: null });
  const [columns, setColumns] = useState(0);
  const wrap = wrapLines.value;
  useLayoutEffect(() => {
    if (!wrap) return undefined;
    const measure = () => setColumns(columnsIn(scroller.current));
    const resized = new ResizeObserver(measure);
    resized.observe(scroller.current);
    return () => resized.disconnect();
  }, [wrap]);
  if (!wrap || !columns) return new Rows(number);
  const mine = `${key} ${columns}`;
  if (kept.current.key !== mine) kept.current = { key: mine, places: new WrappedRows(columns) };
  // The last line may still grow.
  if (kept.current.places.count) kept.current.places.count -= 1;
  return kept.current.places.extend(number, textOf);
}

/** Characters that fit into a row of the log, without number and margins. */
function columnsIn(element) {
  const probe = document.createElement('span');
  probe.className = 'log-probe';
  probe.textContent = '0'.repeat(100);
  element.append(probe);
  const { width } = probe.getBoundingClientRect();
  probe.remove();
  const number = element.querySelector('.log-no')?.getBoundingClientRect().width ?? 60;
  return Math.max(20, Math.floor((element.clientWidth - number - 34) / (width / 100)));
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
    moved.observe(/** @type {HTMLElement} */ (document.querySelector('#main')));
    return () => moved.disconnect();
  }, []);
  return height;
}

/** Where reading begins: a linked line, the first error, or the end. */
function useOpening({ log, run, active, scrollToRow, setFollowing, onAll }) {
  const done = useRef(false);
  const link = fragment.value;
  const ready = log.loaded;
  useEffect(() => {
    const target = readLineLink(link);
    if (!ready || (done.current && !target)) return;
    if (target) {
      const row = log.rows.rowOf(target.stream, target.from);
      if (row >= 0) scrollToRow(row);
      // A line that was not loaded because the log is too long.
      else if (!active && log.rows.cut[target.stream] > 0) onAll();
    }
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
function CutNotice({ rows, onAll }) {
  const parts = ['stdout', 'stderr'].flatMap((stream) => [
    rows.cut[stream] > 0 && `the first ${bytes(rows.cut[stream])} of ${stream}`,
    rows.models[stream].dropped > 0 && `the first ${count(rows.models[stream].dropped)} lines of ${stream}`,
  ]).filter(Boolean);
  if (!parts.length) return null;
  return html`<p class="stale tone-info"><${Icon} name="info" />
    Not shown here: ${parts.join(' and ')}. The download has everything.
    ${onAll && html`<${Button} compact=${true} label="Read all of it" onClick=${onAll} data-testid="log-all" />`}</p>`;
}

const isMarked = (rows, row, marked) => {
  if (!marked) return false;
  const number = rows.number(row);
  return rows.at(row).stream === marked.stream && number >= marked.from && number <= marked.to;
};

function LogLine({ rows, row, pattern, tall = 1, gap, current, marked, start }) {
  const { stream } = rows.at(row);
  const number = rows.number(row);
  const { pieces, more } = rows.pieces(row);
  const shown = pattern ? markHits(pieces, pattern) : pieces;
  const link = number === null ? undefined : `#${writeLineLink({ stream, from: number, to: number })}`;
  const rest = more > 0 && html`<span class="muted"> … ${count(more)} more characters</span>`;
  const pick = (event) => {
    event.preventDefault();
    const before = readLineLink(fragment.peek());
    const from = event.shiftKey && before && before.stream === stream ? before.from : number;
    setFragment(writeLineLink({ stream, from: Math.min(from, number), to: Math.max(from, number) }));
  };
  return html`<div class=${classes('log-line', `from-${stream}`, marked && 'is-marked', current && 'is-current', start && 'is-error', gap && 'is-gap')}
    style=${tall > 1 ? { height: `${tall * ROW}px` } : undefined}>
    <a class="log-no" href=${link} onClick=${pick} tabindex="-1" aria-hidden="true">${number ?? '·'}</a>
    <span class="log-text">${shown.map((piece, index) => html`<${Piece} key=${index} ...${piece} />`)}${rest}</span>
  </div>`;
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
