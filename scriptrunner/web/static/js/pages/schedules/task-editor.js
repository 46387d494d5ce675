/** Making or changing a task: what, when, and by which rules; with its next fires as one types. */
import { postJson, request } from '../../lib/api.js';
import { join, split } from '../../lib/shellwords.js';
import { useResource } from '../../lib/resource.js';
import { timesOf } from '../../lib/tasks.js';
import { html, useEffect, useState } from '../../lib/ui.js';
import { Button, Card, ErrorBox, Segments } from '../../ui/basics.js';
import { CronInput } from '../../ui/cron-input.js';
import { Several } from '../../ui/filters.js';
import { NextFires } from '../../ui/next-fires.js';
import { RunOptions } from '../../ui/run-options.js';
import { showToast } from '../../ui/toast.js';

export const NEW = {
  task_id: '', description: '', script_path: '', script_args: [], schedule: null, cron_expr: null, run_at: null, timezone: 'UTC', events: [], dependencies: [],
  misfire_policy: 'run_once', misfire_grace_seconds: 60, misfire_limit: 100, overlap_policy: 'skip', run_options: {}, start_at: null, end_at: null,
    delay_seconds: 0, jitter_seconds: 0, max_runs: null,
};
const KINDS = [['interval', 'Interval'], ['cron', 'Cron'], ['once', 'Once'], ['event', 'Event'], ['after', 'After tasks'], ['hand', 'By hand']];
const NAME = '[A-Za-z0-9][A-Za-z0-9._:\\-]{0,127}';

/** By what a task fires first of all. */
function kindOf(task) {
  if (task.cron_expr) return 'cron';
  if (task.schedule) return 'interval';
  if (task.run_at) return 'once';
  if (task.events?.length) return 'event';
  return task.dependencies?.length ? 'after' : task.task_id ? 'hand' : 'interval';
}

/** The task as the form has it: only what belongs to the kind that is chosen. */
function toTask(values, kind) {
  const { schedule, cron_expr: cron, run_at: at, ...rest } = values;
  return {
    ...rest, schedule: kind === 'interval' ? schedule || 'every 15 minutes' : null, cron_expr: kind === 'cron' ? cron || '0 2 * * *' : null,
      run_at: kind === 'once' ? at : null,
  };
}

/** @param {{tasks: object[], initial: object, isNew?: boolean, onSaved: (id: string) => void, onCancel: () => void}} props */
export function TaskEditor({ tasks, initial, isNew = true, onSaved, onCancel }) {
  const [values, setValues] = useState(() => ({ ...NEW,
    ...Object.fromEntries(Object.keys(NEW).filter((name) => initial[name] !== undefined).map((name) => [name, initial[name]])) }));
  const [kind, setKind] = useState(() => kindOf(initial));
  const [args, setArgs] = useState(() => join(values.script_args));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const set = (name) => (value) => setValues((before) => ({ ...before, [name]: value }));
  const faults = new Map((error?.faults ?? []).map(({ loc, msg }) => [String(loc[1]), msg]));
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      const task = toTask({ ...values, script_args: split(args) }, kind);
      if (isNew) await postJson('/api/scheduler/tasks', { json: withoutDefaults(task) });
      else await request('PATCH', `/api/scheduler/tasks/${encodeURIComponent(values.task_id)}`, { json: changesOf(task, initial) });
      showToast(isNew ? `${task.task_id} is scheduled` : `${task.task_id} is changed`);
      onSaved(task.task_id);
    } catch (fault) {
      setError(fault);
      setBusy(false);
      setTimeout(() => /** @type {HTMLElement|null} */ (document.querySelector('.task-editor [aria-invalid=true]'))?.focus());
    }
  };
  const field = (name, label, input, help) => html`<${Field} name=${name} label=${label} help=${help} fault=${faults.get(name)}>${input}<//>`;
  const props = (name) => ({ id: `task-${name}`, 'data-testid': `task-${name}`, 'aria-invalid': faults.has(name) ? 'true' : undefined,
    'aria-describedby': `task-${name}-help` });
  const text = (name, rest = {}) => html`<input type="text" ...${props(name)} value=${values[name] ?? ''} autocomplete="off" spellcheck=${false}
    onInput=${(event) => set(name)(event.target.value)} ...${rest} />`;
  return html`<${Card} title=${isNew ? 'New task' : `Edit ${values.task_id}`} class="task-editor" data-testid="task-editor"><form onSubmit=${submit}>
    <div class="card-body">
      ${error && html`<${ErrorBox} error=${error} title="The task was not stored" />`}
      <div class="form-grid">
        ${field('task_id', 'Name', text('task_id', { required: true, pattern: NAME, maxlength: 128, placeholder: 'nightly-report', readonly: !isNew,
          title: 'Letters, digits, dot, colon, dash and underscore' }), isNew ? 'How it is called from now on; it cannot be changed.' : 'The name stays.')}
        ${field('script_path', 'Script', text('script_path', { required: true, class: 'mono', placeholder: 'jobs/report.py' }),
          'Below an allowed root; checked again at each fire.')}
        ${field('script_args', 'Arguments', html`<input type="text" class="mono" ...${props('script_args')} value=${args} autocomplete="off"
          spellcheck=${false} onInput=${(event) => setArgs(event.target.value)} />`, 'As on a command line.')}
        ${field('description', 'Description', text('description'), 'For people.')}
      </div>
      <fieldset class="when"><legend>When</legend>
        <${Segments} label="What makes it fire" name="task-kind" value=${kind} choices=${KINDS} onChange=${setKind} />
        <div class="when-body">
          <div class="stack grow"><${When} kind=${kind} values=${values} set=${set} field=${field} text=${text} faults=${faults} tasks=${tasks} /></div>
          ${['interval', 'cron', 'once'].includes(kind) && html`<${Preview} task=${toTask(values, kind)} />`}
        </div></fieldset>
      <details class="unfold more-rules"><summary>Rules: missed fires, overlap, limits</summary><${Rules} values=${values} set=${set} field=${field}
        kind=${kind} tasks=${tasks} text=${text} /></details>
      <details class="unfold more-rules"><summary>Options of its runs ${Object.keys(values.run_options).length > 0 ? html`<span
        class="badge tone-info">${Object.keys(values.run_options).join(', ')}</span>` : ''}</summary>
        <${RunOptions} values=${values.run_options} onChange=${set('run_options')} /></details>
    </div>
    <div class="form-foot"><${Button} type="submit" kind="primary" icon="save" label=${busy ? 'Saving…' : isNew ? 'Schedule it' : 'Save'}
      busy=${busy} data-testid="task-save" />
      <${Button} label="Cancel" onClick=${onCancel} /></div></form><//>`;
}

