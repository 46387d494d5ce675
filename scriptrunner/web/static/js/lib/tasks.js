/** Tasks of the scheduler: words for them, and what can be done with one. */
import { getJson, idempotencyKey, postJson, request } from './api.js';

export const STATES = {
  scheduled: { tone: 'info', icon: 'clock', word: 'scheduled' },
  waiting: { tone: 'warn', icon: 'hourglass', word: 'waiting' },
  paused: { tone: 'quiet', icon: 'pause', word: 'paused' },
  idle: { tone: 'quiet', icon: 'circle-dashed', word: 'on demand' },
  finished: { tone: 'quiet', icon: 'circle-check', word: 'finished' },
};

/** How the last run went, as a tone. */
export const LAST_TONES = { success: 'good', failed: 'bad', timeout: 'bad', killed: 'bad', cancelled: 'quiet', running: 'info' };

/** The rule by which a task fires, in a few words. */
export function ruleOf(task) {
  const parts = [
    task.schedule, task.cron_expr && `cron ${task.cron_expr}`, task.run_at && 'once',
    task.events?.length > 0 && `on ${task.events.join(', ')}`, task.dependencies?.length > 0 && `after ${task.dependencies.join(', ')}`,
  ].filter(Boolean);
  return parts.length ? parts.join(' · ') : 'by hand';
}

export const loadTasks = async (options) => (await getJson('/api/scheduler/tasks', options)).tasks;
export const getTask = (id, options) => getJson(`/api/scheduler/tasks/${encodeURIComponent(id)}`, options);
export const runTask = (id) => postJson(`/api/scheduler/tasks/${encodeURIComponent(id)}/run`, { headers: { 'Idempotency-Key': idempotencyKey() } });
export const setEnabled = (id, enabled) => postJson(`/api/scheduler/tasks/${encodeURIComponent(id)}/${enabled ? 'resume' : 'pause'}`);
export const removeTask = async (id) => (await request('DELETE', `/api/scheduler/tasks/${encodeURIComponent(id)}`)).json();

/** The tasks that wait for one, directly. */
export const dependantsOf = (id, tasks) => tasks.filter((task) => task.dependencies.includes(id)).map(({ task_id: each }) => each);

/** Arrows from what must succeed to what waits for it. */
export const edgesOf = (tasks) => tasks.flatMap((task) => task.dependencies.map((from) => ({ from, to: task.task_id })));

const zones = new Map();

/** "2026-11-23 02:00 CET" in a named zone. */
export function inZone(at, zone) {
  if (!zones.has(zone)) {
    zones.set(zone, new Intl.DateTimeFormat('en-CA', {
      timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
        timeZoneName: 'short',
    }));
  }
  const parts = Object.fromEntries(zones.get(zone).formatToParts(at).map(({ type, value }) => [type, value]));
  const seconds = parts.second === '00' ? '' : `:${parts.second}`;
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}${seconds} ${parts.timeZoneName}`;
}


/** What of a task decides its times. */
export const timesOf = (task) => Object.fromEntries(['schedule', 'cron_expr', 'run_at', 'timezone', 'start_at',
  'end_at'].filter((name) => task[name]).map((name) => [name, task[name]]));

/** Address of a task's page below the prefix. */
export const taskHref = (id) => `/schedules/${encodeURIComponent(id)}`;

/**
 * What was decided and what is planned within a span of time.
 * @param {{since: string, until: string}} range
 * @returns {Promise<{fires: {task_id: string, at: string, state: string, run_status: string|null}[], truncated: boolean}>}
 */
export const loadFires = (range, options) => getJson('/api/scheduler/calendar', { query: range, ...options });
