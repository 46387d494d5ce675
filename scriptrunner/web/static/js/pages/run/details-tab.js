/** Everything the record holds: request, attempts, metrics, script, and the plan of a dry run. */
import { loadForm, form } from '../../lib/launch-state.js';
import { href } from '../../lib/boot.js';
import { bytes, duration } from '../../lib/format.js';
import { isChanged } from '../../lib/schema.js';
import { join } from '../../lib/shellwords.js';
import { html, useEffect } from '../../lib/ui.js';
import { Card, Moment, TableBox } from '../../ui/basics.js';
import { Value } from '../../ui/value.js';

export function DetailsTab({ run }) {
  useEffect(() => {
    loadForm();
  }, []);
  return html`<div class="details" data-testid="details">
    <div class="stack"><${RequestCard} run=${run} />${run.result?.metrics && html`<${MetricsCard} metrics=${run.result.metrics} />`}</div>
    <${RecordCard} run=${run} />
    ${run.result?.dry_run && html`<${Card} title="What would run"><${Pairs} pairs=${Object.entries(run.result).filter(([name, value]) => !['dry_run', 'message'].includes(name) && value !== null).map(([name, value]) => [name, html`<${Value} value=${value} />`])} /><//>`}
    ${Array.isArray(run.attempts) && run.attempts.length > 0 && html`<${AttemptsCard} attempts=${run.attempts} />`}
  </div>`;
}

/** A list of names and what to show for them; empty ones are left out. */
function Pairs({ pairs }) {
  return html`<dl class="kv">${pairs.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) => html`
    <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What was asked, what differs from the defaults first. */
function RequestCard({ run }) {
  const { request } = run;
  const fields = form.value?.fields ?? [];
  const known = new Map(fields.map((field) => [field.name, field]));
  const shown = ([name, value]) => [name, name === 'args' && value.length ? html`<code>${join(value)}</code>` : name === 'env_vars' ? html`<${Value} value=${value} />` : String(value)];
  const all = Object.entries(request).filter(([name]) => name !== 'script_path');
  const changed = all.filter(([name, value]) => known.has(name) && isChanged(known.get(name), value));
  const rest = all.filter((each) => !changed.includes(each));
  return html`<${Card} title="Request">
    <${Pairs} pairs=${[['script_path', html`<span class="mono">${request.script_path}</span>`], ...changed.map(shown)]} />
    <details class="unfold" open=${!changed.length && !fields.length}><summary>${known.size ? 'Options at their defaults' : 'All options'}</summary><${Pairs} pairs=${rest.map(shown)} /></details>
    ${run.ignored_env?.length > 0 && html`<p class="card-note text-warn">Ignored variables: ${run.ignored_env.join(', ')}</p>`}
    ${run.warnings?.map((each) => html`<p key=${each} class="card-note text-warn">${each}</p>`)}
  <//>`;
}

function RecordCard({ run }) {
  const link = (id) => id && html`<a class="mono" href=${href(`/runs/${id}`)}>${id}</a>`;
  return html`<${Card} title="Record"><${Pairs} pairs=${[
    ['id', html`<span class="mono">${run.id}</span>`],
    ['status', run.status], ['run_status', run.run_status], ['phase', run.phase], ['reason', run.reason], ['error', run.error],
    ['exit_code', run.exit_code], ['queued_at', html`<${Moment} at=${run.queued_at} />`], ['started_at', html`<${Moment} at=${run.started_at} />`],
    ['finished_at', run.finished_at && html`<${Moment} at=${run.finished_at} />`], ['duration', run.duration_seconds === null ? null : duration(run.duration_seconds)],
    ['correlation_id', run.correlation_id && html`<span class="mono">${run.correlation_id}</span>`], ['trigger', run.trigger], ['principal', run.principal],
    ['restarted_from', link(run.restarted_from)], ['restarted_as', link(run.restarted_as)], ['waiting_for', link(run.waiting_for)],
    ['script', run.script && html`<span class="mono">${run.script.path ?? run.script.name}</span>`],
    ['sha256', run.script?.sha256 && html`<span class="mono break">${run.script.sha256}</span>`],
    ['script size', run.script?.size != null ? bytes(run.script.size) : null],
    ['outputs', run.outputs?.length ? html`${run.outputs.map(({ name, size }) => html`<a key=${name} class="pair" download href=${href(`/api/runs/${run.id}/outputs/${encodeURIComponent(name)}`)}>${name} (${bytes(size)})</a>`)}` : null],
  ]} /><//>`;
}

function AttemptsCard({ attempts }) {
  return html`<${Card} title="Attempts"><${TableBox} label="Attempts"><table class="plain-table">
    <thead><tr><th scope="col" class="num">#</th><th scope="col">Started</th><th scope="col">Finished</th><th scope="col">Result</th><th scope="col">Reason</th><th scope="col" class="num">Exit</th><th scope="col" class="num">stdout</th><th scope="col" class="num">stderr</th></tr></thead>
    <tbody>${attempts.map((each) => html`<tr key=${each.n}><td class="num">${each.n}</td><td><${Moment} at=${each.started_at} /></td><td><${Moment} at=${each.finished_at} /></td><td>${each.run_status ?? '–'}</td><td>${each.reason ?? '–'}</td>
      <td class="num">${each.exit_code ?? '–'}</td><td class="num nowrap">${each.stdout_bytes === null ? '–' : bytes(each.stdout_bytes)}</td><td class="num nowrap">${each.stderr_bytes === null ? '–' : bytes(each.stderr_bytes)}</td></tr>`)}</tbody>
  </table><//><//>`;
}

/** Numbers of the last attempt, by their names in the API. */
function MetricsCard({ metrics }) {
  const numbers = Object.entries(metrics).filter(([name, value]) => typeof value === 'number' && !['exit_code', 'attempt_number'].includes(name));
  const unit = (name, value) => {
    if (name.endsWith('_seconds')) return duration(value);
    if (name.endsWith('_mb')) return bytes(value * 1048576);
    if (name.endsWith('_kb')) return bytes(value * 1024);
    if (name.endsWith('_bytes')) return bytes(value);
    if (name.startsWith('cpu_')) return `${Math.round(value * 10) / 10} % of one core`;
    return String(Math.round(value * 1000) / 1000);
  };
  return html`<${Card} title="Metrics of the last attempt"><${Pairs} pairs=${numbers.map(([name, value]) => [name, unit(name, value)])} /><//>`;
}
