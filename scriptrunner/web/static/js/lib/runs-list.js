/**
 * The page of runs that the table shows: loaded by the address, changed in place by the
 * stream. New runs are counted, not inserted, so that no row moves under the pointer.
 */
import { getJson, request } from './api.js';
import { watch } from './live.js';
import { hiddenColumns, pageSize } from './prefs.js';
import { navigate, query, setQuery } from './router.js';
import { settle } from './run-actions.js';
import { isActive } from './run-status.js';
import { batch, computed, effect, signal } from './ui.js';

/** Rows in order, by id. */
export const rowIds = signal(/** @type {string[]} */ ([]));
/** Run of each row. @type {Map<string, ReturnType<typeof signal>>} */
const runs = new Map();
/** All matches, whatever page is shown; null before the first answer. */
export const total = signal(/** @type {number|null} */ (null));
/** Runs that came after the table was loaded and are not in it. */
export const newIds = signal(/** @type {Set<string>} */ (new Set()));
/** Why the last load failed, or null. */
export const loadError = signal(/** @type {import('./api.js').ApiError|null} */ (null));
export const loading = signal(false);
/** Page that the rows belong to; the address may already ask for another. */
export const shownPage = signal(1);
/** When the rows were last fetched, ms. */
export const loadedAt = signal(0);
/** Row to bring to the reader's attention: a run just started here. */
export const marked = signal(/** @type {string|null} */ (null));
/** Row that gets the focus when it appears: a run started on another page. */
export const focusWanted = signal(/** @type {string|null} */ (null));
/** Selected runs, over pages. */
export const selected = signal(/** @type {Set<string>} */ (new Set()));

/** Names of the address that narrow the list, with those of the API. */
const NARROWING = { q: 'q', script: 'script', trigger: 'trigger', user: 'principal', tag: 'tag' };
/** Spans of time by their names in the address, in hours. */
export const SPANS = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 };

/** What the address asks for. */
export const filter = computed(() => {
  const text = (name) => query.value.get(name) ?? '';
  return {
    status: query.value.getAll('status'),
    q: text('q'), script: text('script'), trigger: text('trigger'), user: text('user'), tag: text('tag'), since: text('since'),
    sort: text('sort') || 'queued', order: text('order') || 'desc',
    page: Math.max(1, Number.parseInt(query.value.get('page') ?? '1', 10) || 1),
    anchor: text('anchor'),
  };
});

export const isFiltered = computed(() => filter.value.status.length > 0 || filter.value.since !== ''
  || Object.keys(NARROWING).some((name) => filter.value[name] !== ''));

/** No filter at all. */
export const NO_FILTER = { status: null, q: null, script: null, trigger: null, user: null, tag: null, since: null };

/** What is asked of the API for the filter of the address, without its page. */
export function filterQuery() {
  const now = filter.peek();
  const narrowed = Object.fromEntries(Object.entries(NARROWING).map(([name, parameter]) => [parameter, now[name]]));
  return { status: now.status, ...narrowed, since: startOf(now.since) };
}

/** Beginning of a span as the API takes it; a date stays one. */
function startOf(since) {
  if (!SPANS[since]) return since;
  return new Date(Date.now() - SPANS[since] * 3_600_000).toISOString();
}

/** The run of a row, as a signal. */
export const rowRun = (id) => runs.get(id);

/** What the stream said last of each run, and when: an answer may be older than that. */
const told = new Map();
let moment = 0;

/** True when something happened during a load that asks for another one. */
let again = false;

let next = '';
let abort = new AbortController();

/** Look again, after a load that is under way. */
export function refreshRuns() {
  if (loading.peek()) again = true;
  else loadRuns();
}

/** Fetch what the address asks for. Rows that stay are changed in place. */
export async function loadRuns() {
  abort.abort();
  abort = new AbortController();
  const mine = abort;
  const { page, anchor, sort, order } = filter.peek();
  const limit = pageSize.peek();
  const usual = sort === 'queued' && order === 'desc';
  // Later pages hang on the end of the first one, so that new runs do not shift them.
  const offset = anchor ? (page - 2) * limit : (page - 1) * limit;
  loading.value = true;
  moment += 1;
  const asked = moment;
  try {
    const answer = await request('GET', '/api/runs', {
      query: {
        ...filterQuery(), with_tags: hiddenColumns.peek().includes('tags') ? null : true, limit, offset: Math.max(0, offset) || null, before: page > 1 ? anchor : null,
        ...(usual ? {} : { sort, order }),
      },
      signal: mine.signal,
    });
    const items = await answer.json();
    if (mine !== abort) return;
    if (page === 1) next = answer.headers.get('X-Next-Before') ?? '';
    batch(() => {
      show(items, asked);
      shownPage.value = page;
      total.value = Number(answer.headers.get('X-Total-Count') ?? items.length);
      loadError.value = null;
      loadedAt.value = Date.now();
      loading.value = false;
    });
  } catch (error) {
    if (mine !== abort) return;
    batch(() => {
      loadError.value = /** @type {import('./api.js').ApiError} */ (error);
      loading.value = false;
    });
  }
  if (again) {
    again = false;
    loadRuns();
  }
}

