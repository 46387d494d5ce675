/** The scripts: search, filters, table, selection, pages; all of it in the address. */
import { getJson, postJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { count, plural } from '../../lib/format.js';
import { useHotkeys } from '../../lib/hotkeys.js';
import { colorOf, LIFECYCLE, roots, tags } from '../../lib/library.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { html, useRef, useState } from '../../lib/ui.js';
import { Ago, Button, Card, Empty, Icon } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { Choice, Search } from '../../ui/filters.js';
import { Lifecycle } from '../../ui/lifecycle.js';
import { Menu } from '../../ui/menu.js';
import { Pager } from '../../ui/pager.js';
import { RunScriptButton, whyNot } from '../../ui/run-script.js';
import { lacking, Loaded } from '../../ui/states.js';
import { Tag } from '../../ui/tag.js';
import { showError, showToast } from '../../ui/toast.js';

/** Names of the query of the address that narrow the list. */
const FILTERS = ['search', 'content', 'language', 'status', 'tag', 'root_id', 'folder', 'owner', 'missing'];
const NOTHING = Object.fromEntries([...FILTERS, 'page'].map((name) => [name, null]));
const SIZES = [25, 50, 100, 200];

/** The page of scripts that the address asks for. */
export function useScripts() {
  const asked = Object.fromEntries([...FILTERS, 'sort', 'order'].map((name) => [name, query.value.get(name) ?? '']));
  const page = Math.max(1, Number.parseInt(query.value.get('page') ?? '1', 10) || 1);
  const size = SIZES.find((each) => String(each) === query.value.get('rows')) ?? 50;
  const found = useResource((options) => getJson('/api/library/scripts', { query: { ...asked, page, page_size: size }, ...options }),
    [JSON.stringify(asked), page, size]);
  return { ...found, asked, page, size };
}

export function ScriptsCard({ scripts, shown, onChange }) {
  const [selected, setSelected] = useState(/** @type {Set<number>} */ (new Set()));
  const element = useRef(null);
  useRowKeys(element);
  const done = () => {
    setSelected(new Set());
    onChange();
  };
  return html`<${Card} title="Scripts" data-testid="lib-scripts" actions=${html`<${Filters} asked=${scripts.asked} />`}>
    <${Chosen} asked=${scripts.asked} />
    ${selected.size > 0 && html`<${Selection} ids=${[...selected]} onDone=${done} onClear=${() => setSelected(new Set())} />`}
    <div ref=${element} class=${shown ? 'is-master' : ''}><${Loaded} resource=${scripts} lines=${8} title="The scripts could not be loaded">${(answer) => html`
      <${Rows} scripts=${scripts} answer=${answer} shown=${shown} selected=${selected} onSelect=${setSelected} />`}<//></div><//>`;
}

function Filters({ asked }) {
  const change = (name) => (value) => setQuery({ [name]: value, page: null });
  const inText = asked.content !== '';
  const [where, setWhere] = useState(inText ? 'content' : 'search');
  const move = (next) => {
    setWhere(next);
    const text = asked.search || asked.content;
    if (text) setQuery({ search: null, content: null, [next]: text, page: null });
  };
  return html`<div class="filter-bar">
    <span class="search-pair"><${Search} key=${where} label="Search the scripts" placeholder=${where === 'content' ? 'Text inside the scripts'
      : 'Name or folder'} value=${asked[where]}
        onChange=${change(where)} testid="lib-search" hotkey="Search the scripts" group="Library" />
      <label class="switch small"><input type="checkbox" role="switch" checked=${where === 'content'} onChange=${(event) => move(event.target.checked
        ? 'content' : 'search')}
        data-testid="lib-search-content" /><span>in text</span></label></span>
    <${Choice} label="Language" value=${asked.language} choices=${LANGUAGES} onChange=${change('language')} testid="lib-filter-language" />
    <${Choice} label="Status" value=${asked.status} choices=${LIFECYCLE} onChange=${change('status')} testid="lib-filter-status" />
    <${Choice} label="Tag" value=${asked.tag} choices=${(tags.value ?? []).map(({ name }) => name)} onChange=${change('tag')} testid="lib-filter-tag" />
    <${Choice} label="Root" value=${asked.root_id} choices=${(roots.value ?? []).map(({ id, name }) => [String(id), name])}
      onChange=${(id) => setQuery({ root_id: id, folder: null, page: null })} testid="lib-filter-root" />
    <${Choice} label="Files" all="that are there" value=${asked.missing} choices=${[['true', 'missing ones'], ['all', 'all']]}
      onChange=${change('missing')} testid="lib-filter-missing" />
  </div>`;
}

const LANGUAGES = ['Python', 'Bash', 'PowerShell', 'Batch', 'SQL', 'JavaScript', 'TypeScript', 'YAML', 'JSON', 'Terraform', 'Ruby', 'Go', 'Java', 'Rust'];

/** Filters that have no control of their own in the bar. */
function Chosen({ asked }) {
  const chips = [asked.folder && ['folder', `in ${asked.folder}`], asked.owner && ['owner', `of ${asked.owner}`]].filter(Boolean);
  if (!chips.length) return null;
  return html`<p class="card-note chips">${chips.map(([name, text]) => html`<button key=${name} type="button" class="chip is-on" title="Remove this filter"
    onClick=${() => setQuery({ [name]: null, page: null })}>${text} <${Icon} name="x" /></button>`)}</p>`;
}

function Rows({ scripts, answer, shown, selected, onSelect }) {
  const { asked, page, size } = scripts;
  if (!answer.items.length) return html`<${Nothing} asked=${asked} page=${page} />`;
  const select = (id) => (event) => {
    const next = new Set(selected);
    if (event.target.checked) next.add(id);
    else next.delete(id);
    onSelect(next);
  };
  const all = answer.items.every(({ id }) => selected.has(id));
  const selectAll = (event) => onSelect(event.target.checked ? new Set([...selected, ...answer.items.map(({ id }) => id)]) : new Set());
  const columns = [
    { key: 'select', class: 'col-select', title: html`<input type="checkbox" aria-label="Select all scripts of this page" checked=${all} onChange=${selectAll} />`,
      render: ({ id, name }) => html`<input type="checkbox" aria-label=${`Select ${name}`} checked=${selected.has(id)} onChange=${select(id)}
        data-testid="script-select" />` },
    { key: 'name', title: 'Script', head: true, sort: 'name', render: (script) => html`<${Name} script=${script} />` },
    { key: 'language', title: 'Language' },
    { key: 'status', title: 'Status', render: ({ lifecycle_status: status, missing_flag: missing }) => html`<${Lifecycle} status=${status} missing=${missing} />` },
    { key: 'tags', title: 'Tags', class: 'tags-cell', render: ({ tags: names }) => (names.length ? html`<span>${names.map((name) => html`<${Tag}
      key=${name} name=${name} color=${colorOf(name)} />`)}</span>` : '–') },
    { key: 'owner', title: 'Owner', render: ({ owner }) => (owner ? html`<button type="button" class="link-btn" title=${`Only scripts of ${owner}`}
      onClick=${() => setQuery({ owner, page: null })}>${owner}</button>` : html`<span class="muted">–</span>`) },
    { key: 'line_count', title: 'Lines', num: true, render: ({ line_count: lines }) => count(lines) },
    { key: 'mtime', title: 'Changed', sort: 'mtime', class: 'nowrap', render: ({ mtime }) => html`<${Ago} at=${mtime} />` },
    { key: 'actions', title: '', class: 'actions', render: (script) => html`<${Actions} script=${script} />` },
  ];
  const sort = { by: asked.sort || 'name', descending: asked.order === 'desc' };
  return html`<${DataTable} label="Scripts" columns=${columns} rows=${answer.items} rowKey=${({ id }) => id} busy=${scripts.loading}
    testid="lib-table" class="lib-table"
      sort=${sort} onSort=${({ by, descending }) => setQuery({ sort: by === 'name' ? null : by, order: descending ? 'desc' : null, page: null })}
      rowProps=${({ id }) => ({ 'data-testid': 'script-row', 'data-script-id': id, tabindex: '-1', class: String(id) === shown ? 'is-selected' : '',
    onClick: openUnless(id), onKeyDown: (event) => event.key === 'Enter' && event.target === event.currentTarget && open(id) })} />
    <${Pager} label="Pages of scripts" page=${page} size=${size} shown=${answer.items.length} total=${answer.total} testid="lib-page"
      onPage=${(next) => setQuery({ page: next > 1 ? next : null })} onSize=${(rows) => setQuery({ rows: rows === 50 ? null : rows, page: null })}
        sizes=${SIZES} />`;
}

const open = (id) => setQuery({ script: id, part: null });

/** A click on the row opens the preview; on a control of the row it does what that does. */
const openUnless = (id) => (event) => {
  if (!event.target.closest('a, button, input, select, label, [popover]')) open(id);
};

function Name({ script }) {
  const root = roots.value?.find(({ id }) => id === script.root_id);
  const folder = root && script.path.startsWith(`${root.path}/`) ? script.path.slice(root.path.length + 1, -script.name.length)
    : script.path.slice(0, -script.name.length);
  const show = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(script.id);
  };
  return html`<span class="script-cell"><a class="script-name" href=${href(`/library/${script.id}`)} title=${script.path} onClick=${show}
    data-testid="lib-view">${script.name}</a>
    <span class="script-args mono">${[root?.name, folder].filter(Boolean).join(' / ')}</span></span>`;
}