function Field({ name, label, help, fault, children }) {
  return html`<div class=${`field ${fault ? 'has-fault' : ''}`}><label for=${`task-${name}`}>${label}</label>${children}
    ${fault && html`<p class="fault">${fault}</p>`}<p class="help" id=${`task-${name}-help`}>${help}</p></div>`;
}

function When({ kind, values, set, field, text, faults, tasks }) {
  const [zones, setZones] = useState([]);
  const zone = field('timezone', 'Time zone', html`${text('timezone', { list: 'zones', placeholder: 'UTC',
    onFocus: () => setZones(zoneNames()) })}<datalist id="zones">${zones.map((each) => html`<option key=${each}
      value=${each}></option>`)}</datalist>`, 'Of wall-clock times; daylight saving is taken care of.');
  if (kind === 'interval') {
    return html`${field('schedule', 'Every', html`${text('schedule', { placeholder: 'every 15 minutes', list: 'intervals' })}<datalist
      id="intervals">${INTERVALS.map((each) => html`<option key=${each} value=${each}></option>`)}</datalist>`,
      'hourly, daily, weekly, monthly, every 5 minutes, daily at 14:30, weekly on monday at 08:00')}${zone}`;
  }
  if (kind === 'cron') return html`${field('cron_expr', 'Cron expression', html`<${CronInput} id="task-cron_expr"
    value=${values.cron_expr ?? '0 2 * * *'} onChange=${set('cron_expr')} fault=${faults.get('cron_expr')} testid="task-cron_expr" />`,
      'Five fields; @daily and its kin are understood, too.')}${zone}`;
  if (kind === 'once') return field('run_at', 'Time', text('run_at', { placeholder: '2026-12-01T08:00:00Z', class: 'mono' }), 'A time with its offset, or UTC.');
  if (kind === 'event') return field('events', 'Events', html`<${Words} id="task-events" values=${values.events} onChange=${set('events')}
    placeholder="deploy, data-arrived" testid="task-events" />`, 'Fires when one of these events is fired. Names separated by commas.');
  if (kind === 'after') return html`<${After} values=${values} set=${set} tasks=${tasks} />`;
  return html`<p class="help">It runs only when somebody presses Run now.</p>`;
}

function After({ values, set, tasks }) {
  const others = tasks.map(({ task_id: id }) => id).filter((id) => id !== values.task_id);
  return html`<div class="field"><span class="label">After these tasks</span><div><${Several} label="Tasks" choices=${others}
    chosen=${values.dependencies} onChange=${set('dependencies')} testid="task-dependencies" /></div>
    <p class="help">A fire waits until each of them has succeeded since this task’s last run began. Without a time of its own it fires as soon as that is so.</p></div>`;
}

