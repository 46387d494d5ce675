/** Checks of a run: gates, scans, alert rules, baseline, report and cost, each passed or not. */
import { href } from '../../lib/boot.js';
import { plural } from '../../lib/format.js';
import { isActive } from '../../lib/run-status.js';
import { html } from '../../lib/ui.js';
import { Card, Empty, Icon, TableBox, TableHead } from '../../ui/basics.js';
import { Pairs } from '../../ui/kv.js';
import { Value } from '../../ui/value.js';
import { withUnit } from './metrics-tab.js';

export function ChecksTab({ run }) {
  const { result, request } = run;
  const scans = result?.scans ?? run.error_summary?.scan_results ?? {};
  const asked = request.performance_gates?.length || request.alerts?.length || request.load_baseline || request.save_baseline || request.junit_output
    || request.enable_code_analysis || request.enable_secret_scanning || request.enable_dependency_scanning || request.enable_cost_tracking;
  if (!result) {
    return html`<${Card}><${Empty} icon="shield-check" title=${isActive(run) && asked ? 'Judged when the run is over' : 'No checks'}>
      ${asked ? 'Gates, alert rules and reports are looked at then.' : 'This run was not asked for any.'}<//><//>`;
  }
  const parts = [
    result.performance_gates_results?.length > 0 && html`<${Gates} results=${result.performance_gates_results} />`,
    ...Object.entries(scans).map(([kind, scan]) => html`<${Scan} key=${kind} kind=${kind} scan=${scan} run=${run} />`),
    result.alerts?.length > 0 && html`<${Alerts} alerts=${result.alerts} />`,
    (request.load_baseline || request.save_baseline || request.junit_output) && html`<${Reports} run=${run} />`,
    result.cost && html`<${Cost} cost=${result.cost} />`,
  ].filter(Boolean);
  if (!parts.length) {
    return html`<${Card}><${Empty} icon="shield-check" title="No checks were asked for">
      Gates, scans and alert rules are options of the launch form. <a href=${href(`/launch?from=${run.id}`)}>Edit and re-run</a> this run to add some.<//><//>`;
  }
  return html`<div class="stack" data-testid="checks">${parts}</div>`;
}

function Verdict({ good, word }) {
  return html`<span class=${`status tone-${good ? 'good' : 'bad'}`}><span class="badge"><${Icon} name=${good ? 'circle-check' : 'circle-x'} />${word}</span></span>`;
}

function Gates({ results }) {
  const failed = results.filter(({ passed }) => !passed).length;
  const bounds = ({ min_value: low, max_value: high }) => [
    low !== null && low !== undefined && `≥ ${low}`, high !== null && high !== undefined && `≤ ${high}`].filter(Boolean).join(' and ');
  return html`<${Card} title="Gates"><p class="card-note">${failed ? `${failed} of ${plural(results.length, 'gate')} not kept.` : `All kept: ${plural(results.length, 'gate')}.`}</p>
    <${TableBox} label="Gates"><table class="plain-table" data-testid="gates-table"><${TableHead} columns=${['Result', 'Metric', '#Value', 'Bounds', 'In words']} />
    <tbody>${results.map((gate, index) => html`<tr key=${index}><td><${Verdict} good=${gate.passed} word=${gate.passed ? 'passed' : 'failed'} /></td>
      <th scope="row" class="mono">${gate.metric}</th><td class="num nowrap">${typeof gate.value === 'number' ? withUnit(gate.metric, gate.value) : '–'}</td>
      <td class="nowrap">${bounds(gate)}</td><td>${gate.message}</td></tr>`)}</tbody></table><//><//>`;
}

const SCANS = { secrets: 'Secrets', code_analysis: 'Code analysis', dependencies: 'Dependencies' };
const TONES = { CRITICAL: 'bad', HIGH: 'bad', MEDIUM: 'warn', LOW: 'quiet' };
const OUTCOMES = { clean: ['good', 'circle-check', 'clean'], findings: ['warn', 'triangle-alert', 'findings'], unavailable: ['quiet', 'circle-help', 'not available'], error: ['bad', 'circle-x', 'failed'] };

