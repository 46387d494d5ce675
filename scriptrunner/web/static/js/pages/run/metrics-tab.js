/** CPU and memory of an attempt over time, against its gates, its baseline and the runs before. */
import { getJson } from '../../lib/api.js';
import { bytes, duration, plural } from '../../lib/format.js';
import { useResource } from '../../lib/resource.js';
import { isActive } from '../../lib/run-status.js';
import { html, useEffect, useMemo } from '../../lib/ui.js';
import { Card, Empty, TableBox, TableHead } from '../../ui/basics.js';
import { SeriesChart } from '../../ui/series-chart.js';
import { Loaded } from '../../ui/states.js';

/** A metric of the API as people read it: its name ends in its unit. */
export function withUnit(name, value) {
  if (value === null || value === undefined) return '–';
  if (name.endsWith('_seconds')) return duration(value);
  if (name.endsWith('_mb')) return bytes(value * 1048576);
  if (name.endsWith('_kb')) return bytes(value * 1024);
  if (name.endsWith('_bytes')) return bytes(value);
  if (/^cpu_(?:avg|max|min)$/.test(name)) return `${Math.round(value * 10) / 10} %`;
  return String(Math.round(value * 1e6) / 1e6);
}

export function MetricsTab({ run }) {
  const samples = useResource((options) => getJson(`/api/runs/${run.id}/samples`, options), [run.id]);
  const active = isActive(run);
  // The record is fetched anew every two seconds while it is active, and so are its samples.
  useEffect(() => {
    if (samples.data) samples.reload();
  }, [run]);
  if (run.status === 'queued') return html`<${Card}><${Empty} icon="hourglass" title="Nothing measured yet">The run waits for a free slot.<//><//>`;
  if (run.request?.dry_run) return html`<${Card}><${Empty} icon="gauge" title="Nothing measured">A dry run starts nothing.<//><//>`;
  return html`<div class="details" data-testid="metrics">
    <${Loaded} resource=${samples} title="The samples could not be loaded">${(data) => (data.t.length
      ? html`<${Charts} samples=${data} run=${run} />`
      : html`<${Card} title="Over time"><${Empty} icon="gauge" title="No samples">
          ${active ? 'The first comes after one sampling interval.' : `The run was over before the first look, after ${run.request.monitor_interval} s. The figures below are exact all the same.`}<//><//>`)}<//>
    <${Against} run=${run} />
    ${run.result?.baseline_comparison && html`<${Baseline} found=${run.result.baseline_comparison} />`}
  </div>`;
}

const GATED = { cpu: ['cpu_max', 'cpu', 'cpu_avg', 'cpu_percent'], memory: ['memory_max_mb', 'memory', 'memory_mb', 'peak_memory_mb', 'max_memory_mb'] };

/** Gates on what a chart shows, as lines. */
function limitsOf(run, kind) {
  return (run.request.performance_gates ?? []).filter(({ metric }) => GATED[kind].includes(metric)).flatMap((gate) => [
    gate.max_value !== undefined && gate.max_value !== null && { value: gate.max_value, label: `gate: ${gate.metric} ≤ ${gate.max_value}`, tone: 'bad' },
    gate.min_value !== undefined && gate.min_value !== null && { value: gate.min_value, label: `gate: ${gate.metric} ≥ ${gate.min_value}`, tone: 'bad' },
  ].filter(Boolean));
}

function Charts({ samples, run }) {
  const { t, cpu, rss_mb: memory, processes } = samples;
  const parts = useMemo(() => ({
    cpu: [{ label: 'CPU', values: cpu, tone: 'accent' }], cpuLimits: limitsOf(run, 'cpu'),
    memory: [{ label: 'Memory', values: memory, tone: 'good' }], memoryLimits: limitsOf(run, 'memory'),
    processes: [{ label: 'Processes', values: processes, tone: 'warn', kind: 'steps' }],
  }), [samples]);
  const top = (values) => Math.max(...values.filter((each) => each !== null), 0);
  const many = processes.some((each) => each > 1);
  const sync = `run ${run.id}`;
  return html`
    <${Card} title="CPU" class="wide"><${SeriesChart} label="CPU over time" testid="chart-cpu" x=${t} series=${parts.cpu} limits=${parts.cpuLimits} sync=${sync}
      format=${(value) => `${Math.round(value * 10) / 10} %`} sentence=${`Highest sample: ${Math.round(top(cpu))} % of one core; ${plural(t.length, 'sample')}${t.length > 1 ? ` over ${duration(t.at(-1) - t[0])}` : ''}.`} /><//>
    <${Card} title="Memory" class="wide"><${SeriesChart} label="Memory over time" testid="chart-memory" x=${t} series=${parts.memory} limits=${parts.memoryLimits} sync=${sync}
      format=${(value) => bytes(value * 1048576)} sentence=${`Highest sample: ${bytes(top(memory) * 1048576)} in all processes.`} /><//>
    ${many && html`<${Card} title="Processes" class="wide"><${SeriesChart} label="Processes over time" x=${t} series=${parts.processes} sync=${sync} height=${130}
      sentence=${`Up to ${plural(top(processes), 'process', 'processes')} at once.`} /><//>`}`;
}

const median = (values) => {
  const sorted = values.filter((each) => typeof each === 'number').sort((a, b) => a - b);
  if (!sorted.length) return null;
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
};

const LISTED = [['execution_time_seconds', 'Duration'], ['cpu_max', 'CPU, highest'], ['memory_max_mb', 'Memory, highest']];
const OTHERS = 20;

/** Against the successful runs of the same script before this one. */
function Against({ run }) {
  const others = useResource(async (options) => {
    const runs = await getJson('/api/runs', { query: { script_path: run.script.path, status: 'completed', limit: OTHERS + 1 }, ...options });
    return runs.filter(({ id, queued_at: at }) => id !== run.id && at < run.queued_at).slice(0, OTHERS);
  }, [run.id, run.status]);
  const metrics = run.result?.metrics;
  if (!metrics) return null;
  return html`<${Card} title="Against the runs before"><${Loaded} resource=${others} lines=${3}>${(runs) => (runs.length
    ? html`<p class="card-note">The median of the last ${plural(runs.length, 'successful run')} of this script.</p>
      <${Compared} left="Median" right="This run" rows=${LISTED.map(([name, label]) => ({
      name, label, left: median(runs.map(({ result }) => result?.metrics?.[name])), right: metrics[name],
    }))} />`
    : html`<${Empty} icon="history" title="No successful run before this one" />`)}<//><//>`;
}

