/**
 * Values over time or over runs: lines, points, a band, limits and marks, by uPlot; and the same as
 * a sentence and a table. The only module that names uPlot.
 */
import { staticHref } from '../lib/boot.js';
import { absolute, count, duration } from '../lib/format.js';
import { theme, zone } from '../lib/prefs.js';
import { html, useEffect, useId, useRef, useState } from '../lib/ui.js';
import { Button, TableBox, TableHead } from './basics.js';

/**
 * @typedef {object} Series
 * @property {string} label @property {(number|null)[]} values
 * @property {'accent'|'good'|'bad'|'warn'|'info'|'muted'} [tone]
 * @property {'line'|'points'|'steps'|'bars'} [kind] default 'line'
 * @property {boolean} [dashed]
 *
 * @typedef {object} ChartProps
 * @property {string} label what the chart shows
 * @property {string} [sentence] what it says, in words
 * @property {number[]} x seconds, ascending
 * @property {boolean} [time] true: seconds since 1970; false: seconds since the beginning
 * @property {(value: number) => string} [formatX] writes the x values of a chart that has no time
 * @property {Series[]} series
 * @property {{low: (number|null)[], high: (number|null)[], label: string}} [band]
 * @property {{value: number, label: string, tone?: string}[]} [limits] horizontal lines
 * @property {{x: number, label: string, tone?: string}[]} [marks] vertical lines
 * @property {(value: number) => string} [format] writes a value with its unit
 * @property {(index: number) => void} [onPick] a click on a point
 * @property {string} [sync] charts with the same key share their cursor
 * @property {number} [height] CSS px
 * @property {string} [testid]
 */

const TONES = { accent: '--accent', good: '--good', bad: '--bad', warn: '--warn', info: '--info', muted: '--muted', text: '--text-2', line: '--line' };

let loading = /** @type {Promise<any>|null} */ (null);

/** uPlot and its style sheet, fetched with the first chart. */
function loadPlot() {
  loading ??= import('../../vendor/uplot.js').then((module) => {
    const link = document.createElement('link');
    Object.assign(link, { rel: 'stylesheet', href: staticHref('vendor/uplot.css') });
    document.head.append(link);
    return new Promise((resolve) => {
      link.addEventListener('load', () => resolve(module.default));
      link.addEventListener('error', () => resolve(module.default));
    });
  });
  return loading;
}

/** @param {ChartProps} props */
export function SeriesChart(props) {
  const { label, sentence, x, testid, height = 220 } = props;
  const frame = useRef(null);
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  usePlot(frame, props, asTable);
  return html`<figure class="chart" data-testid=${testid}>
    <div ref=${frame} class="chart-frame" role="img" aria-label=${`${label}. ${sentence ?? ''}`} style=${{ minHeight: `${height}px` }} hidden=${asTable}></div>
    ${asTable && html`<${ChartTable} ...${props} />`}
    <figcaption><span id=${id}>${sentence}</span>${x.length > 0 && html`<${Button} compact=${true} kind="quiet" icon=${asTable ? 'chart-line' : 'table-2'}
      label=${asTable ? 'Show as chart' : 'Show as table'} onClick=${() => setAsTable(!asTable)} />`}</figcaption>
  </figure>`;
}

/** Draw whenever data, theme, zone or width change. */
function usePlot(frame, props, isHidden) {
  const latest = useRef(props);
  latest.current = props;
  const { x, series, band, limits, marks, height = 220 } = props;
  const chosenTheme = theme.value;
  const chosenZone = zone.value;
  useEffect(() => {
    if (isHidden || !x.length) return undefined;
    let plot = /** @type {any} */ (null);
    let gone = false;
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const draw = async () => {
      const Plot = await loadPlot();
      if (gone || !frame.current) return;
      plot?.destroy();
      const { clientWidth: width } = frame.current;
      plot = new Plot(optionsOf(latest, { width, height, Plot }), dataOf(latest.current), frame.current);
    };
    const resized = new ResizeObserver(() => {
      const width = frame.current?.clientWidth ?? 0;
      if (plot && width && Math.abs(width - plot.width) > 1) plot.setSize({ width, height });
    });
    draw();
    resized.observe(frame.current);
    scheme.addEventListener('change', draw);
    return () => {
      gone = true;
      scheme.removeEventListener('change', draw);
      resized.disconnect();
      plot?.destroy();
    };
  }, [x, series, band, limits, marks, height, isHidden, chosenTheme, chosenZone]);
}

