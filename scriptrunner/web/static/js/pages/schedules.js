/** Schedules: tasks with their next fires, as a list, a calendar, a day, or a graph. */
import { href } from '../lib/boot.js';
import { count, plural } from '../lib/format.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { loadTasks } from '../lib/tasks.js';
import { useTopic } from '../lib/topic.js';
import { html, useEffect, useRef, useState } from '../lib/ui.js';
import { Button, Card, Empty, Icon, Skeleton } from '../ui/basics.js';
import { Menu } from '../ui/menu.js';
import { PageHead } from '../ui/page-head.js';
import { lacking, Loaded } from '../ui/states.js';
import { Tabs } from '../ui/tabs.js';
import { machine } from '../lib/machine.js';
import { askForEvent } from './schedules/events.js';
import { askForImport, exportTasks } from './schedules/exchange.js';
import { TaskTable } from './schedules/task-table.js';
import { TaskEditor } from './schedules/task-editor.js';

export const title = () => 'Schedules';

/** Views that need more code are fetched when they are looked at. */
const VIEWS = {
  list: { label: 'List' },
  calendar: { label: 'Calendar', load: () => import('./schedules/calendar-view.js') },
  day: { label: '24 hours', load: () => import('./schedules/day-view.js') },
  graph: { label: 'Dependencies', load: () => import('./schedules/graph-view.js') },
  events: { label: 'Events', load: () => import('./schedules/events-view.js') },
};

const TEMPLATES = [
  { icon: 'calendar-clock', text: 'Every night at two', task: { cron_expr: '0 2 * * *', timezone: Intl.DateTimeFormat().resolvedOptions().timeZone } },
  { icon: 'timer', text: 'Every fifteen minutes', task: { schedule: 'every 15 minutes' } },
  { icon: 'zap', text: 'When something else is done', task: { events: ['deploy'] } },
];

export default function Schedules() {
  const tasks = useResource(loadTasks, []);
  const shown = useRef(tasks.data);
  shown.current = tasks.data;
  useTopic('tasks', tasks.reload, (event, data) => {
    if (!shown.current) return false;
    // Several may come before the page is drawn again.
    shown.current = takeTask(shown.current, event, data);
    tasks.put(shown.current);
    return true;
  });
  const view = query.value.get('view') in VIEWS ? query.value.get('view') : 'list';
  const editing = query.value.get('new') !== null;
  const [template, setTemplate] = useState({});
  const add = (task = {}) => {
    setTemplate(task);
    setQuery({ new: '1' });
  };
  const close = () => setQuery({ new: null, script: null });
  const saved = (id) => {
    close();
    setTemplate({});
    tasks.reload();
    setQuery({ added: id });
  };
  const address = (key) => href(`/schedules${key === 'list' ? '' : `?view=${key}`}`);
  const more = [
    { label: 'Export all tasks', icon: 'download', run: exportTasks },
    { label: 'Import tasks or a crontab', icon: 'file-up', refusal: lacking('schedule.write'), run: () => askForImport(tasks.reload) },
  ];
  return html`<${PageHead} title="Schedules" note=${tasks.data && summary(tasks.data)}>
      <${Button} icon="zap" label="Fire an event" refusal=${lacking('event.fire')} onClick=${() => askForEvent(tasks.data ?? [], '', tasks.reload)}
        data-testid="sch-event-fire" />
      <${Button} icon="plus" label="New task" kind="primary" refusal=${lacking('schedule.write')} onClick=${() => add()} data-testid="sch-add" />
      <${Menu} label="More for schedules" items=${more} /><//>
    ${machine.value && !machine.value.supervisor.alive && html`<p class="verdict tone-bad" role="status"><${Icon} name="triangle-alert" />
      The scheduler gives no sign of life: nothing is fired until the supervisor runs again.</p>`}
    ${editing && html`<${TaskEditor} key=${JSON.stringify(template)} tasks=${tasks.data ?? []} initial=${{ ...template,
      script_path: query.value.get('script') ?? '' }} onSaved=${saved} onCancel=${close} />`}
    <${Tabs} label="Ways to look at the schedules" current=${view} tabs=${Object.entries(VIEWS).map(([key, { label }]) => ({ key, label,
      href: address(key), testid: `sch-view-${key}` }))} />
    <${Loaded} resource=${tasks} lines=${6} title="The schedules could not be loaded">${(all) => (all.length || view === 'events'
    ? html`<${View} key=${view} name=${view} tasks=${all} onChange=${tasks.reload} />` : !editing && html`<${Templates} onPick=${add} />`)}<//>`;
}

/** The list with a change that the stream tells. */
function takeTask(all, event, data) {
  if (event === 'deleted') return all.filter(({ task_id: id }) => !data.ids.includes(id));
  if (event !== 'task') return all;
  return all.some(({ task_id: id }) => id === data.task_id) ? all.map((task) => (task.task_id === data.task_id ? { ...task, ...data } : task)) : [...all, data];
}

function summary(tasks) {
  const inState = (state) => tasks.filter((task) => task.state === state).length;
  return [plural(tasks.length, 'task'), ...['waiting', 'paused'].filter(inState).map((state) => `${count(inState(state))} ${state}`)].join(' · ');
}

function View({ name, tasks, onChange }) {
  const [part, setPart] = useState(null);
  useEffect(() => {
    VIEWS[name].load?.().then((module) => setPart(() => module.default));
  }, [name]);
  if (name === 'list') return html`<${TaskTable} tasks=${tasks} onChange=${onChange} />`;
  return part ? html`<${part} tasks=${tasks} onChange=${onChange} />` : html`<${Card}><${Skeleton} lines=${6} /><//>`;
}

function Templates({ onPick }) {
  return html`<${Card}><${Empty} icon="calendar-clock" title="Nothing is scheduled">
    <p>A task runs a script at given times, after other tasks, or when an event is fired. Begin with one of these:</p>
    <div class="templates">${TEMPLATES.map(({ icon, text, task }) => html`<${Button} key=${text} icon=${icon} label=${text}
      refusal=${lacking('schedule.write')} onClick=${() => onPick(task)} />`)}</div><//><//>`;
}