function Baseline({ found }) {
  const rows = Object.entries(found).map(([name, { baseline, current, percent_change: percent }]) => ({ name, label: name, left: baseline, right: current, percent }));
  return html`<${Card} title="Against the baseline"><${Compared} left="Baseline" right="This run" rows=${rows} /><//>`;
}

/** Values side by side, with the change in percent. */
export function Compared({ left, right, rows }) {
  const change = ({ left: a, right: b, percent }) => (percent !== undefined ? percent : typeof a === 'number' && typeof b === 'number' && a ? (100 * (b - a)) / Math.abs(a) : null);
  return html`<${TableBox} label="Values side by side"><table class="plain-table narrow" data-testid="compared">
    <${TableHead} columns=${['Metric', `#${left}`, `#${right}`, '#Change']} />
    <tbody>${rows.map((row) => html`<tr key=${row.name}><th scope="row">${row.label}</th><td class="num nowrap">${withUnit(row.name, row.left)}</td>
      <td class="num nowrap">${withUnit(row.name, row.right)}</td><td class="num nowrap"><${Change} percent=${change(row)} /></td></tr>`)}</tbody></table><//>`;
}

/** "+12.3 %"; a tone only where the change is worth a look. */
export function Change({ percent }) {
  if (percent === null || percent === undefined) return html`<span class="muted">–</span>`;
  const rounded = Math.round(percent * 10) / 10;
  const text = `${rounded > 0 ? '+' : rounded < 0 ? '−' : '±'}${Math.abs(rounded)} %`;
  return html`<span class=${Math.abs(rounded) >= 20 ? 'is-notable' : ''}>${text}</span>`;
}