function Actions({ script }) {
  const items = [
    { label: 'Run with options…', icon: 'settings', refusal: whyNot(script), href: href(`/launch?script=${encodeURIComponent(script.path)}`) },
    { label: 'Open its page', icon: 'external-link', href: href(`/library/${script.id}`) },
    { label: 'Its runs', icon: 'history', href: href(`/library/${script.id}?part=runs`) },
    { label: 'Schedule it…', icon: 'calendar-clock', refusal: whyNot(script), href: href(`/schedules?new=1&script=${encodeURIComponent(script.path)}`) },
    { label: 'Its trend', icon: 'chart-line', href: href(`/analytics?script=${encodeURIComponent(script.path)}`) },
  ];
  return html`<div class="row-actions"><${RunScriptButton} script=${script} kind="" /><${Menu} label=${`More for ${script.name}`} items=${items} /></div>`;
}

function Nothing({ asked, page }) {
  const filtered = FILTERS.some((name) => asked[name]);
  if (filtered) {
    return html`<${Empty} icon="search" title="No script matches"><${Button} label="Show all scripts" onClick=${() => setQuery(NOTHING)} /><//>`;
  }
  if (page > 1) return html`<${Empty} title="This page is empty"><${Button} label="To the first page" onClick=${() => setQuery({ page: null })} /><//>`;
  return html`<${Empty} icon="folder-open" title="No scripts found in the roots"><p>Scan a root, or look at what its patterns leave out.</p><//>`;
}

