/** One run: what became of it, its log, steps, events and details. */
import { href } from '../lib/boot.js';
import { bytes, duration, scriptFolder, scriptName } from '../lib/format.js';
import { useHotkeys } from '../lib/hotkeys.js';
import { navigate } from '../lib/router.js';
import { pending } from '../lib/run-actions.js';
import { useRun } from '../lib/run-record.js';
import { attemptCount, describe, isActive } from '../lib/run-status.js';
import { html, lazy, useEffect, useRef, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty, ErrorBox, Heading, Icon, Moment, RunDuration, RunStatus, ShortId, Skeleton } from '../ui/basics.js';
import { LogView } from '../ui/log-view.js';
import { Menu } from '../ui/menu.js';
import { Forbidden } from '../ui/states.js';
import { Tabs } from '../ui/tabs.js';
import { act, ActionButton, menuItems } from '../ui/run-actions.js';
import { openChecks } from './run/open-checks.js';
import { RunStrip } from './run/strip.js';

/** Most visits are for the log; the other tabs are fetched when they are opened. */
const LogWindows = lazy(() => import('../ui/log-windows.js').then((module) => module.LogWindows));
const DetailsTab = lazy(() => import('./run/details-tab.js').then((module) => module.DetailsTab));
const EventsTab = lazy(() => import('./run/events-tab.js').then((module) => module.EventsTab));
const StepsTab = lazy(() => import('./run/steps-tab.js').then((module) => module.StepsTab));
const MetricsTab = lazy(() => import('./run/metrics-tab.js').then((module) => module.MetricsTab));
const ChecksTab = lazy(() => import('./run/checks-tab.js').then((module) => module.ChecksTab));
const SourceTab = lazy(() => import('./run/source-tab.js').then((module) => module.SourceTab));

export const title = () => 'Run';

const TABS = { log: 'Log', steps: 'Steps', metrics: 'Metrics', events: 'Events', details: 'Details', checks: 'Checks', source: 'Source' };
/** `s` stops and `e` edits, as in the table; so steps and events have others or none. */
/** @type {[string, string][]} */
const TAB_KEYS = [['l', 'log'], ['v', 'events'], ['d', 'details'], ['m', 'metrics']];

export default function Run({ id, tab = 'log', setTitle }) {
  const { run, error, reload } = useRun(id);
  const path = run?.request?.script_path ?? '';
  const onDone = (name, answer) => {
    if (name === 'remove' && answer) navigate('/');
    else if (name === 'restart' && answer) navigate(`/runs/${answer.run_id}/log`);
    else reload();
  };
  useEffect(() => {
    if (run) setTitle(`${scriptName(path)} ${run.status}`);
  }, [run?.status, path]);
  useRunKeys(id, run && ((name) => act(name, run, onDone)));
  if (!run && error?.status === 404) return html`<${Gone} />`;
  if (!run && error?.status === 403) return html`<${Card}><${Forbidden} words=${error.message} /><//>`;
  if (!run && error) return html`<${ErrorBox} error=${error} title="The run could not be loaded" onRetry=${reload} />`;
  if (!run) return html`<${Card}><${Skeleton} lines=${6} /><//>`;
  return html`
    <${Head} run=${run} path=${path} onDone=${onDone} />
    ${error && html`<p class="stale tone-warn" role="status"><${Icon} name="triangle-alert" />Not up to date: ${error.message}</p>`}
    <${RunStrip} run=${run} tab=${tab} />
    <${ErrorSummary} run=${run} tab=${tab} />
    <${Tabs} label="Parts of this run" current=${tab} tabs=${tabsOf(run)} />
    <${Tab} key=${tab} name=${tab} run=${run} />`;
}

/** The tabs, with what they hold where that is worth a look. */
function tabsOf(run) {
  const open = openChecks(run);
  return Object.entries(TABS).map(([key, label]) => ({
    key, label, href: href(`/runs/${run.id}/${key}`), ...(key === 'checks' && open ? { note: `${open}!`, tone: 'bad' } : {}),
  }));
}