/** The rows that uPlot draws: x, the band's two edges, then the series. */
function dataOf({ x, series, band }) {
  return [x, ...(band ? [band.high, band.low] : []), ...series.map(({ values }) => values)];
}

function optionsOf(latest, { width, height, Plot }) {
  const { series, band, time = false, format = plain, formatX, sync, onPick, limits = [], label } = latest.current;
  const colour = colours();
  const edge = { label: band?.label, stroke: 'transparent', points: { show: false } };
  const axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '11px Inter, system-ui, sans-serif' };
  const elapsed = (_, values) => values.map((value) => (formatX ? formatX(value) : duration(value)));
  return {
    width, height, tzDate: zoned(Plot), legend: { show: false }, padding: [8, 12, 0, 0],
    cursor: {
      ...(sync ? { sync: { key: sync } } : {}), points: { size: 7 }, drag: { x: true, y: false },
    },
    scales: { x: { time }, y: { range: (_, low, high) => rangeOf(low, high, limits) } },
    axes: [
      { ...axis, size: 32, ...(time ? {} : { values: elapsed }) },
      { ...axis, size: 64, values: (_, values) => values.map((value) => format(value)) },
    ],
    bands: band ? [{ series: [1, 2], fill: colour('info', 0.14) }] : [],
    series: [{}, ...(band ? [edge, edge] : []), ...series.map((each) => seriesOf(each, colour, Plot))],
    hooks: { ready: onPick ? [(plot) => pickByClick(plot, latest)] : [], draw: [(plot) => drawLines(plot, latest.current, colour)], setCursor: [(plot) => showTip(plot, latest.current)] },
    plugins: [], title: undefined, 'aria-label': label,
  };
}

/** A click picks the point below the cursor; what ends a zoom never comes here. */
function pickByClick(plot, latest) {
  plot.over.classList.add('is-pickable');
  plot.over.addEventListener('click', () => {
    const { idx } = plot.cursor;
    if (idx !== null && idx !== undefined) latest.current.onPick?.(idx);
  });
}

function seriesOf({ label, tone = 'accent', kind = 'line', dashed }, colour, Plot) {
  const stroke = colour(tone);
  const base = { label, stroke, width: 1.6, spanGaps: false, dash: dashed ? [6, 4] : undefined };
  if (kind === 'points') return { ...base, paths: () => null, points: { show: true, size: 6, fill: stroke, stroke } };
  if (kind === 'steps') return { ...base, paths: Plot.paths.stepped({ align: 1 }), points: { show: false } };
  if (kind === 'bars') return { ...base, paths: Plot.paths.bars({ size: [0.7, 40] }), fill: colour(tone, 0.55), points: { show: false } };
  return { ...base, points: { show: false } };
}

/** Limits are part of the picture; a flat line stands in its middle. */
function rangeOf(low, high, limits) {
  const values = [low, high, ...limits.map(({ value }) => value)].filter((each) => Number.isFinite(each));
  if (!values.length) return [0, 1];
  const [from, to] = [Math.min(0, ...values), Math.max(...values)];
  return to > from ? [from, to + (to - from) * 0.08] : [from, from + 1];
}

