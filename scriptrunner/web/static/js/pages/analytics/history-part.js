/** The history itself: its rows, its size, taking it along, and cleaning it up. */
import { getJson, request } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { bytes, count, duration, plural, scriptName } from '../../lib/format.js';
import { metrics, titleOf } from '../../lib/metrics.js';
import { useResource } from '../../lib/resource.js';
import { html, useEffect, useState } from '../../lib/ui.js';
import { Ago, Button, Card, Empty, ErrorBox } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { confirm } from '../../ui/dialog.js';
import { Pairs } from '../../ui/kv.js';
import { lacking, Loaded } from '../../ui/states.js';
import { showError, showToast } from '../../ui/toast.js';
import { toQuery } from './filters.js';

const STEP = 100;

export default function HistoryPart({ filters, stats }) {
  const [limit, setLimit] = useState(STEP);
  const asked = { ...toQuery(filters), limit };
  const found = useResource((options) => getJson('/api/analytics/history', { query: asked, ...options }), [JSON.stringify(asked)]);
  const done = () => {
    found.reload();
    stats.reload();
  };
  return html`<${Card} title="Executions" data-testid="an-history"><${Loaded} resource=${found} lines=${8}
    title="The history could not be loaded">${(answer) => html`<${Rows} answer=${answer} filters=${filters} limit=${limit} busy=${found.loading}
      onMore=${() => setLimit(Math.min(1000, limit + STEP))} />`}<//><//>
    <div class="page-grid"><${Stats} stats=${stats} /><${Export} filters=${filters} /><${Cleanup} onDone=${done} /></div>`;
}

const COLUMNS = [
  { key: 'script', title: 'Script', head: true, render: ({ script_path: path, script_args: args }) => html`<span class="script-cell"><span
    title=${path}>${scriptName(path)}</span>${args?.length > 0 && html`<span class="script-args mono">${args.join(' ')}</span>`}</span>` },
  { key: 'status', title: 'Result', render: ({ run_status: status, exit_code: code }) => html`<span class=${`badge tone-${{ success: 'good',
    failed: 'bad', timeout: 'bad' }[status] ?? 'quiet'}`}>${status}</span>${code !== 0 && code !== null && html` <small class="muted">exit ${code}</small>`}` },
  { key: 'start_time', title: 'Started', class: 'nowrap', render: ({ start_time: at }) => html`<${Ago} at=${at} />` },
  { key: 'execution_time_seconds', title: 'Duration', num: true, class: 'nowrap', render: ({ execution_time_seconds: value }) => duration(value) },
  { key: 'cpu', title: 'CPU', num: true, render: ({ metrics: { cpu_avg: value } }) => (value === undefined ? '–' : `${Math.round(value)} %`) },
  { key: 'memory', title: 'Memory', num: true, class: 'nowrap', render: ({ metrics: { memory_max_mb: value } }) => (value === undefined ? '–'
    : bytes(value * 1048576)) },
  { key: 'run', title: 'Run', render: ({ run_id: id }) => (id ? html`<a class="mono" href=${href(`/runs/${id}`)}>${id.slice(0, 8)}</a>` : '–') },
];

function Rows({ answer, filters, limit, busy, onMore }) {
  if (!answer.items.length) return html`<${Empty} icon="history" title="No executions in this time"><p>${filters.script
    ? 'Choose another script or a longer time.' : 'Runs stand here as soon as they are over.'}</p><//>`;
  const total = answer.total ?? answer.count;
  return html`<${DataTable} label="Executions" columns=${COLUMNS} rows=${answer.items} rowKey=${({ id }) => id} testid="an-history-table" busy=${busy} />
    <div class="pager"><span class="muted">${count(answer.items.length)} of ${count(total)}</span><span class="push"></span>
      ${total > answer.items.length && (limit < 1000 ? html`<${Button} compact=${true} label=${busy ? 'Loading…' : `${STEP} more`} busy=${busy}
        onClick=${onMore} />` : html`<span class="muted">The export has all of them.</span>`)}</div>`;
}

function Stats({ stats }) {
  return html`<${Card} title="Size" data-testid="an-stats"><${Loaded} resource=${stats} lines=${4}
    title="The figures could not be loaded">${(found) => html`<${Pairs} pairs=${[
    ['Executions', count(found.total_executions)], ['Values', count(found.total_metrics)], ['Alerts', count(found.total_alerts)], ['Scripts',
      count(found.unique_scripts)],
    ['Time in scripts', duration(found.total_execution_time_seconds)], ['Oldest', found.oldest && html`<${Ago} at=${found.oldest} />`], ['Newest',
      found.newest && html`<${Ago} at=${found.newest} />`],
    ['Database', found.database_size_mb === null ? found.database_file : `${found.database_file ?? ''} ${bytes(found.database_size_mb * 1048576)}`],
  ]} />`}<//><//>`;
}

