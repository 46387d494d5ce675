/** Compare: two runs side by side, what was asked, what came of it, source and output. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { absolute, duration, parseTime, scriptFolder, scriptName } from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { query, setQuery } from '../lib/router.js';
import { describe } from '../lib/run-status.js';
import { join } from '../lib/shellwords.js';
import { html, useEffect, useMemo } from '../lib/ui.js';
import { Button, Card, Empty, ErrorBox, Heading, Icon, RunStatus, Segments, Skeleton, TableBox, TableHead } from '../ui/basics.js';
import { DiffView } from '../ui/diff-view.js';
import { SeriesChart } from '../ui/series-chart.js';
import { Loaded } from '../ui/states.js';
import { Value } from '../ui/value.js';
import { Compared, withUnit } from './run/metrics-tab.js';

export const title = () => 'Compare';

/** How many earlier runs are offered. */
const OFFERED = 50;

export default function Compare({ setTitle }) {
  const a = query.value.get('a') ?? '';
  const b = query.value.get('b') ?? '';
  const anchor = useResource((options) => (a ? getJson(`/api/runs/${a}`, options) : Promise.resolve(null)), [a]);
  const others = useOthers(anchor.data);
  // Without a choice: the run before it.
  useEffect(() => {
    if (a && !b && others.data) {
      const before = others.data.find(({ queued_at: at, id }) => id !== a && at < anchor.data.queued_at) ?? others.data.find(({ id }) => id !== a);
      if (before) setQuery({ b: before.id });
    }
  }, [a, b, others.data]);
  useEffect(() => {
    if (anchor.data) setTitle(`Compare ${scriptName(anchor.data.request.script_path)}`);
  }, [anchor.data]);
  const head = html`<header class="page-line"><nav class="crumbs" aria-label="Where this is"><a href=${href('/')}>Runs</a><span aria-hidden="true">/</span>
      ${anchor.data && html`<a class="mono ellipsis" href=${href(`/runs/${a}`)}>${scriptName(anchor.data.request.script_path)} ${a.slice(0, 8)}</a>`}</nav>
    <${Heading}>Compare two runs<//></header>`;
  if (!a) return html`${head}<${Card}><${Empty} icon="git-compare" title="Which runs?">Choose Compare in the menu of a run.<//><//>`;
  if (anchor.error) return html`${head}<${ErrorBox} error=${anchor.error} title="The run could not be loaded" onRetry=${anchor.reload} />`;
  if (!anchor.data || !others.data) return html`${head}<${Card}><${Skeleton} lines=${6} /><//>`;
  return html`${head}<${Picker} run=${anchor.data} others=${others.data} other=${b} />
    ${b ? html`<${Both} key=${`${a} ${b}`} a=${a} b=${b} />`
    : html`<${Card}><${Empty} icon="git-compare" title="There is no other run of this script yet" /><//>`}`;
}

/** Runs of the same script, newest first. */
function useOthers(run) {
  return useResource((options) => (run ? getJson('/api/runs', { query: { script_path: run.script.path, limit: OFFERED }, ...options }) : Promise.resolve(null)), [run?.id]);
}

/** Which run stands on the other side. */
function Picker({ run, others, other }) {
  const rest = others.filter(({ id }) => id !== run.id);
  const success = rest.find(({ status, queued_at: at }) => status === 'completed' && at < run.queued_at);
  const before = rest.find(({ queued_at: at }) => at < run.queued_at);
  const pick = (id) => setQuery({ b: id });
  const label = (each) => `${absolute(parseTime(each.started_at))} · ${describe(each).phrase} · ${duration(each.duration_seconds)} · ${each.id.slice(0, 8)}`;
  const options = rest.some(({ id }) => id === other) || !other ? rest : [{ id: other }, ...rest];
  return html`<div class="compare-pick"><label>Against <select value=${other} onChange=${(event) => pick(event.target.value)} data-testid="compare-other">
      ${options.map((each) => html`<option key=${each.id} value=${each.id} selected=${each.id === other}>${each.status ? label(each) : `run ${each.id.slice(0, 8)}`}</option>`)}</select></label>
    ${before && html`<${Button} compact=${true} label="The run before" onClick=${() => pick(before.id)} />`}
    ${success && html`<${Button} compact=${true} label="The last success" onClick=${() => pick(success.id)} data-testid="compare-success" />`}
    ${other && html`<${Button} compact=${true} icon="arrow-up-down" label="Swap" onClick=${() => setQuery({ a: other, b: run.id })} />`}</div>`;
}

/** The other run stands on the left: it is what the run is measured against. */
function Both({ a, b }) {
  const found = useResource((options) => getJson(`/api/runs/${b}/compare/${a}`, options), [a, b]);
  return html`<${Loaded} resource=${found} lines=${10} title="The runs could not be compared">${(data) => html`
    <div class="compare-heads">${[data.left, data.right].map((run, index) => html`<${Side} key=${index} run=${run} word=${index ? 'This run' : 'Against'} />`)}</div>
    <${Options} options=${data.options} />
    <${Metrics} metrics=${data.metrics} />
    <${Curves} left=${data.left} right=${data.right} />
    <${Card} title="Source">${data.script ? html`<${DiffView} diff=${data.script.diff} truncated=${data.script.is_truncated} label="Differences of the source"
        same="The same source ran" testid="diff-source" />` : html`<${Empty} icon="file-code" title="The source of one of the runs is not kept" />`}<//>
    <${Logs} logs=${data.logs} />`}<//>`;
}

