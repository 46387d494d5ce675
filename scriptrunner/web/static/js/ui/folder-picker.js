/** Pick a folder of the server: one level at a time, below the allowed roots only. */
import { getJson } from '../lib/api.js';
import { useResource } from '../lib/resource.js';
import { html, useState } from '../lib/ui.js';
import { Button, Icon } from './basics.js';
import { closeDialog, openDialog } from './dialog.js';
import { Loaded } from './states.js';

/**
 * @param {string|null} start where to begin, if there is such a folder
 * @returns {Promise<string|null>} its absolute path, null if none was picked
 */
export function pickFolder(start) {
  return new Promise((resolve) => {
    const done = (path) => {
      resolve(path);
      closeDialog();
    };
    openDialog({ title: 'Pick a folder', body: html`<${FolderPicker} start=${start} onPick=${done} />`, onClose: () => resolve(null) });
  });
}

/** The folders of a place; where the first one cannot be shown, those of the roots. */
async function load(path, options) {
  try {
    return await getJson('/api/fs', { query: { path }, ...options });
  } catch (error) {
    if (!path || error.status !== 400 && error.status !== 404) throw error;
    return getJson('/api/fs', options);
  }
}

/** Folders one level at a time. @param {{start?: string|null, onPick: (path: string) => void}} props */
export function FolderPicker({ start, onPick }) {
  const [path, setPath] = useState(start?.startsWith('/') ? start : '');
  const folder = useResource((options) => load(path, options), [path]);
  return html`<div class="picker" data-testid="folder-picker"><${Loaded} resource=${folder} title="The folders could not be listed">
    ${(found) => html`
      <p class="mono break picker-path">${found.path ?? 'Allowed folders'}</p>
      <ul class="plain-list picker-list" role="list">
        ${found.path && html`<li key=".."><button type="button" class="picker-item" onClick=${() => setPath(found.parent ?? '')}>
          <${Icon} name="arrow-up" />Up</button></li>`}
        ${found.folders.map(({ name, path: below }) => html`<li key=${below}><button type="button" class="picker-item" onClick=${() => setPath(below)} data-path=${below}>
          <${Icon} name="folder" /><span class="break">${name}</span></button></li>`)}
        ${!found.folders.length && html`<li class="muted">No folders here</li>`}
      </ul>
      ${found.truncated && html`<p class="help">Only the first folders are shown.</p>`}
      <div class="line"><span class="push"></span><${Button} kind="primary" label="Use this folder" refusal=${found.path ? '' : 'Open a folder first'}
        onClick=${() => onPick(found.path)} data-testid="folder-use" /></div>`}<//></div>`;
}
