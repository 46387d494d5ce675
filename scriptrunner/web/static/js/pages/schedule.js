/** One task: why it does what it does, when it fires next, what it did; and its rule to change. */
import { getJson, postJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { absolute, duration, parseTime, plural } from '../lib/format.js';
import { navigate, query } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { getTask, loadTasks, ruleOf, taskHref, timesOf } from '../lib/tasks.js';
import { useTopic } from '../lib/topic.js';
import { html, useEffect } from '../lib/ui.js';
import { Ago, Button, Card, Empty, Heading, Icon, Moment, Skeleton } from '../ui/basics.js';
import { DataTable } from '../ui/data-table.js';
import { Pairs } from '../ui/kv.js';
import { NextFires } from '../ui/next-fires.js';
import { lacking, Loaded } from '../ui/states.js';
import { Tabs } from '../ui/tabs.js';
import { LastRun, removeAfterAsking, runNow, Streak, TaskState, toggle } from '../ui/task-parts.js';
import { TaskEditor } from './schedules/task-editor.js';

export const title = () => 'Schedule';

const PARTS = { overview: 'Overview', fires: 'Fires', graph: 'Dependencies', edit: 'Edit' };

export default function Schedule({ id, setTitle }) {
  const task = useResource((options) => getTask(id, options), [id]);
  const others = useResource(loadTasks, []);
  const reload = () => {
    task.reload();
    others.reload();
  };
  useTopic('tasks', reload);
  useEffect(() => setTitle(id), [id]);
  if (task.error?.status === 404) return html`<${Gone} id=${id} />`;
  const asked = query.value.get('part');
  const current = asked in PARTS ? asked : 'overview';
  const tabs = Object.entries(PARTS).filter(([key]) => key !== 'edit' || !lacking('schedule.write'))
    .map(([key, label]) => ({ key, label, href: href(`${taskHref(id)}${key === 'overview' ? '' : `?part=${key}`}`) }));
  if (!task.data && !task.error) return html`<${Card}><${Skeleton} lines=${8} /><//>`;
  return html`<${Loaded} resource=${task} lines=${8} title="The task could not be loaded">${(found) => html`
    <${Head} task=${found} tasks=${others.data ?? []} onChange=${reload} />
    <${Tabs} label="Parts of this task" current=${current} tabs=${tabs} />
    <${Part} key=${current} name=${current} task=${found} tasks=${others.data ?? []} onChange=${reload} />`}<//>`;
}

function Head({ task, tasks, onChange }) {
  return html`<header class="run-head">
    <nav class="crumbs" aria-label="Where this is"><a href=${href('/schedules')}>Schedules</a><span aria-hidden="true">/</span><span>${task.task_id}</span></nav>
    <div class="run-title"><${Heading}>${task.task_id}<//><${TaskState} task=${task} /><span class="push"></span><div class="run-buttons">
      <${Button} icon="play" label="Run now" kind="primary" refusal=${lacking('schedule.run')} onClick=${() => runNow(task)} data-testid="sch-run" />
      <${Button} icon=${task.enabled ? 'pause' : 'play'} label=${task.enabled ? 'Pause' : 'Resume'} refusal=${lacking('schedule.write')}
        onClick=${() => toggle(task, onChange)} data-testid="sch-pause" />
      <${Button} icon="trash-2" label="Delete" refusal=${lacking('schedule.write')} onClick=${() => removeAfterAsking(task, tasks,
        () => navigate('/schedules'))} data-testid="sch-delete" /></div></div>
    <p class="meta"><span>${ruleOf(task)}</span><span>${task.timezone}</span><span
      class="mono">${task.script_path}</span><span>${plural(task.run_count, 'run')}</span></p>
  </header>`;
}

function Part({ name, task, tasks, onChange }) {
  if (name === 'edit') return html`<${TaskEditor} key=${task.task_id} tasks=${tasks} initial=${task} isNew=${false} onSaved=${() => {
    onChange();
    navigate(taskHref(task.task_id));
  }} onCancel=${() => navigate(taskHref(task.task_id))} />`;
  if (name === 'fires') return html`<${Fires} task=${task} />`;
  if (name === 'graph') return html`<${TaskGraph} task=${task} tasks=${tasks} />`;
  return html`<div class="page-grid"><div class="stack"><${Why} task=${task} /><${Facts} task=${task} /></div><${Next} task=${task} /></div>`;
}

/** Why it did not run, why it is late, when it will run. */
function Why({ task }) {
  const found = useResource((options) => getJson(`/api/scheduler/tasks/${encodeURIComponent(task.task_id)}/why`, options), [task.task_id, task.state,
    task.next_run, task.last_run_id, task.enabled]);
  return html`<${Card} title="Why" data-testid="sch-why"><${Loaded} resource=${found} lines=${3}
    title="The reason could not be found">${(why) => html`<div class="card-body">
    <p><strong>${readable(why.summary)}</strong></p>
    ${why.late_seconds > 1 && html`<p class="text-warn">It is ${duration(why.late_seconds)} late.</p>`}
    ${why.waiting_for.map(({ task_id: id, reason }) => html`<p key=${id}>Waits for <a href=${href(taskHref(id))}>${id}</a>: ${reason}.</p>`)}
    ${why.recent.length > 1 && html`<details class="unfold"><summary>Last decisions</summary><ul>${why.recent.map((each) => html`<li
      key=${each.fire_time}><${Ago} at=${each.decided_at} />: ${each.state}, ${each.reason}</li>`)}</ul></details>`}</div>`}<//><//>`;
}

/** Times inside a sentence of the server, in the zone that the reader chose. */
const readable = (text) => text.replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, (time) => absolute(parseTime(time)));