function Side({ run, word }) {
  const path = run.request.script_path;
  return html`<section class="card compare-side"><p class="muted">${word}</p>
    <h2><a href=${href(`/runs/${run.id}`)}>${scriptName(path)} <span class="mono">${run.id.slice(0, 8)}</span></a></h2>
    <p class="muted mono ellipsis">${scriptFolder(path)}</p>
    <p><${RunStatus} run=${run} /></p><p class="muted">${absolute(parseTime(run.started_at))} · ${duration(run.duration_seconds)}</p></section>`;
}

function Options({ options }) {
  if (!options.length) return html`<${Card} title="Options"><p class="card-note"><${Icon} name="check" /> All options are the same.</p><//>`;
  const shown = (name, value) => (name === 'args' && Array.isArray(value) ? html`<code>${join(value) || '(none)'}</code>`
    : html`<${Value} value=${typeof value === 'boolean' ? (value ? 'on' : 'off') : value} />`);
  return html`<${Card} title="Options that differ"><${TableBox} label="Options that differ"><table class="plain-table" data-testid="compare-options">
    <${TableHead} columns=${['Option', 'Against', 'This run']} />
    <tbody>${options.map(({ name, left, right }) => html`<tr key=${name}><th scope="row" class="mono">${name}</th><td class="break">${shown(name, left)}</td>
      <td class="break">${shown(name, right)}</td></tr>`)}</tbody></table><//><//>`;
}

const FIRST = ['execution_time_seconds', 'total_time_seconds', 'cpu_time_seconds', 'cpu_avg', 'cpu_max', 'memory_max_mb', 'memory_avg_mb', 'stdout_lines', 'stderr_lines'];

function Metrics({ metrics }) {
  if (!metrics.length) return html`<${Card} title="Metrics"><${Empty} icon="gauge" title="Neither run has metrics" /><//>`;
  const rank = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const rows = [...metrics].sort((x, y) => rank(x) - rank(y)).map(({ change_percent: percent, ...row }) => ({ ...row, label: row.name, percent }));
  const [main, rest] = [rows.filter((row) => rank(row) < FIRST.length), rows.filter((row) => rank(row) === FIRST.length)];
  return html`<${Card} title="Metrics" data-testid="compare-metrics"><${Compared} left="Against" right="This run" rows=${main} />
    ${rest.length > 0 && html`<details class="unfold"><summary>${rest.length} more</summary><${Compared} left="Against" right="This run" rows=${rest} /></details>`}<//>`;
}

/** CPU and memory of both on one axis, from the start of each. */
function Curves({ left, right }) {
  const found = useResource((options) => Promise.all([left, right].map(({ id }) => getJson(`/api/runs/${id}/samples`, options).catch(() => null))), [left.id, right.id]);
  const [kind, setKind] = useKind();
  const chart = useMemo(() => merge(found.data, kind), [found.data, kind]);
  if (!chart) return null;
  return html`<${Card} title="Over time" actions=${html`<${Segments} label="What is shown" name="curve" value=${kind} choices=${[['cpu', 'CPU'], ['rss_mb', 'Memory']]} onChange=${setKind} />`}>
    <${SeriesChart} label=${kind === 'cpu' ? 'CPU of both runs' : 'Memory of both runs'} x=${chart.x} series=${chart.series} testid="compare-chart"
      format=${(value) => (kind === 'cpu' ? `${Math.round(value * 10) / 10} %` : withUnit('x_mb', value))} sentence="Both from their own start on; the dashed line is the run it is measured against." /><//>`;
}

function useKind() {
  const kind = query.value.get('curve') === 'rss_mb' ? 'rss_mb' : 'cpu';
  return [kind, (next) => setQuery({ curve: next === 'cpu' ? null : next })];
}

/** Both curves over one list of times; null where one has no sample. */
function merge(pair, kind) {
  if (!pair || pair.every((each) => !each?.t.length)) return null;
  const x = [...new Set(pair.flatMap((each) => each?.t ?? []))].sort((p, q) => p - q);
  const values = (each) => {
    const known = new Map((each?.t ?? []).map((t, index) => [t, each[kind][index]]));
    const end = each?.t.at(-1) ?? -1;
    let last = null;
    return x.map((t) => {
      if (known.has(t)) last = known.get(t);
      return t > end ? null : last;
    });
  };
  return { x, series: [
    { label: 'against', values: values(pair[0]), tone: 'muted', dashed: true },
    { label: 'this run', values: values(pair[1]), tone: 'accent' },
  ] };
}

function Logs({ logs }) {
  const stream = query.value.get('log') === 'stderr' ? 'stderr' : 'stdout';
  const note = ({ is_equal: equal, added, removed }) => (equal ? 'same' : `+${added} −${removed}`);
  const choices = ['stdout', 'stderr'].map((each) => [each, each, note(logs[each])]);
  return html`<${Card} title="Output" actions=${html`<${Segments} label="Which output" name="compare-log" value=${stream} choices=${choices}
      onChange=${(next) => setQuery({ log: next === 'stdout' ? null : next })} />`}>
    <${DiffView} diff=${logs[stream].diff} truncated=${logs[stream].is_truncated} label=${`Differences of ${stream}`} same=${`${stream} is the same`} testid="diff-log" />
    ${logs[stream].is_truncated && html`<p class="card-note muted">Only the ends of very long outputs are compared.</p>`}<//>`;
}