function Scan({ kind, scan, run }) {
  const [tone, icon, word] = OUTCOMES[scan.status] ?? ['quiet', 'circle-help', scan.status];
  const findings = scan.findings ?? [];
  const counts = Object.entries(scan.counts ?? {}).map(([severity, number]) => `${number} ${severity.toLowerCase()}`).join(', ');
  const more = Object.values(scan.counts ?? {}).reduce((sum, each) => sum + each, 0) - findings.length;
  return html`<${Card} title=${SCANS[kind] ?? kind} data-testid=${`scan-${kind}`} actions=${html`<span class=${`status tone-${scan.blocked ? 'bad' : tone}`}>
      <span class="badge"><${Icon} name=${scan.blocked ? 'circle-x' : icon} />${scan.blocked ? 'blocked the run' : word}</span></span>`}>
    <p class="card-note">${[counts, scan.reason, scan.suppressed > 0 && `${scan.suppressed} suppressed by # nosec`, more > 0 && `the first ${findings.length} are listed`].filter(Boolean).join(' · ')
      || (scan.status === 'clean' ? 'Nothing found.' : '')}</p>
    ${findings.length > 0 && html`<${TableBox} label=${`Findings of ${SCANS[kind] ?? kind}`}><table class="plain-table">
      <${TableHead} columns=${['Severity', 'Rule', 'Where', 'What']} />
      <tbody>${findings.map((each, index) => html`<tr key=${index}>
        <td><span class=${`status tone-${TONES[each.severity] ?? 'quiet'}`}><span class="badge">${each.severity.toLowerCase()}</span></span></td>
        <td class="mono">${each.id}</td>
        <td class="nowrap">${each.line ? html`<a href=${href(`/runs/${run.id}/source#L${each.line}`)}>line ${each.line}</a>` : each.package ?? '–'}</td>
        <td>${each.message}${each.masked_value && html` <code>${each.masked_value}</code>`}${each.fixed_versions?.length > 0 && html` <span class="muted">fixed in ${each.fixed_versions.join(', ')}</span>`}</td></tr>`)}
      </tbody></table><//>`}<//>`;
}

function Alerts({ alerts }) {
  const state = (alert) => (alert.triggered ? html`<span class="status tone-warn"><span class="badge"><${Icon} name="bell" />triggered</span></span>`
    : html`<span class="status tone-quiet"><span class="badge"><${Icon} name="circle-minus" />${alert.skipped || alert.missing ? 'skipped' : 'not triggered'}</span></span>`);
  return html`<${Card} title="Alert rules"><${TableBox} label="Alert rules"><table class="plain-table" data-testid="alerts-table">
    <${TableHead} columns=${['Result', 'Rule', 'Severity', 'Condition', 'Values', 'Told']} />
    <tbody>${alerts.map((alert, index) => html`<tr key=${index}><td>${state(alert)}</td><th scope="row">${alert.name}</th><td>${alert.severity.toLowerCase()}</td>
      <td class="mono">${alert.condition}</td><td><${Value} value=${alert.values ?? {}} /></td>
      <td>${(alert.deliveries ?? []).map((each) => html`<span key=${each.channel} class="pair">${each.channel}: ${each.status}${each.tries > 1 && ` after ${each.tries} tries`}</span> `)}</td></tr>`)}
    </tbody></table><//><//>`;
}

function Reports({ run: { id, result, request } }) {
  const output = (name) => name && html`<a href=${href(`/api/runs/${id}/outputs/${encodeURIComponent(name)}`)} download>${name}</a>`;
  const bad = (text) => text && html`<span class="text-bad">${text}</span>`;
  return html`<${Card} title="Baseline and reports"><${Pairs} pairs=${[
    ['Compared with', request.load_baseline && (bad(result.baseline_load_error) || html`${request.load_baseline}, <a href=${href(`/runs/${id}/metrics`)}>see Metrics</a>`)],
    ['Saved as baseline', request.save_baseline && (bad(result.baseline_save_error) || output(result.baseline_saved) || 'not saved: the run did not succeed')],
    ['JUnit report', request.junit_output && (bad(result.junit_error) || output(result.junit_output) || 'not written')],
  ]} /><//>`;
}

function Cost({ cost: { currency, rates, usage, cost } }) {
  const money = (value) => `${value.toLocaleString('en', { maximumFractionDigits: 6 })} ${currency}`;
  return html`<${Card} title="Cost, estimated"><${Pairs} pairs=${[
    ['Total', html`<strong>${money(cost.total)}</strong>`],
    ['CPU', `${money(cost.cpu)}: ${usage.cpu_seconds} s at ${rates.cpu_hour} ${currency} per hour`],
    ['Memory', `${money(cost.memory)}: ${usage.memory_gib_seconds} GiB·s at ${rates.memory_gib_hour} ${currency} per GiB and hour`],
    ['Rates', rates.source],
  ]} /><//>`;
}
