/** Steps of an attempt: a bar for each along the time, and the same as a table. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { duration, now, parseTime, plural } from '../../lib/format.js';
import { useResource } from '../../lib/resource.js';
import { isActive } from '../../lib/run-status.js';
import { html, useEffect } from '../../lib/ui.js';
import { Empty, Icon, TableBox, TableHead } from '../../ui/basics.js';
import { Loaded } from '../../ui/states.js';
import { Value } from '../../ui/value.js';

const LOOKS = {
  done: { icon: 'circle-check', tone: 'good' },
  running: { icon: 'loader-circle', tone: 'info' },
  skip: { icon: 'circle-dashed', tone: 'quiet' },
  error: { icon: 'circle-x', tone: 'bad' },
};

export function StepsTab({ run }) {
  return run.request?.enable_visualizer ? html`<${Reported} run=${run} />` : html`<${Known} run=${run} />`;
}

function Reported({ run }) {
  const report = useResource((options) => getJson(`/api/runs/${run.id}/visualization`, options), [run.id]);
  // The record is fetched anew with every change of the run, and so are its steps.
  useEffect(() => {
    if (report.data) report.reload();
  }, [run]);
  return html`<${Loaded} resource=${report} lines=${6} title="The steps could not be loaded">${(data) => (data.steps.length
    ? html`<${Steps} report=${data} active=${isActive(run)} />`
    : html`<${Empty} icon="hourglass" title="No steps yet">They appear as soon as the run starts.<//>`)}<//>`;
}

/** Without a report: what the record tells by itself, and how to get the rest. */
function Known({ run }) {
  const steps = knownSteps(run, now.value);
  const how = html`<p class="card-note" data-testid="no-report">No step report for this run: it is kept only on request.
    <a href=${href(`/launch?from=${run.id}`)}>Re-run it</a> with “Keep the step report” for each step with its time.</p>`;
  if (!steps.length) return html`${how}<${Empty} icon="hourglass" title="Nothing has begun yet" />`;
  return html`${how}<${StepTable} steps=${steps} />`;
}

/** The queue, the attempts and the waits between them, as steps. */
export function knownSteps(run, at) {
  const start = parseTime(run.queued_at);
  const seconds = (time) => (time - start) / 1000;
  const steps = [];
  let before = start;
  for (const each of Array.isArray(run.attempts) ? run.attempts : []) {
    const from = parseTime(each.started_at);
    if (from === null) continue;
    const until = parseTime(each.finished_at) ?? at;
    steps.push({ stage: steps.length ? 'Wait' : 'Queue', description: steps.length ? 'Until the next attempt' : 'Until a slot was free', status: 'done', elapsed_s: seconds(before), duration_s: (from - before) / 1000 });
    steps.push({
      stage: `Attempt ${each.n}`, description: each.reason ?? '', elapsed_s: seconds(from), duration_s: Math.max(0, (until - from) / 1000),
      status: each.finished_at === null ? 'running' : each.run_status === 'success' ? 'done' : 'error',
      details: { exit_code: each.exit_code },
    });
    before = until;
  }
  return steps.map((step, index) => ({ step: index + 1, ...step }));
}

function Steps({ report, active }) {
  const seconds = report.footer.execution_time_s;
  const facts = [
    plural(report.steps.length, 'step'), typeof seconds === 'number' && `the script itself took ${duration(seconds)}`, active && 'still going on',
  ].filter(Boolean);
  return html`<p class="card-note">Attempt ${report.header.attempt}: ${facts.join(', ')}.</p>
    <${StepTable} steps=${report.steps} />
    ${report.text && html`<details class="unfold"><summary>As text</summary><pre class="mono" tabindex="0">${report.text}</pre></details>`}`;
}

/** A row per step, with a bar along the time. */
function StepTable({ steps }) {
  const end = Math.max(...steps.map(({ elapsed_s: from, duration_s: long }) => (from ?? 0) + (long ?? 0)), 0.001);
  return html`<${TableBox} label="Steps"><table class="plain-table steps" data-testid="steps-table">
    <${TableHead} columns=${['Step', 'Status', '#Begins', '#Takes', 'Along the time', 'Details']} />
    <tbody>${steps.map((step) => html`<${Step} key=${step.step} step=${step} end=${end} />`)}</tbody>
  </table><//>`;
}

function Step({ step, end }) {
  const { icon, tone } = LOOKS[step.status] ?? LOOKS.skip;
  const from = step.elapsed_s ?? 0;
  const long = step.duration_s ?? (step.status === 'running' ? end - from : 0);
  const skipped = step.status === 'skip';
  return html`<tr class=${skipped ? 'is-skipped' : ''}>
    <th scope="row">${step.stage}<small class="muted">${step.description}</small></th>
    <td><span class=${`status tone-${tone}`}><span class="badge"><${Icon} name=${icon} />${step.status}</span></span></td>
    <td class="num nowrap">${skipped ? '' : duration(from)}</td>
    <td class="num nowrap">${step.duration_s === null || step.duration_s === undefined || skipped ? '' : duration(step.duration_s)}</td>
    <td class="step-bar-col">${!skipped && html`<span class=${`step-bar tone-${tone}`} aria-hidden="true">
      <span style=${{ marginLeft: `${(100 * from) / end}%`, width: `${Math.max(0.5, (100 * long) / end)}%` }}></span></span>`}</td>
    <td>${step.details && Object.keys(step.details).length > 0 && html`<${Value} value=${step.details} />`}</td>
  </tr>`;
}
