/** Small parts that show a task, and the orders that ask first. */
import { href } from '../lib/boot.js';
import { absolute, parseTime, plural } from '../lib/format.js';
import { zone } from '../lib/prefs.js';
import { showInRunner } from '../lib/runs-list.js';
import { dependantsOf, inZone, LAST_TONES, removeTask, runTask, setEnabled, STATES } from '../lib/tasks.js';
import { html } from '../lib/ui.js';
import { Ago, Icon } from './basics.js';
import { confirm } from './dialog.js';
import { showError, showToast } from './toast.js';

export function TaskState({ task }) {
  const { tone, icon, word } = STATES[task.state] ?? STATES.idle;
  const why = task.state === 'waiting' ? `for ${task.waiting_for.join(', ')}` : task.state === 'paused' ? task.paused_reason : '';
  return html`<span class=${`status tone-${tone}`} data-testid="task-state" data-state=${task.state}><span class="badge"><${Icon} name=${icon} />${word}</span>
    ${why && html`<span class="status-detail">${why}</span>`}</span>`;
}

/** The next fire: how soon, at what time here, and at what time in the task's own zone where that differs. */
export function NextFire({ task }) {
  if (!task.next_run || !task.enabled) return html`<span class="muted" title=${task.enabled ? undefined : 'It is paused'}>–</span>`;
  const at = parseTime(task.next_run);
  const here = absolute(at);
  const there = inZone(at, task.timezone);
  const differs = here.slice(0, 16) !== there.slice(0, 16) && !(zone.value === 'utc' && task.timezone === 'UTC');
  return html`<span class="next-fire"><${Ago} at=${task.next_run} /><small class="muted">${here}${differs
    && html`<br />${there}${task.timezone === 'UTC' ? '' : ` in ${task.timezone}`}`}</small></span>`;
}

/** How the last run ended, with a link to it. */
export function LastRun({ task }) {
  if (!task.last_run) return html`<span class="muted">never</span>`;
  const word = html`<span class=${`badge tone-${LAST_TONES[task.last_status] ?? 'quiet'}`}>${task.last_status ?? 'unknown'}</span>`;
  return html`<span class="last-run">${task.last_run_id ? html`<a href=${href(`/runs/${task.last_run_id}/log`)}>${word}</a>` : word} <small
    class="muted"><${Ago} at=${task.last_run} /></small></span>`;
}

/** Runs of a row that are drawn. */
const BARS = 10;

/** "7 ok" or "3 failed" in a row, with a bar for each of the last runs, the newest to the right. */
export function Streak({ task }) {
  if (!task.streak) return html`<span class="muted">–</span>`;
  const { outcome, count: length, at_least: more } = task.streak;
  const words = `${length}${more ? '+' : ''} ${outcome === 'success' ? 'ok' : 'failed'}`;
  const last = task.recent_statuses.slice(0, BARS).reverse();
  return html`<span class="streak" title=${`The last runs, newest first: ${task.recent_statuses.slice(0, BARS).join(', ')}`}>
    <span class=${outcome === 'success' ? 'text-good' : 'text-bad'} data-testid="task-streak">${words}</span>
    <span class="streak-bars" aria-hidden="true">${last.map((status, index) => html`<i key=${index} class=${`tone-${LAST_TONES[status]
      ?? 'quiet'} ${status === 'success' ? '' : 'is-bad'}`}></i>`)}</span></span>`;
}

/** Start a run of a task and show it in the Runner. */
export async function runNow(task) {
  try {
    const answer = await runTask(task.task_id);
    showToast(`${task.task_id} is queued`, { link: { href: href(`/runs/${answer.run_id}/log`), text: 'Open its log' } });
    showInRunner(answer.run_id);
  } catch (error) {
    showError(error);
  }
}

/** Pause or resume; says what that means. */
export async function toggle(task, onDone) {
  try {
    const changed = await setEnabled(task.task_id, !task.enabled);
    showToast(changed.enabled ? `${task.task_id} fires again` : `${task.task_id} is paused: it fires by hand only`);
    onDone(changed);
  } catch (error) {
    showError(error);
  }
}

/** Delete after asking; names who depends on it. */
export async function removeAfterAsking(task, tasks, onDone) {
  const after = dependantsOf(task.task_id, tasks);
  const sure = await confirm({
    title: `Delete the task “${task.task_id}”?`, confirm: 'Delete',
    body: html`<p>Its schedule is forgotten. A run that is active goes on, and the records of its ${plural(task.run_count, 'run')} stay.</p>
      ${after.length > 0 && html`<p class="text-warn">${plural(after.length, 'task depends', 'tasks depend')} on it and will be paused: ${after.join(', ')}.</p>`}`,
  });
  if (!sure) return;
  try {
    await removeTask(task.task_id);
    showToast(`${task.task_id} is deleted`);
    onDone();
  } catch (error) {
    showError(error);
  }
}
