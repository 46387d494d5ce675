/** The list of tasks. */
import { href } from '../../lib/boot.js';
import { parseTime, scriptName } from '../../lib/format.js';
import { useHotkeys } from '../../lib/hotkeys.js';
import { query, setQuery } from '../../lib/router.js';
import { ruleOf, STATES } from '../../lib/tasks.js';
import { classes, html, useRef } from '../../lib/ui.js';
import { Button, Card, Empty } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { Chips, Search } from '../../ui/filters.js';
import { Menu } from '../../ui/menu.js';
import { Pager } from '../../ui/pager.js';
import { lacking } from '../../ui/states.js';
import { LastRun, NextFire, removeAfterAsking, runNow, Streak, TaskState, toggle } from '../../ui/task-parts.js';

/** Rows of one page: all tasks are here, but not all are drawn. */
const SIZE = 100;

/** A task is due when its time has come and it has not begun; one that waits for others is due, too. */
const isDue = (task) => task.enabled && (task.state === 'waiting' || (task.next_run !== null && parseTime(task.next_run) <= Date.now()));

export function TaskTable({ tasks, onChange }) {
  const text = query.value.get('q') ?? '';
  const states = query.value.getAll('state');
  const due = query.value.get('due') !== null;
  const rows = tasks.filter((task) => (!states.length || states.includes(task.state)) && (!due || isDue(task))
    && `${task.task_id} ${task.script_path} ${task.description} ${ruleOf(task)}`.toLowerCase().includes(text.toLowerCase()));
  const element = useRef(null);
  useRowKeys(element);
  const filters = html`<div class="filter-bar">
    <${Chips} label="Filter by state" choices=${Object.entries(STATES).map(([state, { word }]) => [state, word])} chosen=${states}
      onChange=${(state) => setQuery({ state })} testid="sch-filter-state" />
    <button type="button" class=${classes('chip', due && 'is-on')} aria-pressed=${String(due)} onClick=${() => setQuery({ due: due ? null : '1' })}
      data-testid="sch-due">due now</button>
    <${Search} label="Search the tasks" placeholder="Task, script or rule" value=${text} onChange=${(q) => setQuery({ q })} testid="sch-search"
      hotkey="Search the tasks" group="Schedules" /></div>`;
  return html`<${Card} title="Tasks" actions=${filters}><div ref=${element}>
    ${rows.length ? html`<${Rows} rows=${rows} tasks=${tasks} onChange=${onChange} />`
    : html`<${Empty} icon="search" title=${due ? 'Nothing is due now' : 'No task matches'}><${Button} label="Show all tasks"
      onClick=${() => setQuery({ q: null, state: null, due: null })} /><//>`}</div><//>`;
}

