/** Pick a folder of the server: one level at a time, below the allowed folders only. */
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

/** A place below one of the allowed folders; `root` is '' above them all. @typedef {{root: string, path: string}} Place */

const ABOVE = { root: '', path: '' };

/** The place of an absolute path; above all if it lies below none of `roots`. */
function placeOf(text, roots) {
  const plain = text.replace(/\/+$/, '');
  const [root] = roots.map(({ path }) => path).filter((each) => plain === each || plain.startsWith(`${each}/`)).sort((a, b) => b.length - a.length);
  return root ? { root, path: plain.slice(root.length + 1) } : ABOVE;
}

/** What is in a place; where the first one cannot be shown, the allowed folders. */
async function load(place, start, options) {
  const top = place ? null : await getJson('/api/fs', options);
  const asked = place ?? placeOf(start, top.roots);
  if (!asked.root) return top ?? getJson('/api/fs', options);
  try {
    return await getJson('/api/fs', { query: asked, ...options });
  } catch (error) {
    if (place || /** @type {import('../lib/api.js').ApiError} */ (error).status !== 404) throw error;
    return top;
  }
}

/** Folders one level at a time. @param {{start?: string|null, onPick: (path: string) => void}} props `onPick` gets an absolute path */
export function FolderPicker({ start, onPick }) {
  const [place, setPlace] = useState(/** @type {Place|null} */ (null));
  const folder = useResource((options) => load(place, start ?? '', options), [place?.root, place?.path]);
  return html`<div class="picker" data-testid="folder-picker"><${Loaded} resource=${folder} title="The folders could not be listed">
    ${(found) => html`<${Level} found=${found} onGo=${setPlace} onPick=${onPick} />`}<//></div>`;
}

function Level({ found, onGo, onPick }) {
  const { root, path, parent, folders } = found;
  const absolute = root && (path ? `${root}/${path}` : root);
  const up = path ? { root, path: parent } : ABOVE;
  const entries = root ? folders.map((each) => ({ name: each.name, place: { root, path: each.path } })) : found.roots.map((each) => ({ name: each.path, place: { root: each.path, path: '' } }));
  return html`<p class="mono break picker-path">${absolute || 'Allowed folders'}</p>
    <ul class="plain-list picker-list" role="list">
      ${root && html`<li key=".."><button type="button" class="picker-item" onClick=${() => onGo(up)}><${Icon} name="arrow-up" />Up</button></li>`}
      ${entries.map(({ name, place }) => html`<li key=${name}><button type="button" class="picker-item" onClick=${() => onGo(place)} data-path=${place.path || place.root}>
        <${Icon} name="folder" /><span class="break">${name}</span></button></li>`)}
      ${!entries.length && html`<li class="muted">No folders here</li>`}
    </ul>
    ${found.truncated && html`<p class="help">Only the first folders are shown.</p>`}
    <div class="line"><span class="push"></span><${Button} kind="primary" label="Use this folder" refusal=${absolute ? '' : 'Open a folder first'}
      onClick=${() => onPick(absolute)} data-testid="folder-use" /></div>`;
}
