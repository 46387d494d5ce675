/** Benchmarks: snapshots of what a script costs, and what changed from one to the next. */
import { getJson, postJson } from '../../lib/api.js';
import { formatOf, titleOf } from '../../lib/metrics.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { html, useState } from '../../lib/ui.js';
import { Ago, Button, Card, Empty, ErrorBox, Icon } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { lacking, Loaded } from '../../ui/states.js';
import { showToast } from '../../ui/toast.js';

export default function BenchmarksPart({ filters }) {
  const list = useResource((options) => getJson('/api/analytics/benchmarks', options), []);
  const chosen = query.value.get('name') ?? list.data?.benchmarks[0] ?? '';
  return html`<div class="page-grid">
    <div class="stack"><${Create} filters=${filters} onMade=${(name) => {
    list.reload();
    setQuery({ name });
  }} />
      <${Card} title="Benchmarks" data-testid="an-benchmarks"><${Loaded} resource=${list}
        title="The benchmarks could not be loaded">${({ benchmarks }) => (benchmarks.length
    ? html`<ul class="pick-list">${benchmarks.map((name) => html`<li key=${name}><button type="button" class=${`pick ${name === chosen ? 'is-on'
      : ''}`} aria-pressed=${String(name === chosen)} onClick=${() => setQuery({ name })}>${name}</button></li>`)}</ul>`
    : html`<${Empty} icon="flag" title="No benchmarks yet"><p>Take a snapshot before and after a change; the two are compared here.</p><//>`)}<//><//></div>
    ${chosen && html`<div class="stack"><${Versions} key=${chosen} name=${chosen} reloaded=${list.loadedAt} /><${Regressions} key=${`r ${chosen}`}
      name=${chosen} reloaded=${list.loadedAt} /></div>`}
  </div>`;
}

function Create({ filters, onMade }) {
  const [values, setValues] = useState({ name: '', version_id: '', notes: '', sample_size: 20 });
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value });
  const submit = async (event) => {
    event.preventDefault();
    if (busy || lacking('analytics.write')) return;
    setBusy(true);
    try {
      const json = Object.fromEntries(Object.entries({ ...values, script_path: filters.script, days: filters.days,
        sample_size: Number(values.sample_size) }).filter(([, value]) => value !== ''));
      const made = await postJson('/api/analytics/benchmarks', { json });
      showToast(`Benchmark ${values.name}, version ${made.version}, from ${made.samples} runs`);
      setValues({ ...values, version_id: '', notes: '' });
      setError(null);
      onMade(values.name);
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const field = (name, label, help, rest = {}) => html`<div class="field"><label for=${`bench-${name}`}>${label}</label>
    <input id=${`bench-${name}`} type="text" autocomplete="off" value=${values[name]} onInput=${set(name)} data-testid=${`bench-${name}`}
      ...${rest} /><p class="help">${help}</p></div>`;
  return html`<${Card} title="Take a snapshot"><form class="card-body" onSubmit=${submit} data-testid="an-benchmark-form">
    ${error && html`<${ErrorBox} error=${error} title="No snapshot was taken" />`}
    ${filters.script ? html`<p>Of the newest successful runs of <span class="mono break">${filters.script}</span>.</p>` : html`<p
      class="text-warn line-up"><${Icon} name="info" />Choose a script above first.</p>`}
    <div class="form-grid">${field('name', 'Name', 'The same name again makes a further version.', { required: true, maxlength: 100 })}
      ${field('version_id', 'Version', 'The time if left out.')}
      ${field('sample_size', 'Runs', 'At most so many, 1 to 1000.', { type: 'number', min: 1, max: 1000 })}
      ${field('notes', 'Notes', 'What is different this time.')}</div>
    <div><${Button} type="submit" kind="primary" icon="flag" label=${busy ? 'Taking…' : 'Take it'} busy=${busy} refusal=${lacking('analytics.write')
      || (filters.script ? '' : 'Choose a script first')} data-testid="an-benchmark-create" /></div></form><//>`;
}

