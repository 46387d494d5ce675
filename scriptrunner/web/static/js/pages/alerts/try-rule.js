/** Try a condition on runs that were, before a run of tomorrow relies on it. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { scriptName } from '../../lib/format.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { html, useEffect, useState } from '../../lib/ui.js';
import { Ago, Card, Empty, Icon } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { Loaded } from '../../ui/states.js';

/** Runs that a condition is tried on. */
const LAST = 10;
const EXAMPLES = ['execution_time > 60', 'memory_mb > 512 or cpu_max > 90', 'exit_code != 0', 'not success and attempt_number == 3'];

export function TryRule() {
  const condition = query.value.get('condition') ?? EXAMPLES[0];
  const [text, setText] = useState(condition);
  useEffect(() => {
    if (text === condition) return undefined;
    const timer = setTimeout(() => setQuery({ condition: text }), 300);
    return () => clearTimeout(timer);
  }, [text]);
  const runs = useResource((options) => getJson('/api/runs', { query: { status: ['completed', 'failed'], limit: LAST }, ...options }), []);
  const check = useResource((options) => getJson('/api/alerts/check', { query: { condition }, ...options }), [condition]);
  return html`<${Card} title="Try a rule"><div class="card-body">
      <div class="field"><label for="try-condition">Condition</label><input id="try-condition" class="mono" type="text" maxlength="500" value=${text}
        spellcheck=${false} autocomplete="off"
          aria-describedby="try-verdict" onInput=${(event) => setText(event.target.value)} data-testid="try-condition" />
        <p class="help">Metrics compared with numbers, joined by and, or, not and parentheses.</p></div>
      <div class="chips">${EXAMPLES.map((each) => html`<button key=${each} type="button" class=${`chip mono ${each === text ? 'is-on' : ''}`}
        onClick=${() => setText(each)}>${each}</button>`)}</div>
      <div id="try-verdict" role="status" data-testid="try-verdict"><${Loaded} resource=${check} lines=${1}
        title="The condition could not be checked">${(found) => html`<${Verdict} found=${found} text=${condition} />`}<//></div>
    </div>
    <${Loaded} resource=${runs} title="The runs could not be loaded">${(items) => (items.length ? check.data?.valid && html`<${Runs} key=${condition}
      runs=${items} condition=${condition} />`
    : html`<${Empty} icon="play" title="No run to try it on"><p>As soon as a run is over, the condition is tried on it.</p><//>`)}<//><//>`;
}

function Verdict({ found, text }) {
  if (found.valid) {
    return html`<p class="text-good line-up"><${Icon} name="check" />It can be read${found.metrics.length > 0 && `, and asks for ${found.metrics.join(', ')}`}.</p>
      ${found.warnings.map((each) => html`<p key=${each} class="text-warn">${each}</p>`)}`;
  }
  const at = (found.column ?? 1) - 1;
  return html`<p class="text-bad">${found.problem}</p><pre class="mono" aria-hidden="true">${text}\n${' '.repeat(at)}^</pre>`;
}

/** What the condition says of each of the last runs. */
function Runs({ runs, condition }) {
  const found = useResource(async (options) => Promise.all(runs.map(async (run) => ({ run, check: await getJson('/api/alerts/check',
    { query: { condition, run_id: run.id }, ...options }) }))), [condition]);
  const columns = [
    { key: 'run', title: 'Run', head: true, render: ({ run }) => html`<a
      href=${href(`/runs/${run.id}`)}>${scriptName(run.request.script_path)}</a> <small class="muted"><${Ago} at=${run.started_at} /></small>` },
    { key: 'met', title: 'Alert', render: ({ check }) => (check.met === null ? html`<span class="muted">undecided</span>` : check.met ? html`<span
      class="badge tone-bad"><${Icon} name="bell" />would alert</span>` : html`<span class="badge tone-good"><${Icon} name="check" />quiet</span>`) },
    { key: 'values', title: 'Because', class: 'break', render: ({ check }) => [...Object.entries(check.values).map(([name,
      value]) => `${name} = ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`),
        ...check.missing.map((name) => `${name} is missing`)].join(', ') || '–' },
  ];
  return html`<${Loaded} resource=${found} title="The condition could not be tried">${(rows) => html`
    <p class="part-note" data-testid="try-count">It would have alerted ${rows.filter(({ check }) => check.met).length} of the last ${rows.length} times.</p>
    <${DataTable} label="The condition on the last runs" columns=${columns} rows=${rows} rowKey=${({ run }) => run.id} testid="try-runs" />`}<//>`;
}
