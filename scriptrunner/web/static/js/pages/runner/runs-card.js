/** The runs: filter, table, paging, selection, and the notice of new runs. */
import { can, request } from '../../lib/api.js';
import { clockTime, count, plural } from '../../lib/format.js';
import { useHotkeys } from '../../lib/hotkeys.js';
import { pageSize } from '../../lib/prefs.js';
import { act } from '../../ui/run-actions.js';
import { navigate } from '../../lib/router.js';
import {
  filter, followRuns, goToPage, isFiltered, loadedAt, loadError, loading, loadRuns, MOST_SELECTED, newIds, NO_FILTER, refreshRun, rowIds, rowRun,
  selectAllMatching, selected, setFilter, setSort, shownPage, showStarted, toggleSelected, total,
} from '../../lib/runs-list.js';
import { STATUSES } from '../../lib/run-status.js';
import { classes, html, lazy, useEffect, useRef, useState } from '../../lib/ui.js';
import { Button, Card, Empty, ErrorBox, Icon, Skeleton, TableBox } from '../../ui/basics.js';
import { Pager } from '../../ui/pager.js';
import { showError, showToast } from '../../ui/toast.js';
import { RunRow, shownColumns } from './run-row.js';

/** Filters beyond the status, views and columns: not needed to see the runs. */
const MoreFilters = lazy(() => import('./more-filters.js').then((module) => module.MoreFilters));

const NARROW = matchMedia('(max-width: 899px)');

/** True while rows are cards. */
function useNarrow() {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const read = () => setNarrow(NARROW.matches);
    NARROW.addEventListener('change', read);
    return () => NARROW.removeEventListener('change', read);
  }, []);
  return narrow;
}

export function RunsCard() {
  useEffect(followRuns, []);
  const element = useRef(null);
  useRowKeys(element);
  return html`<${Card} title="Runs" class="runs" actions=${html`<${FilterBar} />`}>
    <div ref=${element}>
      <${Selection} />
      <${Notices} />
      <${Rows} />
      <${RunsPager} />
    </div>
  <//>`;
}

function Rows() {
  const narrow = useNarrow();
  const ids = rowIds.value;
  if (total.value === null) {
    return loadError.value ? null : html`<${Skeleton} lines=${8} />`;
  }
  if (!ids.length) return html`<${NoRuns} />`;
  if (narrow) {
    return html`<ul class="run-cards" data-testid="runs-table" aria-label="Runs">
      ${ids.map((id) => html`<${RunRow} key=${id} id=${id} narrow=${true} />`)}</ul>`;
  }
  const all = ids.every((id) => selected.value.has(id));
  const selectAll = (event) => ids.forEach((id) => toggleSelected(id, event.target.checked));
  return html`<${TableBox} label="Runs"><table class="runs-table" data-testid="runs-table" aria-busy=${loading.value ? 'true' : undefined}>
    <thead><tr>
      <th class="col-select"><input type="checkbox" aria-label="Select all runs of this page" checked=${all} onChange=${selectAll} /></th>
      ${shownColumns().map((column) => html`<${SortHead} key=${column.key} ...${column} />`)}
      <th scope="col">Actions</th>
    </tr></thead>
    <tbody>${ids.map((id) => html`<${RunRow} key=${id} id=${id} />`)}</tbody>
  </table><//>`;
}

/** The head of a column; the server sorts by some of them. */
function SortHead({ title, sort: by, num }) {
  const look = num ? 'num' : '';
  if (!by) return html`<th scope="col" class=${look}>${title}</th>`;
  const { sort, order } = filter.value;
  const mine = sort === by;
  const descending = order === 'desc';
  const next = { by, descending: mine ? !descending : by === 'queued' || by === 'duration' };
  return html`<th scope="col" class=${look} aria-sort=${mine ? (descending ? 'descending' : 'ascending') : undefined}>
    <button type="button" class=${classes('sort', mine && 'is-on')} onClick=${() => setSort(next)}>${title}
      <${Icon} name=${mine ? (descending ? 'arrow-down' : 'arrow-up') : 'arrow-up-down'} /></button></th>`;
}

function NoRuns() {
  if (isFiltered.value) {
    return html`<${Empty} icon="search" title="No run matches">
      <${Button} label="Show all runs" onClick=${() => setFilter(NO_FILTER)} /><//>`;
  }
  if (filter.value.page > 1) {
    return html`<${Empty} title="This page is empty"><${Button} label="Back to the first page" onClick=${() => goToPage(1)} /><//>`;
  }
  return html`<${Empty} icon="terminal" title="No runs yet">
    <ol>
      <li>Name a Python script of the server above, or upload one.</li>
      <li>Press Start.</li>
      <li>Its row appears here, with its output behind Logs.</li>
    </ol><//>`;
}

function FilterBar() {
  const { status, q } = filter.value;
  const timer = useRef(0);
  const input = useRef(null);
  const toggle = (each) => {
    setFilter({ status: status.includes(each) ? status.filter((other) => other !== each) : [...status, each] });
  };
  const chip = (each) => html`<button key=${each} type="button" class=${classes('chip', status.includes(each) && 'is-on')}
    aria-pressed=${String(status.includes(each))} data-value=${each} onClick=${() => toggle(each)}>${each}</button>`;
  const type = (event) => {
    const text = event.target.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setFilter({ q: text }), 250);
  };
  useHotkeys([{ keys: '/', label: 'Search the runs', group: 'Runner', run: () => input.current?.focus() }]);
  return html`<div class="filter-bar">
    <div class="chips" role="group" aria-label="Filter by status" data-testid="filter-status">${STATUSES.map(chip)}</div>
    <${MoreFilters} />
    <label class="search"><${Icon} name="search" /><input ref=${input} type="search" placeholder="Search script, args, id, error"
      aria-label="Search the runs" value=${q} onInput=${type} data-testid="filter-text" /></label>
  </div>`;
}