function Rows({ rows, tasks, onChange }) {
  const added = query.value.get('added');
  const columns = [
    { key: 'on', title: 'On', render: (task) => html`<label class="switch"><input type="checkbox" role="switch" checked=${task.enabled}
      aria-label=${`${task.task_id} is on`}
      aria-disabled=${lacking('schedule.write') ? 'true' : undefined} onClick=${(event) => {
      event.preventDefault();
      if (!lacking('schedule.write')) toggle(task, onChange);
    }} data-testid="sch-toggle" /></label>` },
    { key: 'task_id', title: 'Task', head: true, sort: 'task_id', render: (task) => html`<span class="script-cell"><a class="script-name"
      href=${href(`/schedules/${encodeURIComponent(task.task_id)}`)}>${task.task_id}</a>
      ${task.description && html`<span class="script-args">${task.description}</span>`}</span>` },
    { key: 'script', title: 'Script', render: (task) => html`<span class="script-cell"><span title=${task.script_path}>${scriptName(task.script_path)}</span>
      ${task.script_args.length > 0 && html`<span class="script-args mono">${task.script_args.join(' ')}</span>`}</span>` },
    { key: 'rule', title: 'When', render: (task) => html`<span>${ruleOf(task)}${task.timezone !== 'UTC' && (task.cron_expr || task.schedule)
      && html`<br /><small class="muted">${task.timezone}</small>`}</span>` },
    { key: 'next_run', title: 'Next', sort: 'next_run', render: (task) => html`<${NextFire} task=${task} />` },
    { key: 'state', title: 'State', render: (task) => html`<${TaskState} task=${task} />` },
    { key: 'last', title: 'Last run', sort: 'last_run', render: (task) => html`<${LastRun} task=${task} />` },
    { key: 'streak', title: 'In a row', sort: 'streak', class: 'nowrap', render: (task) => html`<${Streak} task=${task} />` },
    { key: 'run_count', title: 'Runs', num: true, sort: 'run_count' },
    { key: 'actions', title: '', class: 'actions', render: (task) => html`<${Actions} task=${task} tasks=${tasks} onChange=${onChange} />` },
  ];
  const sort = { by: query.value.get('sort') ?? 'next_run', descending: query.value.get('order') === 'desc' };
  const page = Math.min(Math.max(1, Number.parseInt(query.value.get('page') ?? '1', 10) || 1), Math.ceil(rows.length / SIZE));
  const shown = sorted(rows, sort).slice((page - 1) * SIZE, page * SIZE);
  return html`<${DataTable} label="Tasks" columns=${columns} rows=${shown} rowKey=${({ task_id: id }) => id} testid="sch-table"
    sort=${sort} onSort=${({ by, descending }) => setQuery({ sort: by === 'next_run' ? null : by, order: descending ? 'desc' : null })}
    rowProps=${({ task_id: id, enabled, state }) => ({ 'data-testid': 'sch-row', 'data-task-id': id, 'data-state': state, tabindex: '-1',
      class: classes(!enabled && 'is-off', id === added && 'is-selected') })} />
    ${rows.length > SIZE && html`<${Pager} label="Pages of tasks" page=${page} size=${SIZE} shown=${shown.length} total=${rows.length}
      testid="sch-page" onPage=${(next) => setQuery({ page: next > 1 ? next : null })} />`}`;
}

/** The more failures in a row, the sooner it comes. */
const rankOf = (streak) => streak && (streak.outcome === 'success' ? streak.count : -streak.count);

/** All tasks are here, so they are put in order here; what has no value comes last. */
function sorted(rows, { by, descending }) {
  const turn = descending ? -1 : 1;
  const valueOf = (task) => {
    if (by === 'streak') return rankOf(task.streak);
    return by === 'next_run' && !task.enabled ? null : task[by];
  };
  return [...rows].sort((one, other) => {
    const [a, b] = [valueOf(one), valueOf(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return a < b ? -turn : a > b ? turn : 0;
  });
}

function Actions({ task, tasks, onChange }) {
  const page = `/schedules/${encodeURIComponent(task.task_id)}`;
  const items = [
    { label: 'Edit', icon: 'pencil', href: href(`${page}?part=edit`), refusal: lacking('schedule.write') },
    { label: task.enabled ? 'Pause' : 'Resume', icon: task.enabled ? 'pause' : 'play', refusal: lacking('schedule.write'), run: () => toggle(task, onChange) },
    { label: 'Its runs', icon: 'history', href: href(`${page}?part=fires`) },
    { label: 'Delete', icon: 'trash-2', danger: true, refusal: lacking('schedule.write'), testid: 'sch-delete', run: () => removeAfterAsking(task,
      tasks, onChange) },
  ];
  return html`<div class="row-actions"><${Button} compact=${true} icon="play" label="Run now" refusal=${lacking('schedule.run')} title=${`Run ${task.task_id} now`}
    onClick=${() => runNow(task)} data-testid="sch-run" /><${Menu} label=${`More for ${task.task_id}`} items=${items} /></div>`;
}

/** j and k walk the rows. */
function useRowKeys(element) {
  const walk = (step) => () => {
    const all = [...element.current.querySelectorAll('[data-task-id]')];
    const at = all.indexOf(document.activeElement?.closest?.('[data-task-id]'));
    (all[at + step] ?? (at < 0 ? all[0] : all[at]))?.focus();
  };
  const group = 'Rows of the table';
  useHotkeys([{ keys: 'j', label: 'Next task', group, run: walk(1) }, { keys: 'k', label: 'Previous task', group, run: walk(-1) }]);
}
