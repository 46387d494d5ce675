/** How one metric went: curve, band, fit, shifts and anomalies; what is normal; how values spread. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { parseTime, plural, scriptName } from '../../lib/format.js';
import { formatOf, titleOf } from '../../lib/metrics.js';
import { navigate, query, setQuery } from '../../lib/router.js';
import { fitByRun, readSeries } from '../../lib/series.js';
import { useResource } from '../../lib/resource.js';
import { useTopic } from '../../lib/topic.js';
import { html, useMemo } from '../../lib/ui.js';
import { Ago, Card, Empty, Icon, Segments } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { Histogram } from '../../ui/histogram.js';
import { Pairs } from '../../ui/kv.js';
import { SeriesChart } from '../../ui/series-chart.js';
import { Loaded } from '../../ui/states.js';
import { toQuery } from './filters.js';
import { OverviewCard } from './overview-card.js';

/** A trend is computed anew at most this often while runs end, in ms. */
const GATHER_MS = 5000;
const METHODS = [['iqr', 'Quartiles'], ['mad', 'Median'], ['zscore', 'Mean']];
const BASELINES = [['intelligent', 'Intelligent'], ['percentile', 'P75'], ['iqr', 'Without outliers']];

export function TrendPart({ filters }) {
  const method = query.value.get('method') ?? 'iqr';
  const asked = { ...toQuery(filters), metric: filters.metric, method };
  const series = useResource(async (options) => readSeries(await getJson('/api/analytics/series', { query: asked, ...options })), [JSON.stringify(asked)]);
  useTopic('runs', series.reload, (event, run) => event === 'run' && !['completed', 'failed'].includes(run.status), GATHER_MS);
  const what = `${titleOf(filters.metric)} of ${filters.script ? scriptName(filters.script) : 'all scripts'}`;
  const by = query.value.get('by') === 'run' ? 'run' : 'time';
  const actions = html`<${Segments} label="Along which axis" name="an-axis" value=${by} choices=${[['time', 'by time'], ['run', 'run by run']]}
    onChange=${(next) => setQuery({ by: next === 'time' ? null : next })} />`;
  return html`${!filters.script && html`<${OverviewCard} filters=${filters} />`}
    <${Card} title=${`${what[0].toUpperCase()}${what.slice(1)}`} actions=${actions} data-testid="an-trends">
      <${Loaded} resource=${series} lines=${9} title="The trend could not be computed">${(found) => html`<${Trend} found=${found} filters=${filters}
        what=${what} by=${by} />`}<//><//>
    ${series.data && series.data.points.length > 1 && html`<${Details} found=${series.data} filters=${filters} method=${method} />`}`;
}

function Trend({ found, filters, what, by }) {
  const format = formatOf(filters.metric);
  const { points, message } = found;
  const chart = useMemo(() => toChart(found, by), [found, by]);
  if (points.length < 2) {
    return html`<${Empty} icon="chart-line" title=${points.length ? 'Only one value yet'
      : 'No values in this time'}><p>${message ?? 'Not enough data points'}${found.needed ? `: it needs ${found.needed}, there ${points.length === 1
        ? 'is' : 'are'} ${points.length}` : ''}.</p><//>`;
  }
  return html`<${Verdicts} found=${found} format=${format} />
    <${SeriesChart} label=${`Trend of ${what}`} sentence=${sentenceOf(found, what, format)} ...${chart} format=${format} height=${300}
      onPick=${(index) => navigate(`/runs/${points[index].run_id}`)} testid="an-chart" />`;
}

