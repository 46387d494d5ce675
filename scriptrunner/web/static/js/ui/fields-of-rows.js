/** Widgets whose value is a list of objects: gates and alert rules, a row each. */
import { getJson } from '../lib/api.js';
import { lastMetrics } from '../lib/last-metrics.js';
import { useResource } from '../lib/resource.js';
import { html, useId } from '../lib/ui.js';
import { Button, Icon, IconButton } from './basics.js';
import { common, FieldFrame } from './fields.js';

const PLAIN = { spellcheck: false, autocomplete: 'off', autocapitalize: 'off' };
const replaced = (list, index, next) => list.map((each, at) => (at === index ? next : each));
const without = (list, index) => list.filter((_, at) => at !== index);

/** Names of metrics that are numbers, to choose from; none where the service does not tell them. */
function useMetricNames() {
  const { data } = useResource(async (options) => {
    const answer = await getJson('/api/analytics/metrics', options);
    return (answer.metrics ?? answer).filter(({ kind }) => kind !== 'text').map(({ name }) => name);
  }, []);
  return data ?? Object.keys(lastMetrics.value ?? {});
}

function Rows({ field, fault, value, children, onAdd, add }) {
  const { id, ...rest } = common(field, fault);
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <div class="rows" role="group" aria-labelledby=${`${id}-label`} id=${id} tabindex="-1" data-testid=${id} aria-describedby=${rest['aria-describedby']}>
      ${children}
      <${Button} icon="plus" label=${value.length ? add.again : add.first} compact=${true} onClick=${onAdd} data-testid=${`${field.name}-add`} />
    </div><//>`;
}

/** Bounds of metrics. @param {{field: import('../lib/schema.js').Field, value: any[], onChange: (value: any[]) => void, fault?: string}} props */
export function GatesField({ field, value, onChange, fault }) {
  const names = useMetricNames();
  const list = useId();
  const bound = (gate, name) => (event) => {
    const { value: text } = event.target;
    const { [name]: _, ...rest } = gate;
    return text === '' ? rest : { ...rest, [name]: Number(text) };
  };
  return html`<${Rows} field=${field} fault=${fault} value=${value} onAdd=${() => onChange([...value, { metric: '' }])}
    add=${{ first: 'Add a gate', again: 'Add another gate' }}>
    <datalist id=${list}>${names.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
    ${value.map((gate, index) => html`<div class="row gate-row" key=${index}>
      <input type="text" class="mono" ...${PLAIN} list=${list} placeholder="metric" aria-label=${`Metric of gate ${index + 1}`} value=${gate.metric}
        onInput=${(event) => onChange(replaced(value, index, { ...gate, metric: event.target.value.trim() }))} />
      ${[['min_value', 'at least'], ['max_value', 'at most']].map(([name, words]) => html`
        <input key=${name} type="number" step="any" placeholder=${words} aria-label=${`${gate.metric || `Gate ${index + 1}`}: ${words}`} value=${gate[name] ?? ''}
          onInput=${(event) => onChange(replaced(value, index, bound(gate, name)(event)))} />`)}
      <${LastValue} gate=${gate} />
      <${IconButton} icon="x" label=${`Remove the gate ${gate.metric || index + 1}`} onClick=${() => onChange(without(value, index))} />
    </div>`)}<//>`;
}

/** What the metric was in the last run of this script, and whether that would pass. */
function LastValue({ gate }) {
  const last = lastMetrics.value?.[gate.metric];
  if (typeof last !== 'number') return html`<span class="last-value"></span>`;
  const passes = (gate.min_value === undefined || last >= gate.min_value) && (gate.max_value === undefined || last <= gate.max_value);
  return html`<span class=${`last-value ${passes ? 'text-good' : 'text-bad'}`} title="Value of the last run of this script">
    <${Icon} name=${passes ? 'check' : 'x'} />last ${Math.round(last * 1000) / 1000}</span>`;
}

const SEVERITIES = ['INFO', 'WARNING', 'ERROR', 'CRITICAL'];

/** Who is told when. @param {{field: import('../lib/schema.js').Field, value: any[], onChange: (value: any[]) => void, fault?: string}} props */
export function AlertsField({ field, value, onChange, fault }) {
  const fresh = () => ({ name: `alert ${value.length + 1}`, condition: '', channels: [], severity: 'WARNING' });
  return html`<${Rows} field=${field} fault=${fault} value=${value} onAdd=${() => onChange([...value, fresh()])}
    add=${{ first: 'Add a rule', again: 'Add another rule' }}>
    ${value.map((rule, index) => html`<${AlertRow} key=${index} rule=${rule} number=${index + 1} onChange=${(next) => onChange(replaced(value, index, next))}
      onRemove=${() => onChange(without(value, index))} />`)}<//>`;
}

function AlertRow({ rule, number, onChange, onRemove }) {
  const called = rule.name || `rule ${number}`;
  const set = (name) => (event) => onChange({ ...rule, [name]: event.target.value });
  const setChannels = (event) => onChange({ ...rule, channels: event.target.value.split(/[,\s]+/).filter(Boolean) });
  return html`<div class="alert-row">
    <input type="text" aria-label=${`Name of rule ${number}`} placeholder="name" value=${rule.name} onInput=${set('name')} />
    <input type="text" class="mono" ...${PLAIN} aria-label=${`Condition of ${called}`} placeholder="execution_time_seconds > 10" value=${rule.condition}
      onInput=${set('condition')} />
    <input type="text" class="mono" ...${PLAIN} aria-label=${`Channels of ${called}`} placeholder="slack, email" defaultValue=${(rule.channels ?? []).join(', ')}
      title="Names of channels, separated by commas" onChange=${setChannels} />
    <select aria-label=${`Severity of ${called}`} value=${rule.severity ?? 'WARNING'} onChange=${set('severity')}>
      ${SEVERITIES.map((each) => html`<option key=${each} value=${each} selected=${each === (rule.severity ?? 'WARNING')}>${each.toLowerCase()}</option>`)}</select>
    <${IconButton} icon="x" label=${`Remove ${called}`} onClick=${onRemove} />
  </div>`;
}
