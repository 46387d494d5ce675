/** Dialogs of the table of runs: views with a name, and which columns are shown. */
import { hiddenColumns, savedViews } from '../../lib/prefs.js';
import { query } from '../../lib/router.js';
import { html, useState } from '../../lib/ui.js';
import { Button } from '../../ui/basics.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';
import { COLUMNS } from './run-row.js';

export function saveView() {
  openDialog({ title: 'Save this view', body: html`<${SaveView} />` });
}

export function manageViews() {
  openDialog({ title: 'Views', body: html`<${ManageViews} />` });
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

export function chooseColumns() {
  openDialog({ title: 'Columns', body: html`<${Columns} />` });
}

function Columns() {
  const toggle = (key, on) => {
    hiddenColumns.value = on ? hiddenColumns.peek().filter((each) => each !== key) : [...hiddenColumns.peek(), key];
  };
  return html`<ul class="plain-list">${COLUMNS.filter(({ fixed }) => !fixed).map(({ key, title }) => html`<li key=${key}><label class="several-item">
    <input type="checkbox" checked=${!hiddenColumns.value.includes(key)} onChange=${(event) => toggle(key, event.target.checked)} data-value=${key} />${title}</label></li>`)}</ul>`;
}
