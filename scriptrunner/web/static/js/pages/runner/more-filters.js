/** Filters beyond the status, the views that were given a name, and which columns are shown. */
import { getJson, me } from '../../lib/api.js';
import { hiddenColumns, savedViews } from '../../lib/prefs.js';
import { navigate, path, query } from '../../lib/router.js';
import { filter, isFiltered, NO_FILTER, setFilter, SPANS } from '../../lib/runs-list.js';
import { useResource } from '../../lib/resource.js';
import { html, useState } from '../../lib/ui.js';
import { Button, IconButton } from '../../ui/basics.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';
import { Choice } from '../../ui/filters.js';
import { Menu } from '../../ui/menu.js';
import { COLUMNS } from './run-row.js';

const TRIGGERS = ['api', 'upload', 'library', 'schedule', 'dependency', 'event', 'manual', 'restart'];
const SPAN_NAMES = { '1h': 'last hour', '24h': 'last 24 hours', '7d': 'last 7 days', '30d': 'last 30 days' };

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
    <${IconButton} icon="columns-3" label="Columns" class="icon-btn desktop-only" onClick=${chooseColumns} data-testid="columns" />`;
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
    isFiltered.value && { label: 'Save this view', icon: 'save', run: () => openDialog({ title: 'Save this view', body: html`<${SaveView} />` }), testid: 'view-save' },
    views.length > 0 && { label: 'Manage views', icon: 'pencil', run: () => openDialog({ title: 'Views', body: html`<${ManageViews} />` }) },
  ].filter(Boolean);
  return html`<span data-testid="views"><${Menu} label="Views" icon="filter" items=${items} /></span>`;
}

function SaveView() {
  const [name, setName] = useState('');
  const save = (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    const next = new URLSearchParams(query.peek());
    for (const each of ['page', 'anchor']) next.delete(each);
    savedViews.value = [...savedViews.peek().filter(([each]) => each !== name.trim()), [name.trim(), next.toString()]];
    closeDialog();
  };
  return html`<form class="stack" onSubmit=${save}><label class="field"><span>Name</span><input type="text" maxlength="60" data-first-focus value=${name}
      onInput=${(event) => setName(event.target.value)} data-testid="view-name" /></label>
    <p class="help">Filters and order, kept in this browser.</p>
    <div><${Button} type="submit" kind="primary" label="Save" /></div></form>`;
}

function ManageViews() {
  if (!savedViews.value.length) return html`<p>None left.</p>`;
  const drop = (name) => () => {
    savedViews.value = savedViews.peek().filter(([each]) => each !== name);
  };
  return html`<ul class="plain-list">${savedViews.value.map(([name]) => html`<li key=${name} class="line"><span class="break">${name}</span><span class="push"></span>
    <${Button} compact=${true} icon="trash-2" label="Remove" title=${`Remove the view ${name}`} onClick=${drop(name)} /></li>`)}</ul>`;
}

function chooseColumns() {
  openDialog({ title: 'Columns', body: html`<${Columns} />` });
}

function Columns() {
  const toggle = (key, on) => {
    hiddenColumns.value = on ? hiddenColumns.peek().filter((each) => each !== key) : [...hiddenColumns.peek(), key];
  };
  return html`<ul class="plain-list">${COLUMNS.filter(({ fixed }) => !fixed).map(({ key, title }) => html`<li key=${key}><label class="several-item">
    <input type="checkbox" checked=${!hiddenColumns.value.includes(key)} onChange=${(event) => toggle(key, event.target.checked)} data-value=${key} />${title}</label></li>`)}</ul>`;
}
