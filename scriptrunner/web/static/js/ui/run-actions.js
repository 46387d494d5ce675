/** Stop · Kill · Restart and the rest, the same in every place that shows a run. */
import { can } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { scriptName } from '../lib/format.js';
import { ACTIONS, pending, perform } from '../lib/run-actions.js';
import { isActive } from '../lib/run-status.js';
import { html } from '../lib/ui.js';
import { Button } from './basics.js';
import { Menu } from './menu.js';
import { showError, showToast } from './toast.js';

const PERMISSIONS = { stop: 'run.stop', kill: 'run.stop', cancel: 'run.stop', restart: 'run.start', remove: 'run.delete' };

/** Why an action is not possible now, or ''. */
export function refusal(name, run) {
  if (!can(PERMISSIONS[name])) return 'Your role may not do this';
  return ACTIONS[name].refusal(run, pending.value.get(run.id));
}

const QUESTIONS = {
  kill: (run) => ({
    title: `Kill ${nameOf(run)}?`, confirm: 'Kill',
    body: 'Every process of this run gets SIGKILL at once. It cannot clean up; what it printed so far is kept.',
  }),
  restart: (run) => isActive(run) && ({
    title: `Restart ${nameOf(run)}?`, confirm: 'Stop and restart',
    body: 'This run is still active. It is stopped and ends as cancelled; a new run with the same options starts when it is gone.',
  }),
  remove: (run) => ({
    title: `Delete ${nameOf(run)}?`, confirm: 'Delete',
    body: `Its record, events, log and outputs are removed for good. Run ${run.id.slice(0, 8)}, ${run.status}.`,
  }),
};

const nameOf = (run) => scriptName(run.request?.script_path ?? run.script?.name ?? run.id);

/**
 * Ask where needed, give the order, and say what went wrong.
 * @param {(name: string, answer: any) => void} [onDone]
 */
export async function act(name, run, onDone) {
  if (refusal(name, run)) return;
  const question = QUESTIONS[name]?.(run);
  if (question) {
    const { confirm } = await import('./dialog.js');
    if (!await confirm(question)) return;
  }
  try {
    const answer = await perform(name, run.id);
    if (name === 'restart') showToast(`${nameOf(run)} is queued again`, { link: { href: href(`/runs/${answer.run_id}/log`), text: 'Open its log' } });
    onDone?.(name, answer);
  } catch (error) {
    showError(error);
    onDone?.(name, null);
  }
}

/** Entries for a menu: everything, or only what has no button of its own. */
export function menuItems(run, { all, onDone }) {
  const item = (name, label = ACTIONS[name].label) => ({
    label, icon: ACTIONS[name].icon, refusal: refusal(name, run), danger: name === 'remove' || name === 'kill',
    testid: `run-${name === 'remove' ? 'delete' : name}`, run: () => act(name, run, onDone),
  });
  const edit = {
    label: 'Edit and re-run', icon: 'pencil', href: href(`/launch?from=${run.id}`), refusal: can('run.start') ? '' : 'Your role may not do this', testid: 'run-edit',
  };
  const compare = { label: 'Compare', icon: 'git-compare', href: href(`/compare?a=${run.id}`), testid: 'run-compare' };
  const rest = [edit, compare, item('cancel', 'Cancel and wait for its end'), item('remove')];
  if (!all) return rest;
  return [
    { label: 'Logs', icon: 'scroll-text', href: href(`/runs/${run.id}/log`), testid: 'run-logs' },
    { label: 'Details', icon: 'list', href: href(`/runs/${run.id}/details`), testid: 'run-details' },
    item('stop'), item('kill'), item('restart'), ...rest,
  ];
}

/** The five buttons of a row, always in the same place, and a menu for the rest. */
export function RowActions({ run, onDone, narrow }) {
  if (narrow) {
    const main = isActive(run) ? 'stop' : 'restart';
    const rest = menuItems(run, { all: true, onDone }).filter(({ testid }) => !['run-logs', `run-${main}`].includes(testid));
    return html`<div class="row-actions">
      <${Button} compact=${true} icon="scroll-text" label="Logs" href=${href(`/runs/${run.id}/log`)} data-testid="run-logs" />
      <${ActionButton} name=${main} run=${run} onDone=${onDone} />
      <${Menu} label=${`More for ${nameOf(run)}`} items=${rest} />
    </div>`;
  }
  return html`<div class="row-actions">
    <${Button} compact=${true} icon="scroll-text" label="Logs" href=${href(`/runs/${run.id}/log`)} data-testid="run-logs" />
    <${Button} compact=${true} icon="list" label="Details" href=${href(`/runs/${run.id}/details`)} data-testid="run-details" />
    ${['stop', 'kill', 'restart'].map((name) => html`<${ActionButton} key=${name} name=${name} run=${run} onDone=${onDone} />`)}
    <${Menu} label=${`More for ${nameOf(run)}`} items=${menuItems(run, { all: false, onDone })} />
  </div>`;
}

export function ActionButton({ name, run, onDone, compact = true }) {
  const { icon, label } = ACTIONS[name];
  return html`<${Button} compact=${compact} icon=${icon} label=${label} kind=${name === 'kill' ? 'warning' : ''} refusal=${refusal(name, run)}
    title=${`${label} ${nameOf(run)}`} onClick=${() => act(name, run, onDone)} data-testid=${`run-${name}`} />`;
}
