/** System: is the service well, what does the machine have left, what waits and why. */
import { getJson, request } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { bytes, count, duration, plural, scriptName } from '../lib/format.js';
import { followMachine, loadMachine, machine, machineError, queue } from '../lib/machine.js';
import { useResource } from '../lib/resource.js';
import { describe } from '../lib/run-status.js';
import { useTopic } from '../lib/topic.js';
import { classes, html, useEffect } from '../lib/ui.js';
import { Ago, Card, Empty, ErrorBox, Icon, Moment, Skeleton, TableBox, TableHead } from '../ui/basics.js';
import { Pairs } from '../ui/kv.js';
import { PageHead, SystemTabs } from '../ui/page-head.js';
import { Loaded } from '../ui/states.js';

export const title = () => 'System';

export default function System() {
  useEffect(followMachine, []);
  const host = machine.value;
  return html`<${PageHead} title="System" /><${SystemTabs} current="system" />
    ${!host && (machineError.value
      ? html`<${ErrorBox} error=${machineError.value} title="The state could not be loaded" onRetry=${loadMachine} />`
      : html`<${Card}><${Skeleton} lines=${6} /><//>`)}
    ${host && html`<${State} host=${host} line=${queue.value ?? host.queue} />`}`;
}

function State({ host, line }) {
  return html`<${Verdict} host=${host} line=${line} />
    <div class="figures four">
      <${Load} host=${host} /><${Memory} host=${host} /><${Disk} host=${host} /><${Slots} line=${line} />
    </div>
    <div class="page-grid">
      <${QueueCard} line=${line} />
      <div class="stack"><${SupervisorCard} host=${host} /><${VersionsCard} host=${host} /></div>
    </div>`;
}

/** One sentence: well, or what is wrong; worst first. */
function problems(host, line) {
  return [
    !host.supervisor.alive && ['bad', 'The supervisor gives no sign of life: nothing new is started. Running scripts go on.'],
    host.disk.accepting_runs === false && ['bad',
      `Only ${bytes(host.disk.available ?? 0)} are free on the disk of the data folder: new runs are refused until there is more.`],
    ...(host.supervisor.degraded ?? []).map((each) => ['warn', `The supervisor works without ${each}.`]),
    line.queued >= line.limit && ['bad', 'The queue is full: new runs are refused with 429.'],
    line.oldest_queued_seconds > 60 && ['warn', `The first run in the queue has waited ${duration(line.oldest_queued_seconds)}: all ${line.slots} slots are taken.`],
    host.memory.percent > 92 && ['warn', `${Math.round(host.memory.percent)} % of the memory is used.`],
    host.streams.open >= host.streams.limit * 0.9 && ['warn', `${count(host.streams.open)} of ${count(host.streams.limit)} event streams are open.`],
  ].filter(Boolean);
}

function Verdict({ host, line }) {
  const health = useResource((options) => request('GET', '/api/health', options).then(() => true), []);
  const found = problems(host, line);
  const worst = found.some(([tone]) => tone === 'bad') ? 'bad' : found.length ? 'warn' : 'good';
  const words = { good: 'Everything works', warn: 'Works, with something to look at', bad: 'Something is wrong' }[worst];
  const icons = { good: 'circle-check', warn: 'triangle-alert', bad: 'circle-x' };
  return html`<section class=${classes('verdict', `tone-${worst}`)} data-testid="sys-health" data-tone=${worst} role="status">
    <${Icon} name=${icons[worst]} /><div><strong>${words}</strong>
      <p>${found.length ? '' : `The service answers${health.error ? ', but not to /api/health' : ''}; it has been up for ${duration(host.uptime_seconds)}.`}</p>
      ${found.map(([, text]) => html`<p key=${text}>${text}</p>`)}</div></section>`;
}

function Meter({ share, alarm }) {
  if (share === null || !Number.isFinite(share)) return null;
  return html`<span class=${classes('meter', alarm && 'is-alarm')} aria-hidden="true"><span style=${{ width: `${Math.min(100, Math.max(0,
    share))}%` }}></span></span>`;
}

function Figure({ label, value, note, share, alarm, testid }) {
  return html`<section class="figure card"><h2>${label}</h2><p class="figure-value" data-testid=${testid}>${value}</p>
    <p class="figure-note">${note}</p><${Meter} share=${share} alarm=${alarm} /></section>`;
}

function Load({ host: { cpu_load: [one, five, fifteen], cpu_count: cores } }) {
  return html`<${Figure} label="Load" testid="sys-cpu" value=${html`${one.toFixed(2)} <small class="muted">on ${plural(cores, 'core')}</small>`}
    note=${`${five.toFixed(2)} over 5 min, ${fifteen.toFixed(2)} over 15 min`} share=${(100 * one) / cores} alarm=${one > cores * 1.5} />`;
}

function Memory({ host: { memory } }) {
  if (memory.total === null) return html`<${Figure} label="Memory" testid="sys-memory" value="–" note="not known on this system" share=${null} />`;
  return html`<${Figure} label="Memory" testid="sys-memory" value=${html`${memory.percent} % <small class="muted">used</small>`}
    note=${`${bytes(memory.available)} of ${bytes(memory.total)} available`} share=${memory.percent} alarm=${memory.percent > 92} />`;
}

function Disk({ host: { disk } }) {
  if (disk.total === null) return html`<${Figure} label="Disk of the data folder" testid="sys-disk" value="–" note="not readable" share=${null} />`;
  return html`<${Figure} label="Disk of the data folder" testid="sys-disk" value=${html`${disk.percent} % <small class="muted">used</small>`}
    note=${`${bytes(disk.available)} free${disk.accepting_runs ? '' : ': too little for new runs'}`} share=${disk.percent} alarm=${!disk.accepting_runs} />`;
}

function Slots({ line }) {
  return html`<${Figure} label="Slots" testid="sys-slots" value=${html`${count(Math.min(line.running, line.slots))} <small
    class="muted">of ${count(line.slots)} taken</small>`}
    note=${line.queued ? `${plural(line.queued, 'run')} in the queue` : 'nobody waits'} share=${(100 * line.running) / line.slots} />`;
}

/** What waits, in order, with the reason of each. */
function QueueCard({ line }) {
  const waiting = useResource((options) => getJson('/api/runs', { query: { status: ['queued', 'running'], limit: 200 }, ...options }), []);
  useTopic('runs', waiting.reload);
  return html`<${Card} title="Queue" data-testid="sys-queue" actions=${html`<span class="muted">${count(line.queued)} of at most ${count(line.limit)}</span>`}>
    <${Loaded} resource=${waiting} lines=${4}>${(runs) => html`<${Waiting} runs=${runs} />`}<//><//>`;
}