const INTERVALS = ['every 5 minutes', 'every 15 minutes', 'hourly', 'every 6 hours', 'daily', 'daily at 02:00', 'weekly on monday at 08:00', 'monthly'];
const zoneNames = () => Intl.supportedValuesOf?.('timeZone') ?? ['UTC'];

/** Names separated by commas. */
function Words({ id, values, onChange, placeholder, testid }) {
  const [text, setText] = useState(values.join(', '));
  const read = (event) => {
    setText(event.target.value);
    onChange(event.target.value.split(',').map((each) => each.trim()).filter(Boolean));
  };
  return html`<input id=${id} type="text" value=${text} placeholder=${placeholder} autocomplete="off" spellcheck=${false} onInput=${read}
    data-testid=${testid} aria-describedby=${`${id}-help`} />`;
}

function Rules({ values, set, field, kind, tasks, text }) {
  const select = (name, choices) => html`<select id=${`task-${name}`} data-testid=${`task-${name}`} aria-describedby=${`task-${name}-help`}
    onChange=${(event) => set(name)(event.target.value)}>
    ${choices.map(([value, words]) => html`<option key=${value} value=${value} selected=${value === values[name]}>${words}</option>`)}</select>`;
  const number = (name, unit, rest = {}) => html`<span class="with-unit"><input type="number" id=${`task-${name}`} min="0" step="any"
    aria-describedby=${`task-${name}-help`} value=${values[name] ?? ''}
    onInput=${(event) => set(name)(event.target.value === '' ? NEW[name] : Number(event.target.value))} ...${rest} />${unit && html`<span
      class="unit">${unit}</span>`}</span>`;
  return html`<div class="form-grid">
    ${field('misfire_policy', 'Missed fires', select('misfire_policy', [['run_once', 'run once for all'], ['skip', 'skip them'], ['run_all',
      'run each']]), 'When the service was down or the machine asleep.')}
    ${field('misfire_grace_seconds', 'Late by up to', number('misfire_grace_seconds', 's'), 'A fire that is not later counts as on time.')}
    ${values.misfire_policy === 'run_all' && field('misfire_limit', 'At most', number('misfire_limit', 'fires', { min: 1, max: 100, step: 1 }),
      'Of those that were missed.')}
    ${field('overlap_policy', 'While a run is active', select('overlap_policy', [['skip', 'skip the fire'], ['queue', 'wait for its end'], ['allow',
      'run beside it'], ['cancel_running', 'cancel it']]), 'What becomes of the next fire.')}
    ${field('delay_seconds', 'Delay', number('delay_seconds', 's'), 'Between the planned time and the run.')}
    ${field('jitter_seconds', 'Spread', number('jitter_seconds', 's'), 'A further delay up to this, different each time.')}
    ${field('max_runs', 'Most runs', number('max_runs', '', { min: 1, step: 1, placeholder: 'no limit' }), 'After them it fires no more.')}
    ${field('start_at', 'Not before', text('start_at', { class: 'mono', placeholder: '2026-12-01T00:00:00Z' }), 'Also the anchor of an interval.')}
    ${field('end_at', 'Not after', text('end_at', { class: 'mono', placeholder: 'no end' }), 'No fire is planned later.')}
    ${kind !== 'event' && field('events', 'Also on events', html`<${Words} id="task-events" values=${values.events} onChange=${set('events')}
      placeholder="none" testid="task-events" />`, 'Names separated by commas.')}
    ${kind !== 'after' && html`<${After} values=${values} set=${set} tasks=${tasks} />`}
  </div>`;
}

/** The next fires as the server computes them, a moment after the last key. */
function Preview({ task }) {
  const key = JSON.stringify(timesOf(task));
  const [asked, setAsked] = useState(key);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(key), 250);
    return () => clearTimeout(timer);
  }, [key]);
  const found = useResource((options) => postJson('/api/scheduler/preview', { json: JSON.parse(asked), ...options }), [asked]);
  return html`<aside class="preview-fires" aria-label="Next fires" data-testid="task-preview" aria-live="polite">
    ${found.error ? html`<p class="fault">${found.error.message}</p>` : found.data && html`<${NextFires} preview=${found.data} zone=${task.timezone
      || 'UTC'} />`}</aside>`;
}

/** What a new task has to say; defaults are the server's. */
const withoutDefaults = (task) => Object.fromEntries(Object.entries(task).filter(([name, value]) => name === 'task_id' || name === 'script_path'
  || (JSON.stringify(value) !== JSON.stringify(NEW[name]) && value !== '')));

const changesOf = ({ task_id: _, ...task }, before) => Object.fromEntries(Object.entries(task).map(([name, value]) => [name, value === ''
  && NEW[name] === null ? null : value])
  .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name] ?? NEW[name])));
