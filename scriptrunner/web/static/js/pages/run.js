/** One run: what became of it, its log, steps, events and details. */
import { href } from '../lib/boot.js';
import { bytes, duration, scriptFolder, scriptName } from '../lib/format.js';
import { useHotkeys } from '../lib/hotkeys.js';
import { navigate } from '../lib/router.js';
import { pending } from '../lib/run-actions.js';
import { useRun } from '../lib/run-record.js';
import { describe, isActive } from '../lib/run-status.js';
import { html, useEffect, useRef, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty, ErrorBox, Heading, Icon, Moment, RunDuration, RunStatus, ShortId, Skeleton } from '../ui/basics.js';
import { LogView } from '../ui/log-view.js';
import { act, ActionButton, menuItems } from '../ui/run-actions.js';
import { Menu } from '../ui/menu.js';
import { DetailsTab } from './run/details-tab.js';
import { EventsTab } from './run/events-tab.js';
import { StepsTab } from './run/steps-tab.js';

export const title = () => 'Run';

/** `s` stops, as in the table; so steps have no key. */
const TAB_KEYS = [['l', 'log'], ['e', 'events'], ['d', 'details']];
const TABS = { log: 'Log', steps: 'Steps', events: 'Events', details: 'Details' };

export default function Run({ id, tab, setTitle }) {
  const { run, error, reload } = useRun(id);
  const path = run?.request?.script_path ?? '';
  useEffect(() => {
    if (run) setTitle(`${scriptName(path)} ${run.status}`);
  }, [run?.status, path]);
  const onDone = (name, answer) => {
    if (name === 'remove' && answer) navigate('/');
    else if (name === 'restart' && answer) navigate(`/runs/${answer.run_id}/log`);
    else reload();
  };
  const latest = useRef(null);
  latest.current = run && ((name) => act(name, run, onDone));
  useHotkeys([
    ...TAB_KEYS.map(([keys, name]) => ({ keys, label: `${TABS[name]} of this run`, group: 'Run', run: () => navigate(`/runs/${id}/${name}`) })),
    { keys: 's', label: 'Stop it', group: 'Run', run: () => latest.current?.('stop') },
    { keys: 'Shift K', label: 'Kill it', group: 'Run', run: () => latest.current?.('kill') },
    { keys: 'r', label: 'Restart it', group: 'Run', run: () => latest.current?.('restart') },
  ]);
  if (!run) {
    if (error?.status === 404) return html`<${Gone} />`;
    return error ? html`<${ErrorBox} error=${error} title="The run could not be loaded" onRetry=${reload} />` : html`<${Card}><${Skeleton} lines=${6} /><//>`;
  }
  return html`
    <${Head} run=${run} path=${path} onDone=${onDone} />
    ${error && error.status !== 404 && html`<p class="stale tone-warn" role="status"><${Icon} name="triangle-alert" />Not up to date: ${error.message}</p>`}
    <${ErrorSummary} run=${run} tab=${tab} />
    <nav class="tabs" aria-label="Parts of this run">
      ${Object.entries(TABS).map(([name, label]) => html`<a key=${name} href=${href(`/runs/${id}/${name}`)} aria-current=${tab === name ? 'page' : undefined} data-testid=${`tab-${name}`}>${label}</a>`)}
    </nav>
    <${Tab} key=${tab} name=${tab} run=${run} onDone=${onDone} />`;
}

function Tab({ name, run }) {
  if (name === 'steps') return html`<${Card}><${StepsTab} run=${run} /><//>`;
  if (name === 'events') return html`<${Card}><${EventsTab} run=${run} /><//>`;
  if (name === 'details') return html`<${DetailsTab} run=${run} />`;
  return html`<${LogTab} run=${run} />`;
}

function Gone() {
  return html`<section class="empty page-empty"><${Heading}>Run not found<//><p>It was deleted, or the address is not complete.</p>
    <${Button} href=${href('/')} label="To the Runner" kind="primary" /></section>`;
}

function Head({ run, path, onDone }) {
  return html`<header class="run-head">
    <nav class="crumbs" aria-label="Where this is"><a href=${href('/')}>Runs</a><span aria-hidden="true">/</span><span class="mono ellipsis" title=${path}>${scriptFolder(path)}${scriptName(path)}</span><span aria-hidden="true">/</span><${ShortId} id=${run.id} what="run id" /></nav>
    <div class="run-title">
      <${Heading}>${scriptName(path)}<//>
      <${RunStatus} run=${run} ordered=${pending.value.get(run.id)} />
      <span class="push"></span>
      <div class="run-buttons">
        ${['stop', 'kill', 'restart'].map((name) => html`<${ActionButton} key=${name} name=${name} run=${run} onDone=${onDone} compact=${false} />`)}
        <${Menu} label="More for this run" items=${menuItems(run, { all: false, onDone })} />
      </div>
    </div>
    <${Meta} run=${run} />
  </header>`;
}

