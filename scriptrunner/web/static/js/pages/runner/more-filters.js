/** Filters beyond the status, the views that were given a name, and which columns are shown. */
import { getJson, me } from '../../lib/api.js';
import { savedViews } from '../../lib/prefs.js';
import { navigate, path } from '../../lib/router.js';
import { filter, isFiltered, NO_FILTER, setFilter, SPANS } from '../../lib/runs-list.js';
import { useResource } from '../../lib/resource.js';
import { html } from '../../lib/ui.js';
import { Button, IconButton } from '../../ui/basics.js';
import { Choice } from '../../ui/filters.js';
import { Menu } from '../../ui/menu.js';

const TRIGGERS = ['api', 'upload', 'library', 'schedule', 'dependency', 'event', 'manual', 'restart'];
const SPAN_NAMES = { '1h': 'last hour', '24h': 'last 24 hours', '7d': 'last 7 days', '30d': 'last 30 days' };

/** Open one of the dialogs. */
const ask = (which) => async () => (await import('./view-dialogs.js'))[which]();

export function MoreFilters() {
  const { trigger, since, tag, user, script } = filter.value;
  const spans = Object.keys(SPANS).map((each) => /** @type {[string, string]} */ ([each, SPAN_NAMES[each]]));
  const custom = since && !SPANS[since] ? [/** @type {[string, string]} */ ([since, `since ${since}`])] : [];
  return html`
    <${Choice} label="Since" value=${since} choices=${[...spans, ...custom]} all="ever" onChange=${(value) => setFilter({ since: value })} testid="filter-since" />
    <${Choice} label="Trigger" value=${trigger} choices=${TRIGGERS} onChange=${(value) => setFilter({ trigger: value })} testid="filter-trigger" />
    <${TagChoice} value=${tag} />
    ${me.value && !me.value.local && html`<${Choice} label="By" value=${user} choices=${[[me.value.principal, 'me']]} all="anybody"
      onChange=${(value) => setFilter({ user: value })} testid="filter-user" />`}
    ${script && html`<${Button} compact=${true} icon="x" label=${`script: ${script}`} title="Show all scripts" onClick=${() => setFilter({ script: null })} />`}
    ${isFiltered.value && html`<${Button} compact=${true} kind="quiet" label="Clear" title="Show all runs" onClick=${() => setFilter(NO_FILTER)} data-testid="filter-clear" />`}
    <${Views} />
    <${IconButton} icon="download" label="Export as CSV" onClick=${async () => (await import('./export-runs.js')).askForExport()} data-testid="runs-export" />
    <${IconButton} icon="columns-3" label="Columns" class="icon-btn desktop-only" onClick=${ask('chooseColumns')} data-testid="columns" />`;
}

/** Tags of the library, if there are any. */
function TagChoice({ value }) {
  const { data } = useResource((options) => getJson('/api/library/tags', options), []);
  const names = (data ?? []).map(({ name }) => name);
  if (!names.length && !value) return null;
  return html`<${Choice} label="Tag" value=${value} choices=${names.includes(value) || !value ? names : [value, ...names]}
    onChange=${(next) => setFilter({ tag: next })} testid="filter-tag" />`;
}

function Views() {
  const views = savedViews.value;
  if (!views.length && !isFiltered.value) return null;
  const go = (text) => navigate(`${path.peek()}${text ? `?${text}` : ''}`);
  const items = [
    ...views.map(([name, text]) => ({ label: name, icon: 'filter', run: () => go(text) })),
    isFiltered.value && { label: 'Save this view', icon: 'save', run: ask('saveView'), testid: 'view-save' },
    views.length > 0 && { label: 'Manage views', icon: 'pencil', run: ask('manageViews') },
  ].filter(Boolean);
  return html`<span data-testid="views"><${Menu} label="Views" icon="filter" items=${items} /></span>`;
}
