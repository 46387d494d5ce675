/** The roots with their scans, and the folders below each, fetched as they are opened. */
import { getJson, postJson, request } from '../../lib/api.js';
import { count, plural } from '../../lib/format.js';
import { roots } from '../../lib/library.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { classes, html, useState } from '../../lib/ui.js';
import { Ago, Button, Card, Icon } from '../../ui/basics.js';
import { confirm } from '../../ui/dialog.js';
import { Menu } from '../../ui/menu.js';
import { lacking, Loaded } from '../../ui/states.js';
import { showError, showToast } from '../../ui/toast.js';
import { askForRoot } from './root-form.js';

export function RootsCard({ onChange }) {
  const chosen = query.value.get('root_id');
  return html`<${Card} title="Roots" class="roots" actions=${chosen && html`<${Button} compact=${true} kind="quiet" label="All roots"
    onClick=${() => setQuery({ root_id: null, folder: null, page: null })} />`}>
    <ul class="root-list">${(roots.value ?? []).map((root) => html`<${Root} key=${root.id} root=${root} chosen=${String(root.id) === chosen}
      onChange=${onChange} />`)}</ul><//>`;
}

function Root({ root, chosen, onChange }) {
  const [open, setOpen] = useState(chosen);
  const scan = root.last_scan;
  const isScanning = scan?.status === 'running';
  const choose = () => setQuery({ root_id: chosen && !query.peek().get('folder') ? null : root.id, folder: null, page: null });
  const items = [
    isScanning ? { label: 'Stop the scan', icon: 'circle-stop', refusal: lacking('library.admin'), run: () => stopScan(root, onChange) }
      : { label: 'Scan now', icon: 'refresh-cw', refusal: lacking('library.admin'), run: () => startScan(root, onChange) },
    { label: 'Change…', icon: 'pencil', refusal: lacking('library.admin'), testid: 'root-edit', run: () => askForRoot(onChange, root) },
    { label: 'Remove this root', icon: 'trash-2', danger: true, refusal: lacking('library.admin'), testid: 'root-delete', run: () => removeRoot(root, onChange) },
  ];
  return html`<li data-testid="root-row" data-root-id=${root.id}>
    <div class=${classes('root', chosen && 'is-on')}>
      <button type="button" class="twist" aria-expanded=${String(open)} aria-label=${`Folders of ${root.name}`} onClick=${() => setOpen(!open)}>
        <${Icon} name=${open ? 'chevron-down' : 'chevron-right'} /></button>
      <button type="button" class="root-name" aria-pressed=${String(chosen)} title=${root.path} onClick=${choose}>
        <${Icon} name=${open ? 'folder-open' : 'folder'} /><span class="ellipsis">${root.name}</span><span
          class="muted">${count(root.script_count ?? 0)}</span></button>
      <${Button} compact=${true} kind="quiet" icon="refresh-cw" label=${isScanning ? 'Scanning' : 'Scan'} busy=${isScanning} refusal=${lacking('library.admin')}
        title=${`Scan ${root.name}`} onClick=${() => startScan(root, onChange)} data-testid="root-scan" />
      <${Menu} label=${`More for ${root.name}`} items=${items} />
    </div>
    <${ScanState} scan=${scan} root=${root} />
    ${open && html`<div class="tree"><${Branch} root=${root} folder="" /></div>`}
  </li>`;
}

/** How far a scan is; afterwards, what it found. */
function ScanState({ scan, root }) {
  if (!scan) return html`<p class="scan" data-testid="root-scan-state" data-status="none">never scanned</p>`;
  const changes = [[scan.new_count, 'new'], [scan.updated_count, 'changed'], [scan.deleted_count, 'gone'], [scan.error_count, 'unreadable']]
    .filter(([number]) => number > 0).map(([number, word]) => `${count(number)} ${word}`);
  if (scan.status === 'running') {
    const share = scan.progress === null ? null : Math.round(scan.progress * 100);
    const part = `${plural(scan.seen_count, 'file')}${share === null ? '' : ` · ${share} %`}`;
    return html`<div class="scan" data-testid="root-scan-state" data-status="running">
      <progress aria-label=${`Scan of ${root.name}`} max="100" value=${share ?? undefined}></progress>
      <p role="status">${[part, ...changes].join(', ')}</p></div>`;
  }
  if (scan.status === 'failed') {
    return html`<p class="scan text-bad" data-testid="root-scan-state" data-status="failed"><${Icon}
      name="triangle-alert" />${scan.error_message ?? 'The scan failed'}</p>`;
  }
  return html`<p class="scan" data-testid="root-scan-state" data-status="completed">${changes.length ? changes.join(', ')
    : 'nothing changed'}, <${Ago} at=${scan.ended_at} /></p>`;
}

async function startScan(root, onChange) {
  try {
    await postJson(`/api/library/folder-roots/${root.id}/scan`);
    onChange();
  } catch (error) {
    showError(error);
  }
}

async function stopScan(root, onChange) {
  try {
    await postJson(`/api/library/folder-roots/${root.id}/scan/${root.last_scan.id}/cancel`);
    onChange();
  } catch (error) {
    showError(error);
  }
}

async function removeRoot(root, onChange) {
  const sure = await confirm({
    title: `Remove the root “${root.name}”?`, confirm: 'Remove',
    body: `${plural(root.script_count, 'script')} will leave the library with their tags, owners and notes. The files stay, and so do the records of runs.`,
  });
  if (!sure) return;
  try {
    const answer = await (await request('DELETE', `/api/library/folder-roots/${root.id}`)).json();
    showToast(`${root.name} is removed with ${plural(answer.scripts_deleted, 'script')}`);
    if (query.peek().get('root_id') === String(root.id)) setQuery({ root_id: null, folder: null });
    onChange();
  } catch (error) {
    showError(error);
  }
}

/** The folders of a folder. */
function Branch({ root, folder }) {
  const found = useResource((options) => getJson('/api/library/tree', { query: { root_id: root.id, path: folder }, ...options }), [root.id, folder,
    root.last_scan_at]);
  return html`<${Loaded} resource=${found} lines=${2} title="The folders could not be listed">${({ folders }) => (folders.length
    ? html`<ul>${folders.map((each) => html`<${Folder} key=${each.path} root=${root} place=${each} />`)}</ul>`
    : folder === '' && html`<p class="muted">No folders below.</p>`)}<//>`;
}

function Folder({ root, place }) {
  const chosen = query.value.get('root_id') === String(root.id) && query.value.get('folder') === place.path;
  const [open, setOpen] = useState(`${query.peek().get('folder') ?? ''}/`.startsWith(`${place.path}/`));
  const choose = () => setQuery({ root_id: root.id, folder: chosen ? null : place.path, page: null });
  return html`<li><div class=${classes('root', chosen && 'is-on')}>
      <button type="button" class="twist" aria-expanded=${String(open)} aria-label=${`Folders of ${place.name}`} onClick=${() => setOpen(!open)}>
        <${Icon} name=${open ? 'chevron-down' : 'chevron-right'} /></button>
      <button type="button" class="root-name" aria-pressed=${String(chosen)} onClick=${choose}><span class="ellipsis">${place.name}</span><span
        class="muted">${count(place.script_count)}</span></button>
    </div>${open && html`<${Branch} root=${root} folder=${place.path} />`}</li>`;
}
