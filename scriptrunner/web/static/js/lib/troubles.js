/** What needs attention beside failing scripts: schedules that did not run, scripts that became slower. */
import { getJson } from './api.js';
import { clockTime } from './format.js';

/** @typedef {{key: string, task: string, at: string, reason: string}} Missed */
/** @typedef {{key: string, path: string, percent: number}} Slower */

const HOUR_MS = 3_600_000;
/** A task that is due is started within seconds; after this long something holds it. */
const LATE_MS = 60_000;

/** Tasks whose newest fire of the last day was missed, and those that are due and not started. @returns {Promise<Missed[]>} */
export async function findMissed() {
  const now = Date.now();
  const query = { since: new Date(now - 24 * HOUR_MS).toISOString(), until: new Date(now).toISOString() };
  const [{ fires }, { due_tasks: due }] = await Promise.all([getJson('/api/scheduler/calendar', { query }), getJson('/api/scheduler/due')]);
  return missedOf(fires, due, now);
}

/** The same from the answers of the server. */
export function missedOf(fires, due, now) {
  /** @type {Map<string, any>} */
  const newest = new Map();
  for (const fire of fires) if (fire.state !== 'planned') newest.set(fire.task_id, fire);
  const missed = [...newest.values()].filter(({ state, reason }) => state === 'skipped' && reason?.startsWith('missed'))
    .map(({ task_id: task, at, reason }) => ({ key: `task ${task}`, task, at, reason: reason.replace(/^missed: /, '') }));
  const held = due.filter(({ next_run: at, waiting_for: others, task_id: task }) => at && !others.length && now - Date.parse(at) > LATE_MS
    && !missed.some((each) => each.task === task))
    .map(({ task_id: task, next_run: at }) => ({ key: `task ${task}`, task, at, reason: `due since ${clockTime(Date.parse(at))}, not started yet` }));
  return [...missed, ...held];
}

/** Scripts of the last month that the analytics call slower, the worst first. @returns {Promise<Slower[]>} */
export async function findSlower() {
  const { scripts } = await getJson('/api/analytics/overview', { query: { days: 30 } });
  return scripts.filter(({ flags }) => flags.includes('slower'))
    .map(({ script_path: path, recent_change_percent: percent }) => ({ key: `slower ${path}`, path, percent }))
    .sort((a, b) => b.percent - a.percent);
}