const COLUMNS = [
  { key: 'version', title: 'Version', head: true, class: 'break' },
  { key: 'created', title: 'Taken', class: 'nowrap', render: ({ created }) => html`<${Ago} at=${created} />` },
  { key: 'exec_time_mean', title: 'Duration', num: true, render: ({ exec_time_mean: value }) => shown('execution_time_seconds', value) },
  { key: 'cpu_mean', title: 'CPU', num: true, render: ({ cpu_mean: value }) => shown('cpu_avg', value) },
  { key: 'memory_mean', title: 'Memory', num: true, render: ({ memory_mean: value }) => shown('memory_max_mb', value) },
  { key: 'samples', title: 'Runs', num: true },
];

const shown = (metric, value) => (value === null || value === undefined ? '–' : formatOf(metric)(value));

function Versions({ name, reloaded }) {
  const found = useResource((options) => getJson('/api/analytics/benchmarks', { query: { name }, ...options }), [name, reloaded]);
  return html`<${Card} title=${`Versions of ${name}`}><${Loaded} resource=${found} title="The versions could not be loaded">${({ versions }) => html`
    <${DataTable} label=${`Versions of ${name}`} columns=${COLUMNS} rows=${versions} rowKey=${({ version }) => version} testid="an-versions" />`}<//><//>`;
}

const METRICS = { cpu_percent: 'cpu_avg', memory_mb: 'memory_max_mb', execution_time_seconds: 'execution_time_seconds' };

/** Each version against the one before it. */
function Regressions({ name, reloaded }) {
  const threshold = query.value.get('threshold') ?? '10';
  const found = useResource((options) => getJson(`/api/analytics/benchmarks/${encodeURIComponent(name)}/regressions`, { query: { threshold },
    ...options }), [name, threshold, reloaded]);
  const pick = html`<label class="line-up muted">worse by at least <select aria-label="Threshold" onChange=${(event) => setQuery({ threshold: event.target.value })}>
    ${['5', '10', '20', '30', '50'].map((each) => html`<option key=${each} value=${each} selected=${each === threshold}>${each} %</option>`)}</select></label>`;
  const columns = [
    { key: 'metric', title: 'Metric', head: true, render: ({ metric }) => titleOf(metric) },
    { key: 'versions', title: 'From, to', class: 'break', render: ({ from_version: from, to_version: to }) => `${from} → ${to}` },
    { key: 'previous', title: 'Before', num: true, render: ({ metric, previous }) => shown(METRICS[metric] ?? metric, previous) },
    { key: 'current', title: 'After', num: true, render: ({ metric, current }) => shown(METRICS[metric] ?? metric, current) },
    { key: 'percent_change', title: 'Change', num: true, render: ({ percent_change: change }) => (change === null ? '–' : `${change > 0 ? '+'
      : ''}${change.toFixed(1)} %`) },
    { key: 'verdict', title: 'Verdict', render: ({ severity, reason, verdict, isBetter }) => html`<span class=${`badge tone-${isBetter ? 'good'
      : severity === 'critical' ? 'bad' : 'warn'}`}>${isBetter ? 'better' : severity}</span>
      ${(reason ?? verdict) && html`<br /><small class="muted">${reason ?? verdict}</small>`}` },
  ];
  return html`<${Card} title="Regressions" actions=${pick} data-testid="an-regressions"><${Loaded} resource=${found}
    title="The versions could not be compared">${(answer) => {
    const rows = [...answer.regressions, ...(answer.improvements ?? []).map((each) => ({ ...each, isBetter: true }))];
    if (!rows.length) return html`<p class="card-note">${answer.message ?? `No version is worse than the one before it by ${threshold} % or more.`}</p>`;
    return html`<${DataTable} label="Regressions" columns=${columns} rows=${rows} rowKey=${(each) => `${each.to_version} ${each.metric} ${each.isBetter ?? ''}`} />`;
  }}<//><//>`;
}
