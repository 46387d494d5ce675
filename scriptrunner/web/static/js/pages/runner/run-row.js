/** One run of the table: a table row, or a card on a narrow screen. */
import { href } from '../../lib/boot.js';
import { bytes, scriptFolder, scriptName } from '../../lib/format.js';
import { hiddenColumns } from '../../lib/prefs.js';
import { navigate } from '../../lib/router.js';
import { pending } from '../../lib/run-actions.js';
import { focusWanted, loadRuns, marked, refreshRun, rowRun, selected, showStarted, toggleSelected } from '../../lib/runs-list.js';
import { join } from '../../lib/shellwords.js';
import { classes, html, useEffect, useRef } from '../../lib/ui.js';
import { Ago, RunDuration, RunStatus, ShortId } from '../../ui/basics.js';
import { Tag } from '../../ui/tag.js';
import { RowActions } from '../../ui/run-actions.js';

/** What the list does after an order. */
function onDone(name, answer, id) {
  if (name === 'restart' && answer) showStarted(answer.run_id);
  else if (name === 'remove') loadRuns();
  else refreshRun(id).catch(() => loadRuns());
}

/**
 * Columns of the table in order; `sort` is what the server sorts by.
 * @type {{key: string, title: string, sort?: string, num?: boolean, fixed?: boolean}[]}
 */
export const COLUMNS = [
  { key: 'status', title: 'Status', sort: 'status', fixed: true },
  { key: 'script', title: 'Script', sort: 'script', fixed: true },
  { key: 'corr', title: 'Correlation' },
  { key: 'started', title: 'Started', sort: 'queued' },
  { key: 'duration', title: 'Duration', sort: 'duration', num: true },
  { key: 'user', title: 'By' },
  { key: 'memory', title: 'Memory', num: true },
  { key: 'tags', title: 'Tags' },
];

/** Columns that the reader has not hidden. */
export const shownColumns = () => COLUMNS.filter(({ key }) => !hiddenColumns.value.includes(key));

export function RunRow({ id, narrow }) {
  const run = rowRun(id)?.value;
  const element = useRef(null);
  const isMarked = marked.value === id;
  useEffect(() => {
    if (isMarked) element.current?.scrollIntoView({ block: 'nearest' });
    if (!element.current || focusWanted.peek() !== id) return;
    focusWanted.value = null;
    element.current.focus();
  }, [isMarked, run !== undefined]);
  if (!run) return null;
  const isSelected = selected.value.has(id);
  const cells = {
    select: html`<input type="checkbox" aria-label=${`Select run ${id.slice(0, 8)}`} checked=${isSelected} data-testid="run-select"
      onChange=${(event) => toggleSelected(id, event.target.checked)} />`,
    status: html`<${RunStatus} run=${run} ordered=${pending.value.get(id)} />`,
    script: html`<${ScriptCell} run=${run} />`,
    corr: html`<${ShortId} id=${run.correlation_id} what="correlation id" data-testid="run-corr" />`,
    started: html`<${Ago} at=${run.started_at} />`,
    user: html`<span class="muted nowrap" title=${`${run.trigger} by ${run.principal}`}>${run.trigger} · ${run.principal}</span>`,
    memory: memoryOf(run),
    tags: html`<span class="tags">${(run.tags ?? []).map((tag) => html`<${Tag} key=${tag.name} ...${tag} />`)}</span>`,
    duration: html`<${RunDuration} run=${run} />`,
    actions: html`<${RowActions} run=${run} narrow=${narrow} onDone=${(name, answer) => onDone(name, answer, id)} />`,
  };
  const look = classes('run-row', isSelected && 'is-selected', isMarked && 'is-marked');
  const row = { ref: element, 'data-testid': 'run-row', 'data-run-id': id, 'data-status': run.status, tabindex: '-1', onKeyDown: openOnEnter };
  if (narrow) {
    return html`<li class=${look} ...${row}>
      <div class="line">${cells.select}${cells.status}<span class="push muted">${cells.started}</span></div>
      <div class="line">${cells.script}<span class="push muted">${cells.duration}</span></div>
      <div class="line">${cells.corr}<span class="push">${cells.actions}</span></div>
    </li>`;
  }
  /** @param {{key: string, num?: boolean}} column */
  const cell = ({ key, num }) => (key === 'script' ? html`<th key=${key} scope="row">${cells[key]}</th>`
    : html`<td key=${key} class=${classes(num && 'num', (num || key === 'started') && 'nowrap')}>${cells[key]}</td>`);
  return html`<tr class=${look} aria-selected=${isSelected ? 'true' : undefined} ...${row}>
    <td>${cells.select}</td>${shownColumns().map(cell)}<td>${cells.actions}</td>
  </tr>`;
}

/** Enter on the row itself opens the run; on a button of the row it presses that. */
function openOnEnter(event) {
  if (event.key === 'Enter' && event.target === event.currentTarget) navigate(`/runs/${event.currentTarget.dataset.runId}/log`);
}

const memoryOf = ({ result }) => {
  const peak = result?.metrics?.memory_max_mb;
  return typeof peak === 'number' ? bytes(peak * 1048576) : html`<span class="muted">–</span>`;
};

/** Name and, below it, folder and arguments. */
function ScriptCell({ run }) {
  const path = run.request?.script_path ?? run.script?.name ?? '';
  const args = run.request?.args ?? [];
  const below = [scriptFolder(path), join(args)].filter(Boolean).join('  ');
  return html`<span class="script-cell">
    <a href=${href(`/runs/${run.id}/log`)} class="script-name" title=${path}>${scriptName(path)}</a>
    ${below && html`<span class="script-args mono" title=${below}>${below}</span>`}
  </span>`;
}