/** Keys for the tabs and the orders; `order` is null until the run is known. */
function useRunKeys(id, order) {
  const latest = useRef(order);
  latest.current = order;
  const tabKey = ([keys, name]) => ({
    keys, label: `${TABS[name]} of this run`, group: 'Run', run: () => navigate(`/runs/${id}/${name}`),
  });
  const orderKey = (keys, label, name) => ({ keys, label, group: 'Run', run: () => latest.current?.(name) });
  useHotkeys([
    ...TAB_KEYS.map(tabKey),
    orderKey('s', 'Stop it', 'stop'), orderKey('Shift K', 'Kill it', 'kill'), orderKey('r', 'Restart it', 'restart'),
    { keys: 'e', label: 'Edit and re-run it', group: 'Run', run: () => navigate(`/launch?from=${id}`) },
    { keys: 'c', label: 'Compare it with the run before', group: 'Run', run: () => navigate(`/compare?a=${id}`) },
  ]);
}

function Tab({ name, run }) {
  if (name === 'steps') return html`<${Card}><${StepsTab} run=${run} /><//>`;
  if (name === 'events') return html`<${Card}><${EventsTab} run=${run} /><//>`;
  if (name === 'details') return html`<${DetailsTab} run=${run} />`;
  if (name === 'metrics') return html`<${MetricsTab} run=${run} />`;
  if (name === 'checks') return html`<${ChecksTab} run=${run} />`;
  if (name === 'source') return html`<${SourceTab} run=${run} />`;
  return html`<${LogTab} run=${run} />`;
}

function Gone() {
  return html`<section class="empty page-empty">
    <${Heading}>Run not found<//>
    <p>It was deleted, or the address is not complete.</p>
    <${Button} href=${href('/')} label="To the Runner" kind="primary" />
  </section>`;
}

function Head({ run, path, onDone }) {
  const slash = html`<span aria-hidden="true">/</span>`;
  return html`<header class="run-head">
    <nav class="crumbs" aria-label="Where this is">
      <a href=${href('/')}>Runs</a>${slash}
      <span class="mono ellipsis" title=${path}>${scriptFolder(path)}${scriptName(path)}</span>${slash}
      <${ShortId} id=${run.id} what="run id" />
    </nav>
    <div class="run-title">
      <${Heading}>${scriptName(path)}<//>
      <${RunStatus} run=${run} ordered=${pending.value.get(run.id)} />
      <span class="push"></span>
      <div class="run-buttons">
        ${['stop', 'kill', 'restart'].map((name) => html`
          <${ActionButton} key=${name} name=${name} run=${run} onDone=${onDone} compact=${false} />`)}
        <${Menu} label="More for this run" items=${menuItems(run, { all: false, onDone })} />
      </div>
    </div>
    <${Meta} run=${run} />
  </header>`;
}

/** Facts in one line; those that do not apply are left out. */
function Meta({ run }) {
  const other = (id) => html`<a href=${href(`/runs/${id}`)}>${id.slice(0, 8)}</a>`;
  const isDry = run.request?.dry_run && run.status !== 'queued';
  const verb = run.status === 'queued' ? 'queued' : isDry ? 'checked' : 'started';
  const facts = [
    html`${verb} <${Moment} at=${run.status === 'queued' ? run.queued_at : run.started_at} />`,
    verb === 'started' && html`<${RunDuration} run=${run} />`,
    typeof run.exit_code === 'number' && `exit code ${run.exit_code}`,
    attemptCount(run) > 1 && `${attemptCount(run)} attempts`,
    run.phase === 'backoff' && run.next_attempt_at && html`next attempt <${Ago} at=${run.next_attempt_at} />`,
    ...cost(run),
    `by ${run.trigger} (${run.principal})`,
    run.correlation_id && html`correlation <${ShortId} id=${run.correlation_id} what="correlation id" data-testid="run-corr" />`,
    run.restarted_from && html`restart of ${other(run.restarted_from)}`,
    run.restarted_as && html`restarted as ${other(run.restarted_as)}`,
  ].filter(Boolean);
  return html`<p class="meta" data-testid="run-meta">${facts.map((fact, index) => html`<span key=${index}>${fact}</span>`)}</p>`;
}

