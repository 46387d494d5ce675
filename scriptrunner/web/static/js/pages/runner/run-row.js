/** One run of the table: a table row, or a card on a narrow screen. */
import { href } from '../../lib/boot.js';
import { scriptFolder, scriptName } from '../../lib/format.js';
import { navigate } from '../../lib/router.js';
import { pending } from '../../lib/run-actions.js';
import { focusWanted, loadRuns, marked, refreshRun, rowRun, selected, showStarted, toggleSelected } from '../../lib/runs-list.js';
import { join } from '../../lib/shellwords.js';
import { classes, html, useEffect, useRef } from '../../lib/ui.js';
import { Ago, RunDuration, RunStatus, ShortId } from '../../ui/basics.js';
import { RowActions } from '../../ui/run-actions.js';

/** What the list does after an order. */
function onDone(name, answer, id) {
  if (name === 'restart' && answer) showStarted(answer.run_id);
  else if (name === 'remove') loadRuns();
  else refreshRun(id).catch(() => loadRuns());
}

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
  return html`<tr class=${look} aria-selected=${isSelected ? 'true' : undefined} ...${row}>
    <td>${cells.select}</td><td>${cells.status}</td><th scope="row">${cells.script}</th><td>${cells.corr}</td>
    <td class="nowrap">${cells.started}</td><td class="nowrap num">${cells.duration}</td><td>${cells.actions}</td>
  </tr>`;
}

/** Enter on the row itself opens the run; on a button of the row it presses that. */
function openOnEnter(event) {
  if (event.key === 'Enter' && event.target === event.currentTarget) navigate(`/runs/${event.currentTarget.dataset.runId}/log`);
}

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
