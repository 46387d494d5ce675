/** Source text with colours and line numbers: only visible lines are drawn, lines can be linked. */
import { fragment, setFragment } from '../lib/router.js';
import { classes, html, useEffect, useLayoutEffect, useRef, useState } from '../lib/ui.js';
import { visibleRows } from '../lib/virtual.js';
import { Icon } from './basics.js';

/** Height of a line in CSS px, the same in log.css. */
const ROW = 19;

/** `#L12` or `#L12-L20`. @returns {{from: number, to: number}|null} */
export function readLines(text) {
  const found = /^L(\d+)(?:-L?(\d+))?$/.exec(text);
  if (!found) return null;
  const [a, b] = [Number(found[1]), Number(found[2] ?? found[1])];
  return { from: Math.min(a, b), to: Math.max(a, b) };
}

/**
 * @param {{label: string, lines: ([string, string][]|string)[], notes?: Map<number, {tone: string, text: string}>, maxHeight?: string,
 *   linked?: boolean, testid?: string}} props `lines` are texts or [class, text] pieces; `notes` by line number, from 1
 */
export function CodeView({ label, lines, notes = new Map(), maxHeight = '70vh', linked = true, testid }) {
  const scroller = useRef(null);
  const [view, setView] = useState({ scrollTop: 0, height: 480 });
  const marked = linked ? readLines(fragment.value) : null;
  const read = () => setView({ scrollTop: scroller.current.scrollTop, height: scroller.current.clientHeight });
  useLayoutEffect(() => {
    const resized = new ResizeObserver(read);
    resized.observe(scroller.current);
    return () => resized.disconnect();
  }, []);
  useEffect(() => {
    if (marked) scroller.current.scrollTop = Math.max(0, (marked.from - 1) * ROW - scroller.current.clientHeight / 3);
  }, [marked?.from, lines]);
  const { first, end } = visibleRows({ ...view, rowHeight: ROW, count: lines.length });
  const drawn = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  const columns = Math.max(0, ...lines.map((line) => (typeof line === 'string' ? line.length : line.reduce((sum, [, text]) => sum + text.length, 0))));
  const pick = (number) => (event) => {
    event.preventDefault();
    const from = event.shiftKey && marked ? marked.from : number;
    const [a, b] = [Math.min(from, number), Math.max(from, number)];
    setFragment(a === b ? `L${a}` : `L${a}-L${b}`);
  };
  return html`<div class="code" ref=${scroller} onScroll=${read} style=${{ maxHeight }} tabindex="0" role="region" aria-label=${label} data-testid=${testid}>
    <div class="log-space" style=${{ height: `${lines.length * ROW}px`, minWidth: `${Math.min(columns, 2000) + 10}ch` }}>
      <div class="log-rows" style=${{ transform: `translateY(${first * ROW}px)` }}>
        ${drawn.map((index) => {
    const number = index + 1;
    const note = notes.get(number);
    const isMarked = marked && number >= marked.from && number <= marked.to;
    return html`<div key=${index} class=${classes('log-line', isMarked && 'is-marked', note && `has-note tone-${note.tone}`)} title=${note?.text}>
            <a class="log-no" href=${`#L${number}`} onClick=${linked ? pick(number) : undefined} tabindex="-1" aria-hidden="true">${number}</a>
            <span class="log-text"><${Line} line=${lines[index]} />${note && html`<span class="line-note"><${Icon} name="triangle-alert" />${note.text}</span>`}</span>
          </div>`;
  })}
      </div></div></div>`;
}

function Line({ line }) {
  if (typeof line === 'string') return line;
  return line.map(([kind, text], index) => (kind ? html`<span key=${index} class=${`hl-${kind}`}>${text}</span>` : text));
}