/** CPU and memory: as they are now, or what the run took in all. */
function cost({ live, result }) {
  const metrics = result?.metrics;
  if (live) {
    const percent = live.cpu_percent === null ? '–' : `${Math.round(live.cpu_percent)} %`;
    return [
      html`<span title="CPU of the whole process tree; 100 % is one core">CPU ${percent}</span>`,
      live.memory_mb !== null && `memory ${bytes(live.memory_mb * 1048576)}`,
    ];
  }
  if (typeof metrics?.memory_max_mb !== 'number') return [];
  return [
    html`<span title="CPU time of the script and its children">CPU ${duration(metrics.cpu_time_seconds)}</span>`,
    `memory ${bytes(metrics.memory_max_mb * 1048576)}`,
  ];
}

/** Why it failed; beside the other tabs also the last words of the script, with which the log opens. */
function ErrorSummary({ run, tab }) {
  const summary = run.error_summary;
  if (run.status !== 'failed' || !summary) return null;
  const lines = (summary.stderr_snippet ?? '').trimEnd().split('\n').slice(-6);
  // The last line of a traceback names the error.
  const [named] = /^[\w.]+(?:Error|Exception|Warning|Interrupt|Exit)\b.*/.exec(lines.at(-1)) ?? [];
  const sentence = [summary.message ?? describe(run).phrase, named].filter(Boolean).join(' · ');
  return html`<section class="error-summary tone-bad" data-testid="error-summary" aria-label="Why it failed">
    <p><${Icon} name="circle-x" /><strong>${sentence}</strong>
      ${tab !== 'log' && html`<a href=${href(`/runs/${run.id}/log`)}>Go to the log</a>`}</p>
    ${tab !== 'log' && lines.join('') && html`
      <pre class="mono" tabindex="0" role="region" aria-label="Last lines of stderr">${lines.join('\n')}</pre>`}
  </section>`;
}

/** Lines beyond which a finished log is read from the server, a window at a time. */
const MAX_LINES = 500_000;

function LogTab({ run }) {
  const [attempt, setAttempt] = useState(null);
  const tooLong = Math.max(run.result?.stdout_lines ?? 0, run.result?.stderr_lines ?? 0) > MAX_LINES;
  const [whole, setWhole] = useState(tooLong);
  const numbers = (Array.isArray(run.attempts) ? run.attempts : []).map(({ n }) => n);
  const isLast = attempt === null || attempt === numbers.at(-1);
  const shown = isLast ? numbers.at(-1) ?? null : attempt;
  if (run.request?.dry_run && run.result) {
    return html`<${Card}><${Empty} icon="list-checks" title="Dry run: nothing was started">
      Details shows the command, the folder and the environment that a real run would get.<//><//>`;
  }
  if (run.status === 'queued') {
    return html`<${Card}><${Empty} icon="hourglass" title="Waiting for a free slot">
      ${describe(run).detail || 'It starts as soon as one is free.'}<//><//>`;
  }
  const props = { run, attempt: shown, attempts: numbers, onAttempt: setAttempt };
  if (whole && !(isLast && isActive(run))) return html`<${LogWindows} key=${`${run.id} ${shown ?? ''}`} ...${props} onBack=${tooLong ? null : () => setWhole(false)} />`;
  return html`<${LogView} key=${`${run.id} ${shown ?? ''}`} ...${props} active=${isLast && isActive(run)} onAll=${() => setWhole(true)} />`;
}
