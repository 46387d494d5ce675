/** Favourites are given a name, and taken away again. */
import { dropFavourite, favourites, keepFavourite } from '../../lib/favourites.js';
import { withoutSecrets } from '../../lib/launch-state.js';
import { html, useState } from '../../lib/ui.js';
import { Button } from '../basics.js';
import { closeDialog, openDialog } from '../dialog.js';
import { showToast } from '../toast.js';

export function manageFavourites() {
  openDialog({ title: 'Favourites', body: html`<${Manage} />` });
}

function Manage() {
  if (!favourites.value.length) return html`<p>None left.</p>`;
  return html`<ul class="plain-list">${favourites.value.map(({ name, values }) => html`<li key=${name} class="line">
    <span class="break">${name} <span class="muted mono">${values.script_path ?? ''}</span></span><span class="push"></span>
    <${Button} compact=${true} icon="trash-2" label="Remove" title=${`Remove the favourite ${name}`} onClick=${() => dropFavourite(name)} /></li>`)}</ul>`;
}

/** Keep what stands in the form under a name. */
export function askForName(values) {
  openDialog({ title: 'Save as favourite', body: html`<${NameForm} values=${values} />` });
}

function NameForm({ values }) {
  const [name, setName] = useState((values.script_path ?? '').replace(/.*\//, ''));
  const taken = favourites.value.some((each) => each.name === name.trim());
  const save = (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    keepFavourite(name.trim(), withoutSecrets(values));
    closeDialog();
    showToast(`Kept as ${name.trim()}`);
  };
  return html`<form class="stack" onSubmit=${save}>
    <label class="field"><span>Name</span><input type="text" data-first-focus maxlength="80" value=${name} onInput=${(event) => setName(event.target.value)}
      data-testid="favourite-name" /></label>
    <p class="help">It stays in this browser, with all options but secrets.${taken ? ' The favourite of this name is replaced.' : ''}</p>
    <div><${Button} type="submit" kind="primary" label=${taken ? 'Replace' : 'Save'} data-testid="favourite-confirm" /></div></form>`;
}
