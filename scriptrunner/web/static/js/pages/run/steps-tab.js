/** Steps of an attempt: a bar for each along the time, and the same as a table. */
import { getJson } from '../../lib/api.js';
import { duration, plural } from '../../lib/format.js';
import { isActive } from '../../lib/run-status.js';
import { html, useEffect, useState } from '../../lib/ui.js';
import { Empty, ErrorBox, Icon, Skeleton, TableBox, TableHead } from '../../ui/basics.js';
import { Value } from '../../ui/value.js';

const LOOKS = {
  done: { icon: 'circle-check', tone: 'good' },
  running: { icon: 'loader-circle', tone: 'info' },
  skip: { icon: 'circle-dashed', tone: 'quiet' },
  error: { icon: 'circle-x', tone: 'bad' },
};

export function StepsTab({ run }) {
  const [state, setState] = useState({ report: null, error: null });
  const load = async () => {
    try {
      setState({ report: await getJson(`/api/runs/${run.id}/visualization`), error: null });
    } catch (error) {
      setState({ report: null, error });
    }
  };
  // The record is fetched anew with every change of the run, and so are its steps.
  useEffect(() => {
    load();
  }, [run]);
  const { report, error } = state;
  if (error?.code === 'visualizer_not_enabled') {
    return html`<${Empty} icon="list-checks" title="No step report for this run">
      It is kept only on request: open “Check & steps” in the launch form and switch on “Keep the step report”.<//>`;
  }
  if (error) return html`<${ErrorBox} error=${error} title="The steps could not be loaded" onRetry=${load} />`;
  if (!report) return html`<${Skeleton} lines=${6} />`;
  if (!report.steps.length) return html`<${Empty} icon="hourglass" title="No steps yet">They appear as soon as the run starts.<//>`;
  return html`<${Steps} report=${report} active=${isActive(run)} />`;
}

function Steps({ report, active }) {
  const end = Math.max(...report.steps.map(({ elapsed_s: from, duration_s: long }) => (from ?? 0) + (long ?? 0)), 0.001);
  const seconds = report.footer.execution_time_s;
  const facts = [
    plural(report.steps.length, 'step'), typeof seconds === 'number' && `the script itself took ${duration(seconds)}`, active && 'still going on',
  ].filter(Boolean);
  return html`<p class="card-note">Attempt ${report.header.attempt}: ${facts.join(', ')}.</p>
    <${TableBox} label="Steps"><table class="plain-table steps" data-testid="steps-table">
      <${TableHead} columns=${['Step', 'Status', '#Begins', '#Takes', 'Along the time', 'Details']} />
      <tbody>${report.steps.map((step) => html`<${Step} key=${step.step} step=${step} end=${end} />`)}</tbody>
    </table><//>
    ${report.text && html`<details class="unfold"><summary>As text</summary><pre class="mono" tabindex="0">${report.text}</pre></details>`}`;
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
