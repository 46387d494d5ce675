/** Adding a folder root: its folder, found on the server, and what of it is listed. */
import { postJson, request } from '../../lib/api.js';
import { html, useState } from '../../lib/ui.js';
import { Button, ErrorBox } from '../../ui/basics.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';
import { FolderPicker } from '../../ui/folder-picker.js';
import { showToast } from '../../ui/toast.js';

/**
 * Open the form as a dialog, to add a root or to change one.
 * @param {() => void} onAdded @param {any} [root]
 */
export function askForRoot(onAdded, root = null) {
  openDialog({
    title: root ? `Change the root “${root.name}”` : 'Add a folder root', wide: true,
    body: html`<${RootForm} root=${root} onAdded=${() => {
      closeDialog();
      onAdded();
    }} />`,
  });
}

/** Add a root, or change all but its path. */
async function store({ path, ...rest }, root) {
  const name = rest.name.trim() || path.replace(/\/+$/, '').split('/').at(-1) || 'root';
  const json = { ...rest, name };
  if (!root) return postJson('/api/library/folder-roots', { json: { ...json, path: path.trim() } });
  return (await request('PATCH', `/api/library/folder-roots/${root.id}`, { json })).json();
}

const NEW = { path: '', name: '', recursive: true, include_patterns: '', exclude_patterns: '', gitignore: false, watch: false };

/** @param {{onAdded: () => void, root?: object|null}} props */
export function RootForm({ onAdded, root = null }) {
  const [values, setValues] = useState(() => (root ? Object.fromEntries(Object.keys(NEW).map((name) => [name, root[name]])) : NEW));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [picking, setPicking] = useState(false);
  const set = (name) => (value) => setValues((before) => ({ ...before, [name]: value }));
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      const stored = await store(values, root);
      await postJson(`/api/library/folder-roots/${stored.id}/scan`);
      showToast(`${stored.name} is ${root ? 'changed' : 'added'}; its scan has begun`);
      setValues(NEW);
      setError(null);
      onAdded();
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const text = (name, label, help, rest = {}) => html`<div class="field"><label for=${`root-${name}`}>${label}</label>
    <input id=${`root-${name}`} type="text" value=${values[name]} spellcheck=${false} autocomplete="off" aria-describedby=${`root-${name}-help`}
      onInput=${(event) => set(name)(event.target.value)} data-testid=${`root-${name}`} ...${rest} />
    <p class="help" id=${`root-${name}-help`}>${help}</p></div>`;
  const flag = (name, label, help) => html`<div class="field"><label class="switch"><input type="checkbox" role="switch" checked=${values[name]}
    aria-describedby=${`root-${name}-help`} onChange=${(event) => set(name)(event.target.checked)} /><span>${label}</span></label>
    <p class="help" id=${`root-${name}-help`}>${help}</p></div>`;
  return html`<form class="stack" onSubmit=${submit} data-testid="root-form">
    ${error && html`<${ErrorBox} error=${error} title="Nothing was stored" />`}
    ${!root && html`<div class="field"><label for="root-path">Folder on the server</label>
      <div class="with-button"><input id="root-path" class="mono" type="text" required value=${values.path} placeholder="/srv/scripts" spellcheck=${false}
          autocomplete="off" aria-describedby="root-path-help" onInput=${(event) => set('path')(event.target.value)} data-testid="root-path" />
        <${Button} icon="folder-open" label=${picking ? 'Hide folders' : 'Browse'} aria-expanded=${String(picking)}
          onClick=${() => setPicking(!picking)} data-testid="root-browse" /></div>
      <p class="help" id="root-path-help">Listing a folder gives no right to run what is in it: that needs an allowed root.</p></div>`}
    ${picking && html`<${FolderPicker} start=${values.path} onPick=${(path) => {
    set('path')(path);
    setPicking(false);
  }} />`}
    <div class="form-grid">
      ${text('name', 'Name', 'How it is called here; the folder’s own name if left out.', { placeholder: 'Ops', maxlength: 100 })}
      ${text('include_patterns', 'Only', 'Globs separated by commas: py, *.sh, jobs/**. Empty: every known language.', { placeholder: 'all', class: 'mono' })}
      ${text('exclude_patterns', 'Not', 'A plain name leaves out files and folders of that name at any depth.', { placeholder: 'tests, *.bak', class: 'mono' })}
      ${flag('recursive', 'Folders below, too', 'Off: only the files of this folder itself.')}
      ${flag('gitignore', 'Respect .gitignore', 'What git ignores is not listed.')}
      ${flag('watch', 'Watch for changes', 'Looks again by itself from time to time.')}
    </div>
    <div><${Button} type="submit" kind="primary" icon="folder-plus" label=${busy ? 'Storing…' : root ? 'Save and scan' : 'Add and scan'} busy=${busy}
      data-testid="root-submit" /></div>
  </form>`;
}
