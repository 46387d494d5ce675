/** Try gates: what they would have said of the runs that were. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { plural, scriptName } from '../lib/format.js';
import { checkGate, verdictsOf } from '../lib/gates.js';
import { formatOf, loadMetrics, metrics, quantile, titleOf } from '../lib/metrics.js';
import { load, save } from '../lib/prefs.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { html, useEffect, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty, Icon, IconButton } from '../ui/basics.js';
import { DataTable } from '../ui/data-table.js';
import { PageHead } from '../ui/page-head.js';
import { Loaded } from '../ui/states.js';
import { showError } from '../ui/toast.js';
import { AnalyticsTabs, readFilters, ScriptField } from './analytics/filters.js';

export const title = () => 'Try gates';

const LAST = [10, 50, 200, 1000];

export default function Gates() {
  useEffect(() => {
    loadMetrics().catch(showError);
  }, []);
  const filters = readFilters();
  const last = LAST.find((each) => String(each) === query.value.get('last')) ?? 50;
  const runs = useResource(async (options) => {
    const { items } = await getJson('/api/analytics/history', { query: { script_path: filters.script, limit: last, days: 365, outcome: 'success' }, ...options });
    return items;
  }, [filters.script, last]);
  const [gates, setGates] = useState(() => load('try-gates', [{ metric: 'execution_time_seconds', min_value: null, max_value: null }]));
  useEffect(() => save('try-gates', gates), [gates]);
  return html`<${PageHead} title="Try gates" note="Before a gate fails a run of tomorrow: how many of yesterday’s would it have failed?" />
    <${AnalyticsTabs} current="gates" filters=${filters} />
    <${Card}><div class="an-filters"><${ScriptField} value=${filters.script} onChange=${(script) => setQuery({ script })} />
      <div class="field"><label for="gate-last">Runs</label><select id="gate-last"
        onChange=${(event) => setQuery({ last: event.target.value })}>${LAST.map((each) => html`<option key=${each} value=${each}
          selected=${each === last}>last ${each} successful</option>`)}</select></div></div><//>
    <${Card} title="Gates" actions=${html`<${Button} compact=${true} icon="plus" label="Add gate" onClick=${() => setGates([...gates,
      { metric: 'memory_max_mb', min_value: null, max_value: null }])} data-testid="gate-add" />`}>
      <${Loaded} resource=${runs} title="The runs could not be loaded">${(items) => html`<${Rows} gates=${gates} items=${items}
        onChange=${setGates} /><${Verdict} gates=${gates} items=${items} script=${filters.script} />`}<//><//>`;
}

function Rows({ gates, items, onChange }) {
  const names = metrics.value?.filter(({ kind }) => kind !== 'text').map(({ name }) => name) ?? ['execution_time_seconds', 'cpu_avg', 'cpu_max', 'memory_max_mb'];
  const put = (index, change) => onChange(gates.map((gate, at) => (at === index ? { ...gate, ...change } : gate)));
  return html`<ul class="gate-list">${gates.map((gate, index) => html`<${Gate} key=${index} gate=${gate} number=${index + 1} names=${names}
    items=${items} onChange=${(change) => put(index, change)}
    onRemove=${() => onChange(gates.filter((_, at) => at !== index))} />`)}</ul>`;
}

function Gate({ gate, number, names, items, onChange, onRemove }) {
  const format = formatOf(gate.metric);
  const values = items.map(({ metrics: all }) => all[gate.metric]).filter((value) => typeof value === 'number');
  const failed = items.filter((item) => checkGate(gate, item.metrics) !== '').length;
  const hasBound = gate.min_value !== null || gate.max_value !== null;
  const bound = (name, label) => html`<label class="gate-bound"><span>${label}</span><input type="number" step="any" value=${gate[name] ?? ''}
    placeholder="none" aria-label=${`${label} of gate ${number}`}
    onInput=${(event) => onChange({ [name]: event.target.value === '' ? null : Number(event.target.value) })} data-testid=${`gate-${name}`} /></label>`;
  return html`<li data-testid="gate-row"><div class="gate-fields">
      <select aria-label=${`Metric of gate ${number}`} data-testid="gate-metric"
        onChange=${(event) => onChange({ metric: event.target.value })}>${names.map((name) => html`<option key=${name} value=${name}
          selected=${name === gate.metric}>${titleOf(name)}</option>`)}</select>
      ${bound('min_value', 'at least')}${bound('max_value', 'at most')}
      ${values.length > 0 && html`<${Button} compact=${true} label="Suggest" title="The 95th percentile and a fifth more"
        onClick=${() => onChange({ max_value: Number((quantile(values, 0.95) * 1.2).toPrecision(3)) })} />`}
      <${IconButton} icon="x" label=${`Remove gate ${number}`} onClick=${onRemove} /></div>
    <p class="help">${values.length ? `Last ${format(values[0])}, median ${format(quantile(values, 0.5))}, 95 % below ${format(quantile(values,
      0.95))}.` : 'No run has this metric: such a gate fails.'}
      ${hasBound && html` <strong class=${failed ? 'text-bad' : 'text-good'}>Would have failed ${failed} of ${items.length}.</strong>`}</p></li>`;
}

function Verdict({ gates, items, script }) {
  const active = gates.filter((gate) => gate.min_value !== null || gate.max_value !== null);
  if (!items.length) return html`<${Empty} icon="gauge" title="No successful runs to try them on"><p>${script ? 'Choose another script.'
    : 'Run something first.'}</p><//>`;
  if (!active.length) return html`<p class="card-note" data-testid="gate-verdict">Give a gate a bound to see what it would have done.</p>`;
  const verdicts = verdictsOf(active, items);
  const failed = verdicts.filter(({ reasons }) => reasons.length);
  const columns = [
    { key: 'start_time', title: 'Run', head: true, class: 'nowrap', render: ({ item }) => html`<a class="mono"
      href=${href(`/runs/${item.run_id}`)}>${item.run_id.slice(0, 8)}</a> <${Ago} at=${item.start_time} />` },
    { key: 'script', title: 'Script', render: ({ item }) => scriptName(item.script_path) },
    { key: 'reasons', title: 'Failed at', render: ({ reasons }) => reasons.join('; ') },
  ];
  const json = JSON.stringify(active.map((gate) => Object.fromEntries(Object.entries(gate).filter(([, value]) => value !== null))));
  return html`<p class=${`card-note tone-${failed.length ? 'bad' : 'good'}`} data-testid="gate-verdict" role="status"><span class="badge"><${Icon}
    name=${failed.length ? 'x' : 'check'} />
      ${active.length === 1 ? 'This gate' : 'These gates'} would have failed ${failed.length} of ${plural(items.length, 'run')}</span></p>
    ${failed.length > 0 && html`<${DataTable} label="Runs that would have failed" columns=${columns} rows=${failed.slice(0, 50)}
      rowKey=${({ item }) => item.id} testid="gate-failed" />`}
    <p class="card-note muted">As option of a run: <code class="break">"performance_gates": ${json}</code></p>`;
}