/** Facts in one line. */
function Meta({ run }) {
  const attempts = Array.isArray(run.attempts) ? run.attempts.length : 0;
  const { live } = run;
  return html`<p class="meta" data-testid="run-meta">
    ${run.status === 'queued' ? html`<span>queued <${Moment} at=${run.queued_at} /></span>` : html`<span>started <${Moment} at=${run.started_at} /></span><span><${RunDuration} run=${run} /></span>`}
    ${run.exit_code !== null && run.exit_code !== undefined && html`<span>exit code ${run.exit_code}</span>`}
    ${attempts > 1 && html`<span>${attempts} attempts</span>`}
    ${run.phase === 'backoff' && run.next_attempt_at && html`<span>next attempt <${Ago} at=${run.next_attempt_at} /></span>`}
    ${live && html`<span title="CPU of the whole process tree; 100 % is one core">CPU ${live.cpu_percent === null ? '–' : `${Math.round(live.cpu_percent)} %`}</span>
      <span>memory ${live.memory_mb === null ? '–' : bytes(live.memory_mb * 1048576)}</span>`}
    ${!live && run.result?.metrics?.max_memory_mb != null && html`<span title="CPU time of the script and its children">CPU ${duration(run.result.metrics.cpu_time_seconds)}</span><span>memory ${bytes(run.result.metrics.memory_max_mb * 1048576)}</span>`}
    <span>by ${run.trigger} (${run.principal})</span>
    ${run.correlation_id && html`<span>correlation <${ShortId} id=${run.correlation_id} what="correlation id" data-testid="run-corr" /></span>`}
    ${run.restarted_from && html`<span>restart of <a href=${href(`/runs/${run.restarted_from}`)}>${run.restarted_from.slice(0, 8)}</a></span>`}
    ${run.restarted_as && html`<span>restarted as <a href=${href(`/runs/${run.restarted_as}`)}>${run.restarted_as.slice(0, 8)}</a></span>`}
  </p>`;
}

/** Why it failed; beside the other tabs also the last words of the script, with which the log opens. */
function ErrorSummary({ run, tab }) {
  const summary = run.error_summary;
  if (run.status !== 'failed' || !summary) return null;
  const lines = (summary.stderr_snippet ?? '').trimEnd().split('\n').slice(-6);
  // The last line of a traceback names the error.
  const [named] = /^[\w.]+(?:Error|Exception|Warning|Interrupt|Exit)\b.*/.exec(lines.at(-1)) ?? [];
  return html`<section class="error-summary tone-bad" data-testid="error-summary" aria-label="Why it failed">
    <p><${Icon} name="circle-x" /><strong>${[summary.message ?? describe(run).phrase, named].filter(Boolean).join(' · ')}</strong>
      ${tab !== 'log' && html`<a href=${href(`/runs/${run.id}/log`)}>Go to the log</a>`}</p>
    ${tab !== 'log' && lines.join('') && html`<pre class="mono" tabindex="0" role="region" aria-label="Last lines of stderr">${lines.join('\n')}</pre>`}
  </section>`;
}

function LogTab({ run }) {
  const [attempt, setAttempt] = useState(null);
  const numbers = (Array.isArray(run.attempts) ? run.attempts : []).map(({ n }) => n);
  const isLast = attempt === null || attempt === numbers.at(-1);
  const shown = isLast ? numbers.at(-1) ?? null : attempt;
  if (run.request?.dry_run && run.result) return html`<${Card}><${Empty} icon="list-checks" title="Dry run: nothing was started">Details shows the command, the folder and the environment that a real run would get.<//><//>`;
  if (run.status === 'queued') return html`<${Card}><${Empty} icon="hourglass" title="Waiting for a free slot">${describe(run).detail || 'It starts as soon as one is free.'}<//><//>`;
  return html`<${LogView} key=${`${run.id} ${shown ?? ''}`} run=${run} attempt=${shown} attempts=${numbers} onAttempt=${setAttempt} active=${isLast && isActive(run)} />`;
}