/** What is selected, and what can be done with it. */
function Selection() {
  const ids = [...selected.value];
  if (!ids.length) return null;
  const remove = async () => {
    const { confirm } = await import('../../ui/dialog.js');
    const sure = await confirm({
      title: `Delete ${plural(ids.length, 'run')}?`, confirm: 'Delete',
      body: 'Their records, events, logs and outputs are removed for good. Runs that are still active are left alone.',
    });
    if (sure) await deleteMany(ids);
  };
  const onPage = rowIds.value.every((id) => selected.value.has(id));
  const more = (total.value ?? 0) > ids.length && onPage;
  const selectAll = async () => {
    try {
      const left = await selectAllMatching();
      if (left) showToast(`The newest ${count(MOST_SELECTED)} are selected; ${count(left)} more match`, { tone: 'warn' });
    } catch (error) {
      showError(error);
    }
  };
  return html`<div class="selection" role="status">
    <span><strong>${count(ids.length)}</strong> selected</span>
    ${more && html`<${Button} compact=${true} kind="quiet" label=${`Select all ${count(total.value)} that match`} onClick=${selectAll} data-testid="select-all-matching" />`}
    <${Button} compact=${true} icon="trash-2" kind="danger" label="Delete" onClick=${remove} data-testid="bulk-delete"
      refusal=${can('run.delete') ? '' : 'Your role may not delete runs'} />
    <${Button} compact=${true} label="Clear selection" onClick=${() => { selected.value = new Set(); }} />
  </div>`;
}

/** Delete in portions of what one call takes. */
async function deleteMany(ids) {
  let deleted = 0;
  const skipped = [];
  try {
    for (let at = 0; at < ids.length; at += 1000) {
      const answer = await (await request('DELETE', '/api/runs', { json: ids.slice(at, at + 1000) })).json();
      deleted += answer.deleted;
      skipped.push(...answer.skipped);
    }
    const active = skipped.filter(({ reason }) => reason === 'active');
    const rest = active.length ? ` ${plural(active.length, 'run')} still active, not deleted.` : '';
    showToast(`${plural(deleted, 'run')} deleted.${rest}`, { tone: active.length ? 'warn' : 'good' });
    selected.value = new Set(active.map(({ id }) => id));
  } catch (error) {
    showError(error);
  }
  loadRuns();
}

/** New runs wait for a click; a failed refresh keeps the rows and says how old they are. */
function Notices() {
  const fresh = newIds.value.size;
  const error = loadError.value;
  return html`
    ${error && total.value === null && error.status === 403 && html`<div data-testid="forbidden"><${Empty} icon="ban" title="Not for your role">${error.message}<//></div>`}
    ${error && total.value === null && error.status !== 403 && html`<${ErrorBox} error=${error} title="The runs could not be loaded" onRetry=${loadRuns} />`}
    ${error && total.value !== null && html`<p class="stale tone-warn" role="status">
      <${Icon} name="triangle-alert" />As of ${clockTime(loadedAt.value)}: ${error.message}
      <${Button} compact=${true} label="Try again" onClick=${loadRuns} /></p>`}
    ${fresh > 0 && html`<div class="new-rows"><button type="button" class="pill" data-testid="new-rows" onClick=${loadRuns}>
      <${Icon} name="chevron-up" />${plural(fresh, 'new run')}</button></div>`}`;
}

function RunsPager() {
  const setSize = (size) => {
    pageSize.value = size;
    goToPage(1);
  };
  return html`<${Pager} label="Pages of runs" page=${shownPage.value} size=${pageSize.value} shown=${rowIds.value.length} total=${total.value}
    onPage=${goToPage} onSize=${setSize} />`;
}

/** j and k walk the rows; the other keys act on the row that has the focus. */
function useRowKeys(element) {
  const rows = () => [...element.current.querySelectorAll('[data-run-id]')];
  const focused = () => /** @type {HTMLElement|null|undefined} */ (document.activeElement?.closest?.('[data-run-id]'));
  const walk = (step) => () => {
    const all = rows();
    const at = all.indexOf(focused());
    (all[at + step] ?? (at < 0 ? all[0] : all[at]))?.focus();
  };
  const withRun = (run) => () => {
    const found = rowRun(focused()?.dataset.runId)?.peek();
    if (found) run(found);
  };
  const order = (name) => withRun((run) => act(name, run, (done, answer) => {
    if (done === 'restart' && answer) showStarted(answer.run_id);
    else refreshRun(run.id).catch(loadRuns);
  }));
  const key = (keys, label, run) => ({ keys, label, group: 'Rows of the table', run });
  useHotkeys([
    key('j', 'Next run', walk(1)),
    key('k', 'Previous run', walk(-1)),
    key('l', 'Open its log', withRun((run) => navigate(`/runs/${run.id}/log`))),
    key('d', 'Open its details', withRun((run) => navigate(`/runs/${run.id}/details`))),
    key('s', 'Stop it', order('stop')),
    key('Shift K', 'Kill it', order('kill')),
    key('r', 'Restart it', order('restart')),
    key('e', 'Edit and re-run it', withRun((run) => navigate(`/launch?from=${run.id}`))),
    key('c', 'Compare it with the run before', withRun((run) => navigate(`/compare?a=${run.id}`))),
    key('x', 'Select it', withRun((run) => toggleSelected(run.id, !selected.peek().has(run.id)))),
  ]);
}