/** What the chart draws: values, fit, band, anomalies as points, shifts as vertical lines. */
function toChart(found, by) {
  const { points, band, level, anomalies, shifts } = found;
  const time = by === 'time';
  const fit = time ? found.fit : fitByRun(found);
  const at = (index) => (time ? parseTime(points[index].time) / 1000 : index + 1);
  const strange = new Map(anomalies.map((each) => [each.run_id, each.value]));
  return {
    time, x: points.map((_, index) => at(index)), formatX: (value) => `run ${Math.round(value)}`,
    series: [
      { label: 'value', values: points.map(({ value }) => value), tone: 'accent', kind: points.length > 250 ? 'line' : 'points' },
      ...(level ? [{ label: 'level', values: level, tone: 'info', kind: 'steps' }] : []),
      ...(fit ? [{ label: 'trend', values: fit, tone: 'text', dashed: true }] : []),
      { label: 'anomaly', values: points.map(({ run_id: id }) => strange.get(id) ?? null), tone: 'bad', kind: 'points' },
    ],
    band: band ? { low: points.map(() => Math.max(0, band.lower)), high: points.map(() => band.upper), label: 'usual' } : undefined,
    marks: shifts.filter(({ index }) => points[index]).map((shift) => ({ x: at(shift.index), label: shift.percent === null ? 'shift'
      : `${shift.percent > 0 ? '+' : ''}${Math.round(shift.percent)} %`, tone: toneOf(shift) })),
  };
}

const toneOf = ({ worse }) => (worse === null ? 'info' : worse ? 'bad' : 'good');

function sentenceOf({ points, trend, anomalies, shifts }, what, format) {
  const direction = trend?.direction ?? 'stable';
  const rate = trend?.slope_pct_per_run;
  const moves = direction === 'stable' ? 'shows no clear trend' : `is ${direction}${typeof rate === 'number' ? ` by ${Math.abs(rate).toFixed(2)} % per run` : ''}`;
  return [
    `The ${what} ${moves} over ${plural(points.length, 'run')}, last ${format(points.at(-1).value)}`,
    shifts.length ? `${plural(shifts.length, 'shift')} of level` : 'no shift of level', anomalies.length ? plural(anomalies.length, 'anomaly',
      'anomalies') : 'no anomalies',
  ].join('; ').concat('.');
}

/** Trend and regression in a few words each. */
function Verdicts({ found: { trend, regression }, format }) {
  const badges = [];
  if (trend) badges.push([{ increasing: 'info', decreasing: 'info', stable: 'quiet' }[trend.direction], { increasing: 'trending-up',
    stable: 'arrow-right' }[trend.direction] ?? 'arrow-down', `${trend.direction}${trend.p_value === null ? '' : ` (p ${trend.p_value < 0.001
      ? '< 0.001' : trend.p_value.toFixed(3)}, R² ${trend.r_squared.toFixed(2)})`}`]);
  if (regression?.regression_detected) {
    const percent = regression.percent_change === null ? '' : ` by ${Math.round(Math.abs(regression.percent_change))} %`;
    badges.push(['bad', 'triangle-alert', `got worse${percent}: the last ${regression.recent_size} average ${format(regression.recent_mean)}, before ${format(regression.baseline_mean)}`]);
  } else if (regression && regression.reason !== 'insufficient_data') badges.push(['good', 'check', 'no regression in the last runs']);
  return html`<p class="an-verdict">${badges.map(([tone, icon, text]) => html`<span key=${text} class=${`badge tone-${tone}`}><${Icon}
    name=${icon} />${text}</span>`)}</p>`;
}

function Details({ found, filters, method }) {
  const format = formatOf(filters.metric);
  const values = found.points.map(({ value }) => value);
  return html`<div class="page-grid">
    <div class="stack">
      <${Shifts} shifts=${found.shifts} format=${format} />
      <${Card} title="Anomalies" data-testid="an-anomalies" actions=${html`<${Segments} label="Measured from" name="an-method" value=${method}
        choices=${METHODS} onChange=${(next) => setQuery({ method: next === 'iqr' ? null : next })} />`}>
        <${Anomalies} found=${found} format=${format} /><//>
    </div>
    <div class="stack">
      <${Card} title="Distribution"><${Histogram} values=${values} format=${format} label=${`Distribution of ${titleOf(filters.metric)}`} /><//>
      <${Baseline} filters=${filters} format=${format} />
    </div></div>`;
}