function Export({ filters }) {
  const [format, setFormat] = useState('csv');
  const [metric, setMetric] = useState('');
  const [size, setSize] = useState(null);
  const [error, setError] = useState(null);
  const start = new Date(Date.now() - filters.days * 86_400_000).toISOString();
  const take = async () => {
    setError(null);
    setSize(0);
    try {
      const answer = await request('POST', '/api/analytics/export', { json: { format, start_date: start, ...(filters.script
        && { script_path: filters.script }), ...(metric && { metric_name: metric }) } });
      save(await collect(answer, setSize), `metrics_export.${format}`);
      showToast('The export is in your downloads');
    } catch (fault) {
      setError(fault);
    }
    setSize(null);
  };
  return html`<${Card} title="Export" data-testid="an-export"><div class="card-body">
    ${error && html`<${ErrorBox} error=${error} title="The export broke off; nothing was saved" />`}
    <p class="muted">One row per run and metric, oldest first: ${filters.script ? scriptName(filters.script) : 'all scripts'}, ${plural(filters.days, 'day')}.</p>
    <div class="form-grid"><div class="field"><label for="export-format">Format</label><select id="export-format"
      onChange=${(event) => setFormat(event.target.value)}>
        ${[['csv', 'CSV, for spreadsheets'], ['json', 'JSON'], ['parquet', 'Parquet, if the server has pyarrow']].map(([value,
          words]) => html`<option key=${value} value=${value} selected=${value === format}>${words}</option>`)}</select></div>
      <div class="field"><label for="export-metric">Metric</label><select id="export-metric"
        onChange=${(event) => setMetric(event.target.value)}><option value="">all</option>
        ${(metrics.value ?? []).map(({ name }) => html`<option key=${name} value=${name}
          selected=${name === metric}>${titleOf(name)}</option>`)}</select></div></div>
    <div class="line-up"><${Button} icon="download" label=${size === null ? 'Export' : 'Exporting…'} busy=${size !== null} onClick=${take}
      data-testid="an-export-start" />
      ${size !== null && html`<span role="status" class="muted">${bytes(size)} so far</span>`}</div></div><//>`;
}

/** Read an answer piece by piece, saying how far it is. */
async function collect(answer, onSize) {
  const pieces = [];
  let size = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces, { type: answer.headers.get('Content-Type') ?? '' });
    pieces.push(value);
    size += value.length;
    onSize(size);
  }
}

function save(blob, name) {
  const link = document.createElement('a');
  Object.assign(link, { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const cleanUp = async (days, dryRun) => (await request('DELETE', '/api/analytics/cleanup', { query: { days, dry_run: dryRun ? 'true' : null } })).json();

/** What would go is counted before anything goes. */
function Cleanup({ onDone }) {
  const [days, setDays] = useState(90);
  const [plan, setPlan] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => setPlan(null), [days]);
  const look = async () => {
    setBusy(true);
    setError(null);
    try {
      const [answer, stats] = await Promise.all([cleanUp(days, true), getJson('/api/analytics/history/stats')]);
      setPlan({ ...answer.deleted, total: stats.total_executions });
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const go = async () => {
    const sure = await confirm({
      title: `Delete ${plural(plan.executions, 'execution')}?`, confirm: 'Delete them',
        body: `All that is older than ${days} days leaves the history for good. Records of runs, logs and benchmarks stay.`,
    });
    if (!sure) return;
    setBusy(true);
    try {
      const answer = await cleanUp(days, false);
      showToast(answer.message);
      setPlan(null);
      onDone();
    } catch (fault) {
      showError(fault);
    }
    setBusy(false);
  };
  return html`<${Card} title="Clean up" id="cleanup" data-testid="an-cleanup"><div class="card-body">
    ${error && html`<${ErrorBox} error=${error} />`}
    <div class="field"><label for="cleanup-days">Keep the last</label><span class="with-unit"><input id="cleanup-days" type="number" min="1"
      max="36500" value=${days} onInput=${(event) => event.target.value && setDays(Number(event.target.value))} data-testid="cleanup-days" /><span
        class="unit">days</span></span>
      <p class="help">Older executions go with their values and alerts. Records of runs, logs and benchmarks stay.</p></div>
    ${plan && html`<p role="status" data-testid="cleanup-plan">${plan.executions
      ? html`Would delete <strong>${count(plan.executions)} of ${count(plan.total)}</strong> executions with ${plural(plan.metrics,
        'value')} and ${plural(plan.alerts, 'alert')}.` : 'Nothing is that old.'}</p>`}
    <div class="line-up"><${Button} label="What would go?" busy=${busy} onClick=${look} data-testid="cleanup-look" />
      ${plan?.executions > 0 && html`<${Button} icon="trash-2" kind="danger" label="Delete" busy=${busy} refusal=${lacking('analytics.write')}
        onClick=${go} data-testid="cleanup-go" />`}</div></div><//>`;
}