/** Limits, marks and their names, above what uPlot drew. */
function drawLines(plot, { limits = [], marks = [] }, colour) {
  const { ctx, bbox } = plot;
  const line = (x1, y1, x2, y2, tone) => {
    ctx.strokeStyle = colour(tone);
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  };
  ctx.save();
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.lineWidth = devicePixelRatio;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.font = `${10.5 * devicePixelRatio}px Inter, system-ui, sans-serif`;
  for (const { value, label, tone = 'warn' } of limits) {
    const y = plot.valToPos(value, 'y', true);
    line(bbox.left, y, bbox.left + bbox.width, y, tone);
    ctx.fillStyle = colour(tone);
    ctx.fillText(label, bbox.left + 6 * devicePixelRatio, y - 4 * devicePixelRatio);
  }
  for (const { x, label, tone = 'muted' } of marks) {
    const at = plot.valToPos(x, 'x', true);
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    line(at, bbox.top, at, bbox.top + bbox.height, tone);
    ctx.fillStyle = colour(tone);
    ctx.fillText(label, at + 4 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
  }
  ctx.restore();
}

/** The values under the cursor, as the tooltip of the chart. */
function showTip(plot, { x, series, time, format = plain, formatX }) {
  const { idx } = plot.cursor;
  let tip = plot.root.querySelector('.chart-tip');
  if (idx === null || idx === undefined || plot.cursor.left < 0) {
    tip?.remove();
    return;
  }
  if (!tip) {
    tip = document.createElement('div');
    tip.className = 'chart-tip';
    plot.root.append(tip);
  }
  const when = time ? absolute(x[idx] * 1000) : formatX ? formatX(x[idx]) : duration(x[idx]);
  const rows = series.filter(({ values }) => values[idx] !== null && values[idx] !== undefined)
    .map(({ label, values }) => `${label} ${format(values[idx])}`);
  tip.textContent = [when, ...rows].join('\n');
  const left = plot.bbox.left / devicePixelRatio + plot.cursor.left;
  const fits = left + tip.offsetWidth + 14 < plot.width;
  Object.assign(tip.style, { left: `${fits ? left + 12 : Math.max(0, left - tip.offsetWidth - 12)}px`, top: '8px' });
}

/** The same numbers to read. */
function ChartTable({ label, x, series, band, time, format = plain, formatX }) {
  const columns = [...series, ...(band ? [{ label: `${band.label} from`, values: band.low }, { label: `${band.label} to`, values: band.high }] : [])];
  const when = (value) => (time ? absolute(value * 1000) : formatX ? formatX(value) : duration(value));
  return html`<${TableBox} label=${label}><table class="plain-table chart-table">
    <${TableHead} columns=${[time ? 'Time' : 'At', ...columns.map((each) => `#${each.label}`)]} />
    <tbody>${x.map((value, index) => html`<tr key=${index}><td class="nowrap">${when(value)}</td>
      ${columns.map(({ label: name, values }) => html`<td key=${name} class="num nowrap">${values[index] === null || values[index] === undefined
        ? '–' : format(values[index])}</td>`)}</tr>`)}</tbody></table><//>`;
}

const plain = (value) => (Number.isInteger(value) ? count(value) : String(Math.round(value * 1000) / 1000));

/** Tokens as colours that a canvas understands, in the theme of this moment. */
function colours() {
  const probe = document.createElement('span');
  document.body.append(probe);
  const found = {};
  for (const [tone, token] of Object.entries(TONES)) {
    probe.style.color = `var(${token})`;
    found[tone] = getComputedStyle(probe).color;
  }
  probe.remove();
  return (tone, alpha) => {
    const text = found[tone] ?? found.accent;
    return alpha === undefined ? text : text.replace(/^rgb\((.*)\)$/, (_, inner) => `rgba(${inner}, ${alpha})`);
  };
}

/** Times on the axis are those of the zone that the reader chose. */
const zoned = (Plot) => (seconds) => (zone.peek() === 'utc' ? Plot.tzDate(new Date(seconds * 1000), 'Etc/UTC') : new Date(seconds * 1000));