/** Where the level changed, by how much, and what changed with it. */
function Shifts({ shifts, format }) {
  if (!shifts.length) return html`<${Card} title="Shifts of level" data-testid="an-shifts"><p
    class="card-note muted">The level did not change in this time.</p><//>`;
  return html`<${Card} title="Shifts of level" data-testid="an-shifts"><ul class="shift-list">${shifts.map((shift) => html`<li
    key=${shift.run_id ?? shift.index} class=${`tone-${toneOf(shift)}`}>
    <${Icon} name=${shift.after > shift.before ? 'arrow-up' : 'arrow-down'} /><div>
      <p><strong>${format(shift.before)} → ${format(shift.after)}</strong>${shift.percent !== null && ` (${shift.percent > 0 ? '+'
        : ''}${shift.percent.toFixed(0)} %)`}
        ${shift.run_id && html` with run <a class="mono" href=${href(`/runs/${shift.run_id}`)}>${shift.run_id.slice(0, 8)}</a>`}${shift.time
          && html`, <${Ago} at=${shift.time} />`}</p>
      ${shift.causes.length ? shift.causes.map(({ text }) => html`<p key=${text} class="break">There ${text}.</p>`) : html`<p
        class="muted">Nothing else is known to have changed there.</p>`}
      ${shift.run_id && shift.run_before && html`<p><a
        href=${href(`/compare?a=${shift.run_before}&b=${shift.run_after}`)}>Compare the runs before and after</a></p>`}</div></li>`)}</ul><//>`;
}

function Anomalies({ found: { anomalies, band, anomalyMessage }, format }) {
  const bounds = band && html`<p class="card-note muted">Usual is ${format(Math.max(0, band.lower))} to ${format(band.upper)}.</p>`;
  if (!anomalies.length) return html`${bounds}<p class="card-note">${anomalyMessage ?? 'None: all values are within what is usual.'}</p>`;
  const columns = [
    { key: 'time', title: 'When', head: true, class: 'nowrap', render: ({ time }) => html`<${Ago} at=${time} />` },
    { key: 'value', title: 'Value', num: true, class: 'nowrap', render: ({ value }) => format(value) },
    { key: 'direction', title: 'Too', render: ({ direction }) => (direction === 'high' ? 'high' : 'low') },
    { key: 'score', title: 'Score', num: true, render: ({ score }) => score.toFixed(2) },
    { key: 'run_id', title: 'Run', render: ({ run_id: id }) => html`<a class="mono" href=${href(`/runs/${id}`)}>${id.slice(0, 8)}</a>` },
  ];
  return html`${bounds}<${DataTable} label="Anomalies" columns=${columns} rows=${[...anomalies].reverse().slice(0, 20)} rowKey=${({ run_id: id }) => id} />
    ${anomalies.length > 20 && html`<p class="card-note muted">The newest 20 of ${anomalies.length}.</p>`}`;
}

function Baseline({ filters, format }) {
  const method = query.value.get('baseline') ?? 'intelligent';
  const asked = { ...toQuery(filters), metric: filters.metric, method };
  const found = useResource((options) => getJson('/api/analytics/baseline', { query: asked, ...options }), [JSON.stringify(asked)]);
  return html`<${Card} title="Baseline" data-testid="an-baseline" actions=${html`<${Segments} label="How it is computed" name="an-base"
    value=${method} choices=${BASELINES} onChange=${(next) => setQuery({ baseline: next === 'intelligent' ? null : next })} />`}>
    <${Loaded} resource=${found} lines=${3} title="The baseline could not be computed">${(answer) => (answer.baseline === null
    ? html`<p class="card-note">${answer.message}</p>`
    : html`<p class="figure-value baseline-value">${format(answer.baseline)}</p><${Pairs} pairs=${[
      ['Because', answer.reasoning], ['From', plural(answer.data_points, 'run')], ['Lowest and highest', `${format(answer.min)} to ${format(answer.max)}`],
      ['Outliers left out', answer.outliers_removed > 0 && `${answer.outliers_removed} (${answer.outlier_percentage} %)`], ['Percentile',
        answer.percentile && `P${answer.percentile}`],
    ]} />`)}<//><//>`;
}