function Waiting({ runs }) {
  if (!runs.length) return html`<${Empty} icon="hourglass" title="Nothing runs and nothing waits"><p>A slot is free for the next run.</p><//>`;
  const order = (run) => (run.status === 'running' ? -1 : run.queue_position ?? 1e9);
  const ordered = [...runs].sort((a, b) => order(a) - order(b) || a.queued_at.localeCompare(b.queued_at));
  return html`<${TableBox} label="Queue"><table class="plain-table fit"><${TableHead} columns=${['Run', 'State', 'Since']} />
    <tbody>${ordered.slice(0, 50).map((run) => html`<tr key=${run.id}><th scope="row"><a
      href=${href(`/runs/${run.id}`)}>${scriptName(run.request?.script_path ?? run.id)}</a></th>
      <td>${describe(run).phrase}</td><td class="nowrap"><${Ago} at=${run.status === 'running' ? run.started_at : run.queued_at} /></td></tr>`)}</tbody></table><//>
    ${runs.length > 50 && html`<p class="card-note muted">The first 50 of ${count(runs.length)}${runs.length === 200 ? ' or more' : ''}. <a
      href=${href('/?status=queued')}>All in the Runner</a></p>`}`;
}

function SupervisorCard({ host: { supervisor, streams, interpreter, containment } }) {
  return html`<${Card} title="Supervisor"><${Pairs} pairs=${[
    ['State', supervisor.alive ? html`<span class="text-good">alive</span>` : html`<span class="text-bad">no sign of life</span>`],
    ['Last sign of life', supervisor.last_tick_seconds === null ? 'never' : `${duration(supervisor.last_tick_seconds)} ago`],
    ['Since', supervisor.since && html`<${Moment} at=${supervisor.since} />`],
    ['Replaced', supervisor.restarts === null || supervisor.restarts === undefined ? null : supervisor.restarts ? plural(supervisor.restarts, 'time') : 'never'],
    ['Event streams', `${count(streams.open)} of ${count(streams.limit)} open`],
    ['Interpreter of scripts', interpreter.version && `Python ${interpreter.version}, starts in ${Math.round(interpreter.start_ms)} ms`],
    ['Containment', `level ${containment.level}: ${containment.name}`],
  ]} /><//>`;
}

/** The rules of a policy in words, '' without any. */
const rulesOf = ({ days, max_runs: runs, max_mb: size }, noun) => [
  days && plural(days, 'day'), runs && plural(runs, noun), size && `${count(size)} MiB`,
].filter(Boolean).join(' and ');

/** How long runs that are over are kept. */
function RunsKept({ kept }) {
  const rules = rulesOf(kept, 'run');
  if (!rules) return 'until somebody deletes them';
  return html`at most ${rules}${kept.last_round_at && html`, seen to <${Ago} at=${kept.last_round_at} />`}`;
}

/** How long the history is kept, and what that would remove now. */
function Retention({ found: { policy, automatic, would_delete: gone } }) {
  const link = html`<a href=${href('/analytics?part=history#cleanup')}>clean up</a>`;
  if (!automatic) return html`until you ${link}`;
  return html`at most ${rulesOf(policy, 'execution')}${gone.executions > 0 && `; ${plural(gone.executions, 'execution')} will go soon`}, or ${link} now`;
}

function VersionsCard({ host }) {
  const history = useResource((options) => getJson('/api/analytics/history/stats', options), []);
  const stats = history.data;
  const retention = useResource((options) => getJson('/api/analytics/retention/preview', options), []);
  return html`<${Card} title="Version and data"><${Pairs} pairs=${[
    ['Script Runner', host.version],
    ['Up for', duration(host.uptime_seconds)],
    ['History', stats && html`${count(stats.total_executions)} executions of ${plural(stats.unique_scripts,
      'script')}${stats.database_size_mb !== null && `, ${bytes(stats.database_size_mb * 1048576)}`}`],
    ['Oldest execution', stats?.oldest && html`<${Ago} at=${stats.oldest} />`],
    ['Runs kept', html`<span data-testid="sys-runs-kept"><${RunsKept} kept=${host.retention.runs} /></span>`],
    ['History kept', retention.data && html`<${Retention} found=${retention.data} />`],
  ]} /><//>`;
}