function show(items, asked) {
  for (const item of items) put(newest(item, asked));
  const ids = items.map(({ id }) => id);
  for (const id of [...runs.keys()]) if (!ids.includes(id)) runs.delete(id);
  rowIds.value = ids;
  const fresh = [...told].filter(([id, { run, at }]) => at >= asked && !ids.includes(id) && belongs(run));
  newIds.value = new Set(fresh.map(([id]) => id));
  for (const [id, { at }] of told) if (at < asked) told.delete(id);
}

/** The run of an answer, or what the stream has said of it since it was asked for. */
function newest(run, asked) {
  const entry = told.get(run.id);
  if (!entry) return run;
  if (entry.at >= asked && (isActive(run) || !isActive(entry.run))) return entry.run;
  told.delete(run.id);
  return run;
}

function put(run) {
  settle(run);
  const row = runs.get(run.id);
  // The stream does not tell tags.
  if (row) row.value = run.tags ? run : { ...run, tags: row.peek().tags };
  else runs.set(run.id, signal(run));
}

/** Go to a page of the table. */
export function goToPage(page) {
  const { anchor } = filter.peek();
  setQuery({ page: page > 1 ? page : null, anchor: page > 1 ? anchor || next : null });
}

/** Filter; starts again at the first page. */
export const setFilter = (changes) => setQuery({ ...changes, page: null, anchor: null });

/** Sort; starts again at the first page. */
export const setSort = ({ by, descending }) => setFilter({ sort: by === 'queued' && descending ? null : by, order: descending ? null : 'asc' });

/** Take up a change from the stream. */
function onEvent(event, data) {
  if (event === 'run') {
    told.set(data.id, { run: data, at: moment });
    if (runs.has(data.id)) put(data);
    else if (!belongs(data)) return;
    else if (rowIds.peek().length) newIds.value = new Set([...newIds.peek(), data.id]);
    else refreshRuns();
  } else if (event === 'deleted') {
    const gone = new Set(data.ids);
    for (const id of gone) told.delete(id);
    if (rowIds.peek().some((id) => gone.has(id)) || [...newIds.peek()].some((id) => gone.has(id))) refreshRuns();
    forgetSelected(gone);
  }
}

/** Whether a run that is not shown belongs on the first page, which is shown. */
function belongs(run) {
  const { status, q, script, trigger, user, tag, page, sort, order } = filter.peek();
  if (page > 1) return false;
  if (status.length && !status.includes(run.status)) return false;
  if ((trigger && run.trigger !== trigger) || (user && run.principal !== user)) return false;
  if (q && !JSON.stringify(run).toLowerCase().includes(q.toLowerCase())) return false;
  const path = run.request?.script_path ?? '';
  if (script && !path.toLowerCase().includes(script.toLowerCase())) return false;
  const shown = rowIds.peek();
  // Which scripts have a tag is known to the server only; those shown have it.
  if (tag && !shown.some((id) => runs.get(id)?.peek().script.path === run.script.path)) return false;
  if (sort !== 'queued' || order !== 'desc') return true;
  const last = runs.get(shown.at(-1))?.peek();
  return shown.length < pageSize.peek() || !last || run.queued_at >= last.queued_at;
}

/** Show a run that was started here: on the first page, without filter, on top. */
export async function showStarted(id) {
  marked.value = id;
  if (filter.peek().page > 1 || isFiltered.peek() || filter.peek().sort !== 'queued') setFilter({ ...NO_FILTER, sort: null, order: null });
  await loadRuns();
}

/** Go to the Runner with a run that was started elsewhere: on top, marked, with the focus. */
export function showInRunner(id) {
  marked.value = id;
  focusWanted.value = id;
  navigate('/');
}

/** Fetch one run anew, after an order was given. */
export async function refreshRun(id) {
  moment += 1;
  const asked = moment;
  const run = await getJson(`/api/runs/${id}`);
  if (runs.has(id)) put(newest(run, asked));
}

export function toggleSelected(id, on) {
  const set = new Set(selected.peek());
  if (on) set.add(id);
  else set.delete(id);
  selected.value = set;
}

/** Most runs that one click selects. */
export const MOST_SELECTED = 10_000;

/** Select all runs that match, over all pages; returns how many there are more than can be selected. */
export async function selectAllMatching() {
  const ids = new Set();
  let before = /** @type {string|null} */ (null);
  let all = 0;
  do {
    const answer = await request('GET', '/api/runs', { query: { ...filterQuery(), limit: 200, before } });
    for (const { id } of await answer.json()) ids.add(id);
    all = Math.max(all, Number(answer.headers.get('X-Total-Count') ?? 0));
    before = answer.headers.get('X-Next-Before');
  } while (before && ids.size < MOST_SELECTED);
  selected.value = ids;
  return Math.max(0, all - ids.size);
}

function forgetSelected(ids) {
  if ([...ids].some((id) => selected.peek().has(id))) {
    selected.value = new Set([...selected.peek()].filter((id) => !ids.has(id)));
  }
}

/** Keep the table in step with the address and the stream; returns how to stop. */
export function followRuns() {
  const stopLoading = effect(() => {
    void filter.value;
    void pageSize.value;
    void hiddenColumns.value;
    loadRuns();
  });
  const stopWatching = watch('runs', { onEvent, onResync: refreshRuns });
  return () => {
    stopLoading();
    stopWatching();
  };
}
