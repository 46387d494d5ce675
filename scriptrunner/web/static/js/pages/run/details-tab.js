/** Everything the record holds: request, attempts, metrics, script, and the plan of a dry run. */
import { href } from '../../lib/boot.js';
import { bytes, duration } from '../../lib/format.js';
import { form, loadForm } from '../../lib/launch-state.js';
import { isChanged } from '../../lib/schema.js';
import { join } from '../../lib/shellwords.js';
import { html, useEffect } from '../../lib/ui.js';
import { Card, Moment, TableBox, TableHead } from '../../ui/basics.js';
import { Pairs } from '../../ui/kv.js';
import { PlanPairs } from '../../ui/launch/plan.js';
import { Value } from '../../ui/value.js';
import { withUnit } from './metrics-tab.js';

export function DetailsTab({ run }) {
  useEffect(() => {
    loadForm();
  }, []);
  const { result, attempts } = run;
  return html`<div class="details" data-testid="details">
    <div class="stack">
      <${RequestCard} run=${run} />
      ${result?.metrics && html`<${MetricsCard} metrics=${result.metrics} />`}
    </div>
    <${RecordCard} run=${run} />
    ${result?.dry_run && html`<${PlanCard} plan=${result} />`}
    ${Array.isArray(attempts) && attempts.length > 0 && html`<${AttemptsCard} attempts=${attempts} />`}
  </div>`;
}

const mono = (text) => text && html`<span class="mono break">${text}</span>`;
const moment = (at) => at && html`<${Moment} at=${at} />`;

/** What was asked, what differs from the defaults first. */
function RequestCard({ run }) {
  const { script_path: path, ...options } = run.request;
  const known = new Map((form.value?.fields ?? []).map((field) => [field.name, field]));
  const all = Object.entries(options);
  const changed = all.filter(([name, value]) => known.has(name) && isChanged(known.get(name), value));
  const rest = all.filter((each) => !changed.includes(each));
  return html`<${Card} title="Request">
    <${Pairs} pairs=${[['script_path', mono(path)], ...changed.map(optionPair)]} />
    <details class="unfold">
      <summary>${known.size ? 'Options at their defaults' : 'All options'}</summary><${Pairs} pairs=${rest.map(optionPair)} />
    </details>
    ${run.ignored_env?.length > 0 && html`<p class="card-note text-warn">Ignored variables: ${run.ignored_env.join(', ')}</p>`}
    ${run.warnings?.map((each) => html`<p key=${each} class="card-note text-warn">${each}</p>`)}
  <//>`;
}

function optionPair([name, value]) {
  if (name === 'args' && value.length) return [name, mono(join(value))];
  return [name, name === 'env_vars' ? html`<${Value} value=${value} />` : String(value)];
}

function RecordCard({ run }) {
  const link = (id) => id && html`<a class="mono" href=${href(`/runs/${id}`)}>${id}</a>`;
  const output = ({ name, size }) => html`<a key=${name} class="pair" download
    href=${href(`/api/runs/${run.id}/outputs/${encodeURIComponent(name)}`)}>${name} (${bytes(size)})</a>`;
  return html`<${Card} title="Record"><${Pairs} pairs=${[
    ['id', mono(run.id)],
    ['status', run.status],
    ['run_status', run.run_status],
    ['phase', run.phase],
    ['reason', run.reason],
    ['error', run.error],
    ['exit_code', run.exit_code],
    ['queued_at', moment(run.queued_at)],
    ['started_at', moment(run.started_at)],
    ['finished_at', moment(run.finished_at)],
    ['duration', run.duration_seconds === null ? null : duration(run.duration_seconds)],
    ['correlation_id', mono(run.correlation_id)],
    ['trigger', run.trigger],
    ['principal', run.principal],
    ['restarted_from', link(run.restarted_from)],
    ['restarted_as', link(run.restarted_as)],
    ['waiting_for', link(run.waiting_for)],
    ['script', mono(run.script?.path ?? run.script?.name)],
    ['script size', typeof run.script?.size === 'number' ? bytes(run.script.size) : null],
    ['sha256', mono(run.script?.sha256)],
    ['outputs', run.outputs?.length ? run.outputs.map(output) : null],
  ]} /><//>`;
}

/** What a dry run found out. */
function PlanCard({ plan }) {
  return html`<${Card} title="What would run"><${PlanPairs} plan=${plan} /><//>`;
}

function AttemptsCard({ attempts }) {
  const size = (value) => (value === null ? '–' : bytes(value));
  const row = (each) => html`<tr key=${each.n}>
    <td class="num">${each.n}</td>
    <td><${Moment} at=${each.started_at} /></td>
    <td><${Moment} at=${each.finished_at} /></td>
    <td>${each.run_status ?? '–'}</td>
    <td>${each.reason ?? '–'}</td>
    <td class="num">${each.exit_code ?? '–'}</td>
    <td class="num nowrap">${size(each.stdout_bytes)}</td>
    <td class="num nowrap">${size(each.stderr_bytes)}</td>
  </tr>`;
  return html`<${Card} title="Attempts"><${TableBox} label="Attempts"><table class="plain-table">
    <${TableHead} columns=${['#No.', 'Started', 'Finished', 'Result', 'Reason', '#Exit', '#stdout', '#stderr']} />
    <tbody>${attempts.map(row)}</tbody>
  </table><//><//>`;
}

/** Numbers of the last attempt, by their names in the API. */
function MetricsCard({ metrics }) {
  const numbers = Object.entries(metrics)
    .filter(([name, value]) => typeof value === 'number' && !['exit_code', 'attempt_number'].includes(name));
  return html`<${Card} title="Metrics of the last attempt">
    <${Pairs} pairs=${numbers.map(([name, value]) => [name, withUnit(name, value)])} />
  <//>`;
}
