/** Of which script, which metric, over how long: in the address, the same for all parts. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { metrics, titleOf } from '../../lib/metrics.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { html, useId } from '../../lib/ui.js';
import { Card } from '../../ui/basics.js';
import { Tabs } from '../../ui/tabs.js';

const DAYS = [[1, 'last day'], [7, 'last 7 days'], [30, 'last 30 days'], [90, 'last 90 days'], [365, 'last year']];
const OUTCOMES = [['all', 'all outcomes'], ['success', 'only successful'], ['failed', 'only failed']];
const COMMON = ['execution_time_seconds', 'cpu_avg', 'memory_max_mb'];
const TABS = [['trend', 'Trend'], ['benchmarks', 'Benchmarks'], ['history', 'History']];

/** @typedef {{script: string, metric: string, days: number, outcome: string}} Filters */

/** @returns {Filters} */
export function readFilters() {
  const days = Number(query.value.get('days') ?? 30);
  return {
    script: query.value.get('script') ?? '', metric: query.value.get('metric') ?? 'execution_time_seconds',
    days: DAYS.some(([each]) => each === days) ? days : 30, outcome: query.value.get('outcome') ?? 'all',
  };
}

/** The same as the query of an API call. */
export const toQuery = ({ script, days, outcome }) => ({ script_path: script, days, outcome: outcome === 'all' ? null : outcome });

/** The parts of the section, which keep the script. */
export function AnalyticsTabs({ current, filters }) {
  const script = filters.script ? `script=${encodeURIComponent(filters.script)}` : '';
  const address = (key) => href(`/analytics${key === 'trend' ? (script ? `?${script}` : '') : `?part=${key}${script && `&${script}`}`}`);
  const tabs = [...TABS.map(([key, label]) => ({ key, label, href: address(key) })), { key: 'gates', label: 'Try gates',
    href: href(`/analytics/gates${script && `?${script}`}`) }];
  return html`<${Tabs} label="Parts of the analytics" current=${current} tabs=${tabs} />`;
}

/** @param {{filters: Filters, withMetric?: boolean}} props */
export function Filters({ filters, withMetric }) {
  const names = metrics.value?.map(({ name }) => name) ?? [...new Set([...COMMON, filters.metric])];
  const rest = names.filter((name) => !COMMON.includes(name));
  const option = (name) => html`<option key=${name} value=${name} selected=${name === filters.metric}>${titleOf(name)}</option>`;
  return html`<${Card} class="an-filters-card"><div class="an-filters">
    <${ScriptField} value=${filters.script} onChange=${(script) => setQuery({ script })} />
    ${withMetric && html`<div class="field"><label for="an-metric">Metric</label><select id="an-metric" data-testid="an-metric"
      onChange=${(event) => setQuery({ metric: event.target.value })}>
      <optgroup label="Asked for most">${COMMON.map(option)}</optgroup><optgroup label="All others">${rest.map(option)}</optgroup></select></div>`}
    <div class="field"><label for="an-days">Time</label><select id="an-days" data-testid="an-days" onChange=${(event) => setQuery({ days: event.target.value })}>
      ${DAYS.map(([days, words]) => html`<option key=${days} value=${days} selected=${days === filters.days}>${words}</option>`)}</select></div>
    <div class="field"><label for="an-outcome">Runs</label><select id="an-outcome" data-testid="an-outcome"
      onChange=${(event) => setQuery({ outcome: event.target.value === 'all' ? null : event.target.value })}>
      ${OUTCOMES.map(([value, words]) => html`<option key=${value} value=${value} selected=${value === filters.outcome}>${words}</option>`)}</select></div>
  </div><//>`;
}

/** A script of the history, found by typing. */
export function ScriptField({ value, onChange }) {
  const id = useId();
  const found = useResource(loadScripts, []);
  const known = found.data ?? [];
  const read = (event) => {
    const text = event.target.value.trim();
    if (text !== value) onChange(text);
  };
  return html`<div class="field wide"><label for=${id}>Script</label><input id=${id} class="mono" type="text" value=${value} list=${`${id}-list`}
    placeholder="all scripts together" spellcheck=${false}
      autocomplete="off" onChange=${read} data-testid="an-script" />
    <datalist id=${`${id}-list`}>${known.map((path) => html`<option key=${path} value=${path}></option>`)}</datalist></div>`;
}

/** Paths of all scripts that the history has. */
async function loadScripts(options) {
  const { scripts } = await getJson('/api/analytics/overview', { query: { days: 365 }, ...options });
  return scripts.map(({ script_path: path }) => path);
}
