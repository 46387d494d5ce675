/** Needs attention: scripts that fail again and again or became slower, and schedules that did not run. */
import { can, getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { plural, scriptFolder, scriptName } from '../../lib/format.js';
import { watch } from '../../lib/live.js';
import { load, save } from '../../lib/prefs.js';
import { describe } from '../../lib/run-status.js';
import { html, signal, useEffect } from '../../lib/ui.js';
import { Ago, Button, Card, Icon } from '../../ui/basics.js';
import { act } from '../../ui/run-actions.js';
import { showStarted } from '../../lib/runs-list.js';
import { findMissed, findSlower } from '../../lib/troubles.js';
import { showError } from '../../ui/toast.js';

/** At most one look per this time, however many runs change. */
const GATHER_MS = 3000;
const HIDE_MS = 3_600_000;
const SHOWN = 2;

/** Slower scripts are looked for at most this often: that takes the server more work. */
const SLOWER_MS = 300_000;

const troubles = signal(/** @type {any[]} */ ([]));
const missed = signal(/** @type {import('../../lib/troubles.js').Missed[]} */ ([]));
const slower = signal(/** @type {import('../../lib/troubles.js').Slower[]} */ ([]));
let slowerAt = -SLOWER_MS;

/** Take what a look finds; the runs below say what is wrong with the server. */
const take = async (found, look) => {
  try {
    found.value = await look();
  } catch { /* as it was */ }
};
/** Until when a trouble is not shown in this browser, by its key. */
const hidden = signal(load('hidden', {}));
const all = signal(false);

function look() {
  take(troubles, async () => (await getJson('/api/stats/attention')).scripts);
  if (can('schedule.read')) take(missed, findMissed);
  if (!can('analytics.read') || performance.now() - slowerAt < SLOWER_MS) return;
  slowerAt = performance.now();
  take(slower, findSlower);
}

function follow() {
  let timer = 0;
  const soon = () => {
    timer ||= setTimeout(() => {
      timer = 0;
      look();
    }, GATHER_MS);
  };
  look();
  const stop = watch('runs', { onEvent: soon, onResync: soon });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

function hide(key) {
  const now = Date.now();
  const still = Object.entries(hidden.peek()).filter(([, until]) => until > now);
  hidden.value = { ...Object.fromEntries(still), [key]: now + HIDE_MS };
  save('hidden', hidden.value);
}

export function Attention() {
  useEffect(follow, []);
  const now = Date.now();
  const isHidden = (key) => hidden.value[key] > now;
  const failing = troubles.value.filter(({ script_path: path, failures }) => failures > 1 && !isHidden(path));
  const worth = [
    ...failing.map((each) => html`<${Trouble} key=${each.script_path} trouble=${each} />`),
    ...missed.value.filter(({ key }) => !isHidden(key)).map((each) => html`<${MissedRow} key=${each.key} found=${each} />`),
    ...slower.value.filter(({ key, path }) => !isHidden(key) && !failing.some((other) => other.script_path === path))
      .map((each) => html`<${SlowerRow} key=${each.key} found=${each} />`),
  ];
  if (!worth.length) return null;
  const shown = all.value ? worth : worth.slice(0, SHOWN);
  const more = worth.length > SHOWN && html`<${Button} compact=${true} kind="quiet" label=${all.value ? 'Show fewer' : `Show all ${worth.length}`}
    onClick=${() => { all.value = !all.value; }} data-testid="attention-all" />`;
  return html`<${Card} title="Needs attention" class="attention" actions=${more} data-testid="attention"><ul>${shown}</ul><//>`;
}

function Hide({ on }) {
  return html`<${Button} compact=${true} icon="clock" label="Hide 1 h" title="Do not show this in this browser for an hour" onClick=${() => hide(on)} />`;
}

/** @param {{found: import('../../lib/troubles.js').Missed}} props */
function MissedRow({ found: { key, task, at, reason } }) {
  const run = async () => {
    try {
      await (await import('../../lib/tasks.js')).runTask(task);
      look();
    } catch (error) {
      showError(error);
    }
  };
  return html`<li class="trouble is-warning" data-task=${task}>
    <${Icon} name="calendar-clock" />
    <div class="trouble-text"><p><a class="script-name" href=${href(`/schedules/${encodeURIComponent(task)}`)}>${task}</a></p>
      <p>did not run when it was due, <${Ago} at=${at} /> · ${reason}</p></div>
    <div class="row-actions"><${Button} compact=${true} icon="play" label="Run now" onClick=${run}
        refusal=${can('run.start') ? '' : 'Your role may not start runs'} /><${Hide} on=${key} /></div>
  </li>`;
}

/** @param {{found: import('../../lib/troubles.js').Slower}} props */
function SlowerRow({ found: { key, path, percent } }) {
  return html`<li class="trouble is-warning" data-script=${path}>
    <${Icon} name="trending-up" />
    <div class="trouble-text"><p><a class="script-name" href=${href(`/analytics?script=${encodeURIComponent(path)}`)} title=${path}>${scriptName(path)}</a>
        <span class="muted mono ellipsis">${scriptFolder(path)}</span></p>
      <p>its last 5 runs took ${Math.round(percent)} % longer than those before</p></div>
    <div class="row-actions"><${Button} compact=${true} icon="chart-line" label="See trend"
        href=${href(`/analytics?script=${encodeURIComponent(path)}`)} /><${Hide} on=${key} /></div>
  </li>`;
}

function Trouble({ trouble }) {
  const { script_path: path, run_id: id, failures, never_succeeded: never, stderr_snippet: words, error, finished_at: at } = trouble;
  const run = { id, status: 'failed', request: { script_path: path }, reason: trouble.reason, error };
  const lines = words.trimEnd().split('\n').filter(Boolean).slice(-3);
  const what = `failed ${plural(failures, 'time')} in a row${never ? ', never succeeded' : ''}`;
  const restart = () => act('restart', run, (_, answer) => answer && showStarted(answer.run_id));
  return html`<li class="trouble" data-script=${path}>
    <${Icon} name="circle-x" />
    <div class="trouble-text"><p><a class="script-name" href=${href(`/runs/${id}/log`)} title=${path}>${scriptName(path)}</a>
        <span class="muted mono ellipsis">${scriptFolder(path)}</span></p>
      <p>${what} · ${error ?? describe(run).detail} · <${Ago} at=${at} /></p>
      ${lines.length > 0 && html`<pre class="mono" tabindex="0" role="region" aria-label=${`Last lines of ${scriptName(path)}`}>${lines.join('\n')}</pre>`}</div>
    <div class="row-actions"><${Button} compact=${true} icon="scroll-text" label="Log" href=${href(`/runs/${id}/log`)} />
      <${Button} compact=${true} icon="rotate-cw" label="Re-run" onClick=${restart} />
      <${Hide} on=${path} /></div>
  </li>`;
}