function Facts({ task }) {
  const link = (id) => html`<a key=${id} href=${href(taskHref(id))}>${id}</a> `;
  const overlap = { skip: 'skip the fire', queue: 'wait for its end', allow: 'run beside it', cancel_running: 'cancel it' };
  const misfire = { run_once: 'run once for all', skip: 'skip them', run_all: 'run each' };
  return html`<${Card} title="Rule"><${Pairs} pairs=${[
    ['Description', task.description], ['Script', html`<span class="mono break">${[task.script_path, ...task.script_args].join(' ')}</span>`],
      ['When', ruleOf(task)], ['Time zone', task.timezone],
    ['Last run', html`<${LastRun} task=${task} />`], ['In a row', task.streak && html`<${Streak} task=${task} />`], ['After', task.dependencies.length > 0 && task.dependencies.map(link)],
    ['While a run is active', overlap[task.overlap_policy]], ['Missed fires',
      `${misfire[task.misfire_policy]}; up to ${task.misfire_grace_seconds} s late counts as on time`],
    ['Delay', task.delay_seconds > 0 && `${task.delay_seconds} s`], ['Spread', task.jitter_seconds > 0 && `up to ${task.jitter_seconds} s`],
      ['Most runs', task.max_runs],
    ['Not before', task.start_at && html`<${Moment} at=${task.start_at} />`], ['Not after', task.end_at && html`<${Moment} at=${task.end_at} />`],
    ['Options of its runs', Object.keys(task.run_options).length > 0 && html`<code class="break">${JSON.stringify(task.run_options)}</code>`],
      ['Made', html`<${Ago} at=${task.created_at} />`],
  ]} /><//>`;
}

function Next({ task }) {
  const wanted = timesOf(task);
  const hasTimes = Boolean(wanted.schedule || wanted.cron_expr || wanted.run_at);
  const found = useResource(async (options) => (hasTimes ? postJson('/api/scheduler/preview', { json: wanted, ...options }) : false), [JSON.stringify(wanted)]);
  return html`<${Card} title="Next fires" data-testid="sch-next"><div class="card-body">
    ${!task.enabled && html`<p class="text-warn">It is paused: this is when it would fire.</p>`}
    <${Loaded} resource=${found} lines=${5} title="The next fires could not be computed">${(preview) => (preview ? html`<${NextFires}
      preview=${preview} zone=${task.timezone} />`
    : html`<p class="muted">It has no times: it fires by events, by other tasks or by hand.</p>`)}<//></div><//>`;
}

const FIRES = [
  { key: 'fire_time', title: 'Planned for', head: true, class: 'nowrap', render: ({ fire_time: at }) => html`<${Moment} at=${at} />` },
  { key: 'trigger', title: 'By', render: ({ trigger, event }) => (event ? `event ${event}` : trigger) },
  { key: 'state', title: 'Decision', render: ({ state }) => html`<span class=${`badge tone-${{ started: 'good', skipped: 'warn',
    waiting: 'info' }[state] ?? 'quiet'}`}>${state}</span>` },
  { key: 'reason', title: 'Because', class: 'break' },
  { key: 'late', title: 'Late by', num: true, render: ({ fire_time: planned, decided_at: decided }) => `${Math.max(0,
    (parseTime(decided) - parseTime(planned)) / 1000).toFixed(1)} s` },
  { key: 'run', title: 'Run', render: ({ run_id: id, run_status: status }) => (id ? html`<a class="mono"
    href=${href(`/runs/${id}/log`)}>${id.slice(0, 8)}</a>${status && html` <span class="muted">${status}</span>`}` : '–') },
];

/** Every decision about a fire, skipped ones included. */
function Fires({ task }) {
  const found = useResource((options) => getJson(`/api/scheduler/tasks/${encodeURIComponent(task.task_id)}/fires`, { query: { limit: 100 },
    ...options }), [task.task_id, task.last_run_id, task.next_run]);
  return html`<${Card} title="Fires" data-testid="sch-fires"><${Loaded} resource=${found} title="The fires could not be loaded">${(answer) => {
    const { fires: rows } = answer;
    return rows.length ? html`<${DataTable} label="Fires" columns=${FIRES} rows=${rows} rowKey=${({ fire_time: at, trigger }) => `${at} ${trigger}`} />`
      : html`<${Empty} icon="history" title="It has not fired yet"><p>Each decision will stand here, also that of a fire which was skipped.</p><//>`;
  }}<//><//>`;
}

function TaskGraph({ task, tasks }) {
  const found = useResource(() => import('./schedules/graph-view.js'), []);
  return html`<${Loaded} resource=${found}>${({ default: GraphView, near }) => html`<${GraphView} tasks=${near(tasks, task.task_id)}
    centre=${task.task_id} />`}<//>`;
}

function Gone({ id }) {
  return html`<section class="empty page-empty"><${Icon}
    name="calendar-clock" /><${Heading}>There is no task ${id}<//><p>It was deleted, or the address is not right.</p>
    <${Button} href=${href('/schedules')} label="To the schedules" kind="primary" /></section>`;
}