/** Tags for many scripts at once. */
function Selection({ ids, onDone, onClear }) {
  const put = (tag, action) => async () => {
    try {
      await postJson('/api/library/scripts/tags', { json: { script_ids: ids, tag_ids: [tag.id], action } });
      showToast(action === 'attach' ? `${plural(ids.length, 'script')} tagged ${tag.name}` : `${tag.name} taken off ${plural(ids.length, 'script')}`);
      onDone();
    } catch (error) {
      showError(error);
    }
  };
  const all = tags.value ?? [];
  const entries = (action) => (all.length ? all.map((tag) => ({ label: tag.name, icon: 'tag', refusal: lacking('library.write'), run: put(tag,
    action), testid: `bulk-${action}` }))
    : [{ label: 'There are no tags', icon: 'tag', refusal: 'Make one first, beside this list' }]);
  return html`<div class="selection" role="status"><span><strong>${count(ids.length)}</strong> selected</span>
    <span class="line-up">Tag them <${Menu} label="Put a tag on the selected scripts" icon="plus" items=${entries('attach')} /></span>
    <span class="line-up">Untag them <${Menu} label="Take a tag off the selected scripts" icon="circle-minus" items=${entries('detach')} /></span>
    <${Button} compact=${true} label="Clear selection" onClick=${onClear} /></div>`;
}

/** j and k walk the rows. */
function useRowKeys(element) {
  const walk = (step) => () => {
    const all = [...element.current.querySelectorAll('[data-script-id]')];
    const at = all.indexOf(document.activeElement?.closest?.('[data-script-id]'));
    (all[at + step] ?? (at < 0 ? all[0] : all[at]))?.focus();
  };
  const group = 'Rows of the table';
  useHotkeys([
    { keys: 'j', label: 'Next script', group, run: walk(1) }, { keys: 'k', label: 'Previous script', group, run: walk(-1) },
  ]);
}
